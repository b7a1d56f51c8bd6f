/** A party of a transfer, or one side of a pair to compare, as the engine reads it. */
import { countryCode, countryOfPlace } from '../lists/countries.ts';
import { parsePartialDate } from '../lists/dates.ts';
import type { Gender, Identifier, IdentifierKind, PartialDate } from '../lists/entity.ts';
import type { NameClass } from './name.ts';
import type { Places } from './places.ts';
import type { PersonName } from './prepare-person.ts';

export interface Party {
  /** `Person`, `Organization`, `Company`, `Vessel` …; anything else is compared as a person and as an organisation. */
  readonly schema: string;
  /** The names it goes by, the main one first. */
  readonly names: readonly PersonName[];
  readonly weakNames: readonly string[];
  readonly birthDates: readonly PartialDate[];
  readonly countries: readonly string[];
  readonly gender?: Gender;
  readonly identifiers: readonly Identifier[];
  /** What address and birth say beside `countries`; absent: nothing. */
  readonly places?: Places;
}

const CLASSES: Readonly<Record<string, readonly NameClass[]>> = {
  person: ['person'],
  individual: ['person'],
  organization: ['organisation'],
  organisation: ['organisation'],
  company: ['organisation'],
  publicbody: ['organisation'],
  vessel: ['object'],
  ship: ['object'],
  airplane: ['object'],
  aircraft: ['object'],
  vehicle: ['object'],
};
const PERSON_OR_ORGANISATION: readonly NameClass[] = ['person', 'organisation'];

/** As what the names of this schema are read. */
export const classesOf = (schema: string): readonly NameClass[] =>
  CLASSES[schema.toLowerCase()] ?? PERSON_OR_ORGANISATION;

const IDENTIFIER_FIELDS: readonly (readonly [string, IdentifierKind])[] = [
  ['passportNumber', 'passport'],
  ['passport', 'passport'],
  ['idNumber', 'national-id'],
  ['nationalId', 'national-id'],
  ['taxNumber', 'tax'],
  ['taxId', 'tax'],
  ['innCode', 'tax'],
  ['vatCode', 'tax'],
  ['registrationNumber', 'registration'],
  ['ogrnCode', 'registration'],
  ['leiCode', 'lei'],
  ['swiftBic', 'bic'],
  ['imoNumber', 'imo'],
  ['mmsi', 'mmsi'],
  ['callSign', 'call-sign'],
];
const COUNTRY_FIELDS = [
  'country',
  'nationality',
  'citizenship',
  'jurisdiction',
  'flag',
  'mainCountry',
  'registrationCountry',
];

/**
 * Reads a party from plain properties (texts or lists of texts). Unknown properties and values without a meaning are
 * left out; a party without a name has no names.
 */
export function readParty(schema: string, properties: Readonly<Record<string, unknown>>): Party {
  const given = text(properties, 'firstName', 'givenName', 'first_name');
  const middle = [
    ...texts(properties, 'middleName'),
    ...texts(properties, 'fatherName'),
    ...texts(properties, 'middle_name'),
  ][0];
  const family = text(properties, 'lastName', 'familyName', 'surname', 'last_name');
  const whole = [...texts(properties, 'name'), ...texts(properties, 'full_name'), ...texts(properties, 'fullName')];
  const names: PersonName[] = [];
  if (family !== undefined && given !== undefined) {
    names.push({
      given,
      family,
      ...(middle === undefined ? {} : { middle }),
      ...(whole[0] === undefined ? {} : { name: whole[0] }),
    });
  } else if (whole.length > 0) {
    names.push({ name: whole[0]! });
  } else {
    const name = [given, middle, family].filter((part) => part !== undefined).join(' ');
    if (name !== '') names.push({ name });
  }
  for (const name of [
    ...whole.slice(1),
    ...texts(properties, 'alias'),
    ...texts(properties, 'aliases'),
    ...texts(properties, 'previousName'),
  ]) {
    names.push({ name });
  }
  const gender = text(properties, 'gender')?.toLowerCase();
  return {
    schema,
    names,
    weakNames: texts(properties, 'weakAlias'),
    birthDates: [...texts(properties, 'birthDate'), ...texts(properties, 'date_of_birth')]
      .map(parsePartialDate)
      .filter((date) => date !== undefined),
    countries: countriesIn(properties),
    ...(gender === 'male' || gender === 'm'
      ? { gender: 'male' }
      : gender === 'female' || gender === 'f'
        ? { gender: 'female' }
        : {}),
    identifiers: IDENTIFIER_FIELDS.flatMap(([field, kind]) =>
      texts(properties, field).map((value) => ({ kind, value })),
    ),
  };
}

function countriesIn(properties: Readonly<Record<string, unknown>>): string[] {
  const found = new Set<string>();
  for (const field of COUNTRY_FIELDS) {
    for (const name of texts(properties, field)) {
      const code = countryCode(name);
      if (code !== undefined) found.add(code);
    }
  }
  for (const field of ['birthPlace', 'address', 'place_of_birth']) {
    for (const place of texts(properties, field)) {
      const code = countryOfPlace(place);
      if (code !== undefined) found.add(code);
    }
  }
  return [...found];
}

function texts(properties: Readonly<Record<string, unknown>>, field: string): string[] {
  const value = properties[field];
  const values = Array.isArray(value) ? value : [value];
  return values
    .filter((item): item is string | number => typeof item === 'string' || typeof item === 'number')
    .map((item) => String(item))
    .filter((item) => item.trim() !== '');
}

const text = (properties: Readonly<Record<string, unknown>>, ...fields: string[]): string | undefined =>
  fields.flatMap((field) => texts(properties, field))[0];
