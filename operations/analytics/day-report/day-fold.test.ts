// The figures of a day against a recount that looks at every row for each of them, and what the page makes of them.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TransferLifecycle } from '../../../schemas/types.generated.ts';
import { AT } from '../../../test/kit/builders.ts';
import { ENDINGS } from '../../../verify/testing/history.ts';
import { rowsOf } from '../testing/grains-world.ts';
import { DayFold } from './day-fold.ts';
import { dayPage, decimals } from './page.ts';
import { DAY_MS, type DayReport } from './read-day.ts';

const DAY = Math.floor(AT / DAY_MS) * DAY_MS;
const HISTORY = rowsOf(ENDINGS).map(({ row }) => row);
const LIBRARY = { script: 'window.uPlot = class {};', style: '.u { color: red }' };

interface Taken {
  readonly row: TransferLifecycle;
  readonly at: number;
}
const folded = (taken: readonly Taken[]) => {
  const fold = new DayFold(DAY);
  for (const { row, at } of taken) fold.transfer(row, at);
  return fold.figures();
};
const reported = (over: Partial<DayReport> = {}): DayReport => ({
  ...{
    day: '2026-11-23',
    madeAt: AT,
    completeUntil: DAY + DAY_MS,
    isWhole: true,
    isFinal: true,
    read: [],
    unproven: 0,
    unreadable: 0,
  },
  figures: folded(HISTORY.map((row) => ({ row, at: AT }))),
  ...over,
});

const total = <T>(all: readonly T[], of: (each: T) => bigint) => all.reduce((sum, each) => sum + of(each), 0n);

it('are those of a recount, row by row, whenever the rows were taken', () => {
  const taken = fc.array(
    fc.record({ row: fc.constantFrom(...HISTORY), at: fc.integer({ min: DAY, max: DAY + DAY_MS - 1 }) }),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(taken, (all) => {
      const figures = folded(all);
      const steps = all.filter(({ row }) => row.eventKind !== 'MARK');
      const paid = steps.filter(({ row }) => row.state === 'COMPLETED').map(({ row }) => row);
      expect(figures.rows).toBe(all.length);
      expect(total(figures.volume, ({ revenueMinor }) => revenueMinor)).toBe(
        total(paid, ({ feesMinor, marginMinor }) => (marginMinor === null ? 0n : feesMinor! + marginMinor)),
      );
      expect(total(figures.volume, ({ debitMinor }) => debitMinor)).toBe(total(paid, ({ debitMinor }) => debitMinor!));
      expect(figures.volume.reduce((sum, { transfers }) => sum + transfers, 0)).toBe(paid.length);
      for (let hour = 0; hour < 24; hour++) {
        const of = (state: string) =>
          steps.filter(({ row, at }) => row.state === state && Math.floor((at - DAY) / 3_600_000) === hour).length;
        const { accepted, completed, rejected } = figures.hours;
        expect([accepted[hour], completed[hour], rejected[hour]]).toEqual(
          ['ACCEPTED', 'COMPLETED', 'REJECTED'].map(of),
        );
      }
      for (const { state, transfers } of figures.funnel)
        expect(transfers).toBe(
          new Set(steps.filter(({ row }) => row.state === state).map(({ row }) => row.transferId)).size,
        );
      for (const { state, times, p50Ms, p95Ms } of figures.stays) {
        const spans = steps
          .filter(({ row }) => row.previousState === state && row.previousOccurredAt !== null)
          .map(({ row }) => row.occurredAt - row.previousOccurredAt!)
          .toSorted((one, other) => one - other);
        expect(times).toBe(spans.length);
        // So large a share is no greater, and of none that is less.
        for (const [share, value] of [
          [0.5, p50Ms],
          [0.95, p95Ms],
        ] as const) {
          expect(spans.filter((each) => each <= value).length / times).toBeGreaterThanOrEqual(share);
          expect(spans.filter((each) => each < value).length / times).toBeLessThan(share);
        }
      }
      const reasons = all.filter(({ row }) => row.state === 'HELD').flatMap(({ row }) => row.reasonCodes);
      expect(figures.holds.reduce((sum, { transfers }) => sum + transfers, 0)).toBe(reasons.length);
    }),
  );
});

it('count what was refused and repeated by who sent it, whatever a name is', () => {
  const fold = new DayFold(DAY);
  for (const producerId of ['a', 'a","b', 'a', null])
    fold.refused({
      corridorId: null,
      producerId,
      reasons: [
        { code: 'AM02', text: '' },
        { code: 'AC01', text: '' },
      ],
    } as never);
  for (const transferId of ['one', 'one', 'two']) fold.duplicated({ producerId: 'a', transferId } as never);
  const { refused, duplicates } = fold.figures();
  expect(refused.map(({ producerId, code, intents }) => [producerId, code, intents])).toEqual([
    ['a', 'AC01', 2],
    ['a', 'AM02', 2],
    ['a","b', 'AC01', 1],
    ['a","b', 'AM02', 1],
    [null, 'AC01', 1],
    [null, 'AM02', 1],
  ]);
  expect(duplicates).toEqual([{ producerId: 'a', repeats: 3, transfers: 2 }]);
});

describe('the page', () => {
  it('asks for nothing else, and lets no script run but its own', () => {
    const page = dayPage(reported(), LIBRARY);
    expect(page).toContain('default-src &#39;none&#39;');
    expect(page).not.toMatch(/(?:src|href)=|url\(|@import|https?:/);
    expect(page.match(/sha256-/g)).toHaveLength(4);
  });

  it('shows what comes from records as text', () => {
    const evil = '</script><img src=x onerror="alert(1)">';
    const row = {
      ...HISTORY.find(({ state }) => state === 'COMPLETED')!,
      corridorId: evil,
      state: 'COMPLETED' as const,
    };
    const fold = new DayFold(DAY);
    fold.transfer(row, AT);
    fold.duplicated({ producerId: evil, transferId: 't' } as never);
    const page = dayPage(reported({ figures: fold.figures() }), LIBRARY);
    expect(page).not.toContain('<img');
    expect(page.match(/<\/script>/g)).toHaveLength(3);
    expect(page).toContain('&lt;/script&gt;&lt;img src=x onerror=&quot;alert(1)&quot;&gt;');
  });

  it('says whether the day is final, and that a day without rows has none', () => {
    expect(dayPage(reported(), LIBRARY)).toContain('Final:');
    const open = { isFinal: false, completeUntil: DAY + 60_000 };
    expect(dayPage(reported(open), LIBRARY)).toContain(`complete until ${new Date(DAY + 60_000).toISOString()}`);
    expect(dayPage(reported({ isWhole: false, isFinal: false }), LIBRARY)).toContain('Not whole:');
    const none = dayPage(
      reported({ isFinal: false, completeUntil: null, figures: folded([]), unproven: null }),
      LIBRARY,
    );
    for (const says of ['no watermark', 'Nothing was recorded on this day', 'for want of the key'])
      expect(none).toContain(says);
  });

  it('draws the corridors with the most, and the others as one; a long table says what it leaves out', () => {
    const row = HISTORY.find(({ state }) => state === 'COMPLETED')!;
    const fold = new DayFold(DAY);
    for (let n = 0; n < 300; n++)
      for (let times = 0; times < (n < 7 ? 2 : 1); times++)
        fold.transfer({ ...row, corridorId: `C-${String(n).padStart(3, '0')}`, transferId: `t-${n}-${times}` }, AT);
    const page = dayPage(reported({ figures: fold.figures() }), LIBRARY);
    const charts = JSON.parse(/id="charts">(.*?)<\/script>/s.exec(page)![1]!) as { corridors: { name: string }[] };
    expect(charts.corridors.map(({ name }) => name)).toEqual([
      ...['C-000', 'C-001', 'C-002', 'C-003', 'C-004', 'C-005', 'C-006', '293 others'],
    ]);
    expect(page).toContain('100 rows more are not shown');
  });

  it.each([
    [0n, 2, '0.00'],
    [5n, 2, '0.05'],
    [-5n, 2, '-0.05'],
    [123456n, 2, '1234.56'],
    [1234n, 3, '1.234'],
    [7n, 0, '7'],
    [2n ** 63n - 1n, 2, '92233720368547758.07'],
    [7n, null, '7'],
  ])('shows %s minor units of exponent %s as %s', (minor, exponent, text) => {
    expect(decimals(minor, exponent)).toBe(text);
  });
});
