import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bandOf } from '../../../domain/corridors/amount-bands.ts';
import { BOOK } from '../../../test/kit/builders.ts';
import { compare, cursorAfter } from './cursor.ts';
import { checkTerms, kindsWanted, pageOf } from './page.ts';
import { CASE_KINDS, INBOX_STAGES, type QueuedCase } from './row.ts';
import { DEFAULT_SLA, dueAt } from './sla.ts';

const HOUR_MS = 3_600_000;
const queued = (over: Partial<QueuedCase> = {}): QueuedCase => ({
  kind: 'HOLD',
  id: 'h',
  transferId: 't',
  stage: 'SCREENING',
  reasonCodes: ['RR04'],
  amount: { minor: 100n, currency: 'GBP' },
  corridor: 'GB-IN',
  openedAt: 0,
  expiresAt: null,
  dueAt: 0,
  assigned: null,
  ...over,
});

const anyCase = fc.record({
  kind: fc.constantFrom(...CASE_KINDS),
  id: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'),
  stage: fc.constantFrom(...INBOX_STAGES),
  dueAt: fc.integer({ min: 0, max: 3 }),
  openedAt: fc.integer({ min: 0, max: 3 }),
});
const anyQueue = fc.uniqueArray(anyCase.map(queued), { selector: ({ kind, id }) => `${kind}/${id}`, maxLength: 21 });

describe('pages', () => {
  it('hold every case that is asked for once, the first due first, however long a page is', () => {
    fc.assert(
      fc.property(
        anyQueue,
        fc.integer({ min: 1, max: 5 }),
        fc.option(fc.constantFrom(...INBOX_STAGES)),
        (queue, limit, stage) => {
          const filter = { stage: stage ?? undefined };
          const seen: QueuedCase[] = [];
          let after: string | undefined;
          do {
            const page = pageOf(queue, { filter, limit, after });
            expect(page.cases.length).toBeLessThanOrEqual(limit);
            expect(page.total.cases).toBe(queue.filter((each) => stage === null || each.stage === stage).length);
            seen.push(...page.cases);
            after = page.next ?? undefined;
          } while (after !== undefined);
          const wanted = queue.filter((each) => stage === null || each.stage === stage);
          expect(seen).toEqual(wanted.toSorted(compare));
        },
      ),
    );
  });

  it('go on after the last row, also when it was decided meanwhile and others have come', () => {
    const [a, b, c] = ['a', 'b', 'c'].map((id, n) => queued({ id, dueAt: n }));
    const first = pageOf([a!, b!, c!], { filter: {}, limit: 1 });
    const early = queued({ id: 'early', dueAt: 0, kind: 'PAYOUT' });
    const next = pageOf([early, b!, c!], { filter: {}, limit: 5, after: first.next! });
    expect(next.cases.map(({ id }) => id)).toEqual(['early', 'b', 'c']);
  });

  it('sum the money of transfers, each once, by currency', () => {
    const eur = { minor: 5n, currency: 'EUR' };
    const cases = [
      queued(),
      queued({ id: 'other case of it' }),
      queued({ id: 'i', transferId: 'u', amount: eur }),
      queued({ id: 'j', transferId: 'v', amount: null }),
      queued({ id: 'k', transferId: 'w' }),
    ];
    expect(pageOf(cases, { filter: {}, limit: 1 }).total).toEqual({
      cases: 5,
      money: [eur, { minor: 200n, currency: 'GBP' }],
      withoutAmount: 1,
    });
  });

  it.each([
    [{ kind: 'PAYOUT' }, ['p']],
    [{ stage: 'LIMITS' }, ['l']],
    [{ corridor: 'EU-IN' }, ['p']],
    [{ openedBefore: 2 }, ['h']],
    [{ assignedTo: 'AMARA ' }, ['l']],
    [{ assignedTo: null }, ['h', 'p']],
    [{ assignedTo: 'bela' }, []],
  ] as const)('are filtered: %j', (filter, ids) => {
    const cases = [
      queued({ id: 'h', openedAt: 1 }),
      queued({ id: 'l', stage: 'LIMITS', openedAt: 2, assigned: { by: 'amara', until: 9 } }),
      queued({ id: 'p', kind: 'PAYOUT', stage: 'PAYOUT', openedAt: 3, corridor: 'EU-IN' }),
    ];
    expect(pageOf(cases, { filter, limit: 9 }).cases.map(({ id }) => id)).toEqual(ids);
  });

  it('a cursor is worth nothing for another question, or when it was changed', () => {
    const cursor = cursorAfter(queued(), { stage: 'LIMITS' });
    const page = (after: string) => () => pageOf([queued()], { filter: { stage: 'LIMITS' }, limit: 1, after });
    expect(page(cursor)).not.toThrow();
    const other = cursorAfter(queued(), { stage: 'SCREENING' });
    const foreign = Buffer.from('[1,2]').toString('base64url');
    for (const wrong of [other, foreign, '', 'x', `${cursor}x`.repeat(99), cursor.slice(4)]) {
      expect(page(wrong)).toThrow(expect.objectContaining({ code: 'CURSOR_INVALID' }));
    }
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(page(text)).toThrow(expect.objectContaining({ code: 'CURSOR_INVALID' }));
      }),
    );
  });

  it('are of a bounded length and of stages that there are', () => {
    for (const limit of [0, 201, 1.5, Number.NaN]) {
      expect(() => checkTerms({ filter: {}, limit })).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
    }
    for (const filter of [{ kind: 'X' }, { stage: 'FX_PRICING' }]) {
      expect(() => checkTerms({ filter: filter as never, limit: 1 })).toThrow(/must be one of/);
    }
    expect(kindsWanted({})).toEqual(CASE_KINDS);
    expect(kindsWanted({ stage: 'RESCREENING' })).toEqual(['CUSTOMER']);
    expect(kindsWanted({ stage: 'LIMITS', kind: 'PAYOUT' })).toEqual([]);
  });
});

describe('when a case is due', () => {
  const max = BOOK.between('GBP', 'INR')!.source.amount.maxMinor;
  const gbp = (minor: bigint) => ({ minor, currency: 'GBP' });

  it.each([
    [gbp(max / 2n), 'GB-IN', 'LARGE'],
    [gbp(max / 2n - 1n), 'GB-IN', 'MEDIUM'],
    [gbp(max / 10n), 'GB-IN', 'MEDIUM'],
    [gbp(max / 10n - 1n), 'GB-IN', 'SMALL'],
    [{ minor: 1n, currency: 'INR' }, 'GB-IN', 'SMALL'],
    [{ minor: 1n, currency: 'USD' }, 'GB-IN', 'LARGE'],
    [gbp(1n), 'XX-YY', 'LARGE'],
    [gbp(1n), null, 'LARGE'],
    [null, 'GB-IN', 'LARGE'],
  ] as const)('an amount has the band of its corridor (%#)', (amount, corridor, band) => {
    expect(bandOf(amount, corridor, BOOK)).toBe(band);
  });

  it('is so many hours after it was opened, sooner for more money, and never after it ends by itself', () => {
    const small = queued({ amount: gbp(1n), openedAt: 5 });
    expect(dueAt(small, DEFAULT_SLA, BOOK)).toBe(5 + 24 * HOUR_MS);
    expect(dueAt({ ...small, expiresAt: 7 }, DEFAULT_SLA, BOOK)).toBe(7);
    for (const { SMALL, MEDIUM, LARGE } of Object.values(DEFAULT_SLA)) {
      expect([SMALL >= MEDIUM, MEDIUM >= LARGE, LARGE > 0]).toEqual([true, true, true]);
    }
  });
});
