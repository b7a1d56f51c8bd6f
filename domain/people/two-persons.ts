// Who stands behind a decision: one person, two by name, or one under a broken glass. What a seal covers of it. Pure.
import { isSystemIdentity, nameSkeleton } from './identities.ts';

/** Who agreed beside the one who decided, and by which approval. All of it is under the seal of the decision. */
export interface SecondPerson {
  /** Who let it through, where two persons agreed. */
  readonly agreedBy?: string | null;
  /** The broken glass under which one was enough. */
  readonly glass?: string | null;
  /** The approval by which it was let through, and the hash of what both have seen. Absent: of before they were named. */
  readonly approvalId?: string | null;
  readonly approvalHash?: string | null;
}

type Given = { readonly [Name in keyof SecondPerson]?: string };

/** What is given of it; nothing else of the value. */
export const secondPersonOf = ({ agreedBy, glass, approvalId, approvalHash }: SecondPerson): Given => ({
  ...(!isNone(agreedBy) && { agreedBy }),
  ...(!isNone(glass) && { glass }),
  ...(!isNone(approvalId) && { approvalId }),
  ...(!isNone(approvalHash) && { approvalHash }),
});

/** What a seal covers of it. Decisions of before a part of it was named have the seal that they had. */
export const secondPersonContent = ({ agreedBy, glass, approvalId, approvalHash }: SecondPerson): readonly string[] => [
  ...(isNone(agreedBy) && isNone(glass) ? [] : ['agreed', agreedBy ?? '', glass ?? '']),
  ...(isNone(approvalId) && isNone(approvalHash) ? [] : ['approval', approvalId ?? '', approvalHash ?? '']),
];

const isNone = (text: string | null | undefined): text is null | undefined => text === null || text === undefined;

/** Whether a decision names two persons, or the broken glass under which one was enough. */
export function isOfTwo({ by, agreedBy, glass }: SecondPerson & { readonly by: string }): boolean {
  // An empty name names nobody.
  if (!isNone(glass) && glass !== '') return true;
  if (isNone(agreedBy) || agreedBy.trim() === '' || isSystemIdentity(agreedBy)) return false;
  return nameSkeleton(agreedBy) !== nameSkeleton(by);
}
