// A backtest over a log of several partitions: slice by slice, in the order of time, and what nobody sealed counts for nothing.
import { expect, it } from 'vitest';
import { senderDayRule } from '../../domain/limits/limit-rules.ts';
import type { BacktestChange } from '../../processors/limits/backtest.ts';
import { bookOf } from '../../processors/limits/processor.ts';
import type { TransferPriced } from '../../schemas/types.generated.ts';
import { AT, BOOK, reservedFrom, transferPriced } from '../../test/kit/builders.ts';
import { append, input } from '../../test/kit/harness.ts';
import { memoryCodec } from '../../test/kit/memory-codec.ts';
import { MemoryLog } from '../../test/kit/memory-log.ts';
import { testRings } from '../../test/kit/rings.ts';
import { backtest, reachOf } from './backtest.ts';
import { limitsConclusion } from './conclusion.ts';

const HOUR = 3_600_000;
const rule = senderDayRule({
  ruleId: 'day',
  currency: 'GBP',
  limitMinor: 50_000n,
  action: 'reject',
  freedByReturn: true,
});
const rolling = { ...rule, ruleId: 'day', window: { kind: 'rolling', unit: 'hour', length: 2 } } as const;
const book = bookOf({ name: 'new', version: '1', rules: [rolling] }, BOOK);

/** Transfers of 100 pounds of one sender each 6 minutes, over three partitions. */
function history(count: number) {
  const log = new MemoryLog({ partitions: 3 });
  const codec = memoryCodec();
  const money = { minor: 10_000n, currency: 'GBP' };
  for (let n = 0; n < count; n++) {
    const base = transferPriced({ transferId: `transfer-${String(n).padStart(4, '0')}` });
    const instruction = { ...base.instruction, debtorToken: 'the-sender' };
    const value: TransferPriced = { ...base, instruction, price: { ...base.price, debit: money, principal: money } };
    const at = AT + n * 0.1 * HOUR;
    append(log, codec, input('transfer.priced', value, { partition: n % 3, appendedAt: at }));
    append(log, codec, input('transfer.reserved', reservedFrom(value, at), { partition: n % 3, appendedAt: at + 5 }));
  }
  return { log, codec, sources: { reader: log.reader(), codec, rings: testRings } };
}

it('takes what several partitions have in the order of time, and refuses what exceeds the window', async () => {
  const { sources } = history(60);
  const changes: BacktestChange[] = [];
  const asked = { book, from: AT, to: AT + 24 * HOUR, onChange: (change: BacktestChange) => changes.push(change) };
  const done = await backtest(sources, asked);
  // Five fit into two hours (and a step); the next one when the first is over.
  const passed = (ids: readonly string[]) => {
    const kept: number[] = [];
    for (let n = 0; n < 60; n++) {
      const at = AT + n * 0.1 * HOUR;
      const step = Math.floor(at / 15_000);
      const used = kept.filter((before) => Math.floor((AT + before * 0.1 * HOUR) / 15_000) >= step - 480).length;
      if (used < 5) kept.push(n);
    }
    return ids.length === 60 - kept.length && !ids.some((id) => kept.includes(Number(id.slice(-4))));
  };
  expect(passed(changes.map(({ transferId }) => transferId))).toBe(true);
  expect(changes.map(({ appendedAt }) => appendedAt)).toEqual(changes.map(({ appendedAt }) => appendedAt).toSorted());
  const sum = (would: string) => done.outcomes.find((each) => each.would === would);
  expect(sum('REJECTED')).toMatchObject({ was: 'PASSED', transfers: changes.length });
  expect(sum('PASSED')!.transfers).toBe(60 - changes.length);
  expect(done).toMatchObject({
    rules: 'new@1',
    records: 120,
    unproven: 0,
    isShort: false,
    countedFrom: AT - 2 * HOUR - 15_000,
  });
});

it('tells of a part what it tells of the whole: what was before counts as long as a window reaches', async () => {
  const { sources } = history(60);
  const of = async (from: number, to: number) => {
    const ids: string[] = [];
    await backtest(sources, { book, from, to, onChange: ({ transferId }) => ids.push(transferId) });
    return ids;
  };
  const whole = await of(AT, AT + 24 * HOUR);
  // A part begins to count later than the whole, which had stopped some by then: it is the same from when that evens out.
  const part = await of(AT, AT + 3 * HOUR);
  expect(part).toEqual(whole.slice(0, part.length));
  expect(part.length).toBeGreaterThan(10);
});

it('counts nothing that no stage has sealed', async () => {
  const { log, codec, sources } = history(3);
  const forged = transferPriced({ transferId: 'transfer-9999' });
  append(log, codec, { ...input('transfer.priced', forged, { partition: 0, appendedAt: AT + HOUR }), unsealed: true });
  const done = await backtest(sources, { book, from: AT, to: AT + 24 * HOUR, onChange: () => undefined });
  expect(done).toMatchObject({ records: 6, unproven: 1 });
  expect(done.outcomes).toMatchObject([{ was: 'PASSED', would: 'PASSED', transfers: 3 }]);
});

it('has shown nothing of a period without decisions, and is the same only where all could be compared', async () => {
  const { sources } = history(60);
  const of = async (from: number, to: number, by = book) =>
    limitsConclusion(await backtest(sources, { book: by, from, to, onChange: () => undefined }));
  expect(await of(AT, AT + 24 * HOUR)).toBe('DIFFERS');
  expect(await of(AT - 48 * HOUR, AT - 24 * HOUR)).toBe('NOT_COMPARED');
  const wide = bookOf({ name: 'wide', version: '1', rules: [{ ...rolling, limitMinor: 1_000_000n }] }, BOOK);
  expect(await of(AT, AT + 24 * HOUR, wide)).toBe('SAME');
  const row = (was: 'PASSED' | 'OPEN', would: 'PASSED' | 'HELD', transfers = 1) => ({
    was,
    would,
    transfers,
    money: {},
  });
  const end = (outcomes: readonly ReturnType<typeof row>[], isShort = false, unproven = 0) =>
    limitsConclusion({ outcomes, isShort, unproven });
  // What nobody has decided yet is compared with nothing.
  expect(end([row('OPEN', 'HELD')])).toBe('NOT_COMPARED');
  expect(end([row('OPEN', 'HELD'), row('PASSED', 'PASSED')])).toBe('SAME');
  expect(end([row('PASSED', 'PASSED')], true)).toBe('INCOMPLETE');
  expect(end([row('PASSED', 'PASSED')], false, 1)).toBe('INCOMPLETE');
  expect(end([row('PASSED', 'HELD')], true)).toBe('DIFFERS');
});

it('looks as far back as the longest window', () => {
  expect(reachOf({ ...rule, window: { kind: 'transfer' } })).toBe(0);
  expect(reachOf({ ...rule, window: { kind: 'lifetime' } })).toBe(Number.POSITIVE_INFINITY);
  expect(reachOf(rolling)).toBe(2 * HOUR + 15_000);
});
