import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareRows, laterOf, type OrderedRow } from './row-order.ts';

const row: fc.Arbitrary<OrderedRow> = fc.record({
  eventId: fc.constantFrom('a', 'b', 'c', 'd'),
  sequence: fc.integer({ min: 1, max: 4 }),
  state: fc.constantFrom('SCREENED', 'DEAD_LETTERED'),
  occurredAt: fc.integer({ min: 0, max: 3 }),
});
const at = (sequence: number, state: string, occurredAt = 0, eventId = 'a'): OrderedRow => ({
  ...{ eventId, sequence, state, occurredAt },
});

describe('the order of the rows of a transfer', () => {
  it('is one order: the latest is the same, however the rows are read', () => {
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 6 }), (rows) => {
        const latest = rows.reduce(laterOf);
        for (const other of rows) expect(compareRows(latest, other)).toBeGreaterThanOrEqual(0);
        expect(compareRows(rows.toReversed().reduce(laterOf), latest)).toBe(0);
      }),
    );
  });

  it('turns round when its sides do', () => {
    fc.assert(
      fc.property(row, row, (a, b) => {
        expect(Math.sign(compareRows(a, b)) + Math.sign(compareRows(b, a))).toBe(0);
      }),
    );
  });

  it.each([
    ['the higher sequence, whenever it was made', at(2, 'SCREENED', 9), at(3, 'PRICED', 1)],
    ['the mark of the same sequence', at(2, 'SCREENED', 9), at(2, 'DEAD_LETTERED', 1)],
    ['the next transition, not the mark before it', at(2, 'DEAD_LETTERED', 9), at(3, 'PRICED', 1)],
    ['of two marks the one that was made later', at(2, 'DEAD_LETTERED', 1, 'z'), at(2, 'DEAD_LETTERED', 2, 'a')],
    ['of two marks of one moment the one with the greater id', at(2, 'DEAD_LETTERED'), at(2, 'DEAD_LETTERED', 0, 'b')],
  ])('has as the later one %s', (_, earlier, later) => {
    expect(laterOf(earlier, later)).toBe(later);
    expect(laterOf(later, earlier)).toBe(later);
  });
});
