// Whatever sources say: a rate is chosen only where enough of them say it, and no liar alone sets a price.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { times } from '../../test/kit/times.ts';
import { type AgreementTerms, agreeOn, distanceBps, type Quotation } from './agreement.ts';

const quotation = (source: string, micros: number, observedAt = 0): Quotation => ({
  source,
  observedAt,
  value: { numerator: BigInt(micros), denominator: 1_000_000n },
});
const micros = fc.oneof(fc.integer({ min: 1, max: 2_000_000_000 }), fc.integer({ min: 124_000_000, max: 127_000_000 }));
const quotations = fc
  .array(fc.tuple(micros, fc.nat(5)), { maxLength: 6 })
  .map((all) => all.map(([value, at], n) => quotation(`s${n}`, value, at)));
const terms: fc.Arbitrary<AgreementTerms> = fc.record({
  sources: fc.option(fc.shuffledSubarray(['s0', 's1', 's2', 's3', 's4', 's5'], { minLength: 1 }), { nil: undefined }),
  quorum: fc.integer({ min: 1, max: 4 }),
  maxDistanceBps: fc.integer({ min: 0, max: 500 }),
  pivots: fc.constant([]),
});
describe('agreement', () => {
  it('chooses what its quorum says, of sources that count, in their order', () => {
    fc.assert(
      fc.property(quotations, terms, (all, asked) => {
        const counted = all.filter(({ source }) => asked.sources?.includes(source) ?? true);
        const result = agreeOn(all, asked);
        if (result.kind !== 'agreed') {
          const few = counted.length < asked.quorum ? 'few' : 'disputed';
          expect(result.kind).toBe(counted.length === 0 ? 'none' : few);
          return;
        }
        const { chosen, sources } = result;
        expect(sources[0]).toBe(chosen.source);
        expect(sources.length).toBeGreaterThanOrEqual(asked.quorum);
        expect(result.distanceBps).toBeLessThanOrEqual(asked.maxDistanceBps);
        for (const source of sources) {
          const other = counted.find((one) => one.source === source)!;
          expect(distanceBps(chosen.value, other.value)).toBeLessThanOrEqual(BigInt(asked.maxDistanceBps));
        }
        // Nothing else has a quorum for another rate.
        for (const rival of counted.filter(
          (one) => distanceBps(one.value, chosen.value) > BigInt(asked.maxDistanceBps),
        )) {
          const behind = counted.filter((one) => distanceBps(one.value, rival.value) <= BigInt(asked.maxDistanceBps));
          expect(behind.length).toBeLessThan(asked.quorum);
        }
      }),
      { numRuns: times(2_000) },
    );
  });

  it('is what it says when each source is held against each other one', () => {
    fc.assert(
      fc.property(quotations, terms, (all, asked) => {
        const counted = all.filter(({ source }) => asked.sources?.includes(source) ?? true);
        const near = (a: Quotation, b: Quotation) => distanceBps(a.value, b.value) <= BigInt(asked.maxDistanceBps);
        const withQuorum = counted.filter((a) => counted.filter((b) => near(a, b)).length >= asked.quorum);
        const isAgreed = withQuorum.length > 0 && withQuorum.every((a) => withQuorum.every((b) => near(a, b)));
        const result = agreeOn(all, asked);
        expect(result.kind === 'agreed').toBe(isAgreed);
        if (result.kind !== 'agreed') return;
        const agreeing = counted.filter((one) => near(one, result.chosen));
        expect([...result.sources].sort()).toEqual(agreeing.map(({ source }) => source).sort());
        const distances = agreeing.map(({ value }) => Number(distanceBps(value, result.chosen.value)));
        expect(result.distanceBps).toBe(Math.max(...distances));
      }),
      { numRuns: times(2_000) },
    );
  });

  it('holds nothing up, however many sources somebody makes up', () => {
    const count = 5_000;
    let looked = 0;
    const made = (n: number): Quotation => ({
      source: `s${n}`,
      observedAt: n,
      get value() {
        looked++;
        return { numerator: 125_000_000n + BigInt(n % 100), denominator: 1_000_000n };
      },
    });
    const all = Array.from({ length: count }, (_, n) => made(n));
    const result = agreeOn(all, { quorum: 2, maxDistanceBps: 100, pivots: [] });
    expect(result).toMatchObject({ kind: 'agreed', distanceBps: 1, chosen: { source: `s${count - 1}` } });
    expect(result.kind === 'agreed' && result.sources.length).toBe(count);
    // Each against each would be 25,000,000.
    expect(looked).toBeLessThan(100 * count);
  });

  it('depends on no order in which rates come', () => {
    fc.assert(
      fc.property(
        quotations.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
        terms,
        ([all, shuffled], asked) => {
          expect(agreeOn(shuffled, asked)).toEqual(agreeOn(all, asked));
        },
      ),
      { numRuns: times(500) },
    );
  });

  it('is never what one liar says, where two that tell the truth are needed', () => {
    const honest = fc.integer({ min: 125_000_000, max: 125_500_000 });
    fc.assert(
      fc.property(fc.array(honest, { minLength: 2, maxLength: 5 }), micros, fc.nat(10), (truth, lie, at) => {
        const all = [...truth.map((value, n) => quotation(`s${n}`, value)), quotation('liar', lie, at)];
        const result = agreeOn(all, { quorum: 2, maxDistanceBps: 100, pivots: [] });
        if (result.kind !== 'agreed') return;
        expect(distanceBps(result.chosen.value, all[0]!.value)).toBeLessThanOrEqual(200n);
      }),
      { numRuns: times(2_000) },
    );
  });

  it('measures distance as it is, whichever is the larger', () => {
    fc.assert(
      fc.property(micros, micros, (x, y) => {
        const [a, b] = [quotation('a', x), quotation('b', y)];
        const exact = distanceBps(a.value, b.value);
        expect(distanceBps(b.value, a.value)).toBe(exact);
        const [apart, low] = [BigInt(Math.abs(x - y)) * 10_000n, BigInt(Math.min(x, y))];
        expect(exact * low).toBeGreaterThanOrEqual(apart);
        expect((exact - 1n) * low).toBeLessThan(apart);
      }),
      { numRuns: times(500) },
    );
  });
});
