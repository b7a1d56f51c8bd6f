// First attempts, from the insert to the stored outcome, with everything that may come between.
import { describe, expect, it } from 'vitest';
import { dependencyDown } from '../ports/fault.ts';
import { MemoryStore } from '../test/kit/payouts/memory.ts';
import { PayoutWorld, QUIET_CONFIG } from '../test/kit/payouts/world.ts';
import type { PayoutExecutorConfig } from './config.ts';
import type { PayoutExecutor } from './executor.ts';

const CONFIG: PayoutExecutorConfig = { ...QUIET_CONFIG, maxInFlight: 8, admitWaitMs: 50 };
const { leaseMs, cancelAfterMs, pollFirstMs } = CONFIG.policy;

describe('the flight of a first attempt', () => {
  it('asks about what the provider has accepted before it stores anything more: one write says both', async () => {
    const { worker, request, provider, store, clock, outbox, phase, rest } = new PayoutWorld({ config: CONFIG });
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
    const { worker, request, provider, clock, store, phase, rest } = new PayoutWorld({ config: CONFIG });
    provider.settles = 'ACCEPTED';
    await worker().handle([request('transfer-1')]);
    await rest();
    clock.pass(2 * pollFirstMs);
    await rest();
    expect(phase('transfer-1')).toBe('ACCEPTED');
    expect(store.payouts.get('transfer-1')).toMatchObject({ polls: 2 });
  });

  it.each([
    ['the provider is down', (to: PayoutWorld) => (to.provider.isReady = false)],
    ['the worker is stopped', (_: PayoutWorld, executor: PayoutExecutor) => void executor.stop(1_000)],
  ])('stores at once that the provider has it when nothing more can be asked: %s', async (_why, meet) => {
    const to = new PayoutWorld({ config: CONFIG });
    to.provider.settles = 'ACCEPTED';
    const executor = to.worker();
    await executor.handle([to.request('transfer-1')]);
    await to.rest();
    meet(to, executor);
    to.clock.pass(2 * pollFirstMs);
    await to.rest();
    expect(to.phase('transfer-1')).toBe('ACCEPTED');
    expect(to.provider.calls).toEqual(['submit transfer-1:1']);
  });

  it('leaves only so many unsettled, whatever they wait for: the rest is stored to be sent later', async () => {
    const { worker, request, provider, store, rest } = new PayoutWorld({ config: CONFIG });
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
    const { worker, request, provider, store, clock, phase, events, rest } = new PayoutWorld({ config: CONFIG });
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
    const { worker, request, provider, store, clock, phase, rest } = new PayoutWorld({ config: CONFIG });
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
    const { worker, request, provider, clock, phase, rest } = new PayoutWorld({ config: CONFIG });
    provider.settles = 'ACCEPTED';
    provider.query = () => Promise.reject(new TypeError('a bug'));
    await worker().handle([request('transfer-1')]);
    await rest();
    clock.pass(2 * pollFirstMs);
    await rest();
    expect(phase('transfer-1')).toBe('ACCEPTED');
  });

  it('keeps a payout for itself when the same event comes once more', async () => {
    const { worker, request, provider, clock, phase, rest } = new PayoutWorld({ config: CONFIG });
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
    const { worker, request, provider, clock, store, phase, rest } = new PayoutWorld({ config: CONFIG });
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
    const { worker, request, provider, clock, store, phase, rest } = new PayoutWorld({ config: CONFIG });
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
    const { worker, request, provider, clock, phase, rest } = new PayoutWorld({ config: CONFIG });
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

  it('sends nothing when the gate closes between the compare-and-set and the first byte', async () => {
    const { worker, request, provider, clock, phase, rest } = new PayoutWorld({ config: CONFIG });
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

  it.each([
    'payout.after-insert',
    'payout.after-cas-submitting',
    'payout.after-submit',
    'payout.after-query',
    'payout.after-outcome-write',
  ])(
    'gives back all that it held when it breaks at %s, and the payout is taken up once its lease is over',
    async (at) => {
      const { worker, request, provider, clock, phase, rest } = new PayoutWorld({ config: CONFIG });
      provider.settles = 'ACCEPTED';
      let breaks = true;
      const failpoint = (name: string) => {
        if (breaks && name === at) throw new Error('broken');
        return undefined;
      };
      const executor = worker({ failpoint });
      await executor.handle([request('transfer-1')]).catch(() => undefined);
      await rest();
      clock.pass(2 * pollFirstMs);
      await rest();
      expect(executor.stats()).toMatchObject({ inFlight: 0, unsettled: 0, polls: 0 });
      breaks = false;
      for (const [key, { state }] of provider.keys) if (state === 'ACCEPTED') provider.pays(key);
      provider.settles = 'PAID';
      for (const wait of [leaseMs, cancelAfterMs, 60_000]) {
        clock.pass(wait);
        await executor.pollNow(['transfer-1']);
        await rest();
      }
      expect(phase('transfer-1')).toBe('PAID');
      expect(provider.executionsOf('transfer-1')).toBe(1);
      expect(executor.stats()).toMatchObject({ inFlight: 0, unsettled: 0, polls: 0 });
    },
  );

  it('gives back all that it held when a later attempt breaks', async () => {
    const { worker, request, provider, clock, phase, rest } = new PayoutWorld({ config: CONFIG });
    provider.isReady = false;
    let breaks = true;
    const failpoint = (name: string) => {
      if (breaks && name === 'payout.after-attempt-claimed') throw new Error('broken');
      return undefined;
    };
    const executor = worker({ failpoint });
    await executor.handle([request('transfer-1')]);
    provider.isReady = true;
    await executor.pollNow(['transfer-1']);
    expect(phase('transfer-1')).toBe('SUBMITTING');
    expect(executor.stats()).toMatchObject({ inFlight: 0, unsettled: 0, polls: 0 });
    breaks = false;
    for (const wait of [leaseMs, cancelAfterMs, 60_000]) {
      clock.pass(wait);
      await executor.pollNow(['transfer-1']);
      await rest();
    }
    expect(phase('transfer-1')).toBe('PAID');
    expect(provider.executionsOf('transfer-1')).toBe(1);
  });
});
