// Consumers of a test against a real broker, with topics of their own; they are stopped after each test.
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import type {
  BatchHandler,
  BatchResult,
  ConsumerFault,
  ConsumerOptions,
  Log,
  LogConsumer,
  LogRecord,
  OutputRecord,
} from '../../../ports/log.ts';
import { createLog } from '../log.ts';
import { provision, unique } from './topics.ts';

export let brokers: readonly string[] = [];
export const APP = 'consume-test';
export let log: Log;
const consumers: LogConsumer[] = [];

/** To be called once in each file: opens the log, and closes it in the end. */
export function useConsumers(kafkaBrokers: readonly string[]): void {
  brokers = kafkaBrokers;
  beforeAll(() => {
    log = createLog({ brokers, appName: APP, clientId: 'consume-test', sessionTimeoutMs: 3_000 });
  });
  afterEach(async () => {
    await Promise.all(consumers.splice(0).map((consumer) => consumer.stop(5_000)));
  });
  afterAll(() => log.close());
}

export const eventually = <T>(look: () => T) => expect.poll(look, { timeout: 30_000 });
export const done = (records: readonly LogRecord[], outputs: readonly OutputRecord[] = []): BatchResult => ({
  doneThrough: records.at(-1)!.offset,
  outputs,
  // biome-ignore lint/suspicious/noThenProperty: the port's word for what comes after the commit
  then: { do: 'continue' },
});
export const endsIn00 = ({ key }: LogRecord) => /^k(0|\d+00)$/.test(String(key));
export const copyTo = (topic: string, records: readonly LogRecord[]): OutputRecord[] =>
  records.map(({ partition, key, value }) => ({ topic, partition, key, value, headers: { kind: 'copy' } }));

export interface Started {
  readonly consumer: LogConsumer;
  readonly faults: ConsumerFault[];
}

export async function consume(
  name: string,
  topics: readonly string[],
  handler: BatchHandler,
  options: Partial<ConsumerOptions> = {},
): Promise<Started> {
  const faults: ConsumerFault[] = [];
  const consumer = await log.consume({
    name,
    topics,
    delivery: 'exactly-once',
    maxBatchRecords: 100,
    lingerMs: 5,
    handler,
    onFault: (fault) => faults.push(fault),
    ...options,
  });
  consumers.push(consumer);
  return { consumer, faults };
}

export async function write(records: readonly OutputRecord[]): Promise<void> {
  const writer = await log.writer('test');
  await writer.send(records);
  await writer.close();
}

export async function readKeys(topic: string): Promise<string[]> {
  const keys: string[] = [];
  const reader = log.reader();
  await reader.read(await reader.offsets([topic]), ({ records }) => {
    for (const { key } of records) keys.push(String(key));
  });
  return keys;
}

/** A processor with topics of its own, provisioned. */
export async function processor(partitions = 2) {
  const name = unique('p');
  const [input, output] = [`${name}.in`, `${name}.out`];
  await provision(log, `${APP}.${name}`, [input], [output], partitions);
  return { name, input, output, group: `${APP}.${name}` };
}
