// The terms of a file: what it leaves out keeps its default, and what makes no sense is refused.
import { describe, expect, it } from 'vitest';
import { configFrom, screeningTerms } from './configuration.ts';
import { DEFAULT_CONFIG } from './engine/index.ts';

describe('screening terms', () => {
  it('are the defaults without a file', () => {
    const terms = screeningTerms();
    expect(terms.base).toMatchObject({ config: DEFAULT_CONFIG, overrides: '{}' });
    expect(terms.forCorridor('GBP', 'INR')).toBe(terms.base);
    expect([...terms.railsWithoutListCheck]).toEqual(['SCT-INST']);
  });

  it('differ by list and by corridor, on top of each other', () => {
    const terms = screeningTerms({
      threshold: 0.8,
      thresholdBySource: { OFAC: 0.78, UN: 0.77 },
      corridors: { 'GBP-INR': { threshold: 0.74, thresholdBySource: { OFAC: 0.72 } } },
    });
    expect(terms.forCorridor('EUR', 'INR').config).toMatchObject({ threshold: 0.8, thresholdBySource: { OFAC: 0.78 } });
    expect(terms.forCorridor('GBP', 'INR').config).toMatchObject({
      threshold: 0.74,
      thresholdBySource: { OFAC: 0.72, UN: 0.77 },
      weights: DEFAULT_CONFIG.weights,
    });
    expect(terms.configurations).toHaveLength(2);
  });

  it('come back from what evidence records of them', () => {
    const terms = screeningTerms({ qualifiers: { countryEqual: 0.03 }, corridors: { 'GBP-INR': { threshold: 0.74 } } });
    for (const named of [terms.base, terms.forCorridor('GBP', 'INR')]) {
      expect(configFrom(named.overrides)).toEqual(named);
    }
    expect(terms.base.hash).not.toBe(terms.forCorridor('GBP', 'INR').hash);
  });

  it.each([
    ['an unknown key', { treshold: 0.8 }],
    ['a threshold above 1', { threshold: 80 }],
    ['a floor above the threshold', { floor: 0.9 }],
    ['a corridor below the cap of weak aliases', { corridors: { 'GBP-INR': { threshold: 0.6 } } }],
    ['a corridor that is no pair', { corridors: { INDIA: { threshold: 0.8 } } }],
    ['weights by corridor', { corridors: { 'GBP-INR': { weights: { common: 1 } } } }],
    ['a weight that is none', { weights: { nonsense: 1 } }],
  ])('refuse %s', (_, file) => {
    expect(() => screeningTerms(file)).toThrow();
  });
});
