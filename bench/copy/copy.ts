// Copies a topic in the way its argument says, each time a line on its input names a pass, until the next line. Tells when
// it begins, and of every commit.
import { createInterface } from 'node:readline';
import kafkajs from 'kafkajs';
import { createLog } from '../../adapters/kafka/log.ts';
import type { LogRecord } from '../../ports/log.ts';
import type { CopyEvent, CopyTask } from './variants.ts';

const task = JSON.parse(process.argv[2]!) as CopyTask;
const tell = (event: CopyEvent) => process.stdout.write(`${JSON.stringify(event)}\n`);

/** Tells of one pass: when it began, and what was committed. Processes compare their clocks, so it is wall time. */
class Meter {
  #began = false;

  begin(): void {
    if (this.#began) return;
    this.#began = true;
    this.#tell({ event: 'began' });
  }

  /** `joined`: how many partitions shared the transaction. */
  committed(records: number, joined = 1): void {
    this.#tell({ event: 'committed', records, transactions: 1 / joined });
  }

  #tell(what: { event: 'began' } | { event: 'committed'; records: number; transactions: number }): void {
    const { user, system } = process.cpuUsage();
    tell({ ...what, at: performance.timeOrigin + performance.now(), cpuMs: (user + system) / 1_000 });
  }
}

/** Ends a pass. */
type Stop = () => Promise<void>;

async function corridor(name: string, output: string): Promise<Stop> {
  const meter = new Meter();
  const compression = task.variant === 'corridor-eos-zstd' ? 'zstd' : 'none';
  const log = createLog({
    brokers: task.brokers,
    appName: 'bench',
    clientId: 'bench-copy',
    compression,
    sessionTimeoutMs: 3_000, // members learn of each other within a quarter of it
    jointCommits: task.variant !== 'corridor-eos-apart',
    ...(task.variant === 'corridor-eos-stock-client' ? { patches: ['request-queue', 'zstd'] as const } : {}),
  });
  const inTransactions = task.variant.startsWith('corridor-eos');
  const writes = task.variant !== 'corridor-handle-only';
  const writer = inTransactions || !writes ? undefined : await log.writer(name);
  const pending = new Map<number, number>();
  const consumer = await log.consume({
    name,
    topics: [task.input],
    delivery: inTransactions ? 'exactly-once' : 'at-least-once',
    maxBatchRecords: task.batchRecords,
    lingerMs: task.lingerMs,
    handler: async ({ partition, records }) => {
      meter.begin();
      pending.set(partition, records.length);
      const outputs = writes ? records.map((record) => copyOf(record, output)) : [];
      await writer?.send(outputs);
      // biome-ignore lint/suspicious/noThenProperty: the port's word for what comes after the commit
      return { doneThrough: records.at(-1)!.offset, outputs: writer ? [] : outputs, then: { do: 'continue' } };
    },
    onCommit: ({ partition, joined }) => {
      meter.committed(pending.get(partition) ?? 0, joined);
      pending.delete(partition);
    },
    onFault: ({ code }) => tell({ event: 'fault', code }),
  });
  return async () => {
    await consumer.stop(5_000);
    await log.close();
  };
}

const copyOf = ({ partition, key, value, headers }: LogRecord, topic: string) => ({
  topic,
  partition,
  key,
  value,
  headers: { 'event-id': headers['event-id']!, traceparent: headers['traceparent']! },
});

async function plainKafkaJs(name: string, output: string): Promise<Stop> {
  const meter = new Meter();
  const client = new kafkajs.Kafka({
    clientId: 'bench-copy',
    brokers: [...task.brokers],
    logLevel: kafkajs.logLevel.NOTHING,
  });
  const producer = client.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  const consumer = client.consumer({ groupId: `bench.${name}`, maxWaitTimeInMs: 500 });
  await producer.connect();
  await consumer.connect();
  await consumer.subscribe({ topics: [task.input], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    partitionsConsumedConcurrently: 8,
    eachBatch: async ({ batch, resolveOffset, commitOffsetsIfNecessary, heartbeat }) => {
      meter.begin();
      const { topic, partition, messages } = batch;
      for (let at = 0; at < messages.length; at += task.batchRecords) {
        const part = messages.slice(at, at + task.batchRecords);
        const copies = part.map(({ key, value, headers }) => ({
          partition,
          key,
          value,
          headers: { 'event-id': headers!['event-id'], traceparent: headers!['traceparent'] },
        }));
        await producer.send({ topic: output, acks: -1, messages: copies });
        const last = part.at(-1)!.offset;
        const offset = String(Number(last) + 1);
        await commitOffsetsIfNecessary({ topics: [{ topic, partitions: [{ partition, offset }] }] });
        resolveOffset(last);
        meter.committed(part.length);
        await heartbeat();
      }
    },
  });
  return async () => {
    await consumer.disconnect();
    await producer.disconnect();
  };
}

const copy = task.variant === 'kafkajs-at-least-once' ? plainKafkaJs : corridor;
let stop: Stop = async () => {};
for await (const pass of createInterface({ input: process.stdin })) {
  await stop();
  stop = await copy(`${task.name}.${pass}`, `${task.output}.${pass}`);
}
await stop();
