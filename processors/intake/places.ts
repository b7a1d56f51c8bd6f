// Where a party lives and was born, in fields. The old one-line address is never parsed: nobody knows what a line means.
import { isCountryCode } from '../../domain/people/countries.ts';
import type { BirthPlace, PartyKind, PostalAddress } from '../../schemas/types.generated.ts';
import { MAX_CHARACTERS, MAX_ITEMS } from './bounds.ts';
import type { Violations } from './violations.ts';

const FIELDS = ['street', 'building', 'postCode', 'town', 'subdivision'] as const;

/** Adds what is wrong with a postal address; what must be in it is for the rules of the transfer to say. */
export function checkPostalAddress(violations: Violations, address: PostalAddress | null, field: string): void {
  if (address === null) return;
  const { country, lines } = address;
  const filled = FIELDS.some((name) => address[name] !== null) || country !== null || lines.length > 0;
  if (!violations.unless(filled, 'CH21', `${field} says nothing: leave it out`)) return;
  for (const name of FIELDS) {
    const value = address[name];
    if (value !== null) violations.text(value, `${field}.${name}`, MAX_CHARACTERS[`party.postalAddress.${name}`]);
  }
  violations.unless(country === null || isCountryCode(country), 'CH16', `${field}.country is no ISO 3166-1 code`);
  const most = MAX_ITEMS['party.postalAddress.lines'];
  if (!violations.unless(lines.length <= most, 'CH16', `${field} has more than ${most} lines`)) return;
  for (const line of lines) violations.text(line, `${field}.lines`, MAX_CHARACTERS['party.postalAddress.lines']);
}

/** Adds what is wrong with a place of birth. */
export function checkBirthPlace(
  violations: Violations,
  place: BirthPlace | null,
  field: string,
  kind: PartyKind,
): void {
  if (place === null) return;
  violations.unless(kind !== 'ORGANISATION', 'CH17', `${field}: an organisation is not born`);
  violations.text(place.town, `${field}.town`, MAX_CHARACTERS['party.birthPlace.town']);
  violations.unless(isCountryCode(place.country), 'CH16', `${field}.country is no ISO 3166-1 code`);
}
