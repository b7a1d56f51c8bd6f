// Validation of who a party is said to be, whatever its part in the transfer.
import type { ReasonCode } from '../../domain/reasons.ts';
import type { Identifier, Party } from '../../schemas/types.generated.ts';
import { MAX_CHARACTERS, MAX_ITEMS } from './bounds.ts';
import { dayOf, isPartialDate } from './dates.ts';
import type { Faults } from './violations.ts';

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
  faults.text(party.name, `${role}.name`, MAX_CHARACTERS['party.name'], codes.name);
  faults.unless(party.kind !== 'UNKNOWN', 'CH16', `${role}.kind is none that this version knows`);
  faults.optionalText(party.address, `${role}.address`, MAX_CHARACTERS['party.address']);
  if (party.birthDate !== null) {
    const real = isPartialDate(party.birthDate) && party.birthDate <= dayOf(appendedAt);
    faults.unless(real, 'DT01', `${role}.birthDate is no date of the past`);
  }
  const nations = party.nationalities;
  const most = MAX_ITEMS['party.nationalities'];
  const known = nations.length <= most && nations.every((code) => COUNTRY.test(code));
  faults.unless(known, 'CH16', `${role}.nationalities must be at most ${most} ISO 3166-1 codes`);
  checkIdentifiers(faults, party.identifiers, role);
  if (party.country === null) return false;
  return faults.unless(COUNTRY.test(party.country), codes.country, `${role}.country is no ISO 3166-1 code`);
}

function checkIdentifiers(faults: Faults, identifiers: readonly Identifier[], role: string): void {
  const most = MAX_ITEMS['party.identifiers'];
  if (!faults.unless(identifiers.length <= most, 'CH16', `${role} has more than ${most} identifiers`)) return;
  for (const { scheme, value, country } of identifiers) {
    faults.text(scheme, `${role}.identifiers.scheme`, MAX_CHARACTERS['party.identifiers.scheme']);
    faults.text(value, `${role}.identifiers.value`, MAX_CHARACTERS['party.identifiers.value']);
    const known = country === null || COUNTRY.test(country);
    faults.unless(known, 'CH16', `${role}.identifiers.country is no ISO 3166-1 code`);
  }
}
