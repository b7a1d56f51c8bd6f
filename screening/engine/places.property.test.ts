// Places speak for a match and never against one: whatever is added, no score that stood before falls.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { times } from '../../test/kit/times.ts';
import { DEFAULT_CONFIG } from './config.ts';
import { compareParties } from './pair.ts';
import type { Party } from './party.ts';

const country = fc.constantFrom('GB', 'IR', 'SY', 'RU', 'IN');
const town = fc.constantFrom('Kerman', 'Leeds', 'Aleppo', 'kerman', 'Ke', '');
const party: fc.Arbitrary<Party> = fc.record({
  schema: fc.constantFrom('Person', 'Organization'),
  names: fc.constantFrom([{ name: 'Reza Karimi' }], [{ name: 'Reza Karimi Trading LLC' }]),
  weakNames: fc.constant([]),
  birthDates: fc.constantFrom([], [{ year: 1970 }]),
  countries: fc.array(country, { maxLength: 2 }),
  identifiers: fc.constant([]),
});
const listedPlaces = fc.constantFrom([], ['Kerman, Iran'], ['Kermanshah, Iran'], ['Aleppo (Syria)']);
const qualifiers = fc.constantFrom(DEFAULT_CONFIG.qualifiers, { ...DEFAULT_CONFIG.qualifiers, countryEqual: -0.2 });

it('never lowers a score', () => {
  let raised = 0;
  const places = fc.record({
    countries: fc.array(country, { maxLength: 2 }),
    birthTowns: fc.array(town, { maxLength: 1 }),
  });
  fc.assert(
    fc.property(party, party, listedPlaces, places, qualifiers, (query, listed, birthPlaces, more, weights) => {
      const config = { ...DEFAULT_CONFIG, qualifiers: weights };
      const entity = { ...listed, birthPlaces };
      const before = compareParties(query, entity, config).score;
      const after = compareParties({ ...query, places: more }, entity, config).score;
      expect(after).toBeGreaterThanOrEqual(before);
      if (after > before) raised += 1;
    }),
    { numRuns: times(1_000) },
  );
  expect(raised).toBeGreaterThan(10);
});

const of = (over: Partial<Party>): Party => ({
  ...{ schema: 'Person', names: [{ name: 'Reza Karimi' }], weakNames: [], birthDates: [], countries: [] },
  identifiers: [],
  ...over,
});
const featuresOf = (query: Party, birthPlaces: readonly string[], countries: readonly string[] = []) =>
  compareParties(query, { ...of({ countries }), birthPlaces } as Party, DEFAULT_CONFIG)
    .features.filter(({ name }) => name === 'birth_place' || name === 'country')
    .map(({ name, value }) => `${name} ${value}`);

it('knows a town within a place, whole and however it is written', () => {
  const born = (town: string) => of({ places: { countries: [], birthTowns: [town] } });
  expect(featuresOf(born('KERMÁN'), ['Kerman, Iran'])).toEqual(['birth_place equal']);
  expect(featuresOf(born('Kerman'), ['Kermanshah, Iran'])).toEqual([]);
  expect(featuresOf(born('Aleppo'), ['Aleppo (Syria)'])).toEqual(['birth_place equal']);
});

it('takes the country of birth or address for a match where the other countries differ', () => {
  const abroad = of({ countries: ['GB'] });
  expect(featuresOf(abroad, [], ['SY'])).toEqual(['country differs']);
  expect(featuresOf({ ...abroad, places: { countries: ['SY'], birthTowns: [] } }, [], ['SY'])).toEqual([
    'country equal',
  ]);
  expect(featuresOf(of({ places: { countries: ['GB'], birthTowns: [] } }), [], ['SY'])).toEqual([]);
});
