// Parties beside sender and beneficiary: what they must look like, and by what they are known. Pure.
import type { Intermediary } from '../../schemas/types.generated.ts';
import { MAX_CHARACTERS, MAX_ITEMS } from './bounds.ts';
import { checkPerson } from './persons.ts';
import type { Violations } from './violations.ts';

/** Adds what is wrong with the intermediaries. */
export function checkIntermediaries(
  violations: Violations,
  parties: readonly Intermediary[],
  appendedAt: number,
): void {
  const few = parties.length <= MAX_ITEMS.intermediaries;
  if (!violations.unless(few, 'CH16', `there are more than ${MAX_ITEMS.intermediaries} intermediaries`)) return;
  parties.forEach((party, i) => {
    const field = `intermediaries[${i}]`;
    violations.unless(party.role !== 'UNKNOWN', 'CH16', `${field}.role is not one that this version knows`);
    if (party.customerId !== null)
      violations.text(party.customerId, `${field}.customerId`, MAX_CHARACTERS['party.customerId']);
    checkPerson(violations, party, field, { name: 'CH21', country: 'CH16' }, appendedAt);
  });
}

/** The id that an intermediary's token is made of: without one of its own, whoever is described alike is the same. */
export function customerIdOf({ customerId, kind, name, birthDate, country, identifiers }: Intermediary): string {
  if (customerId !== null) return customerId;
  const known = identifiers.map(({ scheme, value, country: issuer }) => [scheme, value, issuer]);
  return `described:${JSON.stringify([kind, name, birthDate, country, known])}`;
}
