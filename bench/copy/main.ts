// How fast a bare copy is, exactly once, beside plain kafkajs at least once in the same run, and what both cost.
//   node bench/copy/main.ts [records=200000] [rounds=3] [batch=500] [partitions=8]
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createLog } from '../../adapters/kafka/log.ts';
import type { Log } from '../../runtime/ports/log.ts';
import { brokerCpuMs, startBroker } from './stack.ts';
import { type CopyResult, type CopyTask, VARIANTS, type Variant } from './variants.ts';

const PROGRAM = fileURLToPath(new URL('copy.ts', import.meta.url));
const VALUE_BYTES = 200;
const argument = (name: string, otherwise: number) => {
  const given = process.argv.find((text) => text.startsWith(`${name}=`));
  return given === undefined ? otherwise : Number(given.slice(name.length + 1));
};
const records = argument('records', 200_000);
const rounds = argument('rounds', 3);
const batchRecords = argument('batch', 500);
const partitions = argument('partitions', 8);

const stack = await startBroker();
const log = createLog({ brokers: stack.urls.kafkaBrokers, appName: 'bench', clientId: 'bench' });
await fill(log, 'bench.input');

const runs = new Map<Variant, { perSecond: number; nodeUs: number; brokerUs: number; transactions: number }[]>();
for (let round = 0; round < rounds; round++) {
  for (const variant of Object.keys(VARIANTS) as Variant[]) {
    const run = await measure(variant, round);
    runs.set(variant, [...(runs.get(variant) ?? []), run]);
    process.stderr.write(`${round} ${variant} ${JSON.stringify(run)}\n`);
  }
}
print();
await log.close();
await stack.stop();

async function fill(target: Log, topic: string): Promise<void> {
  const admin = await target.admin();
  await admin.createTopics([{ name: topic, partitions, replicationFactor: 1, config: {} }]);
  await admin.close();
  const writer = await target.writer('fill');
  for (let from = 0; from < records; from += 4_000) {
    const batch = Array.from({ length: Math.min(4_000, records - from) }, (_, index) => ({
      topic,
      partition: (from + index) % partitions,
      key: `transfer-${from + index}`,
      value: Buffer.alloc(VALUE_BYTES, String(from + index)),
      headers: {
        'event-id': crypto.randomUUID(),
        traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
      },
    }));
    await writer.send(batch);
  }
  await writer.close();
}

async function measure(variant: Variant, round: number) {
  const name = `${variant}-${round}`;
  const output = `bench.${name}`;
  const admin = await log.admin();
  await admin.createTopics([{ name: output, partitions, replicationFactor: 1, config: {} }]);
  await admin.initialiseOffsets(`bench.${name}`, ['bench.input']);
  await admin.close();
  const brokers = stack.urls.kafkaBrokers;
  const task: CopyTask = { variant, brokers, name, input: 'bench.input', output, records, batchRecords, lingerMs: 20 };
  const before = brokerCpuMs(stack) ?? 0;
  const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, JSON.stringify(task)]);
  const brokerMs = (brokerCpuMs(stack) ?? 0) - before;
  const result = JSON.parse(stdout) as CopyResult;
  if (result.faults.length > 0) throw new Error(`${name} met faults: ${result.faults.join(', ')}`);
  return {
    perSecond: Math.round((records * 1_000) / result.elapsedMs),
    nodeUs: Number(((result.cpuMs * 1_000) / records).toFixed(1)),
    brokerUs: Number(((brokerMs * 1_000) / records).toFixed(1)),
    transactions: result.transactions,
  };
}

function print(): void {
  const baseline = middle([...runs.get('kafkajs-at-least-once')!].map(({ perSecond }) => perSecond));
  console.log(
    `${records} records of ${VALUE_BYTES} B, ${partitions} partitions, batches of ${batchRecords}, ${rounds} rounds`,
  );
  console.log(
    '| loop | records/s min / median / max | of plain kafkajs | Node µs a record | broker µs a record | transactions |',
  );
  console.log('|---|---|---|---|---|---|');
  for (const [variant, measured] of runs) {
    const speeds = measured.map(({ perSecond }) => perSecond).sort((one, other) => one - other);
    const cells = [
      VARIANTS[variant],
      [speeds[0], middle(speeds), speeds.at(-1)].join(' / '),
      (middle(speeds) / baseline).toFixed(2),
      middle(measured.map(({ nodeUs }) => nodeUs)),
      middle(measured.map(({ brokerUs }) => brokerUs)),
      middle(measured.map(({ transactions }) => transactions)),
    ];
    console.log(`| ${cells.join(' | ')} |`);
  }
}

function middle(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)]!;
}
