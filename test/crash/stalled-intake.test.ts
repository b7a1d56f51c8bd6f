// Intake stands still altogether while transfers are on their way: what was accepted before is priced, reserved and paid
// all the same, because nothing of it shares a process with what reads producers' bytes.
import { afterEach, expect, inject, it } from 'vitest';
import { DEFAULT_MIX, type Mix } from '../../samples/sample.ts';
import { TestPipeline } from '../kit/pipeline.ts';

const INTAKE = ['--processors', 'intake'];
const STAGES = ['--processors', 'screening,fx-pricing,limits,payout-dispatch,settlement'];
const SINKS = ['--sinks', 'all', '--cases'];
const PAYOUTS = ['--payouts'];
/** Every transfer of this mix is paid. */
const MIX = Object.fromEntries(Object.keys(DEFAULT_MIX).map((kind) => [kind, 0])) as unknown as Mix;

let pipeline: TestPipeline | undefined;
afterEach(async () => {
  for (const child of pipeline?.processes ?? []) await child.kill('SIGCONT');
  await pipeline?.close();
  pipeline = undefined;
});

it('intake is stopped (SIGSTOP): what was accepted before completes, the rest once it goes on', async () => {
  pipeline = await TestPipeline.create({ urls: inject('stack'), processes: [INTAKE] });
  await pipeline.start();
  const [intake] = pipeline.processes;
  await pipeline.feed(30, 21, { mix: MIX });
  // All are transfers now, and nobody has looked at them yet.
  await expect.poll(() => pipeline!.watch.stages.get('screening')?.in, { timeout: 60_000 }).toBe(30);
  process.kill(intake!.pid, 'SIGSTOP');
  await pipeline.feed(10, 22, { mix: MIX });
  await pipeline.startMore([STAGES, SINKS, PAYOUTS]);
  await expect.poll(() => pipeline!.books.completed, { timeout: 120_000, interval: 100 }).toBe(30);
  expect(pipeline.watch.stages.get('screening')?.in).toBe(30);
  process.kill(intake!.pid, 'SIGCONT');
  await pipeline.settled();
  expect(pipeline.books.completed).toBe(40);
});
