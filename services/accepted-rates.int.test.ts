// What corridors go by over a real broker: a process that starts later holds its first rate against it, whatever a stranger writes.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createLog } from '../adapters/kafka/log.ts';
import { type LocalStack, startStack } from '../infra/local/stack.ts';
import type { Log, OutputRecord } from '../ports/log.ts';
import { createFxPricing } from '../processors/fx-pricing/processor.ts';
import { AT, BOOK, BUILT_IN_PRICES, fxRate, received, run, summary, transferScreened } from '../test/kit/builders.ts';
import { memoryCodec } from '../test/kit/memory-codec.ts';
import { readTopic } from '../test/kit/read-topic.ts';
import { testRings } from '../test/kit/rings.ts';
import { fxAcceptedRates, fxJumpsAccepted } from '../topics/boundary.ts';
import { transferPriced } from '../topics/chain.ts';
import { followedRates } from './accepted-rates.ts';
import { rateLog } from './rates.ts';

const KEY = 'GB-IN/GBP/INR';
const POLLING = { timeout: 120_000, interval: 50 };
const codec = memoryCodec();
const config = { keys: testRings as never };
const stateDir = mkdtempSync(path.join(tmpdir(), 'corridor-rates-'));
const logs: Log[] = [];
const closing: (() => Promise<unknown>)[] = [];
let stack: LocalStack;

const clientOf = (clientId: string): Log => {
  const log = createLog({ brokers: stack.urls.kafkaBrokers, appName: 'rates', clientId });
  logs.push(log);
  return log;
};
/** A process of pricing, which has read what was written before it. */
async function startProcess(clientId: string) {
  const followed = followedRates({ log: clientOf(clientId), codec, config });
  closing.push(...followed.tables.map((table) => () => table.stop()), followed.close);
  for (const table of followed.tables) await table.start();
  const { accepted } = followed;
  const price = async (rate: string) => {
    const rates = { version: 1, entries: () => [['key', fxRate({ rate })] as const] };
    const stage = createFxPricing({ rates, accepted, corridors: BOOK, terms: BUILT_IN_PRICES, clock: () => AT });
    const [decision] = await run(stage, [received('transfer.screened', transferScreened())]);
    return summary(decision!);
  };
  return { price, accepted, tables: followed.tables };
}

beforeAll(async () => {
  stack = await startStack({ stateDir, ephemeral: true, kinds: ['kafka'], env: {} });
  const admin = await clientOf('admin').admin();
  const topicConfig = { 'message.timestamp.type': 'LogAppendTime', 'cleanup.policy': 'compact' };
  // Of a pair that nothing is remembered of, the prices in the log are asked.
  const topics = [fxAcceptedRates.name, fxJumpsAccepted.name, transferPriced.name];
  await admin.createTopics(topics.map((name) => ({ name, partitions: 1, replicationFactor: 1, config: topicConfig })));
  await admin.close();
}, 300_000);
afterAll(async () => {
  await Promise.all(closing.map((close) => close()));
  await Promise.all(logs.map((log) => log.close()));
  await stack?.stop();
  rmSync(stateDir, { recursive: true, force: true });
}, 120_000);

it('holds after a restart and in every process, and a jump goes through once', async () => {
  const first = await startProcess('first');
  expect(await first.price('125.0')).toBe('transfer.priced');
  const second = await startProcess('second');
  expect(await second.price('1250.0')).toBe('wait RATE_JUMPED');
  expect(await second.price('130.0')).toBe('transfer.priced');
  await expect.poll(() => first.accepted.last(KEY)?.version, POLLING).toBe(2);

  // A stranger: a rate that nobody sealed, then a copy of all that was true before.
  const written = await readTopic(clientOf('copier'), fxAcceptedRates.name);
  const stranger = await clientOf('stranger').writer('stranger');
  closing.push(() => stranger.close());
  const forged = codec.encode(fxAcceptedRates.name, { ...first.accepted.last(KEY)!, rate: '1250.0', version: 99 });
  const copies = written.map(({ topic, partition, key, value, headers }) => {
    return { topic, partition, key, value, headers } as OutputRecord;
  });
  await stranger.send([{ topic: fxAcceptedRates.name, partition: 0, key: KEY, value: forged, headers: {} }, ...copies]);
  const third = await startProcess('third');
  expect(third.accepted.last(KEY)).toMatchObject({ rate: '130.0', version: 2 });
  expect(third.tables[0]!.health()).toMatchObject({ unproven: 1 });

  const log = rateLog({ log: clientOf('operator'), codec, config });
  expect((await log.accepted()).get(KEY)).toMatchObject({ rate: '130.0', version: 2 });
  const jump = {
    ...{ corridor: 'GB-IN', base: 'GBP', quote: 'INR', rate: '150.0', fromRate: '130.0', fromVersion: 2 },
    ...{ acceptedAt: AT, expiresAt: AT + 60_000, askedBy: 'asha', approvedBy: 'ben', approvalId: 'a', reason: 'r' },
  };
  await log.publish(jump);
  await expect.poll(() => first.accepted.jump(KEY)?.approvalId, POLLING).toBe('a');
  expect(await first.price('150.0')).toBe('transfer.priced');
  const last = await startProcess('last');
  expect(last.accepted.last(KEY)).toMatchObject({ rate: '150.0', version: 3, approvalId: 'a' });
  await log.publish({ ...jump, acceptedAt: AT + 1 });
  expect(await last.price('130.0')).toBe('wait RATE_JUMPED');

  // Without the keys of stages it is what the log says: the API of operators sees the forged one, and the stage does not go by it.
  const { stages: _, ...without } = testRings;
  const unproven = rateLog({ log: clientOf('unproven'), codec, config: { keys: without as never } });
  expect((await unproven.accepted()).get(KEY)).toMatchObject({ version: 99 });
});
