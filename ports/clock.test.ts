import { describe, expect, it } from 'vitest';
import { systemClock } from './clock.ts';

const NEVER_MS = 2 ** 31 - 1;

describe('the system clock', () => {
  it('sleeps for its time, with a signal and without', async () => {
    await expect(systemClock.sleep(1)).resolves.toBeUndefined();
    await expect(systemClock.sleep(1, new AbortController().signal)).resolves.toBeUndefined();
  });

  it('wakes everybody who sleeps until a signal when it aborts, and nobody sleeps after that', async () => {
    const [one, other] = [new AbortController(), new AbortController()];
    let woken = 0;
    const sleeping = Array.from({ length: 3_000 }, () =>
      systemClock.sleep(NEVER_MS, one.signal).then(() => {
        woken++;
      }),
    );
    const apart = systemClock.sleep(NEVER_MS, other.signal);
    one.abort();
    await Promise.all(sleeping);
    expect(woken).toBe(3_000);
    await systemClock.sleep(NEVER_MS, one.signal);
    expect(await Promise.race([apart, Promise.resolve('asleep')])).toBe('asleep');
    other.abort();
    await apart;
  });
});
