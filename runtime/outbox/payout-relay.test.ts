// Ends as unpaid are told only once the log has it that nothing of their payout begins any more, whatever dies, lags or is away.
import { describe, expect, it } from 'vitest';
import { closeCase } from '../../operations/cases/payouts/decide.ts';
import { STOPPED } from '../../payouts/attempt-ledger.ts';
import { lastAttempt, openCase } from '../../payouts/changes.ts';
import { afterSubmit, beginAttempt } from '../../payouts/decide.ts';
import type { Payout } from '../../payouts/payout.ts';
import { DEFAULT_PAYOUT_POLICY } from '../../payouts/policy.ts';
import type { AttemptClaims } from '../../payouts/ports.ts';
import { stopRolledBack } from '../../payouts/put-back.ts';
import { paid, saw, submitting, T0, unknown } from '../../payouts/testing/states.ts';
import { dependencyDown } from '../../ports/fault.ts';
import type { OutputRecord } from '../../ports/log.ts';
import { pause } from '../../ports/pause.ts';
import { memoryCodec } from '../../test/kit/memory-codec.ts';
import { MemoryLog } from '../../test/kit/memory-log.ts';
import { payoutRequestedFor } from '../../test/kit/payouts/requested.ts';
import { testRings } from '../../test/kit/rings.ts';
import { payoutAttempts, payoutUpdated } from '../../topics/boundary.ts';
import { logAttemptClaims } from '../attempt-claims.ts';
import type { OutboxEvent } from './outbox-relay.ts';
import { payoutRelay } from './payout-relay.ts';

const DAY_MS = 86_400_000;
const renamed = (payout: Payout, id: string): Payout => ({
  ...payout,
  payoutId: id,
  homePartition: 0,
  attempts: payout.attempts.map((one) => ({ ...one, key: `${id}:${one.number}` })),
});
/** Two persons have settled it by the provider's statement that it paid nothing. */
function statedUnpaid(id: string, of = renamed(unknown(), id)): Payout {
  const open = openCase(of, 'NO_PROOF', 'nobody knows', T0);
  const date = new Date(T0 + DAY_MS).toISOString().slice(0, 10);
  const statement = { outcome: 'UNPAID', reference: 'L-88', date, documentSha256: 'a'.repeat(64) } as const;
  const closing = { number: open.cases.length, by: 'amara', reason: 'letter L-88', agreedBy: 'bela', statement };
  return closeCase(open, closing, T0 + DAY_MS);
}
const refused = (id: string) =>
  afterSubmit(
    renamed(submitting(), id),
    { key: `${id}:1`, result: saw('REFUSED', 'AC01'), at: T0 },
    DEFAULT_PAYOUT_POLICY,
  );
/** As a claim of its last attempt names it. */
const claimOf = (payout: Payout) => {
  const { number, startedAt } = lastAttempt(payout)!;
  const earlier = payout.attempts
    .slice(0, -1)
    .map((one) => ({ number: one.number, startedAt: one.startedAt, token: null }));
  return { payoutId: payout.payoutId, attempt: number, startedAt, token: null, earlier };
};

/** Processes of the executor over one database and one log. */
function world() {
  const log = new MemoryLog({ partitions: 1 });
  const stored = new Map<string, Payout>();
  const state = { claimsAreDown: false, dies: false };
  const codec = memoryCodec();
  const published = () => log.records(payoutUpdated.name, 0).map(({ key }) => String(key));
  const stops = () => log.records(payoutAttempts.name, 0).map(({ key }) => String(key));
  const opened: { stop(): Promise<void> }[] = [];

  async function starts({
    isGuarded = true,
    highest,
  }: {
    isGuarded?: boolean;
    highest?: AttemptClaims['highest'];
  } = {}) {
    const real = await log.writer();
    const events: OutboxEvent[] = [];
    const behind: string[] = [];
    const send = async (records: readonly OutputRecord[]) => {
      if (state.claimsAreDown) throw dependencyDown('kafka', 'KAFKA_UNAVAILABLE', 'down');
      await real.send(records);
    };
    const onFault = () => {};
    const claims = logAttemptClaims({ log, writer: { ...real, send }, codec, rings: testRings, onFault });
    await claims.start();
    const relay = payoutRelay({
      source: {
        isForged: () => false,
        pending: async (limit, _before, after) =>
          [...stored.values()]
            .filter((payout) => isPending(payout) && (after === undefined || payout.payoutId > after.payoutId))
            .toSorted((a, b) => (a.payoutId < b.payoutId ? -1 : 1))
            .slice(0, limit),
        markPublished: async (payouts) => {
          for (const { payoutId, updates } of payouts) {
            const now = stored.get(payoutId)!;
            if (now.updates.length === updates.length)
              stored.set(payoutId, { ...now, publishedVersion: updates.length });
          }
        },
      },
      codec,
      rings: testRings,
      requests: {
        encode: () => new Uint8Array(),
        keep: (bytes) => bytes,
        decode: async (all) => all.map(() => payoutRequestedFor({ transferId: 't', now: T0, expiresAt: T0 + 1 })),
      },
      writer: real,
      ...(isGuarded && {
        attempts: { stopped: (id, now) => claims.stopped(id, now), highest: highest ?? ((id) => claims.highest(id)) },
      }),
      onBehind: (ids) => void behind.push(...ids),
      sweepEveryMs: 5,
      graceMs: 0,
      lingerMs: 1,
      onEvent: (event) => void events.push(event),
    });
    const stop = async () => {
      await relay.stop(1_000);
      await claims.stop();
    };
    opened.push({ stop });
    return { claims, relay, events, behind, stop };
  }
  const isPending = ({ updates, publishedVersion }: Payout) => updates.length > publishedVersion;
  return { log, stored, state, published, stops, starts };
}

const until = async (holds: () => boolean) => {
  while (!holds()) await pause(2);
};

describe('an end as unpaid', () => {
  it('by the word of two persons is told after the log knows that nothing begins any more, and holds up no other', async () => {
    const at = world();
    const { claims, relay, stop } = await at.starts();
    at.state.claimsAreDown = true;
    const [unpaid, other] = [statedUnpaid('unpaid'), renamed(paid(), 'paid')];
    for (const one of [unpaid, other]) at.stored.set(one.payoutId, one);
    relay.offer([unpaid, other]);
    relay.start();
    await until(() => at.published().includes('paid') && !claims.ready());
    expect([at.published(), at.stops()]).toEqual([['paid'], []]);
    at.state.claimsAreDown = false;
    await until(() => at.stored.get('unpaid')!.publishedVersion === 1);
    expect([at.published(), at.stops().includes('unpaid')]).toEqual([['paid', 'unpaid'], true]);
    await stop();
  });

  it('negative control: without the log it is told at once, and a worker may still begin an attempt', async () => {
    const at = world();
    const { claims, relay, stop } = await at.starts({ isGuarded: false });
    at.stored.set('unpaid', statedUnpaid('unpaid'));
    relay.start();
    await until(() => at.published().length === 1);
    const old = renamed(unknown(), 'unpaid');
    expect(await claims.claim([claimOf(beginAttempt({ ...old, phase: 'NEW' }, T0, DEFAULT_PAYOUT_POLICY))])).toEqual([
      true,
    ]);
    await stop();
  });

  it('is told by the next process when the one that closed the case died before the log knew', async () => {
    const at = world();
    at.stored.set('unpaid', statedUnpaid('unpaid'));
    const { claims, relay, stop } = await at.starts();
    relay.start();
    await until(() => at.published().length === 1);
    expect(at.stops()).toEqual(['unpaid']);
    // Whoever holds the state of before may begin nothing any more.
    const old = renamed(unknown(), 'unpaid');
    expect(await claims.claim([claimOf(beginAttempt({ ...old, phase: 'NEW' }, T0, DEFAULT_PAYOUT_POLICY))])).toEqual([
      false,
    ]);
    await stop();
  });

  it('waits for a person when an attempt was claimed that its document lacks, also when the log has the stop', async () => {
    const at = world();
    const { claims, relay, behind, stop } = await at.starts();
    const unpaid = statedUnpaid('unpaid');
    const sent = beginAttempt(
      { ...renamed(unknown(), 'unpaid'), phase: 'NEW', lastAttempt: 1 },
      T0 + 5,
      DEFAULT_PAYOUT_POLICY,
    );
    expect(await claims.claim([claimOf(sent)])).toEqual([true]);
    at.stored.set('unpaid', unpaid);
    relay.offer([unpaid]);
    relay.start();
    await until(() => behind.includes('unpaid'));
    expect([at.published(), claims.highest('unpaid')]).toMatchObject([[], { before: { number: 2 } }]);
    // The case names the key; a person who has asked about it closes it.
    const stopped = stopRolledBack(unpaid, claims.highest('unpaid')!, T0);
    expect(stopped.cases.at(-1)).toMatchObject({ code: 'ROLLED_BACK', attemptKey: 'unpaid:2' });
    at.stored.set('unpaid', stopped);
    relay.offer([stopped]);
    await until(() => behind.length > 1);
    expect(at.published()).toEqual([]);
    const closed = closeCase(
      stopped,
      { number: stopped.cases.length, by: 'amara', reason: 'the provider closed it' },
      T0,
    );
    at.stored.set('unpaid', closed);
    await until(() => at.published().length === 1);
    await stop();
  });

  it('that waits for a person hides nothing behind it, however many they are', { timeout: 120_000 }, async () => {
    const at = world();
    // The log is stopped, and has an attempt of each that its document lacks.
    const highest = { attempt: STOPPED, startedAt: T0, at: T0, before: { number: 2, startedAt: T0 + 5, token: null } };
    const { relay, behind, stop } = await at.starts({
      highest: (id) => (id.startsWith('unpaid-') ? highest : undefined),
    });
    const ids = Array.from({ length: 5_501 }, (_, number) => `unpaid-${String(number).padStart(5, '0')}`);
    for (const id of ids) at.stored.set(id, statedUnpaid(id));
    at.stored.set('z-last', refused('z-last'));
    relay.start();
    await until(() => at.published().includes('z-last'));
    expect(new Set(behind).size).toBe(ids.length);
    // Those are told of once, however often the search comes round.
    at.stored.set('z-next', refused('z-next'));
    await until(() => at.published().includes('z-next'));
    expect(behind).toHaveLength(ids.length);
    await stop();
  });

  it('that the provider has told of the last key is told at once, and costs no claim', async () => {
    const at = world();
    const { relay, stop } = await at.starts();
    at.stored.set('refused', refused('refused'));
    relay.start();
    await until(() => at.published().length === 1);
    expect(at.stops()).toEqual([]);
    await stop();
  });

  it('is said in health when it waits for long', { timeout: 60_000 }, async () => {
    const at = world();
    const { relay, events, stop } = await at.starts();
    at.state.claimsAreDown = true;
    at.stored.set('unpaid', statedUnpaid('unpaid'));
    relay.start();
    await until(() => events.some((event) => event.kind === 'fault' && event.code === 'ATTEMPT_CLAIMS_LATE'));
    expect(at.published()).toEqual([]);
    await stop();
  });
});
