/** What a beneficiary can be to a sender, as far as authorities ask: classes, which name nobody. */
export const RELATIONS = [
  ...(['SELF', 'SPOUSE', 'PARENT', 'CHILD', 'SIBLING', 'OTHER_FAMILY', 'FRIEND'] as const),
  ...(['EMPLOYER', 'EMPLOYEE', 'SUPPLIER', 'CUSTOMER', 'OTHER'] as const),
] as const;

export const isRelation = (text: string): boolean => (RELATIONS as readonly string[]).includes(text);
