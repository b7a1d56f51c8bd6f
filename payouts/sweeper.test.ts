import { describe, expect, it } from 'vitest';
import { PayoutWorld, QUIET_CONFIG } from '../test/kit/payouts/world.ts';
import type { PayoutExecutorConfig } from './config.ts';

const CONFIG: PayoutExecutorConfig = { ...QUIET_CONFIG, maxInFlight: 8, admitWaitMs: 50 };

describe('the sweeper', () => {
  it('goes on without a timer that takes jobs and gives none back, and tells it', async () => {
    const { worker, request, provider, clock, phase, events, rest } = new PayoutWorld({ config: CONFIG });
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

  it('sweeps past payouts that somebody else has changed, and takes them again once they are mended', async () => {
    const { worker, request, provider, store, clock, phase, rest } = new PayoutWorld({ config: CONFIG });
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
});
