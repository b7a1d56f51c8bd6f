// Given what the ledger holds, limits reserves, holds or declines; ends settle it; crashes and repeats change nothing.
import { describe, expect, it } from 'vitest';
import { senderDayRule } from '../../domain/limits/limit-rules.ts';
import {
  AT,
  BOOK,
  LIMIT_BOOK,
  only,
  payoutRequested,
  received,
  requoteRequested,
  reviewDecided,
  run,
  summary,
  transferCompleted,
  transferHeld,
  transferHeldByLimits,
  transferPriced,
  transferRejected,
  transferRepriced,
  transferReturned,
  type Wishes,
} from '../../test/kit/builders.ts';
import { input, runProcessor } from '../../test/kit/harness.ts';
import { HOLDING, KEYS } from '../../test/kit/keys.ts';
import { ManualClock } from '../../test/kit/manual-clock.ts';
import { memoryHoldClaims } from '../../test/kit/memory-claims.ts';
import { MemoryLedger } from '../../test/kit/memory-ledger.ts';
import { contentHashOf } from '../hold-content.ts';
import { isSealedAsHeld } from '../holds.ts';
import { DEFAULT_DISPATCH_RULES, decide as decideDispatch } from '../payout-dispatch/decide.ts';
import { fixedPolicy } from '../policies.ts';
import { bookOf, createLimits } from './processor.ts';
import type { LimitsInput } from './requests.ts';

const DAY_MS = 86_400_000;

function limits(ledger = new MemoryLedger(), holds = memoryHoldClaims(), clock = () => AT, dropped: string[] = []) {
  const onDropped = ({ code }: { code: string }) => void dropped.push(code);
  return createLimits({ keys: KEYS, ledger, holds, rules: fixedPolicy(LIMIT_BOOK), clock, onDropped });
}
/** A priced transfer of this many pounds by customer-0001. */
const of = (n: number, pounds: number, wishes: Wishes = {}): Wishes => ({
  transferId: `transfer-${String(n).padStart(4, '0')}`,
  intent: { instructedAmount: { minor: BigInt(pounds) * 100n, currency: 'GBP' } },
  ...wishes,
});
const priced = (n: number, pounds: number, appendedAt = AT, wishes: Wishes = {}): LimitsInput =>
  received('transfer.priced', transferPriced(of(n, pounds, wishes)), { appendedAt });
const used = (ledger: MemoryLedger) =>
  [...ledger.counters].map(([bucket, { used, open }]) => [bucket.split(':')[0], used, open]);

describe('a priced transfer', () => {
  it('within its limits is reserved, and says how they stand', async () => {
    const [decision] = await run(limits(), [priced(1, 1_000)]);
    const { reservation, envelope } = only(decision, 'transfer.reserved');
    expect(envelope).toMatchObject({ sequence: 4, attempt: 1 });
    expect(reservation).toMatchObject({ reservationId: 'transfer-0001:1', reservedAt: AT });
    expect(
      reservation.uses.map(({ ruleId, window, usedMinor, limitMinor }) => [ruleId, window, usedMinor, limitMinor]),
    ).toEqual([
      ['sender-day-gbp-review', '2026-11-23', 100_000n, 800_000n],
      ['sender-day-gbp', '2026-11-23', 100_000n, 1_000_000n],
    ]);
  });

  it('is decided by one version, also when another one comes while the ledger is asked', async () => {
    const set = (name: string, ruleId: string) =>
      bookOf(
        {
          name,
          version: '1',
          rules: [
            senderDayRule({ ruleId, currency: 'GBP', limitMinor: 10_000n, action: 'reject', freedByReturn: true }),
          ],
        },
        BOOK,
      );
    let inForce = set('before', 'before-day');
    const versions = () => ({ version: 1, from: 0, content: inForce });
    class Slow extends MemoryLedger {
      override async apply(operations: Parameters<MemoryLedger['apply']>[0]) {
        const results = await super.apply(operations);
        inForce = set('after', 'after-day');
        return results;
      }
    }
    const rules = { at: versions, all: () => [versions()] };
    const stage = () =>
      createLimits({ keys: KEYS, ledger: new Slow(), holds: memoryHoldClaims(), rules, clock: () => AT });
    const [refused] = await run(stage(), [priced(1, 700)]);
    const { limitsRefusal, reasons } = only(refused, 'transfer.rejected');
    expect(limitsRefusal).toMatchObject({ limitRules: 'before@1' });
    expect(reasons[0]!.detail).toContain('a calendar day (UTC, 2026-11-23) (before-day)');
    // What the ledger is not asked of, because nothing counts so much, is told by the same set.
    inForce = set('before', 'before-day');
    const value = transferPriced(of(3, 700));
    const price = { ...value.price, debit: { ...value.price.debit, minor: 2n ** 53n } };
    const [, beyond] = await run(stage(), [
      priced(2, 700),
      received('transfer.priced', { ...value, price }, { appendedAt: AT }),
    ]);
    expect(only(beyond, 'transfer.rejected').limitsRefusal).toMatchObject({ limitRules: 'before@1' });
  });

  it('above a limit is declined with AM14 and an explanation', async () => {
    const ledger = new MemoryLedger();
    const decisions = await run(limits(ledger), [priced(1, 7_000), priced(2, 4_000), priced(3, 500)]);
    expect(decisions.map(summary)).toEqual(['transfer.reserved', 'transfer.rejected', 'transfer.reserved']);
    expect(only(decisions[1], 'transfer.rejected')).toMatchObject({
      stage: 'LIMITS',
      reservation: null,
      reasons: [
        {
          code: 'AM14',
          detail:
            'Of 10000.00 GBP a calendar day (UTC, 2026-11-23) (sender-day-gbp), the sender has used 7000.00 GBP; 4000.00 GBP were asked for, 3000.00 GBP are left. Enough is free again from 2026-11-24 00:00 UTC on.',
        },
      ],
    });
    expect(used(ledger)).toEqual([
      ['sender-day-gbp-review', 750_000n, 2],
      ['sender-day-gbp', 750_000n, 2],
    ]);
  });

  it('above what passes without review is reserved and held', async () => {
    const [decision] = await run(limits(), [priced(1, 8_001)]);
    const held = only(decision, 'transfer.held');
    expect(held.hold).toMatchObject({ stage: 'LIMITS', reasons: [{ code: 'HLIM' }] });
    expect(isSealedAsHeld(KEYS.stages, held)).toBe(true);
    expect(contentHashOf(held)).toBe(held.hold.evidenceHash);
  });

  it('counts in the window of its append time, not in that of the clock', async () => {
    const ledger = new MemoryLedger();
    const late = () => AT + 5 * DAY_MS;
    const batch = [priced(1, 7_000, AT), priced(2, 7_000, AT + DAY_MS)];
    expect((await run(limits(ledger, undefined, late), batch)).map(summary)).toEqual([
      'transfer.reserved',
      'transfer.reserved',
    ]);
  });

  it('counts by sender and by currency', async () => {
    const other = { debtor: { customerId: 'customer-0099' } };
    const batch = [priced(1, 7_000), priced(2, 7_000, AT, other), priced(3, 7_000)];
    expect((await run(limits(), batch)).map(summary)).toEqual([
      'transfer.reserved',
      'transfer.reserved',
      'transfer.rejected',
    ]);
  });

  it('gets the same answer again after a crash between claim and commit, whatever came between', async () => {
    const ledger = new MemoryLedger();
    const batch = [priced(1, 6_000), priced(2, 6_000)];
    ledger.outages.crashAfter = 1;
    await expect(run(limits(ledger), batch)).rejects.toMatchObject({ code: 'MONGO_UNAVAILABLE' });
    await run(limits(ledger), [priced(3, 2_000)]);
    expect(await run(limits(ledger), batch)).toEqual(await run(limits(), batch));
  });

  it('that comes twice in one batch is counted once', async () => {
    const ledger = new MemoryLedger();
    const [first, second] = await run(limits(ledger), [priced(1, 6_000), priced(1, 6_000)]);
    expect(second).toEqual(first);
    expect(used(ledger)[1]).toEqual(['sender-day-gbp', 600_000n, 1]);
  });

  it('whose transfer has ended is dropped', async () => {
    const ledger = new MemoryLedger();
    const requested = payoutRequested(of(1, 100));
    const batch: LimitsInput[] = [received('transfer.rejected', transferRejected(requested)), priced(1, 100)];
    expect((await run(limits(ledger), batch)).map(summary)).toEqual(['', '']);
    expect(used(ledger)).toEqual([]);
  });

  it('asks the ledger once for a batch', async () => {
    const ledger = new MemoryLedger();
    await run(
      limits(ledger),
      Array.from({ length: 30 }, (_, n) => priced(n, 10)),
    );
    expect(ledger.outages.calls).toBe(1);
  });

  it('waits while the ledger is lost: nothing is decided on guesses', async () => {
    const ledger = new MemoryLedger();
    ledger.lose();
    await expect(run(limits(ledger), [priced(1, 10)])).rejects.toMatchObject({
      code: 'LIMITS_NOT_HYDRATED',
      faultClass: 'transient-dependency',
    });
  });
});

describe('a new quote', () => {
  it('takes the place of the reservation before', async () => {
    const ledger = new MemoryLedger();
    const wishes = of(1, 6_000);
    const again = received('transfer.priced', transferRepriced(requoteRequested(wishes)));
    const decisions = await run(limits(ledger), [priced(1, 6_000), again, priced(1, 6_000)]);
    expect(decisions.map(summary)).toEqual(['transfer.reserved', 'transfer.reserved', '']);
    expect(only(decisions[1], 'transfer.reserved').reservation.reservationId).toBe('transfer-0001:2');
    expect(used(ledger)[1]).toEqual(['sender-day-gbp', 600_000n, 1]);
  });
});

describe('the end of a transfer', () => {
  const requested = payoutRequested(of(1, 6_000));

  it.each<[string, LimitsInput[], bigint]>([
    ['frees the limit when it was rejected', [received('transfer.rejected', transferRejected(requested))], 0n],
    ['keeps it used when it was paid', [received('transfer.completed', transferCompleted(requested))], 600_000n],
    [
      'frees it when the money came back',
      [
        received('transfer.completed', transferCompleted(requested)),
        received('transfer.returned', transferReturned(requested)),
      ],
      0n,
    ],
  ])('%s, however often it is told', async (_, ends, expected) => {
    const ledger = new MemoryLedger();
    const decisions = await run(limits(ledger), [priced(1, 6_000), ...ends, ...ends]);
    expect(decisions.slice(1).map(summary).join('')).toBe('');
    expect(used(ledger)[1]).toEqual(['sender-day-gbp', expected, 0]);
  });

  it('does not concern the ledger when the transfer never came to limits', async () => {
    const ledger = new MemoryLedger();
    const { screening, ...held } = transferHeld();
    const { hold: _, ...early } = {
      ...held,
      screening,
      payout: null,
      stage: 'SCREENING',
      reasons: [],
      limitsRefusal: null,
    } as const;
    await run(limits(ledger), [received('transfer.rejected', early)]);
    expect(ledger.outages.calls).toBe(0);
  });
});

describe('a decision on a limits hold', () => {
  const held = transferHeldByLimits();
  const decided = (over: Parameters<typeof reviewDecided>[1] = {}): LimitsInput =>
    received('review.decided', reviewDecided(held, over));

  it('to approve goes on with the reservation that was held', async () => {
    const value = only((await run(limits(), [decided()]))[0], 'transfer.reserved');
    expect(value.reservation).toEqual({
      ...held.reservation,
      approval: {
        review: expect.objectContaining({ holdId: held.hold.holdId, decision: 'APPROVE' }) as object,
        ruleIds: ['sender-day-gbp-review'],
        debit: held.price!.debit,
      },
    });
    expect(value.envelope).toMatchObject({ sequence: held.envelope.sequence + 1 });
  });

  it('to approve holds for later prices of the transfer, not for a higher debit, and never against a hard limit', async () => {
    const ledger = new MemoryLedger();
    const [first] = await run(limits(ledger), [priced(1, 9_000)]);
    const waiting = only(first, 'transfer.held');
    const approve = received('review.decided', reviewDecided(waiting));
    const reserved = only((await run(limits(ledger), [approve]))[0], 'transfer.reserved');
    const expired = received('transfer.reserved', reserved);
    const requote = only(
      decideDispatch(expired, { now: reserved.price.expiresAt, rules: DEFAULT_DISPATCH_RULES, holding: HOLDING }),
      'transfer.requote-requested',
    );
    const again = transferRepriced(requote);
    expect(again.limitsApproval).toEqual(reserved.reservation.approval);
    const rerun = async (debitMinor: bigint, used: MemoryLedger = ledger) => {
      const price = { ...again.price, debit: { ...again.price.debit, minor: debitMinor } };
      return summary((await run(limits(used), [received('transfer.priced', { ...again, price })]))[0]);
    };
    expect(await rerun(again.price.debit.minor)).toBe('transfer.reserved');
    const dearer = new MemoryLedger();
    expect(await rerun((again.price.debit.minor * 103n) / 100n, dearer)).toBe('transfer.held');
    expect(await rerun(1_000_001n, new MemoryLedger())).toBe('transfer.rejected');
  });

  it('to reject names the reservation to free', async () => {
    const value = only((await run(limits(), [decided({ decision: 'REJECT' })]))[0], 'transfer.rejected');
    expect(value).toMatchObject({ stage: 'LIMITS', reasons: [{ code: 'AM14' }], reservation: held.reservation });
  });

  it('on other evidence, or on a hold of screening, changes nothing', async () => {
    const dropped: string[] = [];
    const tampered = { ...held, reservation: { ...held.reservation!, uses: [] } };
    const batch = [
      decided({ evidenceHash: 'x' }),
      decided({ held: tampered }),
      received('review.decided', reviewDecided(transferHeld())),
    ];
    expect((await run(limits(undefined, undefined, undefined, dropped), batch)).map(summary)).toEqual(['', '', '']);
    expect(dropped).toEqual(['EVIDENCE_MISMATCH', 'EVIDENCE_MISMATCH']);
  });

  it('is honoured once', async () => {
    const holds = memoryHoldClaims();
    const second = decided({ decision: 'REJECT', command: { ...reviewDecided(held).command, commandId: 'second' } });
    expect((await run(limits(undefined, holds), [decided(), second, decided()])).map(summary)).toEqual([
      'transfer.reserved',
      '',
      'transfer.reserved',
    ]);
  });
});

describe('limits on the host', () => {
  it.each(['before-commit', 'after-commit'] as const)(
    'commits each decision once through crashes %s',
    async (point) => {
      const ledger = new MemoryLedger();
      let crashes = 0;
      const result = await runProcessor(() => limits(ledger), {
        clock: new ManualClock(AT),
        maxBatchRecords: 2,
        inputs: [1, 2, 3, 4, 5].map((n) => input('transfer.priced', transferPriced(of(n, 3_000)), { appendedAt: AT })),
        crash: (where) => (where === point && crashes++ % 2 === 0 && crashes < 6 ? 'crash' : undefined),
      });
      expect(result.crashes).toBeGreaterThan(1);
      const ids = (topic: 'transfer.reserved' | 'transfer.held' | 'transfer.rejected') =>
        result.outputs(topic).map(({ value }) => value.envelope.transferId.slice(-1));
      expect(ids('transfer.reserved')).toEqual(['1', '2']);
      expect(ids('transfer.held')).toEqual(['3']);
      expect(ids('transfer.rejected')).toEqual(['4', '5']);
      expect(used(ledger)[1]).toEqual(['sender-day-gbp', 900_000n, 3]);
    },
  );
});
