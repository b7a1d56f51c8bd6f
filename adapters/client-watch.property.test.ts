// Whatever comes in whatever order: a client is suspected for contradictions in a row alone, and only as long as nothing is heard.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NO_SUSPICION, type Sign, type Suspicion, suspect } from './client-watch.ts';

const sign: fc.Arbitrary<Sign> = fc.oneof(
  fc.constant<Sign>({ kind: 'heard' }),
  fc.record({ kind: fc.constant('looked' as const), client: fc.boolean(), fresh: fc.boolean() }),
  // Contradictions are rare by chance alone.
  fc.constant<Sign>({ kind: 'looked', client: false, fresh: true }),
);
const signs = fc.array(sign, { maxLength: 60 });
const suspicionOf = (history: readonly Sign[]): Suspicion => history.reduce(suspect, NO_SUSPICION);
const isContradiction = (each: Sign) => each.kind === 'looked' && !each.client && each.fresh;

describe('the suspicion of a client', () => {
  it('counts the contradictions at the end of what was seen, behind the look in which something was heard', () => {
    fc.assert(
      fc.property(signs, (history) => {
        const lastOther = history.findLastIndex((each) => !isContradiction(each));
        const spell = history.length - 1 - lastOther;
        // What was heard between two looks answers for the look that ends after it.
        const heardBefore = history[lastOther]?.kind === 'heard';
        const expected = Math.max(0, spell - (heardBefore ? 1 : 0));
        expect(suspicionOf(history).contradictions).toBe(expected);
      }),
    );
  });

  it('is never raised by a server that is away, nor by one that answers the client, however long', () => {
    const innocent = sign.filter((each) => !isContradiction(each));
    fc.assert(
      fc.property(fc.array(innocent, { maxLength: 60 }), (history) => {
        expect(suspicionOf(history).contradictions).toBe(0);
      }),
    );
  });

  it('ends with anything that is heard, and needs as many looks again as ever', () => {
    fc.assert(
      fc.property(signs, fc.integer({ min: 1, max: 10 }), (history, looks) => {
        const contradictions = Array.from(
          { length: looks },
          (): Sign => ({ kind: 'looked', client: false, fresh: true }),
        );
        expect(suspicionOf([...history, { kind: 'heard' }]).contradictions).toBe(0);
        expect(suspicionOf([...history, { kind: 'heard' }, ...contradictions]).contradictions).toBe(looks - 1);
      }),
    );
  });
});
