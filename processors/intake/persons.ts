// Validation of who a party is said to be, whatever its part in the transfer.
import type { ReasonCode } from '../../domain/reasons.ts';
import type { Identifier, Party } from '../../schemas/types.generated.ts';
import { MAX_CHARACTERS, MAX_ITEMS } from './bounds.ts';
import { dayOf, isPartialDate } from './dates.ts';
import { checkBirthPlace, checkPostalAddress } from './places.ts';
import type { Violations } from './violations.ts';

const COUNTRY = /^[A-Z]{2}$/;

export interface PersonCodes {
  readonly name: ReasonCode;
  readonly country: ReasonCode;
}
type Person = Omit<Party, 'customerId' | 'account' | 'country'> & { readonly country: string | null };

/** Adds what is wrong with who a party is said to be; answers whether its country is one. */
export function checkPerson(
  violations: Violations,
  party: Person,
  role: string,
  codes: PersonCodes,
  appendedAt: number,
): boolean {
  violations.text(party.name, `${role}.name`, MAX_CHARACTERS['party.name'], codes.name);
  violations.unless(party.kind !== 'UNKNOWN', 'CH16', `${role}.kind is not one that this version knows`);
  violations.optionalText(party.address, `${role}.address`, MAX_CHARACTERS['party.address']);
  checkPostalAddress(violations, party.postalAddress, `${role}.postalAddress`);
  checkBirthPlace(violations, party.birthPlace, `${role}.birthPlace`, party.kind);
  if (party.birthDate !== null) {
    const real = isPartialDate(party.birthDate) && party.birthDate <= dayOf(appendedAt);
    violations.unless(real, 'DT01', `${role}.birthDate is no date of the past`);
  }
  const nations = party.nationalities;
  const most = MAX_ITEMS['party.nationalities'];
  const known = nations.length <= most && nations.every((code) => COUNTRY.test(code));
  violations.unless(known, 'CH16', `${role}.nationalities must be at most ${most} ISO 3166-1 codes`);
  checkIdentifiers(violations, party.identifiers, role);
  if (party.country === null) return false;
  return violations.unless(COUNTRY.test(party.country), codes.country, `${role}.country is no ISO 3166-1 code`);
}

function checkIdentifiers(violations: Violations, identifiers: readonly Identifier[], role: string): void {
  const most = MAX_ITEMS['party.identifiers'];
  if (!violations.unless(identifiers.length <= most, 'CH16', `${role} has more than ${most} identifiers`)) return;
  for (const { scheme, value, country } of identifiers) {
    violations.text(scheme, `${role}.identifiers.scheme`, MAX_CHARACTERS['party.identifiers.scheme']);
    violations.text(value, `${role}.identifiers.value`, MAX_CHARACTERS['party.identifiers.value']);
    const known = country === null || COUNTRY.test(country);
    violations.unless(known, 'CH16', `${role}.identifiers.country is no ISO 3166-1 code`);
  }
}
