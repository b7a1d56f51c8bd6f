// A backtest of a log equals a rerun of the stage with those rules over that log, transfer by transfer.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { checkLimitRules, type LimitRule, senderDayRule } from '../../domain/limits/limit-rules.ts';
import type { TransferPriced, TransferRejected } from '../../schemas/types.generated.ts';
import { AT, BOOK, received, run, transferPriced } from '../../test/kit/builders.ts';
import { KEYS } from '../../test/kit/keys.ts';
import { memoryHoldClaims } from '../../test/kit/memory-claims.ts';
import { MemoryLedger } from '../../test/kit/memory-ledger.ts';
import { times } from '../../test/kit/times.ts';
import { isDisposition } from '../contract.ts';
import { fixedPolicy } from '../policies.ts';
import { Backtest, type BacktestChange, type BacktestTopic, type Verdict } from './backtest.ts';
import { bookOf, createLimits } from './processor.ts';
import type { RuleBook } from './requests.ts';

const HOUR = 3_600_000;
const rule = (over: Partial<LimitRule>): LimitRule => ({
  ...senderDayRule({
    ruleId: 'sender-day',
    currency: 'GBP',
    limitMinor: 100_000n,
    action: 'reject',
    freedByReturn: true,
  }),
  ...over,
});
const book = (...rules: LimitRule[]): RuleBook =>
  bookOf({ name: 'set', version: String(rules.length), rules: checkLimitRules(rules) }, BOOK);
const OLD = book(rule({ limitMinor: 60_000n }), rule({ ruleId: 'look', limitMinor: 40_000n, action: 'hold' }));
const NEW = book(
  rule({ ruleId: 'three-hours', window: { kind: 'rolling', unit: 'hour', length: 3 }, limitMinor: 30_000n }),
  rule({ ruleId: 'beneficiaries', metric: { kind: 'beneficiaries' }, limitMinor: 2n, action: 'hold' }),
  rule({ ruleId: 'pair-count', subject: 'pair', metric: { kind: 'count' }, limitMinor: 4n, freedByReturn: false }),
  rule({ ruleId: 'seen', limitMinor: 10_000n, action: 'shadow' }),
);

const END = ['none', 'transfer.completed', 'transfer.returned', 'dispatch', 'refused-by-person'] as const;
const wish = fc.record({
  sender: fc.constantFrom<string>('s-1', 's-2'),
  beneficiary: fc.constantFrom<string>('b-1', 'b-2', 'b-3'),
  minor: fc.integer({ min: 1_000, max: 25_000 }),
  /** Hours after the one before. */
  after: fc.integer({ min: 0, max: 4 }),
  end: fc.constantFrom(...END),
});
type Wish = typeof wish extends fc.Arbitrary<infer T> ? T : never;

function pricedOf({ sender, beneficiary, minor }: Wish, n: number): TransferPriced {
  const base = transferPriced({ transferId: `transfer-${String(n).padStart(4, '0')}` });
  const money = { minor: BigInt(minor), currency: 'GBP' };
  return {
    ...base,
    instruction: { ...base.instruction, debtorToken: sender, creditorToken: beneficiary },
    price: { ...base.price, debit: money, principal: money },
  };
}

const stageOf = (rules: RuleBook) =>
  createLimits({
    ...{
      keys: KEYS,
      ledger: new MemoryLedger(),
      holds: memoryHoldClaims(),
      rules: fixedPolicy(rules),
      clock: () => AT,
    },
  });
type Stage = ReturnType<typeof stageOf>;

/** What the stage makes of one record. */
async function made(stage: Stage, topic: string, value: unknown, at: number) {
  const [decision] = await run(stage, [
    received(topic as 'transfer.priced', value as TransferPriced, { appendedAt: at }),
  ]);
  if (isDisposition(decision!)) throw new Error('it decides');
  return decision as readonly { readonly to: BacktestTopic; readonly value: never }[];
}
const VERDICT: Record<string, Verdict> = {
  'transfer.reserved': 'PASSED',
  'transfer.held': 'HELD',
  'transfer.rejected': 'REJECTED',
};

interface Logged {
  readonly topic: BacktestTopic;
  readonly value: never;
  readonly at: number;
}

/** How a transfer ends that the stage of then let through. */
function endOf(
  { end }: Wish,
  { to, value }: { readonly to: BacktestTopic; readonly value: never },
): Logged | undefined {
  const event = value as TransferRejected;
  const at = 0;
  if (to === 'transfer.held' && end === 'refused-by-person')
    return { topic: 'transfer.rejected', value: { ...event, stage: 'LIMITS', limitsRefusal: null } as never, at };
  if (to !== 'transfer.reserved' || end === 'none' || end === 'refused-by-person') return undefined;
  if (end === 'dispatch') return { topic: 'transfer.rejected', value: { ...event, stage: 'DISPATCH' } as never, at };
  return { topic: end, value, at };
}

/** The log that the rules of then made: each priced transfer, what came of it, and how it ended an hour and a half later. */
async function history(wishes: readonly Wish[]): Promise<readonly Logged[]> {
  const stage = stageOf(OLD);
  const log: Logged[] = [];
  let ends: Logged[] = [];
  let at = AT;
  const settle = async (until: number) => {
    for (const end of ends.filter((each) => each.at <= until)) {
      log.push(end);
      await made(stage, end.topic, end.value, end.at);
    }
    ends = ends.filter((each) => each.at > until);
  };
  for (const [n, one] of wishes.entries()) {
    at += one.after * HOUR;
    await settle(at);
    const value = pricedOf(one, n);
    log.push({ topic: 'transfer.priced', value: value as never, at });
    const [event] = await made(stage, 'transfer.priced', value, at);
    log.push({ topic: event!.to, value: event!.value, at });
    const end = endOf(one, event!);
    if (end) ends.push({ ...end, at: at + 1.5 * HOUR });
  }
  await settle(Number.POSITIVE_INFINITY);
  return log;
}

/** What the stage makes of the same priced transfers by other rules; what it lets through ends as it did. */
async function rerun(log: readonly Logged[]): Promise<ReadonlyMap<string, Verdict>> {
  const stage = stageOf(NEW);
  const verdicts = new Map<string, Verdict>();
  const reserved = new Map<string, unknown>();
  for (const { topic, value, at } of log) {
    const { transferId } = (value as TransferPriced).envelope;
    if (topic === 'transfer.priced') {
      const [event] = await made(stage, topic, value, at);
      verdicts.set(transferId, VERDICT[event!.to]!);
      if (event!.to !== 'transfer.rejected') reserved.set(transferId, event!.value);
      continue;
    }
    const mine = reserved.get(transferId);
    const { stage: of, limitsRefusal } = value as TransferRejected;
    if (mine === undefined || topic === 'transfer.reserved' || topic === 'transfer.held') continue;
    const isBySelf = topic === 'transfer.rejected' && of === 'LIMITS';
    if (isBySelf && (limitsRefusal !== null || verdicts.get(transferId) !== 'HELD')) continue;
    await made(stage, topic, { ...(mine as object), stage: of }, at);
  }
  return verdicts;
}

it('says of each transfer what the stage would have made of it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(wish, { minLength: 1, maxLength: 40 }), async (wishes) => {
      const log = await history(wishes);
      const expected = await rerun(log);
      const changes: BacktestChange[] = [];
      const test = new Backtest({
        book: NEW,
        from: 0,
        to: Number.MAX_SAFE_INTEGER,
        onChange: (each) => changes.push(each),
      });
      const was = new Map<string, Verdict>();
      for (const { topic, value, at } of log) {
        test.add(topic, value, at);
        const { transferId } = (value as TransferPriced).envelope;
        if (topic !== 'transfer.priced' && !was.has(transferId)) was.set(transferId, VERDICT[topic]!);
      }
      const would = new Map(was);
      for (const change of changes) {
        expect(change.was).toBe(was.get(change.transferId));
        would.set(change.transferId, change.would);
      }
      expect(would).toEqual(expected);
      const { outcomes } = test.report();
      expect(outcomes.reduce((sum, { transfers }) => sum + transfers, 0)).toBe(wishes.length);
      const money = wishes.reduce((sum, { minor }) => sum + BigInt(minor), 0n);
      expect(outcomes.reduce((sum, { money: of }) => sum + (of['GBP'] ?? 0n), 0n)).toBe(money);
    }),
    { numRuns: times(150) },
  );
});

it('counts what was before the period, and tells nothing of it', () => {
  const changes: BacktestChange[] = [];
  const one = book(rule({ limitMinor: 10_000n }));
  const test = new Backtest({ book: one, from: AT + HOUR, to: AT + 2 * HOUR, onChange: (each) => changes.push(each) });
  const of: Wish = {
    sender: 's',
    beneficiary: 'b',
    minor: 9_000,
    after: 0,
    end: 'none',
  };
  const [before, within, behind] = [0, 1, 2].map((n) => pricedOf(of, n)) as [
    TransferPriced,
    TransferPriced,
    TransferPriced,
  ];
  test.add('transfer.priced', before, AT);
  test.add('transfer.priced', within, AT + HOUR);
  test.add('transfer.priced', behind, AT + 2 * HOUR);
  for (const value of [before, within, behind]) test.add('transfer.reserved', value as never, AT + 3 * HOUR);
  expect(changes).toMatchObject([
    { transferId: within.envelope.transferId, was: 'PASSED', would: 'REJECTED', rules: ['sender-day'] },
  ]);
  expect(test.report()).toMatchObject({
    outcomes: [{ was: 'PASSED', would: 'REJECTED', transfers: 1, money: { GBP: 9_000n } }],
    byRule: [{ ruleId: 'sender-day', verdict: 'REJECTED', transfers: 1, money: { GBP: 9_000n } }],
  });
});

it('remembers no more than it may, and lets go of windows that are over', () => {
  const day = book(rule({ limitMinor: 10n ** 12n }));
  const feed = (maxHeld: number, hoursApart: number) => {
    const test = new Backtest({ book: day, from: 0, to: Number.MAX_SAFE_INTEGER, maxHeld, onChange: () => undefined });
    const base = pricedOf({ sender: 's', beneficiary: 'b', minor: 1_000, after: 0, end: 'none' }, 0);
    for (let n = 0; n < 130_000; n++) {
      const envelope = { ...base.envelope, transferId: `t-${n}` };
      const instruction = { ...base.instruction, debtorToken: `s-${n}` };
      test.add('transfer.priced', { ...base, envelope, instruction }, AT + n * hoursApart * HOUR);
      test.add('transfer.reserved', { ...base, envelope } as never, AT + n * hoursApart * HOUR);
    }
    return test.report();
  };
  expect(() => feed(60_000, 0)).toThrow(RangeError);
  expect(feed(60_000, 1).outcomes).toMatchObject([{ was: 'PASSED', would: 'PASSED', transfers: 130_000 }]);
});
