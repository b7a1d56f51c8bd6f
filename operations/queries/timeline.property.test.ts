// A timeline is in the order in which things happened, and loses nothing.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inOrder, type Placed } from './timeline.ts';

const statesOf = (events: readonly Placed[]) => inOrder(events).map(({ state }) => state);

describe('the order of a timeline', () => {
  it('has an intent that was sent again where it came, and not before everything else', () => {
    const events = [
      { state: 'intent.duplicated', occurredAt: 500 },
      { state: 'ACCEPTED', sequence: 1, occurredAt: 100 },
      { state: 'SCREENED', sequence: 2, occurredAt: 200 },
      { state: 'PRICED', sequence: 3, occurredAt: 900 },
    ];
    expect(statesOf(events)).toEqual(['ACCEPTED', 'SCREENED', 'intent.duplicated', 'PRICED']);
  });

  it('has a dead letter after the transition that it repeats, and before the one that its replay brought', () => {
    const events = [
      { state: 'DEAD_LETTERED', sequence: 2, occurredAt: 300 },
      { state: 'ACCEPTED', sequence: 1, occurredAt: 100 },
      { state: 'SCREENED', sequence: 2, occurredAt: 200 },
      { state: 'DEAD_LETTERED', sequence: 2, occurredAt: 600 },
      { state: 'PRICED', sequence: 3, occurredAt: 900 },
    ];
    expect(statesOf(events)).toEqual(['ACCEPTED', 'SCREENED', 'DEAD_LETTERED', 'DEAD_LETTERED', 'PRICED']);
  });

  it('believes the sequence, and not the clock of another machine, about transitions and what repeats them', () => {
    const events = [
      { state: 'ACCEPTED', sequence: 1, occurredAt: 500n },
      { state: 'SCREENED', sequence: 2, occurredAt: 200n },
      { state: 'DEAD_LETTERED', sequence: 2, occurredAt: 100n },
    ];
    expect(statesOf(events)).toEqual(['ACCEPTED', 'SCREENED', 'DEAD_LETTERED']);
  });

  const event = fc.record(
    {
      state: fc.constantFrom('ACCEPTED', 'SCREENED', 'DEAD_LETTERED', 'intent.duplicated'),
      sequence: fc.integer({ min: 1, max: 5 }),
      occurredAt: fc.integer({ min: 0, max: 20 }),
    },
    { requiredKeys: ['state', 'occurredAt'] },
  ) as fc.Arbitrary<Placed>;

  it('loses and makes up nothing, whatever it is given, and keeps transitions in sequence', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 12 }), (events) => {
        const ordered = inOrder(events);
        expect(ordered).toHaveLength(events.length);
        expect(new Set(ordered)).toEqual(new Set(events));
        const sequences = ordered.filter(({ state, sequence }) => sequence && state !== 'DEAD_LETTERED');
        expect(sequences.map(({ sequence }) => sequence)).toEqual(
          sequences.map(({ sequence }) => sequence!).toSorted((a, b) => a - b),
        );
      }),
    );
  });

  it('is the order of time where clocks agree with sequences', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 1_000 }), { minLength: 1, maxLength: 10 }), (times) => {
        const sorted = times.toSorted((a, b) => a - b);
        let sequence = 0;
        const events = sorted.map((occurredAt, index) =>
          index % 3 === 2
            ? { state: 'DEAD_LETTERED', sequence, occurredAt }
            : { state: 'SCREENED', sequence: ++sequence, occurredAt },
        );
        expect(inOrder(events.toReversed()).map(({ occurredAt }) => occurredAt)).toEqual(sorted);
      }),
    );
  });
});
