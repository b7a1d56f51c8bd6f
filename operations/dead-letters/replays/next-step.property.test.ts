import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextStep, type Progress } from './next-step.ts';
import type { ReplayTerms } from './replay.ts';

const terms: fc.Arbitrary<ReplayTerms> = fc.record({
  ratePerSecond: fc.integer({ min: 1, max: 1_000 }),
  canary: fc.integer({ min: 1, max: 50 }),
  maxFailureRatio: fc.double({ min: 0, max: 0.5, noNaN: true }),
});
const progress: fc.Arbitrary<Progress> = fc
  .record({
    left: fc.nat(200),
    sent: fc.nat(200),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
    newFailures: fc.nat(50),
    bad: fc.nat(20),
  })
  .map(({ share, sent, ...rest }) => ({ ...rest, sent, known: Math.floor(sent * share) }));
const allowance = fc.double({ min: 0, max: 100, noNaN: true });

describe('the next step of a replay', () => {
  it('sends no more than is left, than the rate lets go, and than the canary takes before it is known to be well', () => {
    fc.assert(
      fc.property(terms, progress, allowance, (of, at, lets) => {
        const step = nextStep(of, at, lets, false);
        if (step.do !== 'send') return;
        expect(step.letters).toBeGreaterThan(0);
        expect(step.letters).toBeLessThanOrEqual(Math.min(at.left, lets));
        if (at.sent < of.canary) expect(at.sent + step.letters).toBeLessThanOrEqual(of.canary);
        else expect(at.known).toBeGreaterThanOrEqual(Math.min(of.canary, at.sent));
      }),
    );
  });

  it('stops past the share of failures, whatever else is to be done, and not before', () => {
    fc.assert(
      fc.property(terms, progress, allowance, fc.boolean(), (of, at, lets, isOver) => {
        const isPast = at.sent > 0 && Math.max(at.newFailures, at.bad) > at.sent * of.maxFailureRatio;
        const step = nextStep(of, at, lets, isOver).do;
        if (isPast) expect(step).toBe('stop');
        // Nobody waits for ever for a canary of which nothing is heard.
        else if (step === 'stop') expect(isOver && at.left > 0 && at.known < Math.min(of.canary, at.sent)).toBe(true);
      }),
    );
  });

  it('ends only when nothing is left, and all is known or nobody waits any longer', () => {
    fc.assert(
      fc.property(terms, progress, allowance, fc.boolean(), (of, at, lets, isOver) => {
        const step = nextStep(of, { ...at, newFailures: 0, bad: 0 }, lets, isOver);
        expect(step.do === 'end').toBe(at.left === 0 && (at.known >= at.sent || isOver));
      }),
    );
  });

  it('comes to an end when every letter ends well: no state waits for itself', () => {
    fc.assert(
      fc.property(terms, fc.integer({ min: 1, max: 120 }), (of, letters) => {
        let at: Progress = { left: letters, sent: 0, known: 0, newFailures: 0, bad: 0 };
        for (let steps = 0; steps < 1_000; steps++) {
          const step = nextStep(of, at, of.ratePerSecond, false);
          if (step.do === 'end') {
            expect(at).toMatchObject({ left: 0, sent: letters });
            return;
          }
          const sent = step.do === 'send' ? step.letters : 0;
          at = {
            left: at.left - sent,
            sent: at.sent + sent,
            known: sent > 0 ? at.known : at.sent,
            newFailures: 0,
            bad: 0,
          };
        }
        expect.unreachable('it did not end');
      }),
    );
  });
});
