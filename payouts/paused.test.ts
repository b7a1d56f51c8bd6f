// Payouts that people have paused: none begins, none ends, and all go on when they are resumed.
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import {
  forgetfulTimer,
  ManualClock,
  MemoryOutbox,
  MemoryProvider,
  MemoryStore,
  memoryCodec,
} from '../test/kit/payouts/memory.ts';
import { payoutRequestedFor, received } from '../test/kit/payouts/requested.ts';
import { DEFAULT_EXECUTOR_CONFIG } from './config.ts';
import { createPayoutExecutor } from './executor.ts';
import { DEFAULT_PAYOUT_POLICY } from './policy.ts';

const CONFIG = { ...DEFAULT_EXECUTOR_CONFIG, policy: { ...DEFAULT_PAYOUT_POLICY, returnPollsMs: [] } };
const PRICE_MS = 600_000;

function world() {
  const clock = new ManualClock();
  const store = new MemoryStore();
  const provider = new MemoryProvider(clock.now);
  const paused = new Set<string>();
  let asked = 0;
  const pauses = {
    get some() {
      return paused.size > 0;
    },
    of: ({ envelope }: { envelope: { transferId: string } }) => {
      asked++;
      return paused.has(envelope.transferId) ? ({ code: 'CORRIDOR_PAUSED', detail: 'x' } as const) : undefined;
    },
  };
  const executor = createPayoutExecutor({
    ...{ config: CONFIG, payouts: store, provider, timer: forgetfulTimer, outbox: new MemoryOutbox() },
    ...{ codec: memoryCodec(), clock, pauses },
  });
  const request = (transferId: string, attempt = 1) =>
    received(payoutRequestedFor({ transferId, attempt, now: clock.now(), expiresAt: clock.now() + PRICE_MS }));
  const look = async () => {
    clock.pass(CONFIG.pausedLookMs);
    await executor.pollNow([...store.payouts.keys()]);
    await rest();
  };
  const phase = (id: string) => store.payouts.get(id)?.phase;
  return { clock, store, provider, paused, executor, request, look, phase, asked: () => asked };
}

async function rest(): Promise<void> {
  for (let i = 0; i < 60; i++) await turn();
}

describe('a paused payout', () => {
  it('is taken in, waits, and is sent once when it is resumed; its neighbours go on', async () => {
    const { executor, request, provider, paused, phase, look } = world();
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
    const { executor, request, provider, paused, phase, look, clock } = world();
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
    const { executor, request, provider, paused, phase, look, store } = world();
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
    const { executor, request, provider, paused, phase, look } = world();
    provider.submitFault = 'timeout-after';
    await executor.handle([request('transfer-1')]);
    await rest();
    paused.add('transfer-1');
    for (let n = 0; n < 3; n++) await look();
    expect([phase('transfer-1'), provider.executionsOf('transfer-1')]).toEqual(['PAID', 1]);
  });
});
