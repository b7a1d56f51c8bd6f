// Topics of a test's own, and records for them.
import { randomBytes } from 'node:crypto';
import kafkajs from 'kafkajs';
import { expect } from 'vitest';
import type { Log, OutputRecord } from '../../../ports/log.ts';
import { Connections, connectCluster, discardCluster, partitionsOf } from '../client.ts';
import { settingsOf } from '../options.ts';

const { Kafka, logLevel } = kafkajs;
const READ_UNCOMMITTED = 0;

/** A name that no other test uses. */
export function unique(name: string): string {
  return `${name}-${randomBytes(4).toString('hex')}`;
}

/** Creates topics with that many partitions each, and returns once their leaders answer, which is a little later. */
export async function createTopics(
  log: Log,
  names: readonly string[],
  partitions = 2,
  config: Readonly<Record<string, string>> = {},
): Promise<void> {
  const admin = await log.admin();
  await admin.createTopics(names.map((name) => ({ name, partitions, replicationFactor: 1, config })));
  await admin.close();
  const led = () =>
    log
      .reader()
      .offsets(names)
      .then(
        (ranges) => ranges.length,
        () => 0,
      );
  await expect.poll(led, { timeout: 60_000 }).toBe(names.length * partitions);
}

/** Creates topics and gives the group offsets to start from, as `corridor topics apply` does. */
export async function provision(
  log: Log,
  groupId: string,
  inputs: readonly string[],
  outputs: readonly string[],
  partitions = 2,
): Promise<void> {
  await createTopics(log, [...inputs, ...outputs], partitions);
  const admin = await log.admin();
  await admin.initialiseOffsets(groupId, inputs);
  await admin.close();
}

/**
 * Widens a topic as an operator does with Kafka's own tools. Returns once the broker tells of all partitions and their
 * leaders: it learns of them a little after the controller has answered.
 */
export async function widen(brokers: readonly string[], topic: string, partitions: number): Promise<void> {
  const admin = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  await admin.createPartitions({ topicPartitions: [{ topic, count: partitions }] });
  const led = async () => {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    return topics[0]!.partitions.filter(({ leader }) => leader >= 0).length;
  };
  await expect.poll(led, { timeout: 30_000 }).toBe(partitions);
  await admin.disconnect();
}

/** `count` records with keys `<prefix>0`, `<prefix>1` …, dealt out over the partitions. */
export function numbered(
  topic: string,
  count: number,
  options: { partitions?: number; from?: number; prefix?: string; bytes?: number } = {},
): OutputRecord[] {
  const { partitions = 2, from = 0, prefix = 'k', bytes = 100 } = options;
  return Array.from({ length: count }, (_, index) => {
    const key = `${prefix}${from + index}`;
    const value = Buffer.from(key.padEnd(bytes, '.'));
    return { topic, partition: (from + index) % partitions, key, value, headers: { 'event-id': key } };
  });
}

/** Records at the end of each partition that read_committed does not see yet: their transaction has no end there. */
export async function unsettled(log: Log, brokers: readonly string[], topics: readonly string[]): Promise<number> {
  const cluster = new Connections(settingsOf({ brokers, appName: 'settled', clientId: 'settled' })).cluster();
  // kafkajs asks for the last stable offset unless told otherwise.
  Object.assign(cluster, { isolationLevel: READ_UNCOMMITTED });
  try {
    await connectCluster(cluster, topics);
    const stable = await log.reader().offsets(topics);
    const asked = topics.map((topic) => ({
      topic,
      fromBeginning: false,
      partitions: partitionsOf(cluster, topic).map((partition) => ({ partition })),
    }));
    let left = 0;
    for (const { topic, partitions } of await cluster.fetchTopicsOffset(asked)) {
      for (const { partition, offset } of partitions) {
        const seen = stable.find((range) => range.topic === topic && range.partition === partition);
        left += Number(offset) - (seen?.to ?? 0);
      }
    }
    return left;
  } finally {
    discardCluster(cluster);
  }
}

/**
 * Waits until every transaction in these topics has its end. The offsets of a group are told as soon as their own end is
 * written; the same transaction's ends in the outputs may come later, and a reader that came between would miss records.
 */
export async function settled(log: Log, brokers: readonly string[], topics: readonly string[]): Promise<void> {
  await expect.poll(() => unsettled(log, brokers, topics), { timeout: 120_000, interval: 100 }).toBe(0);
}
