// Rules as data: each shipped rule with two transfers that differ in one field; subjects, metrics, windows and actions one by
// one; and what a refusal says. In memory: the same on a real Redis is in adapters/redis.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkLimitRules, type LimitRule, type LimitRuleSet, senderDayRule } from '../../domain/limits/limit-rules.ts';
import type { Instruction, Price, TransferPriced } from '../../schemas/types.generated.ts';
import {
  AT,
  BOOK,
  leg,
  only,
  payoutRequested,
  received,
  reviewDecided,
  run,
  summary,
  transferCompleted,
  transferPriced,
  transferReturned,
} from '../../test/kit/builders.ts';
import { KEYS } from '../../test/kit/keys.ts';
import { memoryHoldClaims } from '../../test/kit/memory-claims.ts';
import { MemoryLedger } from '../../test/kit/memory-ledger.ts';
import { fixedPolicy } from '../policies.ts';
import { bookOf, createLimits } from './processor.ts';
import type { LimitsInput } from './requests.ts';
import { limitRulesFile } from './rule-file.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const EXAMPLES = limitRulesFile.parse(
  JSON.parse(readFileSync(path.join(import.meta.dirname, 'example-rules.json'), 'utf8')),
);

function stage(rules: readonly LimitRule[], ledger = new MemoryLedger()) {
  const set: LimitRuleSet = { name: 'test', version: '7', rules: checkLimitRules(rules) };
  const limits = createLimits({
    ...{ keys: KEYS, ledger, holds: memoryHoldClaims(), rules: fixedPolicy(bookOf(set, BOOK)), clock: () => AT },
  });
  return { limits, ledger, of: async (...batch: LimitsInput[]) => (await run(limits, batch)).map(summary) };
}

interface Wish {
  readonly n?: number;
  readonly minor?: bigint;
  readonly at?: number;
  readonly source?: string;
  readonly target?: string;
  readonly instruction?: Partial<Instruction>;
  readonly legs?: Price['legs'];
}

/** A priced transfer of so many minor units without fees. */
function event({ n = 1, minor = 10_000n, source = 'USD', target = 'INR', instruction, legs }: Wish): TransferPriced {
  const base = transferPriced({ transferId: `transfer-${String(n).padStart(4, '0')}` });
  const amount = { minor, currency: source };
  const credit = { minor: minor * 90n, currency: target };
  return {
    ...base,
    instruction: { ...base.instruction, sourceCurrency: source, targetCurrency: target, ...instruction },
    price: { ...base.price, debit: amount, principal: amount, credit, fees: [], legs: legs ?? [] },
  };
}
const priced = (wish: Wish): LimitsInput => received('transfer.priced', event(wish), { appendedAt: wish.at ?? AT });
const many = (count: number, wish: Wish) => Array.from({ length: count }, (_, n) => priced({ ...wish, n: 1_000 + n }));

const MTSS = { arrangement: 'MTSS' };
const TIER = { kycTier: 'TIER_1' };
const rate = (base: string, quote: string, of: string) => leg({ base, quote, rate: of });
const LRS = {
  ...{ source: 'INR', target: 'GBP', instruction: { arrangement: 'LRS' } },
  legs: [rate('USD', 'INR', '80'), rate('GBP', 'USD', '1.25')],
};

describe('each shipped rule', () => {
  const [PASSES, HELD, REFUSED] = ['transfer.reserved', 'transfer.held', 'transfer.rejected'];
  it.each<[string, readonly Wish[], Wish, Wish, string | undefined]>([
    ['mtss-transfer-usd', [], { minor: 250_000n, instruction: MTSS }, { minor: 250_001n, instruction: MTSS }, REFUSED],
    ['mtss-transfer-usd', [], { minor: 250_001n }, { minor: 250_001n, instruction: MTSS }, REFUSED],
    [
      'mtss-beneficiary-year',
      Array.from({ length: 30 }, () => ({ instruction: MTSS })),
      { instruction: { ...MTSS, creditorToken: 'another' } },
      { instruction: MTSS },
      REFUSED,
    ],
    [
      'lrs-sender-year-usd',
      [{ ...LRS, minor: 80n * 20_000_000n }],
      { ...LRS, minor: 80n * 5_000_000n },
      { ...LRS, minor: 80n * 5_000_000n + 1n },
      REFUSED,
    ],
    [
      'lrs-sender-year-usd',
      [],
      { ...LRS, minor: 80n * 5_000_000n },
      {
        ...{ ...LRS, minor: 80n * 5_000_000n },
        instruction: { arrangement: 'LRS', declaredUse: { minor: 20_000_001n, currency: 'USD' } },
      },
      REFUSED,
    ],
    ['us-travel-rule-day-usd', [{ minor: 200_000n }], { minor: 99_999n }, { minor: 100_000n }, HELD],
    [
      'us-travel-rule-day-usd',
      [{ minor: 200_000n }],
      { minor: 100_000n, instruction: { kycTier: 'TIER_2' } },
      { minor: 100_000n },
      HELD,
    ],
    [
      'tier-1-day-usd',
      [{ minor: 200_000n, instruction: TIER }],
      { minor: 99_900n, instruction: TIER },
      { minor: 99_901n, instruction: TIER },
      REFUSED,
    ],
    [
      'tier-1-30-days-usd',
      [4, 3, 2, 1].map((days) => ({ minor: 249_000n, instruction: TIER, at: AT - days * 2 * DAY_MS })),
      { minor: 4_000n, instruction: TIER },
      { minor: 4_001n, instruction: TIER },
      REFUSED,
    ],
    [
      'tier-1-180-days-usd',
      [160, 140, 120, 100, 80, 60].map((days) => ({ minor: 299_000n, instruction: TIER, at: AT - days * DAY_MS })),
      { minor: 6_000n, instruction: TIER },
      { minor: 6_001n, instruction: TIER },
      HELD,
    ],
  ])('%s (%#) passes one of two, and not the other', async (ruleId, before, passes, fails, outcome) => {
    const rules = EXAMPLES.rules.filter((rule) => rule.ruleId === ruleId);
    expect(rules).toHaveLength(1);
    for (const [last, expected] of [
      [passes, PASSES],
      [fails, outcome],
    ] as const) {
      const { of } = stage(rules);
      const earlier = before.map((wish, n) => priced({ ...wish, n: 500 + n }));
      expect(await of(...earlier, priced(last))).toEqual([...earlier.map(() => PASSES), expected]);
    }
  });

  it('sender-beneficiaries-30-days is a shadow: it records, and never stands against anything', async () => {
    const { limits } = stage(EXAMPLES.rules.filter(({ ruleId }) => ruleId === 'sender-beneficiaries-30-days'));
    const batch = Array.from({ length: 22 }, (_, n) =>
      priced({ n, instruction: { creditorToken: `beneficiary-${Math.min(n, 20)}` } }),
    );
    const decisions = await run(limits, batch);
    expect(decisions.map(summary)).toEqual(batch.map(() => 'transfer.reserved'));
    const uses = decisions.map((decision) => only(decision, 'transfer.reserved').reservation.uses[0]!);
    expect(uses.map(({ usedMinor }) => Number(usedMinor)).slice(18)).toEqual([19, 20, 21, 21]);
    expect(uses[21]).toMatchObject({ action: 'SHADOW', metric: 'BENEFICIARIES', limitMinor: 20n, reservedMinor: 1n });
  });

  it('is tried here', () => {
    const tried = readFileSync(import.meta.filename, 'utf8');
    for (const { ruleId } of EXAMPLES.rules) expect(tried).toContain(`${ruleId}`);
  });
});

const RULE: LimitRule = {
  ...senderDayRule({ ruleId: 'rule', currency: 'USD', limitMinor: 3n, action: 'reject', freedByReturn: true }),
  metric: { kind: 'count' },
};

describe('a subject', () => {
  it.each<[LimitRule['subject'], Partial<Instruction>, Partial<Instruction>]>([
    ['sender', { debtorToken: 'other' }, { creditorToken: 'other', producerId: 'other', fundingToken: 'other' }],
    ['beneficiary', { creditorToken: 'other' }, { debtorToken: 'other' }],
    ['pair', { creditorToken: 'other' }, { producerId: 'other' }],
    ['pair', { debtorToken: 'other' }, { producerId: 'other' }],
    ['funding-account', { fundingToken: 'other' }, { debtorToken: 'other' }],
    ['producer', { producerId: 'other' }, { debtorToken: 'other' }],
    ['provider', {}, { debtorToken: 'other', creditorToken: 'another', producerId: 'other', fundingToken: null }],
  ])('%s is counted by itself', async (subject, other, same) => {
    const rule = { ...RULE, subject, ...(subject === 'provider' ? { provider: 'simulator' } : {}) };
    const { of } = stage([rule]);
    const base = { producerId: 'acme', fundingToken: 'account' };
    await of(...many(3, { instruction: base }));
    expect(await of(priced({ n: 1, instruction: { ...base, ...same } }))).toEqual(['transfer.rejected']);
    if (Object.keys(other).length === 0) return;
    expect(await of(priced({ n: 2, instruction: { ...base, ...other } }))).toEqual(['transfer.reserved']);
  });

  it('that the transfer does not name is not counted', async () => {
    const { of } = stage([{ ...RULE, subject: 'funding-account' }]);
    const batch = many(5, { instruction: { fundingToken: null } });
    expect(new Set(await of(...batch))).toEqual(new Set(['transfer.reserved']));
  });
});

describe('a rule', () => {
  it('holds from its first day on until its last', async () => {
    const [first, last] = ['2026-11-24', '2026-11-25'];
    const rule = { ...RULE, limitMinor: 1n, validFrom: first, validTo: last };
    const on = (at: string) => stage([rule]).of(...many(2, { at: Date.parse(at) }));
    expect(await on('2026-11-23T23:59:59.999Z')).toEqual(['transfer.reserved', 'transfer.reserved']);
    expect(await on('2026-11-24T00:00:00Z')).toEqual(['transfer.reserved', 'transfer.rejected']);
    expect(await on('2026-11-25T00:00:00Z')).toEqual(['transfer.reserved', 'transfer.reserved']);
  });

  it('of a provider counts the credit, as its float is used', async () => {
    const float: LimitRule = {
      ...RULE,
      ...{ subject: 'provider', provider: 'simulator', window: { kind: 'lifetime' }, limitMinor: 1_800_000n },
      metric: { kind: 'amount', of: 'credit', currency: 'INR' },
    };
    const { of } = stage([float]);
    expect(await of(...many(3, { minor: 10_000n }))).toEqual([
      'transfer.reserved',
      'transfer.reserved',
      'transfer.rejected',
    ]);
    // It does not free by time.
    expect(await of(priced({ at: AT + 400 * DAY_MS }))).toEqual(['transfer.rejected']);
  });

  it('whose currency no rate of the price leads to asks a person, and is asked once', async () => {
    const { limits } = stage([{ ...RULE, where: {}, metric: { kind: 'amount', of: 'debit', currency: 'EUR' } }]);
    const [decision] = await run(limits, [priced({ legs: [rate('USD', 'INR', '90')] })]);
    const held = only(decision, 'transfer.held');
    expect(held.hold.reasons).toEqual([
      { code: 'HLIM', detail: 'rule counts in EUR, and no rate of the price leads there: a person decides' },
    ]);
    const [approved] = await run(limits, [received('review.decided', reviewDecided(held))]);
    const { reservation } = only(approved, 'transfer.reserved');
    expect(reservation.approval?.ruleIds).toEqual(['rule']);
    const again = event({ legs: [rate('USD', 'INR', '90')] });
    const requoted = { ...again, envelope: { ...again.envelope, attempt: 2 }, limitsApproval: reservation.approval };
    expect((await run(limits, [received('transfer.priced', requoted)])).map(summary)).toEqual(['transfer.reserved']);
  });

  it('counts what was reserved at the rate of its day, and frees the same at any other', async () => {
    const rule = { ...RULE, where: {}, metric: { kind: 'amount', of: 'debit', currency: 'USD' }, limitMinor: 100_000n };
    const { limits, ledger } = stage([rule as LimitRule]);
    const wish = { source: 'GBP', minor: 10_001n, legs: [rate('GBP', 'USD', '1.3333'), rate('USD', 'INR', '90')] };
    const [decision] = await run(limits, [priced(wish)]);
    const reserved = only(decision, 'transfer.reserved');
    // 133.34333: up.
    expect(reserved.reservation.uses[0]).toMatchObject({ reservedMinor: 13_335n, currency: 'USD' });
    const requested = payoutRequested({ transferId: 'transfer-0001' });
    const paid = { ...requested, reservation: reserved.reservation };
    const dearer = { ...paid.price, legs: [rate('GBP', 'USD', '2')] };
    await run(limits, [
      received('transfer.completed', { ...transferCompleted(paid), price: dearer }),
      received('transfer.returned', { ...transferReturned(paid), price: dearer }),
    ]);
    expect([...ledger.counters.values()]).toEqual([{ used: 0n, open: 0 }]);
  });

  it('says in the event what a return frees, whatever rules come later', async () => {
    const keeping = stage([{ ...RULE, freedByReturn: false }]);
    const [decision] = await run(keeping.limits, [priced({})]);
    const { reservation } = only(decision, 'transfer.reserved');
    expect(reservation).toMatchObject({ limitRules: 'test@7', uses: [{ freedByReturn: false }] });
    const later = stage([RULE], keeping.ledger);
    const paid = { ...payoutRequested({ transferId: 'transfer-0001' }), reservation };
    await run(later.limits, [
      received('transfer.completed', transferCompleted(paid)),
      received('transfer.returned', transferReturned(paid)),
    ]);
    expect([...keeping.ledger.counters.values()]).toEqual([{ used: 1n, open: 0 }]);
  });
});

describe('a refusal', () => {
  const refusal = async (rule: Partial<LimitRule>, ...batch: Wish[]) => {
    const { limits } = stage([{ ...RULE, ...rule }]);
    const decisions = await run(
      limits,
      batch.map((wish, n) => priced({ n, ...wish })),
    );
    return only(decisions.at(-1), 'transfer.rejected');
  };
  const dollars = { kind: 'amount', of: 'debit', currency: 'USD' } as const;

  it('names used, asked, left and when it frees, in a sentence, and the rules by version', async () => {
    const value = await refusal({ metric: dollars, limitMinor: 100_000n }, { minor: 70_000n }, { minor: 40_000n });
    expect(value.reasons.map(({ detail }) => detail)).toEqual([
      'Of 1000.00 USD a calendar day (UTC, 2026-11-23) (rule), the sender has used 700.00 USD; 400.00 USD were asked for, 300.00 USD are left. Enough is free again from 2026-11-24 00:00 UTC on.',
    ]);
    expect(value.limitsRefusal).toMatchObject({
      limitRules: 'test@7',
      uses: [{ ruleId: 'rule', usedMinor: 70_000n, reservedMinor: 40_000n, limitMinor: 100_000n }],
    });
  });

  it('of a rolling window says when enough of it is old', async () => {
    const window = { kind: 'rolling', unit: 'hour', length: 24 } as const;
    const before = [10, 8, 2].map((hours) => ({ minor: 30_000n, at: AT - hours * HOUR_MS }));
    const value = await refusal({ metric: dollars, window, limitMinor: 100_000n }, ...before, { minor: 40_000n });
    expect(value.reasons[0]!.detail).toBe(
      'Of 1000.00 USD in 24 hours (rule), the sender has used 900.00 USD; 400.00 USD were asked for, 100.00 USD are left. Enough is free again from 2026-11-23 23:05 UTC on.',
    );
  });

  it('of more than a whole limit says that waiting does not help', async () => {
    const value = await refusal({ metric: dollars, limitMinor: 100_000n }, { minor: 100_001n });
    expect(value.reasons[0]!.detail).toMatch(
      /1000\.00 USD are left\. It is more than the whole limit: waiting does not help\.$/,
    );
  });

  it('of a number counts transfers', async () => {
    const value = await refusal({}, {}, {}, {}, {});
    expect(value.reasons[0]!.detail).toMatch(/has used 3 transfers; one more was asked for, 0 transfers are left/);
  });
});

it('asks for documents above a limit of that kind, and holds', async () => {
  const { limits } = stage([{ ...RULE, action: 'documents', limitMinor: 1n }]);
  const [, decision] = await run(limits, many(2, {}));
  expect(only(decision, 'transfer.held').hold.reasons).toEqual([
    {
      code: 'HDOC',
      detail:
        'the sender has used 2 transfers with this transfer; above 1 transfer a calendar day (UTC, 2026-11-23) (rule) documents are asked for',
    },
  ]);
});
