import { describe, expect, it, vi } from 'vitest';
import { pause, within } from './pause.ts';

const NEVER_MS = 2 ** 31 - 1;

describe('a pause', () => {
  it('lasts for its time, with a signal and without', async () => {
    await expect(pause(1)).resolves.toBeUndefined();
    await expect(pause(1, new AbortController().signal)).resolves.toBeUndefined();
  });

  it('ends for everybody who waits on a signal when it aborts, and nobody waits after that', async () => {
    const [one, other] = [new AbortController(), new AbortController()];
    let woken = 0;
    const sleeping = Array.from({ length: 3_000 }, () =>
      pause(NEVER_MS, one.signal).then(() => {
        woken++;
      }),
    );
    const apart = pause(NEVER_MS, other.signal);
    one.abort();
    await Promise.all(sleeping);
    expect(woken).toBe(3_000);
    await pause(NEVER_MS, one.signal);
    expect(await Promise.race([apart, Promise.resolve('asleep')])).toBe('asleep');
    other.abort();
    await apart;
  });

  it('asks no timer for what it cannot do: less than nothing, or more than 24 days', async () => {
    const timers = vi.spyOn(globalThis, 'setTimeout');
    const over = new AbortController();
    const waits = [
      pause(-5),
      pause(Number.MAX_SAFE_INTEGER, over.signal),
      pause(Number.POSITIVE_INFINITY, over.signal),
    ];
    over.abort();
    await Promise.all(waits);
    expect(timers.mock.calls.map(([, ms]) => ms)).toEqual([0, NEVER_MS, NEVER_MS]);
    timers.mockRestore();
  });
});

describe('work with a deadline', () => {
  it('is in time, or late', async () => {
    expect(await within(NEVER_MS, Promise.resolve('done'))).toBe(true);
    expect(await within(1, new Promise(() => undefined))).toBe(false);
    expect(await within(NEVER_MS, undefined)).toBe(true);
  });

  it('rejects as the work does in time; what it rejects with later is nobody’s', async () => {
    await expect(within(NEVER_MS, Promise.reject(new Error('failed')))).rejects.toThrow('failed');
    const work = Promise.withResolvers<void>();
    expect(await within(1, work.promise)).toBe(false);
    // An unhandled rejection would fail this run.
    work.reject(new Error('too late'));
    await pause(1);
  });

  it('takes its time from a clock that is given, and calls the wait off', async () => {
    const waits: AbortSignal[] = [];
    const clock = {
      sleep: (_ms: number, signal?: AbortSignal) => {
        waits.push(signal!);
        return new Promise<void>(() => undefined);
      },
    };
    expect(await within(5, Promise.resolve(), clock)).toBe(true);
    expect(waits.map(({ aborted }) => aborted)).toEqual([true]);
  });
});
