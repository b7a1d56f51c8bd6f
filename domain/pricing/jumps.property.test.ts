// A rate that jumps does not come through, whichever way round it is quoted; what was accepted lets through that alone.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { times } from '../../test/kit/times.ts';
import { type AcceptedJump, jumpBps, type LastAccepted, pairName, stepOf } from './jumps.ts';

const TERMS = { maxJumpBps: 500, maxDistanceBps: 100 };
const NOW = 1_800_000_000_000;
const text = (micros: number) => `${Math.floor(micros / 1e6)}.${String(micros % 1e6).padStart(6, '0')}`;
const last = (micros: number, version = 7): LastAccepted => ({
  ...{ base: 'GBP', quote: 'INR', rate: text(micros), version },
});
const direct = (micros: number) => ({ base: 'GBP', quote: 'INR', rate: text(micros) });
const micros = fc.oneof(fc.integer({ min: 1, max: 2_000_000_000 }), fc.integer({ min: 115_000_000, max: 135_000_000 }));
const jumpTo = (from: LastAccepted, rate: number, over: Partial<AcceptedJump> = {}): AcceptedJump => ({
  ...{ ...direct(rate), fromRate: from.rate, fromVersion: from.version, expiresAt: NOW + 1, approvalId: 'a', ...over },
});

describe('how a rate follows the last', () => {
  it('is a jump beyond the limit, by its exact distance', () => {
    fc.assert(
      fc.property(micros, micros, (before, after) => {
        const step = stepOf(direct(after), { last: last(before), jump: undefined }, NOW, TERMS);
        const [low, high] = [BigInt(Math.min(before, after)), BigInt(Math.max(before, after))];
        const isBeyond = (high - low) * 10_000n > low * 500n;
        expect(step.kind === 'jumped').toBe(isBeyond);
        if (step.kind === 'stays') expect((high - low) * 10_000n <= low * 50n).toBe(true);
        if (step.kind === 'jumped') expect(step.distanceBps).toBe(jumpBps(direct(before), direct(after)));
      }),
      { numRuns: times(2_000) },
    );
  });

  it('is the same whichever way round both are quoted', () => {
    const powers = fc.record({ twos: fc.nat(6), fives: fc.nat(6) });
    fc.assert(
      fc.property(powers, powers, (a, b) => {
        // Numbers of which the inverse is a decimal too.
        const pairOf = ({ twos, fives }: { twos: number; fives: number }) => {
          const [top, digits] = [2n ** BigInt(twos) * 5n ** BigInt(fives), Math.max(twos, fives)];
          const inverse = (10n ** BigInt(digits) / top).toString().padStart(digits + 1, '0');
          return {
            straight: { base: 'GBP', quote: 'INR', rate: String(top) },
            turned: {
              base: 'INR',
              quote: 'GBP',
              rate: digits === 0 ? inverse : `${inverse.slice(0, -digits)}.${inverse.slice(-digits)}`,
            },
          };
        };
        const [before, after] = [pairOf(a), pairOf(b)];
        const kinds = [before.straight, before.turned].flatMap((quoted) =>
          [after.straight, after.turned].map(
            (rate) => stepOf(rate, { last: { ...quoted, version: 1 }, jump: undefined }, NOW, TERMS).kind,
          ),
        );
        expect(new Set(kinds).size).toBe(1);
        expect(pairName(before.straight)).toBe(pairName(before.turned));
      }),
      { numRuns: times(300) },
    );
  });

  it('never gets beyond the limit in one step, whatever was accepted, but to what was accepted', () => {
    fc.assert(
      fc.property(micros, micros, micros, (before, accepted, after) => {
        const from = last(before);
        const step = stepOf(direct(after), { last: from, jump: jumpTo(from, accepted) }, NOW, TERMS);
        if (step.kind === 'jumped') return;
        const nearLast = jumpBps(direct(after), from) <= TERMS.maxJumpBps;
        const nearAccepted = jumpBps(direct(after), direct(accepted)) <= TERMS.maxDistanceBps;
        expect(step.kind === 'accepted' ? nearAccepted : nearLast).toBe(true);
      }),
      { numRuns: times(2_000) },
    );
  });

  const from = last(125_000_000);
  it.each([
    ['counts', {}, 'accepted'],
    ['about that rate', { rate: '137.0' }, 'accepted'],
    ['is over', { expiresAt: NOW }, 'jumped'],
    ['was from a rate that is replaced', { fromVersion: 6 }, 'jumped'],
    ['was from another rate of that version', { fromRate: '124.999999' }, 'jumped'],
    ['was of another pair', { base: 'EUR' }, 'jumped'],
    ['was to another rate', { rate: '134.0' }, 'jumped'],
    ['was to the rate the other way round', { base: 'INR', quote: 'GBP' }, 'jumped'],
  ])('what was accepted %s', (_, over, kind) => {
    const jump = jumpTo(from, 136_000_000, over as Partial<AcceptedJump>);
    expect(stepOf(direct(136_000_000), { last: from, jump }, NOW, TERMS).kind).toBe(kind);
  });

  it('is taken as it is where nothing was gone by', () => {
    expect(stepOf(direct(1), { last: undefined, jump: undefined }, NOW, TERMS)).toEqual({ kind: 'first' });
  });
});
