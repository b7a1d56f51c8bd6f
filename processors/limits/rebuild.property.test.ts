// The ledger rebuilt from the log equals the ledger that was lived through, from events in any order and told any number
// of times.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMIT_RULES, type LimitRule } from '../../domain/limits/limit-rules.ts';
import { rollingOf, windowFinder } from '../../domain/limits/windows.ts';
import {
  AT,
  LIMIT_BOOK,
  only,
  received,
  requestedFrom,
  reservedFrom,
  run,
  transferCompleted,
  transferPriced,
  transferRejected,
  transferReturned,
} from '../../test/kit/builders.ts';
import { KEYS } from '../../test/kit/keys.ts';
import { memoryHoldClaims } from '../../test/kit/memory-claims.ts';
import { ledgerReading, MemoryLedger } from '../../test/kit/memory-ledger.ts';
import { times } from '../../test/kit/times.ts';
import type { Decision } from '../contract.ts';
import { fixedPolicy } from '../policies.ts';
import type { LimitsEvent } from './decide.ts';
import { catchUpLimits, hydrateLimits, type LedgerReader } from './hydrate.ts';
import { createLimits } from './processor.ts';
import { type LedgerEvents, LedgerFold, type LedgerTopic } from './rebuild.ts';
import type { LimitsInput } from './requests.ts';

type LedgerRecord = { [T in LedgerTopic]: { topic: T; value: LedgerEvents[T] } }[LedgerTopic];
const fates = ['open', 'rejected', 'completed', 'returned'] as const;

const transfers = fc.array(
  fc.record({
    pounds: fc.integer({ min: 5, max: 4_000 }),
    fate: fc.constantFrom(...fates),
    sender: fc.integer({ min: 1, max: 3 }),
  }),
  { maxLength: 15 },
);

/** Lives through the transfers: what the ledger holds then, and what the log says. */
async function live(cases: readonly { pounds: number; fate: (typeof fates)[number]; sender: number }[]) {
  const ledger = new MemoryLedger();
  const limits = createLimits({
    keys: KEYS,
    ledger,
    holds: memoryHoldClaims(),
    rules: fixedPolicy(LIMIT_BOOK),
    clock: () => AT,
  });
  const log: LedgerRecord[] = [];
  const tell = (decision: Decision<LimitsEvent>) => {
    for (const event of decision as readonly LimitsEvent[])
      log.push({ topic: event.to, value: event.value } as LedgerRecord);
  };
  for (const [index, { pounds, fate, sender }] of cases.entries()) {
    const priced = transferPriced({
      transferId: `transfer-${1_000 + index}`,
      debtor: { customerId: `customer-${sender}` },
      intent: { instructedAmount: { minor: BigInt(pounds) * 100n, currency: 'GBP' } },
    });
    const [decision] = await run(limits, [received('transfer.priced', priced)]);
    tell(decision!);
    const [event] = decision as readonly LimitsEvent[];
    if (event?.to !== 'transfer.reserved' || fate === 'open') continue;
    const requested = requestedFrom(only(decision, 'transfer.reserved'));
    const ends: LimitsInput[] =
      fate === 'rejected'
        ? [received('transfer.rejected', transferRejected(requested))]
        : [received('transfer.completed', transferCompleted(requested))];
    if (fate === 'returned') ends.push(received('transfer.returned', transferReturned(requested)));
    for (const end of ends) {
      await run(limits, [end]);
      log.push({ topic: end.topic, value: end.value } as LedgerRecord);
    }
  }
  return { ledger, log };
}

const counters = (ledger: MemoryLedger) => {
  const used = [...ledger.counters].filter(([, { used, open }]) => used !== 0n || open !== 0);
  return Object.fromEntries(used.sort(([a], [b]) => (a < b ? -1 : 1)));
};
const readerOf = (log: readonly LedgerRecord[]): LedgerReader =>
  ledgerReading(async (add) => {
    for (const { topic, value } of log) await add(topic, value as never);
    return undefined;
  });

describe('the rebuilt ledger', () => {
  it('equals the one that was lived through', async () => {
    await fc.assert(
      fc.asyncProperty(transfers, fc.infiniteStream(fc.nat()), async (cases, order) => {
        const { ledger, log } = await live(cases);
        const shuffled = [...log, ...log]
          .map((record) => ({ record, key: order.next().value as number }))
          .sort((a, b) => a.key - b.key)
          .map(({ record }) => record);
        const wanted = counters(ledger);
        const lost = new MemoryLedger();
        lost.lose();
        const hydration = await hydrateLimits(lost, LIMIT_RULES, readerOf(shuffled));
        expect(hydration.rebuilt).toBe(true);
        expect(counters(lost)).toEqual(wanted);
        // What is told again afterwards changes nothing.
        await catchUpLimits(lost, LIMIT_RULES, readerOf(log));
        expect(counters(lost)).toEqual(wanted);
      }),
      { numRuns: times(60) },
    );
  });

  it('takes in what was still uncommitted when it was rebuilt', async () => {
    const { log } = await live([
      { pounds: 100, fate: 'open', sender: 1 },
      { pounds: 200, fate: 'completed', sender: 1 },
    ]);
    const ledger = new MemoryLedger();
    ledger.lose();
    await hydrateLimits(ledger, LIMIT_RULES, readerOf(log.slice(0, 1)));
    expect(await catchUpLimits(ledger, LIMIT_RULES, readerOf(log))).toBe(3);
    const values = Object.values(counters(ledger));
    expect(values).toEqual([
      { used: 30_000n, open: 1 },
      { used: 30_000n, open: 1 },
    ]);
  });

  it('says which rules count less than was used, when the log no longer reaches back to where their windows began', async () => {
    const window = (ruleId: string, of: LimitRule['window']) => ({ ...LIMIT_RULES[0]!, ruleId, window: of });
    const rules = [
      window('day', { kind: 'calendar', unit: 'day', timeZone: 'UTC' }),
      window('year', { kind: 'calendar', unit: 'year', timeZone: 'UTC', yearStart: 1 }),
      window('hours', { kind: 'rolling', unit: 'hour', length: 47 }),
      window('days', { kind: 'rolling', unit: 'day', length: 3 }),
      window('life', { kind: 'lifetime' }),
      window('transfer', { kind: 'transfer' }),
    ];
    const lost = new MemoryLedger();
    lost.lose();
    const short = async (since: number | undefined) => {
      lost.lose();
      const { short: found } = await hydrateLimits(
        lost,
        rules,
        ledgerReading(async () => since),
        AT,
      );
      for (const { ruleId, until } of found) expect(until === null).toBe(ruleId === 'life');
      for (const { until } of found) expect(until ?? AT + 1).toBeGreaterThan(AT);
      return found.map(({ ruleId }) => ruleId);
    };
    expect(await short(AT - 2 * 86_400_000)).toEqual(['year', 'days', 'life']);
    expect(await short(AT - 3_600_000)).toEqual(['day', 'year', 'hours', 'days', 'life']);
    expect(await short(undefined)).toEqual([]);
  });

  it('is closed before the log is read when another form is needed, so that nothing is counted into what is thrown away', async () => {
    const { ledger, log } = await live([{ pounds: 100, fate: 'open', sender: 1 }]);
    ledger.isOfOldForm = true;
    const { marker } = await ledger.status();
    const refused: unknown[] = [];
    const read = ledgerReading(async (add) => {
      for (const { topic, value } of log) await add(topic, value as never);
      // The stage, meanwhile.
      await ledger.apply([]).catch((error: unknown) => refused.push(error));
      return undefined;
    });
    expect(await hydrateLimits(ledger, LIMIT_RULES, read)).toMatchObject({ rebuilt: true, transfers: 1 });
    expect(refused).toMatchObject([{ code: 'LIMITS_NOT_HYDRATED' }]);
    expect((await ledger.status()).marker).not.toBe(marker);
  });

  it('keeps in a snapshot what a priced event still counts against that runs late, though its window is over', () => {
    const DAY = 86_400_000;
    const day = (text: string) => Date.parse(`${text}T12:00:00Z`);
    const windows: readonly LimitRule['window'][] = [
      { kind: 'calendar', unit: 'year', timeZone: 'UTC', yearStart: 1 },
      { kind: 'calendar', unit: 'month', timeZone: 'Asia/Kolkata' },
      { kind: 'calendar', unit: 'day', timeZone: 'Pacific/Pago_Pago' },
      { kind: 'rolling', unit: 'day', length: 180 },
      { kind: 'rolling', unit: 'hour', length: 1 },
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...windows),
        fc.integer({ min: 0, max: 400 * 24 }),
        fc.integer({ min: 0, max: 40 * 24 }),
        fc.integer({ min: 0, max: 200 * 24 }),
        (window, usedAt, lateBy, since) => {
          const find = windowFinder(window);
          const at = day('2026-01-01') + usedAt * (DAY / 24);
          const asked = at + since * (DAY / 24);
          const base = reservedFrom(transferPriced());
          const [use] = base.reservation.uses;
          const uses = [{ ...use!, window: find(at).id, freedByReturn: true }];
          const fold = new LedgerFold(LIMIT_RULES);
          fold.restore({ transferId: 't', sequence: 1, attempt: 1, state: 'committed', uses, at });
          const kept = [...fold.entries(asked + lateBy * (DAY / 24))].length > 0;
          const rolling = rollingOf(find(asked).id);
          const counts =
            rolling === undefined
              ? find(at).id === find(asked).id
              : rollingOf(find(at).id)!.step >= rolling.step - rolling.steps;
          expect(kept || !counts).toBe(true);
        },
      ),
      { numRuns: times(2_000) },
    );
  });

  it('is due to be caught up for every process, until one has done it', async () => {
    const ledger = new MemoryLedger();
    ledger.lose();
    const read = Object.assign(
      ledgerReading(async () => undefined),
      { place: () => 'so far' },
    );
    await hydrateLimits(ledger, LIMIT_RULES, read);
    const { due } = await hydrateLimits(ledger, LIMIT_RULES, readerOf([]));
    expect(due).toMatchObject({ place: 'so far' });
    await ledger.caughtUp(due!.marker);
    expect((await hydrateLimits(ledger, LIMIT_RULES, readerOf([]))).due).toBeUndefined();
  });

  it('is left alone when it is not lost', async () => {
    const read = ledgerReading(() => Promise.reject(new Error('nobody asked for the log')));
    expect(await hydrateLimits(new MemoryLedger(), LIMIT_RULES, read)).toEqual({
      rebuilt: false,
      transfers: 0,
      short: [],
    });
  });

  it('keeps the end of a transfer that was rejected after it was priced, so that a late reservation finds it', () => {
    const fold = new LedgerFold(LIMIT_RULES);
    const rejected = transferRejected(requestedFrom(reservedFrom(transferPriced())));
    fold.add('transfer.rejected', { ...rejected, reservation: null });
    expect([...fold.state().records]).toMatchObject([{ state: 'released', uses: [] }]);
    fold.add('transfer.rejected', {
      ...rejected,
      stage: 'SCREENING',
      price: null,
      reservation: null,
      envelope: { ...rejected.envelope, transferId: 'other-1' },
    });
    expect(fold.transfers).toBe(1);
  });
});
