// Liveness by progress, on a real process: a handler that never returns, and an event loop that stands still.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, expect, inject, it } from 'vitest';
import type { Child } from '../../infra/local/children.ts';
import { TestPipeline } from '../kit/pipeline.ts';

/** A handler that waits longer than any test. */
const FOR_EVER_MS = 999_999;

let pipeline: TestPipeline | undefined;
afterEach(async () => {
  await pipeline?.close();
  pipeline = undefined;
});

/** Starts one process, and arms it once it is ready: limits may have work left by other tests, and would stand still before. */
async function startAndArm(on: TestPipeline, rules: string, env: NodeJS.ProcessEnv): Promise<Child> {
  const file = path.join(on.logFiles, 'failpoints');
  writeFileSync(file, '');
  await on.start({ CORRIDOR_FAILPOINTS_FILE: file, ...env });
  const [child] = on.processes;
  const ready = `${child!.ready['health'] as string}/health/ready`;
  await expect.poll(() => statusOf(ready), { timeout: 60_000, interval: 100 }).toBe(200);
  writeFileSync(file, rules);
  process.kill(child!.pid, 'SIGUSR2');
  return child!;
}

const statusOf = async (url: string): Promise<number> => (await fetch(url)).status;

it('a handler that never returns: not ready, still answering, then exit 75; the next process does the work', async () => {
  pipeline = await TestPipeline.create({ urls: inject('stack') });
  const child = await startAndArm(pipeline, `limits.after-ledger=delay:${FOR_EVER_MS}`, {
    CORRIDOR_STALL_AFTER_MS: '2000',
    CORRIDOR_EXIT_AFTER_MS: '10000',
    CORRIDOR_DRAIN_DEADLINE_MS: '500',
  });
  const health = child.ready['health'] as string;
  await pipeline.feed(20, 5);
  // It may be not ready for a moment for another reason, as long as it starts.
  const stalled = async () => {
    const { stalled: hosts } = (await (await fetch(`${health}/health`)).json()) as { stalled: { host: string }[] };
    return new Set(hosts.map(({ host }) => host));
  };
  await expect.poll(stalled, { timeout: 60_000, interval: 100 }).toEqual(new Set(['limits']));
  expect(await statusOf(`${health}/health/ready`)).toBe(503);
  expect(await statusOf(`${health}/health/live`)).toBe(200);
  expect(await child.exited).toEqual({ code: 75, signal: null });
  expect(readFileSync(child.logFile!, 'utf8')).toContain('NO_PROGRESS');
  // Nothing of what it had in hand is lost, or done twice.
  await pipeline.start();
  await pipeline.settled();
});

it('an event loop that stands still: killed by the thread that watches it; the next process does the work', async () => {
  pipeline = await TestPipeline.create({ urls: inject('stack') });
  const child = await startAndArm(pipeline, 'limits.after-ledger=wedge', { CORRIDOR_EVENT_LOOP_DEADLINE_MS: '5000' });
  await pipeline.feed(20, 6);
  // What a shell reports as 137.
  expect(await child.exited).toEqual({ code: null, signal: 'SIGKILL' });
  expect(readFileSync(child.logFile!, 'utf8')).toContain('"code":"EVENT_LOOP_WEDGED"');
  await pipeline.start();
  await pipeline.settled();
});
