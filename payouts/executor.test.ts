import { describe, expect, it } from 'vitest';
import { dependencyDown } from '../ports/fault.ts';
import { MemoryStore } from '../test/kit/payouts/memory.ts';
import { PayoutWorld, QUIET_CONFIG } from '../test/kit/payouts/world.ts';
import type { PayoutExecutorConfig } from './config.ts';

const CONFIG: PayoutExecutorConfig = { ...QUIET_CONFIG, maxInFlight: 8, admitWaitMs: 50 };
const PRICE_MS = 600_000;

describe('payout executor', () => {
  it('pays each transfer of a batch once and puts the outcome into the outbox', async () => {
    const { worker, request, provider, outbox, phase, rest } = new PayoutWorld({ config: CONFIG });
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
    const { worker, request, provider, events, rest } = new PayoutWorld({ config: CONFIG });
    const records = [request('transfer-1'), request('transfer-2')];
    await Promise.all([worker().handle(records), worker().handle(records), worker().handle(records)]);
    await rest();
    await worker().handle(records);
    await rest();
    expect(provider.calls.toSorted()).toEqual(['submit transfer-1:1', 'submit transfer-2:1']);
    expect(events.filter(({ kind }) => kind === 'redelivered')).toHaveLength(6);
  });

  it('stores what it has no place for, and sends it later', async () => {
    const { worker, request, provider, store, clock, rest } = new PayoutWorld({ config: CONFIG });
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

  it('asks about an unknown outcome instead of sending again', async () => {
    const { worker, request, provider, clock, phase, rest } = new PayoutWorld({ config: CONFIG });
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

  it('waits while the provider is down, and loses the price rather than the transfer', async () => {
    const { worker, request, provider, clock, outbox, phase, rest } = new PayoutWorld({ config: CONFIG });
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
    const { worker, request, provider, clock, store, phase, rest } = new PayoutWorld({ config: CONFIG });
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

  it('rejects the batch when the store is down, and takes it up again without a second send', async () => {
    const { worker, request, provider, store, phase, rest } = new PayoutWorld({ config: CONFIG });
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

  it('takes a failure of the store for that of the batch, also while the rest of it waits for room', async () => {
    const config = { ...CONFIG, maxInFlight: 1, admitWaitMs: 60_000 };
    const { worker, request, store, rest } = new PayoutWorld({ config });
    const unhandled: unknown[] = [];
    const note = (error: unknown) => void unhandled.push(error);
    process.on('unhandledRejection', note);
    const second = Promise.withResolvers<readonly boolean[]>();
    const down = () => Promise.reject(dependencyDown('mongo', 'MONGO_UNAVAILABLE', 'down'));
    const answers = [down, () => second.promise];
    store.insert = (payouts) => answers.shift()?.() ?? MemoryStore.prototype.insert.call(store, payouts);
    const executor = worker();
    const handled = executor.handle(['transfer-1', 'transfer-2', 'transfer-3'].map((id) => request(id)));
    await rest();
    second.resolve([true]);
    await expect(handled).rejects.toMatchObject({ code: 'MONGO_UNAVAILABLE' });
    await rest();
    process.off('unhandledRejection', note);
    expect(unhandled).toEqual([]);
    expect(executor.stats()).toMatchObject({ inFlight: 0, unsettled: 0 });
  });

  it('tells of a bug by its type, never by its message, which may quote a record', async () => {
    const { worker, request, events, rest } = new PayoutWorld({ config: CONFIG });
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
    const { worker, request, provider, store, clock, phase, rest } = new PayoutWorld({ config: CONFIG });
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
    const { worker, request, provider, store, clock, phase, rest } = new PayoutWorld({ config: CONFIG });
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

  it('opens a case when there is no proof long after the expiry, and closes it when the truth comes out', async () => {
    const { worker, request, provider, clock, store, phase, events, rest } = new PayoutWorld({ config: CONFIG });
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
