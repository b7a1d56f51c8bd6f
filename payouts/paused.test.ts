// Payouts that people have paused: none begins, none ends, and all go on when they are resumed.
import { describe, expect, it } from 'vitest';
import { PayoutWorld, QUIET_CONFIG } from '../test/kit/payouts/world.ts';

const PRICE_MS = 600_000;

function world() {
  const { worker, request, phase, rest, clock, store, provider } = new PayoutWorld();
  const paused = new Set<string>();
  const pauses = {
    get some() {
      return paused.size > 0;
    },
    of: ({ envelope }: { envelope: { transferId: string } }) =>
      paused.has(envelope.transferId) ? ({ code: 'PAYOUT_CORRIDOR_PAUSED', detail: 'x' } as const) : undefined,
  };
  const executor = worker({ pauses });
  const look = async () => {
    clock.pass(QUIET_CONFIG.pausedLookMs);
    await executor.pollNow([...store.payouts.keys()]);
    await rest();
  };
  return { clock, store, provider, paused, executor, request, look, phase, rest };
}

describe('a paused payout', () => {
  it('is taken in, waits, and is sent once when it is resumed; its neighbours go on', async () => {
    const { executor, request, provider, paused, phase, look, rest } = world();
    paused.add('transfer-1');
    await executor.handle([request('transfer-1'), request('transfer-2')]);
    await rest();
    for (let n = 0; n < 3; n++) await look();
    expect([phase('transfer-1'), phase('transfer-2')]).toEqual(['NEW', 'PAID']);
    expect(provider.calls.filter((call) => call.includes('transfer-1'))).toEqual([]);
    paused.clear();
    await look();
    expect([phase('transfer-1'), provider.executionsOf('transfer-1')]).toEqual(['PAID', 1]);
  });

  it('does not end with its price; when it is resumed, another price is asked for, and paid once', async () => {
    const { executor, request, provider, paused, phase, look, clock, rest } = world();
    paused.add('transfer-1');
    await executor.handle([request('transfer-1')]);
    for (let n = 0; n < 4; n++) {
      clock.pass(PRICE_MS);
      await look();
    }
    expect(phase('transfer-1')).toBe('NEW');
    paused.clear();
    await look();
    expect([phase('transfer-1'), provider.calls]).toEqual(['EXPIRED', []]);
    await executor.handle([request('transfer-1', 2)]);
    await rest();
    await look();
    expect([phase('transfer-1'), provider.executionsOf('transfer-1')]).toEqual(['PAID', 1]);
  });

  it('is stopped between the gate and the first byte, and loses one attempt by it at most', async () => {
    const { executor, request, provider, paused, phase, look, store, rest } = world();
    const submit = provider.submit.bind(provider);
    provider.submit = (instruction, mayStart) => {
      paused.add('transfer-1');
      return submit(instruction, mayStart);
    };
    await executor.handle([request('transfer-1')]);
    await rest();
    provider.submit = submit;
    for (let n = 0; n < 5; n++) await look();
    expect([phase('transfer-1'), provider.executionsOf('transfer-1')]).toEqual(['NEW', 0]);
    expect(store.payouts.get('transfer-1')!.attempts).toHaveLength(1);
    paused.clear();
    await look();
    expect([phase('transfer-1'), provider.executionsOf('transfer-1')]).toEqual(['PAID', 1]);
  });

  it('that was sent before is asked about all the same', async () => {
    const { executor, request, provider, paused, phase, look, rest } = world();
    provider.submitFault = 'timeout-after';
    await executor.handle([request('transfer-1')]);
    await rest();
    paused.add('transfer-1');
    for (let n = 0; n < 3; n++) await look();
    expect([phase('transfer-1'), provider.executionsOf('transfer-1')]).toEqual(['PAID', 1]);
  });
});
