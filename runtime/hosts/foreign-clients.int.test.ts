// Batches as the Java client and librdkafka pack them, by every codec, through a real broker and the reader of intake; and what
// is handed on, read by both.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { groupId } from '../../ports/consumer-groups/names.ts';
import type { Log } from '../../ports/log.ts';
import { transferRequested } from '../../test/kit/builders.ts';
import { type ForeignClient, type ForeignRecord, javaClient, librdkafka } from '../../test/kit/foreign-clients.ts';
import { intakeHost, logOf } from '../../test/kit/intake-host.ts';
import { rawBatches } from '../../test/kit/kafka/raw-fetch.ts';
import { memoryCodec } from '../../test/kit/memory-codec.ts';
import { useOwnStack } from '../../test/kit/own-stack.ts';
import { readTopic } from '../../test/kit/read-topic.ts';
import { inputTopics, recoveryTopics } from '../../topics/recovery.ts';
import type { Host } from './host.ts';

const APP = 'foreign-clients';
const PARTITIONS = 4;
const INTENTS = 'transfer.requested';
const HANDED_ON = 'transfer.accepted';
const CODECS = { gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const;
const FEW = 3;
/** More than a block of any codec, in one batch: about 200 KB before they are packed. */
const MANY = 400;
const codec = memoryCodec();
const servers = useOwnStack('foreign-clients', { ephemeral: true, kinds: ['kafka'], env: {} });
let log: Log;
let host: Host;
let clients: readonly ForeignClient[];

beforeAll(async () => {
  clients = await Promise.all([javaClient(), librdkafka()]);
  log = logOf(servers.urls.kafkaBrokers, APP);
  const admin = await log.admin();
  const config = { 'message.timestamp.type': 'LogAppendTime', 'max.message.bytes': String(2 * 1_048_576) };
  const names = [INTENTS, HANDED_ON, 'transfer.lifecycle', ...recoveryTopics('intake').map(({ name }) => name)];
  await admin.createTopics(names.map((name) => ({ name, partitions: PARTITIONS, replicationFactor: 1, config })));
  await admin.initialiseOffsets(groupId(APP, 'intake'), inputTopics('intake', [INTENTS]));
  await admin.close();
  host = intakeHost(log, APP, PARTITIONS);
  await host.start();
}, 600_000);
afterAll(async () => {
  await host?.stop(10_000);
  await log?.close();
});

function intents(prefix: string): readonly ForeignRecord[] {
  return Array.from({ length: PARTITIONS }, (_, partition) =>
    Array.from({ length: partition === 0 ? MANY : FEW }, (__, n) => {
      const transferId = `${prefix}-${partition}-${n}`;
      const value = codec.encode(INTENTS, transferRequested({ transferId }));
      return { partition, key: Buffer.from(transferId), value };
    }),
  ).flat();
}
const keysOn = async (topic: string) => (await readTopic(log, topic)).map(({ key }) => String(key));

// `producer` is what the topic has: what a client packs reaches us as it is. With zstd the broker packs it anew.
it.each(['producer', 'zstd'])('are read by every codec, with compression.type=%s', async (type) => {
  const admin = await log.admin();
  await admin.alterConfig(INTENTS, { 'compression.type': type });
  await admin.close();
  const before = await log.reader().offsets([INTENTS]);
  const sent = Object.keys(CODECS).flatMap((by) =>
    clients.map((client) => ({ client, by, records: intents(`${client.name}-${type}-${by}`) })),
  );
  const brokers = servers.urls.kafkaBrokers;
  await Promise.all(sent.map(({ client, by, records }) => client.produce(brokers, INTENTS, by, records)));
  for (const { partition, to } of before) {
    const batches = await rawBatches(brokers, INTENTS, partition, to);
    const packed = new Set(batches.map((batch) => batch.readInt16BE(21) & 7));
    expect(packed).toEqual(new Set(type === 'producer' ? Object.values(CODECS) : [CODECS.zstd]));
    // Many in one batch, not only each in its own; how many is a matter of how busy the machine is.
    if (partition === 0) expect(Math.max(...batches.map((batch) => batch.readInt32BE(57)))).toBeGreaterThan(MANY / 4);
  }
  const wanted = sent.flatMap(({ records }) => records.map(({ key }) => String(key)));
  const missing = async () => {
    const there = new Set(await keysOn(HANDED_ON));
    return wanted.filter((key) => !there.has(key)).length;
  };
  await expect.poll(missing, { timeout: 240_000, interval: 500 }).toBe(0);
  expect(await keysOn(HANDED_ON)).toHaveLength(new Set(await keysOn(HANDED_ON)).size);
  expect(await keysOn('intake.dlq')).toEqual([]);
});

it('read what is handed on to them: the same bytes', async () => {
  await host.stop(10_000);
  const brokers = servers.urls.kafkaBrokers;
  const lines = (records: readonly { partition: number; key: Buffer | null; value: Buffer | null }[]) =>
    records.map(({ partition, key, value }) => `${partition} ${key} ${value!.toString('base64')}`).sort();
  const ours = lines(await readTopic(log, HANDED_ON));
  const ranges = await log.reader().offsets([HANDED_ON]);
  const { partition, from } = ranges.find(({ to }) => to > 0)!;
  const batches = await rawBatches(brokers, HANDED_ON, partition, from);
  expect(batches.some((batch) => (batch.readInt16BE(21) & 7) === CODECS.zstd)).toBe(true);
  expect(ours.length).toBeGreaterThan(MANY);
  for (const client of clients) expect(lines(await client.consume(brokers, HANDED_ON, ranges))).toEqual(ours);
});
