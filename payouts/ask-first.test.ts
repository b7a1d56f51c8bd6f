import { describe, expect, it } from 'vitest';
import { PayoutWorld, QUIET_CONFIG } from '../test/kit/payouts/world.ts';
import type { PayoutExecutorConfig } from './config.ts';
import type { PayoutExecutor } from './executor.ts';

const CONFIG: PayoutExecutorConfig = { ...QUIET_CONFIG, maxInFlight: 8, admitWaitMs: 50 };
const PRICE_MS = 600_000;

describe('after a restore of the database, asking first', () => {
  const asking = { config: { ...CONFIG, asksFirst: true } };

  /** Looks at the payout whenever something is due, until nothing is. */
  async function goesOn({ clock, store, rest }: PayoutWorld, executor: PayoutExecutor, id: string): Promise<void> {
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
      const here = new PayoutWorld({ config: CONFIG });
      const { worker, request, provider, store, phase, rest } = here;
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
    const { worker, request, provider, store, rest } = new PayoutWorld({ config: CONFIG });
    await worker().handle([request('transfer-1')]);
    await rest();
    store.payouts.clear();
    await worker().handle([request('transfer-1')]);
    await rest();
    expect(provider.executionsOf('transfer-1')).toBe(2);
  });

  it('pays under the next key what was never sent, and closes the first key before', async () => {
    const here = new PayoutWorld({ config: CONFIG });
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
    const here = new PayoutWorld({ config: CONFIG });
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
    const { worker, request, events, store, rest } = new PayoutWorld({ config: CONFIG });
    await worker().handle([request('transfer-1')]);
    await rest();
    const before = store.payouts.get('transfer-1');
    await worker(asking).handle([request('transfer-1')]);
    await rest();
    expect(store.payouts.get('transfer-1')).toBe(before);
    expect(events.at(-1)).toMatchObject({ kind: 'redelivered' });
  });
});
