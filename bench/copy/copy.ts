// Copies a topic in the way its argument says, and tells how long it took.
import kafkajs from 'kafkajs';
import { createLog } from '../../adapters/kafka/log.ts';
import type { LogRecord } from '../../runtime/ports/log.ts';
import type { CopyResult, CopyTask } from './variants.ts';

const task = JSON.parse(process.argv[2]!) as CopyTask;

/** Counts what is handled, and measures from the first record to the last commit. */
class Meter {
  #startedAt = 0;
  #cpu = process.cpuUsage();
  #handled = 0;
  #transactions = 0;
  readonly faults: string[] = [];

  begin(): void {
    if (this.#startedAt !== 0) return;
    this.#startedAt = performance.now();
    this.#cpu = process.cpuUsage();
  }

  /** `joined`: how many partitions shared the transaction. */
  committed(records: number, joined = 1): void {
    this.#handled += records;
    this.#transactions += 1 / joined;
    if (this.#handled < task.records) return;
    const { user, system } = process.cpuUsage(this.#cpu);
    const result: CopyResult = {
      elapsedMs: performance.now() - this.#startedAt,
      cpuMs: (user + system) / 1_000,
      transactions: Math.round(this.#transactions),
      faults: this.faults,
    };
    process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
  }
}

const meter = new Meter();

async function corridor(): Promise<void> {
  const compression = task.variant === 'corridor-eos-zstd' ? 'zstd' : 'none';
  const log = createLog({
    brokers: task.brokers,
    appName: 'bench',
    clientId: 'bench-copy',
    compression,
    jointCommits: task.variant !== 'corridor-eos-apart',
    ...(task.variant === 'corridor-eos-stock-client' ? { patches: ['request-queue', 'zstd'] as const } : {}),
  });
  const inTransactions = task.variant.startsWith('corridor-eos');
  const writes = task.variant !== 'corridor-handle-only';
  const writer = inTransactions || !writes ? undefined : await log.writer(task.name);
  const pending = new Map<number, number>();
  await log.consume({
    name: task.name,
    topics: [task.input],
    delivery: inTransactions ? 'exactly-once' : 'at-least-once',
    maxBatchRecords: task.batchRecords,
    lingerMs: task.lingerMs,
    handler: async ({ partition, records }) => {
      meter.begin();
      pending.set(partition, records.length);
      const outputs = writes ? records.map(copyOf) : [];
      await writer?.send(outputs);
      // biome-ignore lint/suspicious/noThenProperty: the port's word for what comes after the commit
      return { doneThrough: records.at(-1)!.offset, outputs: writer ? [] : outputs, then: { do: 'continue' } };
    },
    onCommit: ({ partition, joined }) => {
      meter.committed(pending.get(partition) ?? 0, joined);
      pending.delete(partition);
    },
    onFault: ({ code }) => meter.faults.push(code),
  });
}

const copyOf = ({ partition, key, value, headers }: LogRecord) => ({
  topic: task.output,
  partition,
  key,
  value,
  headers: { 'event-id': headers['event-id']!, traceparent: headers['traceparent']! },
});

async function plainKafkaJs(): Promise<void> {
  const client = new kafkajs.Kafka({
    clientId: 'bench-copy',
    brokers: [...task.brokers],
    logLevel: kafkajs.logLevel.NOTHING,
  });
  const producer = client.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  const consumer = client.consumer({ groupId: `bench.${task.name}`, maxWaitTimeInMs: 500 });
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
        await producer.send({ topic: task.output, acks: -1, messages: copies });
        const last = part.at(-1)!.offset;
        const offset = String(Number(last) + 1);
        await commitOffsetsIfNecessary({ topics: [{ topic, partitions: [{ partition, offset }] }] });
        resolveOffset(last);
        meter.committed(part.length);
        await heartbeat();
      }
    },
  });
}

await (task.variant === 'kafkajs-at-least-once' ? plainKafkaJs() : corridor());
