// Validation of who a party is said to be, whatever its part in the transfer.
import type { ReasonCode } from '../../domain/reasons.ts';
import type { Identifier, Party } from '../../schemas/types.generated.ts';
import { dayOf, isPartialDate } from './dates.ts';
import type { Faults } from './faults.ts';

const MAX_NAME = 140;
const MAX_ADDRESS = 350;
export const MAX_ID = 64;
const MAX_ITEMS = 10;
const COUNTRY = /^[A-Z]{2}$/;

export interface PersonCodes {
  readonly name: ReasonCode;
  readonly country: ReasonCode;
}
type Person = Pick<Party, 'kind' | 'name' | 'birthDate' | 'nationalities' | 'identifiers' | 'address'> & {
  readonly country: string | null;
};

/** Adds what is wrong with who a party is said to be; answers whether its country is one. */
export function checkPerson(
  faults: Faults,
  party: Person,
  role: string,
  codes: PersonCodes,
  appendedAt: number,
): boolean {
  faults.text(party.name, `${role}.name`, MAX_NAME, codes.name);
  faults.unless(party.kind !== 'UNKNOWN', 'CH16', `${role}.kind is none that this version knows`);
  faults.optionalText(party.address, `${role}.address`, MAX_ADDRESS);
  if (party.birthDate !== null) {
    const real = isPartialDate(party.birthDate) && party.birthDate <= dayOf(appendedAt);
    faults.unless(real, 'DT01', `${role}.birthDate is no date of the past`);
  }
  const nations = party.nationalities;
  const known = nations.length <= MAX_ITEMS && nations.every((code) => COUNTRY.test(code));
  faults.unless(known, 'CH16', `${role}.nationalities must be at most ${MAX_ITEMS} ISO 3166-1 codes`);
  checkIdentifiers(faults, party.identifiers, role);
  if (party.country === null) return false;
  return faults.unless(COUNTRY.test(party.country), codes.country, `${role}.country is no ISO 3166-1 code`);
}

function checkIdentifiers(faults: Faults, identifiers: readonly Identifier[], role: string): void {
  if (!faults.unless(identifiers.length <= MAX_ITEMS, 'CH16', `${role} has more than ${MAX_ITEMS} identifiers`)) return;
  for (const { scheme, value, country } of identifiers) {
    faults.text(scheme, `${role}.identifiers.scheme`, MAX_ID);
    faults.text(value, `${role}.identifiers.value`, MAX_ID);
    const known = country === null || COUNTRY.test(country);
    faults.unless(known, 'CH16', `${role}.identifiers.country is no ISO 3166-1 code`);
  }
}
