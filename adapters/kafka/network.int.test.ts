// A network that loses answers, goes silent or cuts connections: nothing lost, nothing twice, and it goes on by itself.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Failpoint } from '../../ports/failpoint.ts';
import type { BatchResult, ConsumerFault, Log, LogRecord } from '../../ports/log.ts';
import type { LogFailpoint } from '../../ports/log-failpoints.ts';
import { TcpProxy } from '../../test/kit/tcp-proxy.ts';
import { createLog } from './log.ts';
import { type BehindProxy, brokerBehind } from './testing/behind-proxy.ts';
import { caughtUp, compareCopy } from './testing/copiers.ts';
import { numbered, provision, unique } from './testing/topics.ts';

vi.setConfig({ testTimeout: 180_000 });

let broker: BehindProxy;
let proxy: TcpProxy;
/** Straight to the broker, for what the test itself reads and writes. */
let direct: Log;

beforeAll(async () => {
  proxy = await TcpProxy.listen();
  broker = await brokerBehind(proxy, 'network');
  direct = broker.direct;
});
afterAll(() => broker.stop());

async function copyThrough(
  failpoint: Failpoint<LogFailpoint>,
  disturb: (name: string) => Promise<void>,
  records: number,
) {
  const name = unique('net');
  const [input, output] = [`${name}.in`, `${name}.out`];
  await provision(direct, `network.${name}`, [input], [output], 2);
  const faults: ConsumerFault[] = [];
  const log = createLog({
    brokers: [`127.0.0.1:${proxy.port}`],
    appName: 'network',
    clientId: 'copier',
    requestTimeoutMs: 1_500,
    sessionTimeoutMs: 3_000,
    failpoint,
  });
  const copy = async ({ records: batch }: { records: readonly LogRecord[] }): Promise<BatchResult> => ({
    doneThrough: batch.at(-1)!.offset,
    outputs: batch.map(({ partition, key, value }) => ({
      topic: output,
      partition,
      key,
      value,
      headers: { from: input },
    })),
    // biome-ignore lint/suspicious/noThenProperty: the port's word for what comes after the commit
    then: { do: 'continue' },
  });
  const onFault = (fault: ConsumerFault) => faults.push(fault);
  const consumer = await log.consume({
    name,
    topics: [input],
    delivery: 'exactly-once',
    maxBatchRecords: 50,
    lingerMs: 5,
    handler: copy,
    onFault,
  });
  await consumer.ready;
  const writer = await direct.writer('feed');
  const feeding = (async () => {
    for (let from = 0; from < records; from += 100) {
      await writer.send(numbered(input, 100, { from }));
      await sleep(20);
    }
  })();
  await disturb(name);
  await feeding;
  await writer.close();
  await caughtUp(direct, `network.${name}`, [input]);
  const comparison = await compareCopy(direct, [input], output);
  await expect.poll(() => consumer.progress().map(({ lag }) => lag), { timeout: 30_000 }).toEqual([0, 0]);
  await log.close();
  return { comparison, faults };
}

const exactly = (records: number) => ({ records, lost: 0, doubled: 0, disordered: 0 });

test('the answer to a commit is lost', async () => {
  let commits = 0;
  let losing = Promise.resolve();
  const { comparison, faults } = await copyThrough(
    (name) => {
      if (name === 'eos.commit-sent' && [5, 10, 15].includes(++commits))
        losing = proxy.misbehaveFor(200, { how: 'half-open', hole: 'to-client' });
    },
    () => losing,
    4_000,
  );
  expect(comparison).toEqual(exactly(4_000));
  expect(commits).toBeGreaterThanOrEqual(15);
  expect(faults.map(({ code }) => code)).toContain('KAFKA_UNAVAILABLE');
});

test('connections are cut twenty times', async () => {
  const { comparison } = await copyThrough(
    () => {},
    async () => {
      for (let cuts = 0; cuts < 20; cuts++) {
        await sleep(Math.random() * 300);
        proxy.cut();
      }
    },
    8_000,
  );
  expect(comparison).toEqual(exactly(8_000));
});

test('nothing passes for longer than a session, without any connection being closed', async () => {
  const { comparison } = await copyThrough(
    () => {},
    async () => {
      await sleep(500);
      await proxy.misbehaveFor(5_000, { how: 'half-open' });
      await sleep(500);
      await proxy.misbehaveFor(2_000, { how: 'half-open' });
    },
    4_000,
  );
  expect(comparison).toEqual(exactly(4_000));
});
