// A party of a transfer as the engine reads it. Pure.
import type { Identifier, PartyKind } from '../schemas/types.generated.ts';
import type { ScreenedFields } from './counterparties.ts';
import { type Party as EngineParty, normaliseName } from './engine/index.ts';
import { countryCode } from './lists/countries.ts';
import { parsePartialDate } from './lists/dates.ts';
import { canonicalJson, type IdentifierKind, identifierKey, sha256 } from './lists/index.ts';

const SCHEMAS: Readonly<Record<PartyKind, string>> = {
  PERSON: 'Person',
  ORGANISATION: 'Organization',
  // Compared as both.
  UNKNOWN: 'LegalEntity',
};
const KINDS: Readonly<Record<string, IdentifierKind>> = {
  PASSPORT: 'passport',
  NATIONAL_ID: 'national-id',
  TAX_ID: 'tax',
  LEI: 'lei',
  REGISTRATION: 'registration',
  IMO: 'imo',
  MMSI: 'mmsi',
  BIC: 'bic',
};

/** What of a party is compared with the lists. */
export function queryOf(party: ScreenedFields): EngineParty {
  const birthDate = party.birthDate === null ? undefined : parsePartialDate(party.birthDate);
  const places = placesOf(party);
  const countries = [party.country ?? '', ...party.nationalities].map(countryCode).filter((code) => code !== undefined);
  return {
    schema: SCHEMAS[party.kind],
    names: [{ name: party.name }],
    weakNames: [],
    birthDates: birthDate === undefined ? [] : [birthDate],
    countries: [...new Set(countries)],
    identifiers: party.identifiers.map(identifierOf),
    ...(places ? { places } : {}),
  };
}

/** What the address in fields and the place of birth say; the one-line address is not guessed at. */
export function placesOf({ postalAddress, birthPlace }: Partial<ScreenedFields>): EngineParty['places'] {
  const countries = [postalAddress?.country, birthPlace?.country]
    .map((code) => (code ? countryCode(code) : undefined))
    .filter((code) => code !== undefined);
  if (countries.length === 0 && !birthPlace) return undefined;
  return { countries: [...new Set(countries)], birthTowns: birthPlace ? [birthPlace.town] : [] };
}

/** An identifier as the lists know it; a scheme that they do not know is kept as another one. */
export function identifierOf({ scheme, value, country }: Identifier): EngineParty['identifiers'][number] {
  const code = country === null ? undefined : countryCode(country);
  const kind = KINDS[scheme.toUpperCase()] ?? 'other';
  return { kind, value, ...(code === undefined ? {} : { country: code }) };
}

/** SHA-256 over the normalised query: the same for the same question, however it was written. Hexadecimal. */
export function queryHashOf(party: EngineParty): string {
  const { schema, names, birthDates, countries, identifiers, places } = party;
  return sha256(
    canonicalJson({
      schema,
      names: names.map(({ name }) => normaliseName(name ?? '')),
      birthDates,
      countries: countries.toSorted(),
      identifiers: identifiers.map(({ kind, value, country }) => [kind, identifierKey(value), country ?? '']),
      // Left out where nothing is said: questions of before keep their hash.
      ...(places ? { places: { countries: places.countries.toSorted(), birthTowns: places.birthTowns } } : {}),
    }),
  );
}
