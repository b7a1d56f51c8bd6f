import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { dependencyDown } from '../ports/fault.ts';
import {
  forgetfulTimer,
  ManualClock,
  MemoryOutbox,
  MemoryProvider,
  MemoryStore,
  memoryCodec,
} from '../test/kit/payouts/memory.ts';
import { payoutRequestedFor, received } from '../test/kit/payouts/requested.ts';
import { DEFAULT_EXECUTOR_CONFIG, type PayoutExecutorConfig } from './config.ts';
import { createPayoutExecutor, type PayoutExecutor, type PayoutExecutorDependencies } from './executor.ts';
import { DEFAULT_PAYOUT_POLICY } from './policy.ts';
import type { PayoutEvent } from './ports.ts';

const CONFIG: PayoutExecutorConfig = {
  ...DEFAULT_EXECUTOR_CONFIG,
  policy: { ...DEFAULT_PAYOUT_POLICY, returnPollsMs: [] },
  maxInFlight: 8,
  admitWaitMs: 50,
};
const { leaseMs, cancelAfterMs, pollFirstMs } = CONFIG.policy;
const PRICE_MS = 600_000;

/** One store and provider, and as many workers over them as a test wants. */
function world() {
  const clock = new ManualClock();
  const store = new MemoryStore();
  const provider = new MemoryProvider(clock.now);
  const outbox = new MemoryOutbox();
  const codec = memoryCodec();
  const events: PayoutEvent[] = [];
  const worker = (more: Partial<PayoutExecutorDependencies> = {}) =>
    createPayoutExecutor({
      config: CONFIG,
      payouts: store,
      provider,
      timer: forgetfulTimer,
      outbox,
      codec,
      clock,
      onEvent: (event) => events.push(event),
      ...more,
    });
  const request = (transferId: string, attempt = 1) =>
    received(payoutRequestedFor({ transferId, attempt, now: clock.now(), expiresAt: clock.now() + PRICE_MS }));
  const phase = (transferId: string) => store.payouts.get(transferId)?.phase;
  return { clock, store, provider, outbox, events, worker, request, phase };
}

type World = ReturnType<typeof world>;

/** Lets everything that needs no timer come to rest. */
async function rest(): Promise<void> {
  for (let i = 0; i < 60; i++) await turn();
}

describe('payout executor', () => {
  it('pays each transfer of a batch once and puts the outcome into the outbox', async () => {
    const { worker, request, provider, outbox, phase } = world();
    const ids = Array.from({ length: 30 }, (_, index) => `transfer-${index}`);
    const patient = worker({ config: { ...CONFIG, admitWaitMs: 60_000 } });
    await patient.handle(ids.map((id) => request(id)));
    await rest();
    for (const id of ids) {
      expect(phase(id)).toBe('PAID');
      expect(provider.executionsOf(id)).toBe(1);
    }
    expect(outbox.offered.map(({ updates }) => updates.map(({ status, version }) => [version, status]))).toEqual(
      ids.map(() => [[1, 'PAID']]),
    );
  });

  it('does nothing about a record that comes again, to the same worker or to another', async () => {
    const { worker, request, provider, events } = world();
    const records = [request('transfer-1'), request('transfer-2')];
    await Promise.all([worker().handle(records), worker().handle(records), worker().handle(records)]);
    await rest();
    await worker().handle(records);
    await rest();
    expect(provider.calls.toSorted()).toEqual(['submit transfer-1:1', 'submit transfer-2:1']);
    expect(events.filter(({ kind }) => kind === 'redelivered')).toHaveLength(6);
  });

  it('stores what it has no place for, and sends it later', async () => {
    const { worker, request, provider, store, clock } = world();
    const executor = worker({ config: { ...CONFIG, maxInFlight: 2, admitWaitMs: 0 } });
    await executor.handle(Array.from({ length: 10 }, (_, index) => request(`transfer-${index}`)));
    expect([...store.payouts.values()].filter(({ phase }) => phase === 'NEW')).toHaveLength(8);
    await rest();
    clock.pass(CONFIG.overdueMs);
    await executor.pollNow([...store.payouts.keys()]);
    await rest();
    expect([...store.payouts.values()].every(({ phase }) => phase === 'PAID')).toBe(true);
    expect(provider.calls.filter((call) => call.startsWith('submit'))).toHaveLength(10);
  });

  it('asks about what the provider has accepted before it stores anything more: one write says both', async () => {
    const { worker, request, provider, store, clock, outbox, phase } = world();
    provider.settles = 'ACCEPTED';
    await worker().handle([request('transfer-1')]);
    await rest();
    expect(phase('transfer-1')).toBe('SUBMITTING');
    const { writes } = store;
    provider.pays('transfer-1:1');
    clock.pass(2 * pollFirstMs);
    await rest();
    expect(phase('transfer-1')).toBe('PAID');
    expect(store.writes - writes).toBe(1);
    expect(provider.calls).toEqual(['submit transfer-1:1', 'query transfer-1:1']);
    expect(store.payouts.get('transfer-1')?.attempts[0]?.acceptedAt).not.toBeNull();
    expect(outbox.offered).toHaveLength(1);
  });

  it('stores that the provider has it when the first query does not settle it', async () => {
    const { worker, request, provider, clock, store, phase } = world();
    provider.settles = 'ACCEPTED';
    await worker().handle([request('transfer-1')]);
    await rest();
    clock.pass(2 * pollFirstMs);
    await rest();
    expect(phase('transfer-1')).toBe('ACCEPTED');
    expect(store.payouts.get('transfer-1')).toMatchObject({ polls: 2 });
  });

  it.each([
    ['the provider is down', (to: World) => (to.provider.isReady = false)],
    ['the worker is stopped', (_: World, executor: PayoutExecutor) => void executor.stop(1_000)],
  ])('stores at once that the provider has it when nothing more can be asked: %s', async (_why, meet) => {
    const to = world();
    to.provider.settles = 'ACCEPTED';
    const executor = to.worker();
    await executor.handle([to.request('transfer-1')]);
    await rest();
    meet(to, executor);
    to.clock.pass(2 * pollFirstMs);
    await rest();
    expect(to.phase('transfer-1')).toBe('ACCEPTED');
    expect(to.provider.calls).toEqual(['submit transfer-1:1']);
  });

  it('leaves only so many unsettled, whatever they wait for: the rest is stored to be sent later', async () => {
    const { worker, request, provider, store } = world();
    const executor = worker({ config: { ...CONFIG, maxUnsettled: 10, admitWaitMs: 0 } });
    // The store takes inserts, and no outcome.
    store.apply = () => new Promise(() => {});
    for (let batch = 0; batch < 10; batch++) {
      await executor.handle([...'abcde'].map((letter) => request(`transfer-${batch}-${letter}`)));
      await rest();
    }
    expect(executor.stats()).toMatchObject({ inFlight: 0, unsettled: 10 });
    expect(provider.calls).toHaveLength(10);
    const phases = [...store.payouts.values()].map(({ phase }) => phase);
    expect([phases.filter((one) => one === 'SUBMITTING').length, phases.filter((one) => one === 'NEW').length]).toEqual(
      [10, 40],
    );
  });

  it('offers an outcome again to a store that was away, for as long as its lease', async () => {
    const { worker, request, provider, store, clock, phase, events } = world();
    provider.settles = 'ACCEPTED';
    const executor = worker();
    await executor.handle([request('transfer-1')]);
    await rest();
    store.down = true;
    provider.pays('transfer-1:1');
    clock.pass(2 * pollFirstMs);
    await rest();
    clock.pass(CONFIG.retryStoreMs);
    await rest();
    expect(phase('transfer-1')).toBe('SUBMITTING');
    store.down = false;
    clock.pass(CONFIG.retryStoreMs);
    await rest();
    expect(phase('transfer-1')).toBe('PAID');
    expect(executor.stats().unsettled).toBe(0);
    expect(events.filter(({ kind }) => kind === 'fault')).toEqual([]);
  });

  it('gives an outcome up to whoever comes next when the store is away for longer than the lease', async () => {
    const { worker, request, provider, store, clock, phase } = world();
    const executor = worker();
    store.apply = () => Promise.reject(dependencyDown('mongo', 'MONGO_UNAVAILABLE', 'down'));
    await executor.handle([request('transfer-1')]);
    for (let waited = 0; waited <= leaseMs; waited += CONFIG.retryStoreMs) {
      await rest();
      clock.pass(CONFIG.retryStoreMs);
    }
    await rest();
    expect(executor.stats().unsettled).toBe(0);
    store.apply = MemoryStore.prototype.apply;
    await worker().pollNow(['transfer-1']);
    await rest();
    expect(phase('transfer-1')).toBe('PAID');
    expect(provider.calls).toEqual(['submit transfer-1:1', 'query transfer-1:1']);
  });

  it('stores what the submit has said when the query breaks', async () => {
    const { worker, request, provider, clock, phase } = world();
    provider.settles = 'ACCEPTED';
    provider.query = () => Promise.reject(new TypeError('a bug'));
    await worker().handle([request('transfer-1')]);
    await rest();
    clock.pass(2 * pollFirstMs);
    await rest();
    expect(phase('transfer-1')).toBe('ACCEPTED');
  });

  it('keeps a payout for itself when the same event comes once more', async () => {
    const { worker, request, provider, clock, phase } = world();
    provider.settles = 'ACCEPTED';
    let wake = () => {};
    const failpoint = (name: string) =>
      name === 'payout.after-query' ? new Promise<void>((resolve) => (wake = resolve)) : undefined;
    const executor = worker({ failpoint });
    const record = request('transfer-1');
    await executor.handle([record]);
    await rest();
    await executor.handle([record]);
    await rest();
    clock.pass(leaseMs);
    await rest();
    // Others may take it up now; this process still has its hands on it.
    await executor.pollNow(['transfer-1']);
    expect(phase('transfer-1')).toBe('SUBMITTING');
    wake();
    await rest();
    expect(phase('transfer-1')).toBe('ACCEPTED');
    expect(provider.calls).toEqual(['submit transfer-1:1', 'query transfer-1:1']);
    expect(executor.stats()).toMatchObject({ inFlight: 0, unsettled: 0 });
  });

  it('leaves what was unsettled when it died, or was stopped for too long, to whoever comes after its lease', async () => {
    const { worker, request, provider, clock, store, phase } = world();
    provider.settles = 'ACCEPTED';
    let wake = () => {};
    const failpoint = (name: string) =>
      name === 'payout.after-query' ? new Promise<void>((resolve) => (wake = resolve)) : undefined;
    await worker({ failpoint }).handle([request('transfer-1')]);
    await rest();
    clock.pass(2 * pollFirstMs);
    await rest();
    // It has asked, and stands still: the provider had not paid yet.
    expect(phase('transfer-1')).toBe('SUBMITTING');
    provider.pays('transfer-1:1');
    const other = worker();
    await other.pollNow(['transfer-1']);
    expect(phase('transfer-1')).toBe('SUBMITTING');
    clock.pass(leaseMs);
    await other.pollNow(['transfer-1']);
    await rest();
    expect(phase('transfer-1')).toBe('PAID');
    const paid = store.payouts.get('transfer-1');
    wake();
    await rest();
    expect(store.payouts.get('transfer-1')).toBe(paid);
    expect(provider.calls.filter((call) => call.startsWith('submit'))).toHaveLength(1);
    expect(provider.executionsOf('transfer-1')).toBe(1);
  });

  it('after a crash between the compare-and-set and the first byte: query, confirmed cancel, new key', async () => {
    const { worker, request, provider, clock, store, phase } = world();
    const failpoint = (name: string) => {
      if (name === 'payout.after-cas-submitting') throw new Error('killed');
      return undefined;
    };
    await worker({ failpoint }).handle([request('transfer-1')]);
    await rest();
    expect(phase('transfer-1')).toBe('SUBMITTING');

    const next = worker();
    // Nobody touches the attempt before its lease is over.
    await next.pollNow(['transfer-1']);
    expect(provider.calls).toEqual([]);
    clock.pass(leaseMs);
    await next.pollNow(['transfer-1']);
    // Not found is no proof: the key is not sent again, and no other key either.
    expect(phase('transfer-1')).toBe('OUTCOME_UNKNOWN');
    expect(provider.calls).toEqual(['query transfer-1:1']);
    clock.pass(cancelAfterMs);
    await next.pollNow(['transfer-1']);
    expect(provider.calls).toEqual(['query transfer-1:1', 'query transfer-1:1', 'cancel transfer-1:1']);
    expect(phase('transfer-1')).toBe('NEW');
    clock.pass(60_000);
    await next.pollNow(['transfer-1']);
    await rest();
    expect(provider.calls.at(-1)).toBe('submit transfer-1:2');
    expect(phase('transfer-1')).toBe('PAID');
    expect(provider.executionsOf('transfer-1')).toBe(1);
    const ends = store.payouts.get('transfer-1')?.attempts.map(({ end }) => end?.how);
    expect(ends).toEqual(['cancelled', 'paid']);
  });

  it('does not send from a worker that wakes up after its lease', async () => {
    const { worker, request, provider, clock, phase } = world();
    let wake = () => {};
    const failpoint = (name: string) =>
      name === 'payout.after-cas-submitting' ? new Promise<void>((resolve) => (wake = resolve)) : undefined;
    await worker({ failpoint }).handle([request('transfer-1')]);
    await rest();
    clock.pass(leaseMs);
    const other = worker();
    for (const wait of [0, cancelAfterMs, 60_000]) {
      clock.pass(wait);
      await other.pollNow(['transfer-1']);
      await rest();
    }
    expect(phase('transfer-1')).toBe('PAID');
    wake();
    await rest();
    expect(provider.calls.filter((call) => call.startsWith('submit'))).toEqual(['submit transfer-1:2']);
    expect(provider.executionsOf('transfer-1')).toBe(1);
  });

  it('asks about an unknown outcome instead of sending again', async () => {
    const { worker, request, provider, clock, phase } = world();
    provider.submitFault = 'timeout-after';
    const executor = worker();
    await executor.handle([request('transfer-1')]);
    await rest();
    expect(phase('transfer-1')).toBe('OUTCOME_UNKNOWN');
    clock.pass(60_000);
    await executor.pollNow(['transfer-1']);
    expect(phase('transfer-1')).toBe('PAID');
    expect(provider.calls).toEqual(['submit transfer-1:1', 'query transfer-1:1']);
  });

  it('goes on without a timer that takes jobs and gives none back, and tells it', async () => {
    const { worker, request, provider, clock, phase, events } = world();
    provider.submitFault = 'timeout-after';
    const silent = { schedule: async () => {}, start: async () => {}, stop: async () => {} };
    const executor = worker({ timer: silent, config: { ...CONFIG, sweepEveryMs: 1 } });
    await executor.start();
    await executor.handle([request('transfer-1')]);
    await rest();
    clock.pass(60_000);
    await expect.poll(() => events.some(({ kind }) => kind === 'swept'), { timeout: 60_000 }).toBe(true);
    expect(phase('transfer-1')).toBe('OUTCOME_UNKNOWN');
    clock.pass(11_000);
    await expect.poll(() => phase('transfer-1'), { timeout: 60_000 }).toBe('PAID');
    expect(events).toContainEqual(expect.objectContaining({ kind: 'fault', code: 'REDIS_QUEUE_UNAVAILABLE' }));
    expect(provider.calls).toEqual(['submit transfer-1:1', 'query transfer-1:1']);
    await executor.stop(1_000);
  });

  it('waits while the provider is down, and loses the price rather than the transfer', async () => {
    const { worker, request, provider, clock, outbox, phase } = world();
    provider.isReady = false;
    const executor = worker();
    await executor.handle([request('transfer-1'), request('transfer-2')]);
    await executor.pollNow(['transfer-1']);
    expect(phase('transfer-1')).toBe('NEW');
    expect(provider.calls).toEqual([]);
    clock.pass(PRICE_MS);
    provider.isReady = true;
    await executor.pollNow(['transfer-1']);
    expect(phase('transfer-1')).toBe('EXPIRED');
    expect(outbox.offered.at(-1)?.updates).toMatchObject([{ version: 1, status: 'EXPIRED', pricingAttempt: 1 }]);

    // The transfer comes back with another price, under another key.
    await executor.handle([request('transfer-1', 2)]);
    await rest();
    expect(phase('transfer-1')).toBe('PAID');
    expect(provider.calls).toEqual(['submit transfer-1:1']);
    expect(outbox.offered.at(-1)?.updates).toMatchObject([
      { status: 'EXPIRED' },
      { version: 2, status: 'PAID', pricingAttempt: 2 },
    ]);
  });

  it('begins another attempt at once when it saw itself that nothing was sent', async () => {
    const { worker, request, provider, clock, store, phase } = world();
    provider.submitFault = 'not-sent';
    const executor = worker();
    await executor.handle([request('transfer-1')]);
    await rest();
    expect(phase('transfer-1')).toBe('NEW');
    provider.submitFault = 'none';
    clock.pass(60_000);
    await executor.pollNow(['transfer-1']);
    await rest();
    expect(provider.calls).toEqual(['submit transfer-1:2']);
    expect(store.payouts.get('transfer-1')?.attempts.map(({ end }) => end?.how)).toEqual(['not-sent', 'paid']);
  });

  it('sends nothing when the gate closes between the compare-and-set and the first byte', async () => {
    const { worker, request, provider, clock, phase } = world();
    let asked = 0;
    const gate = {
      check: async (requests: readonly unknown[]) => {
        asked++;
        const pass = asked === 1 || asked > 2;
        return requests.map(() =>
          pass
            ? ({ pass: true } as const)
            : { pass: false as const, untilMs: clock.now() + 1_000, code: 'SCREENING_DIFFERENCE' as const },
        );
      },
    };
    const executor = worker({ gate });
    await executor.handle([request('transfer-1')]);
    await rest();
    expect(phase('transfer-1')).toBe('NEW');
    expect(provider.calls).toEqual([]);
    clock.pass(60_000);
    await executor.pollNow(['transfer-1']);
    await rest();
    expect(provider.calls).toEqual(['submit transfer-1:2']);
  });

  it('rejects the batch when the store is down, and takes it up again without a second send', async () => {
    const { worker, request, provider, store, phase } = world();
    const executor = worker();
    store.down = true;
    await expect(executor.handle([request('transfer-1')])).rejects.toMatchObject({ code: 'MONGO_UNAVAILABLE' });
    expect(executor.stats().inFlight).toBe(0);
    store.down = false;
    await executor.handle([request('transfer-1')]);
    await rest();
    expect(phase('transfer-1')).toBe('PAID');
    expect(provider.calls).toEqual(['submit transfer-1:1']);
  });

  it('tells of a bug by its type, never by its message, which may quote a record', async () => {
    const { worker, request, events } = world();
    const failpoint = (name: string) => {
      if (name === 'payout.after-submit') throw new TypeError('Amara Okafor has no account');
      return undefined;
    };
    await worker({ failpoint }).handle([request('transfer-1')]);
    await rest();
    const faults = events.filter(({ kind }) => kind === 'fault');
    expect(faults).toMatchObject([
      { code: 'UNEXPECTED_ERROR', detail: expect.stringContaining('unexpected TypeError') },
    ]);
    expect(JSON.stringify(faults)).not.toContain('Amara');
  });

  it('answers a new price of a payout that somebody else has changed, and takes it once that is mended', async () => {
    const { worker, request, provider, store, clock, phase } = world();
    provider.isReady = false;
    const executor = worker();
    expect(await executor.handle([request('transfer-1'), request('transfer-2')])).toEqual([]);
    clock.pass(PRICE_MS);
    await executor.pollNow(['transfer-1', 'transfer-2']);
    expect(phase('transfer-1')).toBe('EXPIRED');
    store.forged.add('transfer-1');
    provider.isReady = true;
    const prices = [request('transfer-2', 2), request('transfer-1', 2)];
    expect(await executor.handle(prices)).toMatchObject([{ index: 1, cause: { code: 'PAYOUT_FORGED' } }]);
    await rest();
    expect(provider.calls).toEqual(['submit transfer-2:1']);
    store.forged.clear();
    expect(await executor.handle([prices[1]!])).toEqual([]);
    await rest();
    expect(phase('transfer-1')).toBe('PAID');
    expect(provider.executionsOf('transfer-1')).toBe(1);
  });

  it('asks for the batch again when a new price keeps losing to other writers', async () => {
    const { worker, request, provider, store, clock, phase } = world();
    provider.isReady = false;
    const executor = worker();
    await executor.handle([request('transfer-1')]);
    clock.pass(PRICE_MS);
    await executor.pollNow(['transfer-1']);
    provider.isReady = true;
    store.apply = async (changes) => changes.map(() => false);
    await expect(executor.handle([request('transfer-1', 2)])).rejects.toMatchObject({
      code: 'PAYOUT_CONTESTED',
      faultClass: 'transient-dependency',
    });
    store.apply = MemoryStore.prototype.apply;
    expect(await executor.handle([request('transfer-1', 2)])).toEqual([]);
    await rest();
    expect(phase('transfer-1')).toBe('PAID');
  });

  it('sweeps past payouts that somebody else has changed, and takes them again once they are mended', async () => {
    const { worker, request, provider, store, clock, phase } = world();
    provider.submitFault = 'timeout-after';
    const executor = worker({ config: { ...CONFIG, sweepEveryMs: 1, sweepPage: 3 } });
    const forged = ['transfer-1', 'transfer-2', 'transfer-3', 'transfer-4', 'transfer-5', 'transfer-6', 'transfer-7'];
    for (const id of [...forged, 'transfer-8']) await executor.handle([request(id)]);
    await rest();
    for (const id of forged) store.forged.add(id);
    expect(phase('transfer-8')).toBe('OUTCOME_UNKNOWN');
    clock.pass(60_000);
    await executor.start();
    await expect.poll(() => phase('transfer-8'), { timeout: 60_000 }).toBe('PAID');
    expect(provider.calls.filter((call) => call.startsWith('query'))).toEqual(['query transfer-8:1']);
    store.forged.clear();
    clock.pass(60_000);
    await expect.poll(() => forged.map(phase), { timeout: 60_000 }).toEqual(forged.map(() => 'PAID'));
    await executor.stop(1_000);
  });

  it('opens a case when there is no proof long after the expiry, and closes it when the truth comes out', async () => {
    const { worker, request, provider, clock, store, phase, events } = world();
    provider.submitFault = 'timeout-after';
    provider.askFault = 'timeout';
    const executor = worker();
    await executor.handle([request('transfer-1')]);
    await rest();
    clock.pass(PRICE_MS + 2 * CONFIG.policy.caseAfterMs);
    await executor.pollNow(['transfer-1']);
    expect(events.filter(({ kind }) => kind === 'case')).toMatchObject([{ code: 'NO_PROOF' }]);
    provider.askFault = 'none';
    clock.pass(60_000);
    await executor.pollNow(['transfer-1']);
    expect(phase('transfer-1')).toBe('PAID');
    const payout = store.payouts.get('transfer-1');
    expect(payout?.cases.every(({ closedAt }) => closedAt !== null)).toBe(true);
    expect(payout?.updates.map(({ status }) => status)).toEqual(['OUTCOME_UNKNOWN', 'PAID']);
  });
});

describe('after a restore of the database, asking first', () => {
  const asking = { config: { ...CONFIG, asksFirst: true } };

  /** Looks at the payout whenever something is due, until nothing is. */
  async function goesOn({ clock, store }: World, executor: PayoutExecutor, id: string): Promise<void> {
    for (let i = 0; i < 100; i++) {
      const nextPollAt = store.payouts.get(id)?.nextPollAt;
      if (nextPollAt === null || nextPollAt === undefined) return;
      clock.pass(Math.max(1, nextPollAt - clock.now()));
      await executor.pollNow([id]);
      await rest();
    }
  }

  it.each(['none', 'timeout-after'] as const)(
    'does not pay again what was paid by a document that is gone (%s)',
    async (fault) => {
      const here = world();
      const { worker, request, provider, store, phase } = here;
      provider.submitFault = fault;
      await worker().handle([request('transfer-1')]);
      await rest();
      expect(provider.executionsOf('transfer-1')).toBe(1);
      store.payouts.clear();
      const executor = worker(asking);
      await executor.handle([request('transfer-1')]);
      await goesOn(here, executor, 'transfer-1');
      expect(phase('transfer-1')).toBe('PAID');
      expect(provider.calls.filter((call) => call.startsWith('submit'))).toEqual(['submit transfer-1:1']);
    },
  );

  it('negative control: without, the first key is sent again', async () => {
    const { worker, request, provider, store } = world();
    await worker().handle([request('transfer-1')]);
    await rest();
    store.payouts.clear();
    await worker().handle([request('transfer-1')]);
    await rest();
    expect(provider.executionsOf('transfer-1')).toBe(2);
  });

  it('pays under the next key what was never sent, and closes the first key before', async () => {
    const here = world();
    const { worker, request, provider, phase } = here;
    const executor = worker(asking);
    await executor.handle([request('transfer-1')]);
    await goesOn(here, executor, 'transfer-1');
    expect(phase('transfer-1')).toBe('PAID');
    const asked = provider.calls.map((call) => call.split(' ')).filter(([verb]) => verb !== 'query');
    expect(asked).toEqual([
      ['cancel', 'transfer-1:1'],
      ['submit', 'transfer-1:2'],
    ]);
  });

  it('asks also when the price is over by then, before another one is asked for', async () => {
    const here = world();
    const { worker, request, provider, clock, store } = here;
    const late = request('transfer-1');
    clock.pass(2 * PRICE_MS);
    const executor = worker(asking);
    await executor.handle([late]);
    expect(store.payouts.get('transfer-1')?.phase).not.toBe('EXPIRED');
    store.clock = clock.now;
    await goesOn(here, executor, 'transfer-1');
    expect(provider.calls).toContain('query transfer-1:1');
    expect(store.payouts.get('transfer-1')).toMatchObject({
      phase: 'EXPIRED',
      attempts: [{ end: { how: 'unseen-at-expiry' } }],
    });
  });

  it('leaves alone what the database still has', async () => {
    const { worker, request, events, store } = world();
    await worker().handle([request('transfer-1')]);
    await rest();
    const before = store.payouts.get('transfer-1');
    await worker(asking).handle([request('transfer-1')]);
    await rest();
    expect(store.payouts.get('transfer-1')).toBe(before);
    expect(events.at(-1)).toMatchObject({ kind: 'redelivered' });
  });
});
