// What lingering saves at a steady rate: time from append to append, transactions, and work of the broker.
//   node bench/copy/steady.ts [seconds=20] [partitions=4]
import { createLog } from '../../adapters/kafka/log.ts';
import type { Log } from '../../ports/log.ts';
import { brokerCpuMs, startBroker } from './stack.ts';

const argument = (name: string, otherwise: number) => {
  const given = process.argv.find((text) => text.startsWith(`${name}=`));
  return given === undefined ? otherwise : Number(given.slice(name.length + 1));
};
const seconds = argument('seconds', 20);
const partitions = argument('partitions', 4);
const TICK_MS = 10;

const stack = await startBroker();
const log = createLog({ brokers: stack.urls.kafkaBrokers, appName: 'steady', clientId: 'steady' });
console.log(`${seconds} s at each rate, ${partitions} partitions, one stage`);
console.log(
  '| records/s | linger ms | p50 ms | p99 ms | transactions/s | broker % of a core | Node % (feed and copy) |',
);
console.log('|---|---|---|---|---|---|---|');
for (const rate of [10, 100, 1_000]) {
  for (const lingerMs of [0, 20, 50]) console.log(`| ${(await measure(rate, lingerMs)).join(' | ')} |`);
}
await log.close();
await stack.stop();

async function measure(rate: number, lingerMs: number): Promise<(string | number)[]> {
  const name = `rate-${rate}-linger-${lingerMs}`;
  const [input, output] = [`${name}.in`, `${name}.out`];
  const admin = await log.admin();
  const config = { 'message.timestamp.type': 'LogAppendTime' };
  await admin.createTopics([input, output].map((topic) => ({ name: topic, partitions, replicationFactor: 1, config })));
  await admin.initialiseOffsets(`steady.${name}`, [input]);
  await admin.close();
  let transactions = 0;
  const consumer = await log.consume({
    name,
    topics: [input],
    delivery: 'exactly-once',
    maxBatchRecords: 500,
    lingerMs,
    handler: async ({ records }) => ({
      doneThrough: records.at(-1)!.offset,
      outputs: records.map(({ partition, key, value }) => ({ topic: output, partition, key, value, headers: {} })),
      // biome-ignore lint/suspicious/noThenProperty: the port's word for what comes after the commit
      then: { do: 'continue' },
    }),
    onCommit: ({ joined }) => {
      transactions += 1 / joined;
    },
    onFault: ({ code }) => console.error(code),
  });
  await consumer.ready;
  await feed(log, input, rate, 2); // warm
  transactions = 0;
  const broker = brokerCpuMs(stack) ?? 0;
  const cpu = process.cpuUsage();
  await feed(log, input, rate, seconds);
  const brokerMs = (brokerCpuMs(stack) ?? 0) - broker;
  const { user, system } = process.cpuUsage(cpu);
  await consumer.stop(5_000);
  const delays = await delaysOf(log, input, output);
  return [
    rate,
    lingerMs,
    delays[Math.floor(delays.length * 0.5)]!,
    delays[Math.floor(delays.length * 0.99)]!,
    Math.round(transactions / seconds),
    Math.round(brokerMs / seconds / 10),
    Math.round((user + system) / seconds / 10_000),
  ];
}

async function feed(target: Log, topic: string, rate: number, forSeconds: number): Promise<void> {
  const writer = await target.writer('feed');
  const startedAt = performance.now();
  const total = rate * forSeconds;
  for (let sent = 0; sent < total; ) {
    const due = Math.min(total, Math.floor(((performance.now() - startedAt) * rate) / 1_000));
    if (due > sent) {
      const records = Array.from({ length: due - sent }, (_, index) => ({
        topic,
        partition: (sent + index) % partitions,
        key: null,
        value: Buffer.alloc(200),
        headers: {},
      }));
      sent = due;
      void writer.send(records);
    }
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  }
  await writer.close();
}

/** Append to append, ms, sorted: the n-th record of an input partition is the n-th of the same output partition. */
async function delaysOf(target: Log, input: string, output: string): Promise<number[]> {
  const times = new Map<string, number[]>();
  const reader = target.reader();
  await reader.read(await reader.offsets([input, output]), ({ topic, partition, records }) => {
    const key = `${topic}/${partition}`;
    times.set(key, [...(times.get(key) ?? []), ...records.map(({ timestamp }) => timestamp)]);
  });
  const delays: number[] = [];
  for (let partition = 0; partition < partitions; partition++) {
    const copied = times.get(`${output}/${partition}`) ?? [];
    const appended = times.get(`${input}/${partition}`) ?? [];
    for (const [index, time] of copied.entries()) delays.push(time - appended[index]!);
  }
  return delays.sort((one, other) => one - other);
}
