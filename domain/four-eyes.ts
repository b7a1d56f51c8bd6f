// Four eyes: what is risky is asked for by one person and let through by another. Pure.

const folded = (name: string): string => name.normalize('NFKC').trim().toLowerCase();

/** Whether two names are of one person, however they are typed. */
export const isSamePerson = (one: string, other: string): boolean => folded(one) === folded(other);
