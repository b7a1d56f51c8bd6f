// A party as people and programs write it in JSON, for the engine. Pure.
import { type Party, readParty } from './engine/index.ts';
import { identifierOf } from './query.ts';

/**
 * Reads a party from plain properties: those of the engine, and the shape of a party in a transfer intent (`kind`,
 * `nationalities`, `identifiers: [{ scheme, value, country }]`). A party given as text is its name. What has no meaning
 * is left out.
 */
export function plainParty(schema: string, given: Readonly<Record<string, unknown>> | string): Party {
  if (typeof given === 'string') return readParty(schema, { name: given });
  const { identifiers, country, countries, nationality, nationalities } = given;
  const party = readParty(schema, {
    ...given,
    country: [country, countries].flat(),
    nationality: [nationality, nationalities].flat(),
  });
  const more = [identifiers].flat().flatMap((each) => (isRecord(each) ? identifiersIn(each) : []));
  return more.length === 0 ? party : { ...party, identifiers: [...party.identifiers, ...more] };
}

/** The first that says what a party is: `Person`, `Company`, `Vessel` …, or the kind of a party in an intent. */
export function schemaOf(...given: readonly unknown[]): string | undefined {
  return given.find((each): each is string => typeof each === 'string' && each.trim() !== '')?.trim();
}

function identifiersIn({ scheme, value, country }: Readonly<Record<string, unknown>>): Party['identifiers'] {
  if (typeof scheme !== 'string' || (typeof value !== 'string' && typeof value !== 'number')) return [];
  return [identifierOf({ scheme, value: String(value), country: typeof country === 'string' ? country : null })];
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
