import { createRequire } from 'node:module';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { applyPatches, PATCH_NAMES } from './patches.ts';
import { requestDefinition } from './requests.ts';

const require = createRequire(import.meta.url);

interface Queue {
  push(request: object): void;
  fulfillRequest(answer: object): void;
  maybeThrottle(ms: number): void;
  scheduleRequestTimeoutCheck(): void;
  destroy(): void;
}
const RequestQueue = require('kafkajs/src/network/requestQueue') as new (options: object) => Queue;
const silent = { debug() {}, warn() {}, error() {}, info() {} };

afterEach(() => {
  applyPatches([]);
  vi.unstubAllEnvs();
});

describe('patches', () => {
  test('can be chosen and taken back', () => {
    const produce = requestDefinition('Produce');
    applyPatches([]);
    const shipped = produce.protocol;
    applyPatches(['produce-request']);
    expect(produce.protocol).not.toBe(shipped);
    applyPatches(['zstd']);
    expect(produce.protocol).toBe(shipped);
  });

  test('are chosen by CORRIDOR_KAFKAJS_PATCHES, which must name patches', () => {
    const fetch = requestDefinition('Fetch');
    const shipped = fetch.protocol;
    vi.stubEnv('CORRIDOR_KAFKAJS_PATCHES', 'none');
    applyPatches();
    expect(fetch.protocol).toBe(shipped);
    vi.stubEnv('CORRIDOR_KAFKAJS_PATCHES', 'zstd, fetch-response');
    applyPatches();
    expect(fetch.protocol).not.toBe(shipped);
    vi.stubEnv('CORRIDOR_KAFKAJS_PATCHES', 'fast');
    expect(() => applyPatches()).toThrow(expect.objectContaining({ code: 'KAFKAJS_PATCHES' }));
  });

  test('are all applied by default', () => {
    vi.stubEnv('CORRIDOR_KAFKAJS_PATCHES', undefined);
    const { protocol } = requestDefinition('Produce');
    applyPatches();
    expect(requestDefinition('Produce').protocol).not.toBe(protocol);
    expect(PATCH_NAMES).toHaveLength(8);
  });
});

describe('the request queue', () => {
  let correlationId: number;
  beforeEach(() => {
    correlationId = 0;
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const queue = () =>
    new RequestQueue({ requestTimeout: 1_000, enforceRequestTimeout: true, maxInFlightRequests: 1, logger: silent });
  function push(to: Queue) {
    const id = correlationId++;
    const outcome = { sent: false, settled: '' };
    const entry = {
      apiKey: 0,
      apiName: 'Any',
      apiVersion: 0,
      correlationId: id,
      resolve: () => {
        outcome.settled = 'answered';
      },
      reject: (error: Error) => {
        outcome.settled = error.name;
      },
    };
    const sendRequest = () => {
      outcome.sent = true;
    };
    to.push({ entry, expectResponse: true, requestTimeout: null, sendRequest });
    return { id, outcome };
  }
  const answer = (to: Queue, id: number) => to.fulfillRequest({ correlationId: id, payload: Buffer.alloc(0), size: 0 });

  test('as shipped keeps timers running at rest', () => {
    applyPatches([]);
    const shipped = queue();
    shipped.scheduleRequestTimeoutCheck();
    answer(shipped, push(shipped).id);
    vi.advanceTimersByTime(10_000);
    expect(vi.getTimerCount()).toBe(2);
    shipped.destroy();
  });

  test('has no timer at rest, and none of negative length', () => {
    applyPatches(['request-queue']);
    const setTimeouts = vi.spyOn(globalThis, 'setTimeout');
    const ours = queue();
    ours.scheduleRequestTimeoutCheck();
    expect(vi.getTimerCount()).toBe(0);
    answer(ours, push(ours).id);
    vi.advanceTimersByTime(2_000);
    expect(vi.getTimerCount()).toBe(0);
    expect(setTimeouts.mock.calls.every(([, ms]) => (ms ?? 0) >= 0)).toBe(true);
  });

  test('does not count the time in which the event loop stood still', () => {
    applyPatches(['request-queue']);
    const ours = queue();
    const { outcome } = push(ours);
    // The loop stands still: time goes by, and no timer fires.
    vi.setSystemTime(Date.now() + 60_000);
    vi.advanceTimersByTime(500);
    expect(outcome.settled).toBe('');
    vi.advanceTimersByTime(1_000);
    expect(outcome.settled).toBe('KafkaJSRequestTimeoutError');
  });

  test('still times requests out, also after the connection was made anew', () => {
    applyPatches(['request-queue']);
    const ours = queue();
    for (let round = 0; round < 2; round++) {
      const { outcome } = push(ours);
      vi.advanceTimersByTime(1_500);
      expect(outcome).toEqual({ sent: true, settled: 'KafkaJSRequestTimeoutError' });
      ours.destroy();
      ours.scheduleRequestTimeoutCheck();
    }
    expect(vi.getTimerCount()).toBe(0);
  });

  test('still sends what waited for a slot or for the end of a throttle', () => {
    applyPatches(['request-queue']);
    const ours = queue();
    const first = push(ours);
    const second = push(ours);
    expect([first.outcome.sent, second.outcome.sent]).toEqual([true, false]);
    answer(ours, first.id);
    expect(second.outcome.sent).toBe(true);
    ours.maybeThrottle(500);
    answer(ours, second.id);
    const third = push(ours);
    vi.advanceTimersByTime(400);
    expect(third.outcome.sent).toBe(false);
    vi.advanceTimersByTime(200);
    expect(third.outcome.sent).toBe(true);
  });
});
