// Controls over a real broker: every process knows what was set, those too that start later, whatever a stranger writes.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createLog } from '../adapters/kafka/log.ts';
import { type LocalStack, startStack } from '../infra/local/stack.ts';
import { personWithKeys } from '../operations/access/principal.ts';
import { decideApproval } from '../operations/approvals/approvals.ts';
import { executeApproval } from '../operations/approvals/execute.ts';
import { memoryApprovals } from '../operations/approvals/testing/memory-approvals.ts';
import { breakGlass, reviewGlass } from '../operations/break-glass/break-glass.ts';
import { askToResume, pauseTarget, resumeHandler } from '../operations/control/controls.ts';
import type { Log, OutputRecord } from '../ports/log.ts';
import { type FollowedControls, followedControls } from '../runtime/controls/followed-controls.ts';
import { silentLogger } from '../runtime/logs-and-metrics/logger.ts';
import { createMetrics } from '../runtime/logs-and-metrics/metrics.ts';
import { memoryCodec } from '../test/kit/memory-codec.ts';
import { readTopic } from '../test/kit/read-topic.ts';
import { testRings } from '../test/kit/rings.ts';
import { runtimeControls } from '../topics/boundary.ts';
import type { ControlTarget } from '../topics/control-key.ts';
import { controlLog } from './controls.ts';

const TOPIC = runtimeControls.name;
const TARGET: ControlTarget = { kind: 'CORRIDOR', name: 'GB-IN' };
const PLACE = { provider: 'simulator', corridor: 'GB-IN', rail: 'IMPS', homePartition: 0 };
const POLLING = { timeout: 120_000, interval: 50 };
const [asha, ben] = [personWithKeys('asha'), personWithKeys('ben')];
const codec = memoryCodec();
const stateDir = mkdtempSync(path.join(tmpdir(), 'corridor-controls-'));
const logs: Log[] = [];
const processes: FollowedControls[] = [];
let stack: LocalStack;

const clientOf = (clientId: string): Log => {
  const log = createLog({ brokers: stack.urls.kafkaBrokers, appName: 'controls', clientId });
  logs.push(log);
  return log;
};
/** What a process starts before anything else. */
async function startProcess(clientId: string): Promise<FollowedControls> {
  const options = { log: clientOf(clientId), codec, rings: testRings, logger: silentLogger, metrics: createMetrics() };
  const followed = followedControls(options);
  processes.push(followed);
  await followed.host.start();
  return followed;
}
const isPaused = ({ controls }: FollowedControls) => controls.payoutPause(PLACE) !== undefined;

beforeAll(async () => {
  stack = await startStack({ stateDir, ephemeral: true, kinds: ['kafka'], env: {} });
  const admin = await clientOf('admin').admin();
  const config = { 'message.timestamp.type': 'LogAppendTime', 'cleanup.policy': 'compact' };
  await admin.createTopics([{ name: TOPIC, partitions: 1, replicationFactor: 1, config }]);
  await admin.close();
}, 300_000);
afterAll(async () => {
  await Promise.all(processes.map(({ host }) => host.stop(1_000)));
  await Promise.all(logs.map((log) => log.close()));
  await stack?.stop();
  rmSync(stateDir, { recursive: true, force: true });
}, 120_000);

it('a pause holds in every process and in those that start later, against strangers, until two persons end it', async () => {
  const log = controlLog({ log: clientOf('operator'), codec, config: { keys: testRings as never } });
  const first = await startProcess('first');
  expect(isPaused(first)).toBe(false);
  await pauseTarget(log, { target: TARGET, by: asha, reason: 'pays twice', at: new Date() });
  await expect.poll(() => isPaused(first), POLLING).toBe(true);
  // One that starts now knows it before it starts anything else.
  expect(isPaused(await startProcess('second'))).toBe(true);

  // A stranger: without a seal, then with a copy of what was true before.
  const stranger = await clientOf('stranger').writer('stranger');
  const paused = (await log.latest()).get('CORRIDOR/GB-IN')!;
  const value = codec.encode(TOPIC, { ...paused, state: 'RUNNING', version: 99 });
  await stranger.send([{ topic: TOPIC, partition: 0, key: 'CORRIDOR/GB-IN', value, headers: {} }]);
  const approvals = memoryApprovals();
  const resume = async (id: string) => {
    const { hash } = await askToResume(
      { log, approvals },
      { id, target: TARGET, by: asha, reason: 'mended', at: new Date() },
      testRings.operators,
    );
    const deciding = { id, hash, verdict: 'APPROVED', by: ben, reason: 'looked', at: new Date() } as const;
    await decideApproval(approvals, deciding, testRings.operators);
    const handlers = { 'control.resume': resumeHandler(log) };
    return executeApproval(approvals, id, { handlers, operators: testRings.operators, at: new Date() });
  };
  expect(await resume('one')).toMatchObject({ state: 'EXECUTED' });
  for (const each of processes) await expect.poll(() => isPaused(each), POLLING).toBe(false);
  await pauseTarget(log, { target: TARGET, by: asha, reason: 'again', at: new Date() });
  for (const each of processes) await expect.poll(() => isPaused(each), POLLING).toBe(true);
  const written = await readTopic(clientOf('copier'), TOPIC);
  const copies = written.map(({ topic, partition, key, value: bytes, headers }) => {
    return { topic, partition, key, value: bytes, headers } as OutputRecord;
  });
  await stranger.send(copies);
  await stranger.close();
  const third = await startProcess('third');
  expect(isPaused(third)).toBe(true);
  // All that was copied is read by now in the others, too.
  const outdated = () => processes.map(({ host }) => host.health().tables[0]!.outdated ?? 0);
  await expect.poll(() => outdated().every((count) => count >= 2), POLLING).toBe(true);
  expect(processes.map(isPaused)).toEqual([true, true, true]);
  expect(await resume('two')).toMatchObject({ state: 'EXECUTED' });
  for (const each of processes) await expect.poll(() => isPaused(each), POLLING).toBe(false);

  const desk = { log, clock: async (own: Date) => own };
  await breakGlass(desk, { id: 'g', by: asha, reason: 'alone', minutes: 5, at: new Date() });
  const codes = ({ host }: FollowedControls) => host.health().troubles.map(({ code }) => code);
  for (const each of processes) await expect.poll(() => codes(each), POLLING).toContain('GLASS_BROKEN');
  await reviewGlass(desk, { id: 'g', by: ben, text: 'nothing was done', at: new Date() });
  for (const each of processes) await expect.poll(() => codes(each), POLLING).toEqual([]);
});
