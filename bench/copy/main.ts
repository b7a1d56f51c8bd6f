// How fast a bare copy is, exactly once, beside plain kafkajs and Kafka Streams in the same run, and what each costs.
import { parseArgs } from 'node:util';
import { createLog } from '../../adapters/kafka/log.ts';
import type { Log } from '../../ports/log.ts';
import { BENCHMARKS_PAGE, load, table, writeResults, writeSection } from '../report.ts';
import { runCopiers } from './copiers.ts';
import { buildStreams, runStreams } from './kafka-streams.ts';
import { brokerCpuMs, startBroker } from './stack.ts';
import { VARIANTS, type Variant } from './variants.ts';

const USAGE = `usage: npm run bench -- copy [options]

  --records N      (default 800000)
  --rounds N       (default 3); the loops take turns
  --batch N        most records of a transaction of ours, and of a poll of Kafka Streams (default 2000)
  --commit-ms N    how long a transaction of Kafka Streams lasts at most, over all partitions (default 100, as theirs)
  --partitions N   (default 8)
  --only A,B       some loops: ${Object.keys(VARIANTS).join(', ')}
  --write          write the figures to docs/benchmarks.md and bench/results/copy.json`;

const VALUE_BYTES = 200;
/** With BENCH_PROFILE=DIR every copying process leaves a V8 profile there. */
const profiles = process.env['BENCH_PROFILE'];
const PROFILING = profiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profiles}`];
const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '800000' },
    rounds: { type: 'string', default: '3' },
    batch: { type: 'string', default: '2000' },
    'commit-ms': { type: 'string', default: '100' },
    partitions: { type: 'string', default: '8' },
    only: { type: 'string' },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}
const records = Number(values.records);
const rounds = Number(values.rounds);
const batchRecords = Number(values.batch);
const partitions = Number(values.partitions);
const wanted = values.only?.split(',') ?? Object.keys(VARIANTS);
const variants = (Object.keys(VARIANTS) as Variant[]).filter((variant) => wanted.includes(variant));

const commitMs = Number(values['commit-ms']);

const say = (line: string) => process.stderr.write(`${line}\n`);
if (variants.some((variant) => variant.startsWith('streams'))) await buildStreams(say);
const stack = await startBroker();
const log = createLog({ brokers: stack.urls.kafkaBrokers, appName: 'bench', clientId: 'bench' });
await fill(log, 'bench.input');

interface Run {
  readonly perSecond: number;
  /** Of the copying process, and of the broker, µs a record. */
  readonly processUs: number;
  readonly brokerUs: number;
  /** 0: not counted. */
  readonly recordsPerTransaction: number;
}

const runs = new Map<Variant, Run[]>(variants.map((variant) => [variant, []]));
// Not counted: the broker is as fresh as a machine that was just switched on.
await measure(variants[0]!, 'warm-up');
for (let round = 1; round <= rounds; round++) {
  for (const variant of variants) {
    const run = await measure(variant, String(round));
    runs.get(variant)!.push(run);
    say(`round ${round} ${variant} ${JSON.stringify(run)}`);
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

async function measure(variant: Variant, round: string): Promise<Run> {
  const name = `${variant}-${round}`;
  const output = `bench.${name}`;
  const admin = await log.admin();
  const outputs = [`${output}.warm`, `${output}.measured`];
  await admin.createTopics(outputs.map((name) => ({ name, partitions, replicationFactor: 1, config: {} })));
  for (const pass of ['warm', 'measured']) await admin.initialiseOffsets(`bench.${name}.${pass}`, ['bench.input']);
  const run = variant === 'streams-1' || variant === 'streams-2' ? measureStreams : measureOurs;
  const result = await run(variant, name, output);
  await admin.deleteTopics(outputs);
  await admin.close();
  return result;
}

/** The broker's share is that of the warm-up and the measured pass together, halved. */
async function measureOurs(variant: Variant, name: string, output: string): Promise<Run> {
  const brokers = stack.urls.kafkaBrokers;
  const batch = variant === 'corridor-eos-500' ? 500 : batchRecords;
  const task = { variant, brokers, name, input: 'bench.input', output, records, batchRecords: batch, lingerMs: 20 };
  const before = brokerCpuMs(stack) ?? 0;
  const result = await runCopiers(task, variant === 'corridor-eos-2' ? 2 : 1, PROFILING);
  const brokerMs = ((brokerCpuMs(stack) ?? 0) - before) / 2;
  return {
    perSecond: Math.round((result.records * 1_000) / result.elapsedMs),
    processUs: Number(((result.cpuMs * 1_000) / result.records).toFixed(1)),
    brokerUs: Number(((brokerMs * 1_000) / records).toFixed(1)),
    recordsPerTransaction: Math.round(result.records / result.transactions),
  };
}

/** The broker's share is that of the warm-up and the measured pass together, halved. */
async function measureStreams(variant: Variant, name: string, output: string): Promise<Run> {
  const before = brokerCpuMs(stack) ?? 0;
  const { elapsedMs, cpuMs } = await runStreams({
    brokers: stack.urls.kafkaBrokers,
    name,
    input: 'bench.input',
    output,
    records,
    partitions,
    threads: variant === 'streams-1' ? 1 : 2,
    batchRecords,
    commitMs,
  });
  const brokerMs = ((brokerCpuMs(stack) ?? 0) - before) / 2;
  return {
    perSecond: Math.round((records * 1_000) / elapsedMs),
    processUs: Number(((cpuMs * 1_000) / records).toFixed(1)),
    brokerUs: Number(((brokerMs * 1_000) / records).toFixed(1)),
    recordsPerTransaction: 0,
  };
}

function print(): void {
  const speed = (variant: Variant) => middle((runs.get(variant) ?? []).map(({ perSecond }) => perSecond));
  const streams = Math.max(speed('streams-1'), speed('streams-2'));
  const ratio = (variant: Variant, to: number) => (to > 0 ? (speed(variant) / to).toFixed(2) : '');
  const rows = variants.map((variant) => {
    const measured = runs.get(variant)!;
    const speeds = measured.map(({ perSecond }) => perSecond).toSorted((one, other) => one - other);
    return [
      VARIANTS[variant],
      [speeds[0], middle(speeds), speeds.at(-1)].join(' / '),
      ratio(variant, streams),
      ratio(variant, speed('corridor-at-least-once')),
      ratio(variant, speed('kafkajs-at-least-once')),
      middle(measured.map(({ processUs }) => processUs)),
      middle(measured.map(({ brokerUs }) => brokerUs)),
      middle(measured.map(({ recordsPerTransaction }) => recordsPerTransaction)) || '',
    ];
  });
  const header = [
    'loop',
    'records/s min / median / max',
    'of Kafka Streams',
    'of our at least once',
    'of plain kafkajs',
  ];
  const text = [
    `${records} records of ${VALUE_BYTES} B with two headers, ${partitions} partitions, our batches of ${batchRecords}, Kafka Streams commits every ${commitMs} ms, ${rounds} rounds; load ${load()}.`,
    table([...header, 'process µs a record', 'broker µs a record', 'records a transaction'], rows),
  ].join('\n\n');
  console.log(text);
  if (!values.write) return;
  writeResults('copy', { records, partitions, batchRecords, load: load(), runs: Object.fromEntries(runs) });
  writeSection(BENCHMARKS_PAGE, 'copy', text);
}

function middle(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;
}
