// Lists of transfers and of payouts: pages, sums, names that are masked, and what they lack.
import { describe, expect, it } from 'vitest';
import { openPayout } from '../../payouts/decide.ts';
import type { Payout } from '../../payouts/payout.ts';
import { requestCodec } from '../../payouts/request-codec.ts';
import { CodedError } from '../../ports/fault.ts';
import type { TransferDocument } from '../../sinks/transfer-view/to-write.ts';
import { AT, BOOK, payoutRequested } from '../../test/kit/builders.ts';
import { memoryCodec } from '../../test/kit/memory-codec.ts';
import { listPayouts } from './payouts.ts';
import type { ListedPayout } from './ports.ts';
import { listTransfers } from './transfers.ts';

const codec = memoryCodec();
const down = new CodedError('MONGO_UNAVAILABLE', 'away', { faultClass: 'transient-dependency' });

const transfer = (n: number): TransferDocument =>
  ({
    ...{ _id: `t-${n}`, version: 2, updatedAt: new Date(AT - n), state: 'PRICED', stage: 'FX_PRICING' },
    ...{ sourceCurrency: 'GBP', targetCurrency: 'INR', requestedAt: AT, reasonCodes: [], lastEventId: 'e' },
    ...(n === 0
      ? { debitMinor: null, creditMinor: null, instructedMinor: 90n, instructedCurrency: 'GBP' }
      : { debitMinor: 100n, creditMinor: 9_000n }),
  }) as unknown as TransferDocument;
const all = [0, 1, 2, 3, 4].map(transfer);

const views = {
  find: async () => undefined,
  list: async (_: unknown, after: { updatedAt: Date } | undefined, limit: number) =>
    all.filter(({ updatedAt }) => !after || updatedAt < after.updatedAt).slice(0, limit),
  totals: async () => ({
    byCurrency: [{ currency: 'GBP', transfers: 5, minor: 400n, withoutAmount: 1 }],
    isCut: false,
  }),
};

describe('a list of transfers', () => {
  const list = (query: object, over: object = {}) =>
    listTransfers({ views: { ...views, ...over }, corridors: BOOK }, { limit: 2, ...query });

  it('is read page by page, with the sums of all', async () => {
    const ids: string[] = [];
    let after: string | undefined;
    do {
      const page = await list({ after });
      ids.push(...page.rows.map(({ transferId }) => transferId));
      expect(page.total).toEqual({ transfers: 5, money: [{ minor: 400n, currency: 'GBP' }], withoutAmount: 1 });
      after = page.next ?? undefined;
    } while (after);
    expect(ids).toEqual(['t-0', 't-1', 't-2', 't-3', 't-4']);
    const [unpriced, priced] = (await list({})).rows;
    expect(unpriced).toMatchObject({ corridor: 'GB-IN', debit: null, instructed: { minor: 90n, currency: 'GBP' } });
    expect(priced!.debit).toEqual({ minor: 100n, currency: 'GBP' });
    // A row of before the view had it.
    expect(priced!.instructed).toBeNull();
  });

  it('refuses a cursor of another question, a corridor that there is not, and pages without end', async () => {
    const { next } = await list({});
    await expect(list({ after: next!, state: 'HELD' })).rejects.toMatchObject({ code: 'CURSOR_INVALID' });
    await expect(list({ after: 'x'.repeat(5_000) })).rejects.toMatchObject({ code: 'CURSOR_INVALID' });
    await expect(list({ corridor: 'XX-YY' })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    await expect(list({ limit: 1_000_000 })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  });

  it('is shown without sums where they cannot be made, and says so', async () => {
    const { rows, complete, missing } = await list({}, { totals: async () => Promise.reject(down) });
    expect(rows).toHaveLength(2);
    expect({ complete, missing }).toMatchObject({ complete: false, missing: [{ code: 'MONGO_UNAVAILABLE' }] });
    const cut = await list({}, { totals: async () => ({ ...(await views.totals()), isCut: true }) });
    expect(cut.missing).toMatchObject([{ source: 'TOTALS', code: 'LIST_CUT' }]);
  });
});

describe('a list of payouts', () => {
  const payoutOf = (id: string, requested = codec.encode('payout.requested', payoutRequested({ transferId: id }))) =>
    openPayout({ payoutId: id, provider: 'p', homePartition: 0, pricingAttempt: 1, priceExpiresAt: AT, requested }, AT);
  const listed = (payout: Payout | undefined, n: number): ListedPayout => ({
    payoutId: payout?.payoutId ?? `forged-${n}`,
    changedAt: new Date(AT + n),
    payout,
  });
  const found = [
    listed(payoutOf('p-0'), 0),
    listed(undefined, 1),
    listed(payoutOf('p-2', Buffer.from('rubbish')), 2),
    listed(payoutOf('p-3'), 3),
  ];
  const payouts = {
    inPhase: async (_: string, after: { at: Date } | undefined, limit: number) =>
      found.filter(({ changedAt }) => !after || changedAt > after.at).slice(0, limit),
  };
  const list = (query: object = {}) =>
    listPayouts(
      { payouts, requests: requestCodec(codec), corridors: BOOK },
      { phase: 'OUTCOME_UNKNOWN', limit: 10, ...query },
    );

  it('has unknown outcomes with their money, names masked, and believes nothing of what nobody may have written', async () => {
    const { rows, total, complete } = await list();
    const { instructedAmount } = payoutRequested().instruction;
    expect(complete).toBe(true);
    expect(rows.map(({ payoutId, flaw }) => `${payoutId} ${flaw}`)).toEqual([
      'p-0 null',
      'forged-1 PAYOUT_FORGED',
      'p-2 REQUEST_UNREADABLE',
      'p-3 null',
    ]);
    expect(rows[0]).toMatchObject({ instructed: instructedAmount, corridor: 'GB-IN', names: { sender: 'G••• H•••' } });
    expect(total).toEqual({
      count: 4,
      money: [{ ...instructedAmount, minor: 2n * instructedAmount.minor }],
      withoutAmount: 2,
    });
  });

  it('is read page by page, and says when the sums are of a part', async () => {
    const first = await list({ limit: 3, maxSummed: 2 });
    expect(first.missing).toMatchObject([{ source: 'TOTALS', code: 'LIST_CUT' }]);
    const second = await list({ limit: 3, after: first.next! });
    expect(second.rows.map(({ payoutId }) => payoutId)).toEqual(['p-3']);
    expect(second.next).toBeNull();
    await expect(list({ phase: 'PAID', after: first.next! })).rejects.toMatchObject({ code: 'CURSOR_INVALID' });
    await expect(list({ phase: 'GONE' })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  });
});
