// A timer that is due together with what it waits for never wins, however long the event loop stood still.
import { describe, expect, it } from 'vitest';
import { loopTimeout, withinLoopTime } from './loop-timeout.ts';

/** Work that does not give way. */
function block(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

describe('a timeout in time of the loop', () => {
  it('sees what came while the loop stood still for many times its length', async () => {
    const work = new Promise<string>((resolve) => setTimeout(() => setImmediate(resolve, 'came'), 1));
    const answer = withinLoopTime(work, 20, () => new Error('late'));
    block(200);
    expect(await answer).toBe('came');
  });

  it('fires when nothing comes, and not when it was called off', async () => {
    await expect(withinLoopTime(new Promise(() => undefined), 5, () => new Error('late'))).rejects.toThrow('late');
    const fired: string[] = [];
    const callOff = loopTimeout(5, () => fired.push('called off'));
    callOff();
    await new Promise<void>((resolve) => {
      loopTimeout(20, () => {
        fired.push('fired');
        resolve();
      });
    });
    expect(fired).toEqual(['fired']);
  });
});
