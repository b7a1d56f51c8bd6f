// Three brokers, each killed in turn: leaders and coordinators move, and the copy goes on.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Log } from '../../ports/log.ts';
import { useOwnStack } from '../../test/kit/own-stack.ts';
import { createLog } from './log.ts';
import { Copier, caughtUp, compareCopy, killCopiers } from './testing/copiers.ts';
import { numbered, unique } from './testing/topics.ts';

const servers = useOwnStack('kafka-cluster', { ephemeral: true, kinds: ['kafka'], brokers: 3, env: {} });
let log: Log;

beforeAll(async () => {
  log = createLog({ brokers: servers.urls.kafkaBrokers, appName: 'cluster', clientId: 'cluster-test' });
});
afterEach(killCopiers);
afterAll(() => log.close());

test('every broker is killed once under a writer and a copier', { timeout: 240_000 }, async () => {
  const consumer = unique('rolling');
  const inputs = [`${consumer}.in`];
  const output = `${consumer}.out`;
  const admin = await log.admin();
  await admin.createTopics(
    [...inputs, output].map((name) => ({
      name,
      partitions: 6,
      replicationFactor: 3,
      config: { 'min.insync.replicas': '2' },
    })),
  );
  await admin.initialiseOffsets(`cluster.${consumer}`, inputs);
  await admin.close();
  const copier = new Copier({
    brokers: servers.urls.kafkaBrokers,
    appName: 'cluster',
    consumer,
    inputs,
    output,
    maxBatchRecords: 100,
    sessionTimeoutMs: 6_000,
  });
  expect(await copier.ready()).toBe(true);

  let written = 0;
  let over = false;
  const feeding = (async () => {
    const writer = await log.writer('feed');
    while (!over) {
      await writer.send(numbered(inputs[0]!, 60, { partitions: 6, from: written }));
      written += 60;
      await sleep(50);
    }
    await writer.close();
  })();
  for (const broker of ['kafka-1', 'kafka-2', 'kafka-3'] as const) {
    await sleep(1_000);
    await servers.stack.kill(broker);
    const before = written;
    await expect.poll(() => written, { timeout: 60_000 }).toBeGreaterThan(before + 300);
    await servers.stack.restart(broker);
  }
  over = true;
  await feeding;
  await caughtUp(log, `cluster.${consumer}`, inputs);
  // The writer sends again what was not acknowledged, under the same sequence: nothing is in the log twice.
  expect(await compareCopy(log, inputs, output)).toEqual({ records: written, lost: 0, doubled: 0, disordered: 0 });
  expect(copier.alive).toBe(true);
});
