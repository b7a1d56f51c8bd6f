// How fast the pipeline is, and what it costs: `npm run bench -- pipeline [scenario…] [options]`.
import { parseArgs } from 'node:util';
import { groupId } from '../../ports/consumer-groups/names.ts';
import { ANALYTICS } from '../../processors/topology.ts';
import { transferLifecycle } from '../../topics/boundary.ts';
import { BENCHMARKS_PAGE, load, table, writeResults, writeSection } from '../report.ts';
import { type BenchProcess, Stand } from './installation.ts';
import { type Saturation, saturate } from './saturation.ts';
import { type Steady, steady } from './steady.ts';
import { storeMore } from './stored.ts';

const USAGE = `usage: npm run bench -- pipeline [scenario…] [options]

  chain        saturation from intent to payout.requested, claims included, without sinks and payouts
  chain-2      the same in two processes
  end-to-end   saturation from intent to transfer.completed, with sinks and payouts
  no-sinks     the same without what MongoDB only keeps: no view, no event log, no cases
  grains       end-to-end with the writer of the rows for analysts beside it, which must keep up
  steady       latency at a rate, from intent to payout.requested
  steady-2     the same with the chain in two processes
  steady-all   latency at a rate, from intent to transfer.completed, with sinks and payouts
  stored       end-to-end with few and with many transfers stored in the database: does a transfer cost the same?
  Default: chain, chain-2, end-to-end, no-sinks, steady.

  --transfers N   of a saturation run (default 60000; end to end a third of it)
  --rate N        transfers a second of a steady run (default 1000)
  --seconds N     of a steady run (default 30)
  --warm-up N     seconds of a steady run that do not count (default 60)
  --rounds N      of each saturation (default 1)
  --stored N,N    transfers in the database at each measurement of the scenario stored (default 10000,1000000)
  --write         write the figures to docs/benchmarks.md and bench/results/pipeline.json
  --set NAME=VALUE  a setting of the pipeline, such as CORRIDOR_LINGER_MS=50; may be repeated`;

const CHAIN: readonly BenchProcess[] = [{ name: 'chain', args: ['--processors', 'all'] }];
const CHAIN_2: readonly BenchProcess[] = [
  { name: 'chain-front', args: ['--processors', 'intake,screening,fx-pricing'] },
  { name: 'chain-back', args: ['--processors', 'limits,payout-dispatch,settlement'] },
];
const BACK: BenchProcess = { name: 'sinks-and-payouts', args: ['--sinks', 'all', '--payouts', '--cases'] };
const GRAINS: BenchProcess = { name: 'analytics', args: ['--analytics'] };
const PAYOUTS: BenchProcess = { name: 'payouts', args: ['--payouts'] };
const CHAIN_TOPICS = [
  'transfer.accepted',
  'transfer.screened',
  'transfer.priced',
  'transfer.reserved',
  'payout.requested',
];
const ALL_TOPICS = [...CHAIN_TOPICS, 'payout.updated', 'transfer.completed'];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    transfers: { type: 'string', default: '60000' },
    rate: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '30' },
    'warm-up': { type: 'string', default: '60' },
    rounds: { type: 'string', default: '1' },
    stored: { type: 'string', default: '10000,1000000' },
    write: { type: 'boolean', default: false },
    set: { type: 'string', multiple: true, default: [] },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}
const count = Number(values.transfers);
const rate = Number(values.rate);
const seconds = Number(values.seconds);
const warmUp = Number(values['warm-up']);
const settings = Object.fromEntries(values.set.map((text) => text.split('=') as [string, string]));
const began = performance.now();
const say = (line: string) =>
  console.error(`${((performance.now() - began) / 1_000).toFixed(1).padStart(7)} s  ${line}`);

type Figures = { readonly saturation?: Saturation; readonly steady?: Steady; readonly stored?: readonly Stored[] };
/** A saturation run beside so many stored transfers. */
interface Stored extends Saturation {
  readonly stored: number;
}
/**
 * Transfers on their way in a saturation run: three or four seconds of work. Enough for good batches on every partition of
 * every stage; few enough that no stage gets far ahead of the next.
 */
const MANY = 16_000;
const FEW = 4_000;
const END_TO_END = { processes: [...CHAIN, BACK], until: 'transfer.completed', onTheirWay: FEW };

/** The first run warms everything up and leaves a transfer to make others from. */
async function withStored(stand: Stand, run: string): Promise<readonly Stored[]> {
  const each = Math.round(count / 3);
  const db = await stand.connections.db();
  await saturate(stand, { count: Math.round(each / 3), run: `${run}-warm`, ...END_TO_END });
  const measured: Stored[] = [];
  for (const stored of values.stored.split(',').map(Number)) {
    await storeMore(db, stored, say);
    const figures = await saturate(stand, { count: each, run: `${run}-${stored}`, ...END_TO_END });
    measured.push({ stored, ...figures });
    say(`${stored} stored: ${JSON.stringify(figures)}`);
  }
  return measured;
}

/** How many rows of transfers the writer for analysts had not handled when it was stopped. */
async function rowsBehind({ connections: { log, config } }: Stand): Promise<number> {
  const topics = [transferLifecycle.name];
  const admin = await log.admin();
  const committed = await admin.committed(groupId(config.appName, ANALYTICS), topics);
  await admin.close();
  const done = new Map(committed.map(({ partition, offset }) => [partition, offset ?? 0]));
  const ends = await log.reader().offsets(topics);
  return ends.reduce((sum, { partition, to }) => sum + Math.max(0, to - (done.get(partition) ?? 0)), 0);
}

const SCENARIOS: Readonly<Record<string, (stand: Stand, run: string) => Promise<Figures>>> = {
  chain: async (stand, run) => ({
    saturation: await saturate(stand, { count, run, processes: CHAIN, until: 'payout.requested', onTheirWay: MANY }),
  }),
  'chain-2': async (stand, run) => ({
    saturation: await saturate(stand, { count, run, processes: CHAIN_2, until: 'payout.requested', onTheirWay: MANY }),
  }),
  'end-to-end': async (stand, run) => ({
    saturation: await saturate(stand, { count: Math.round(count / 3), run, ...END_TO_END }),
  }),
  grains: async (stand, run) => {
    const { processes, ...end } = END_TO_END;
    const all = [...processes, GRAINS];
    const saturation = await saturate(stand, { count: Math.round(count / 3), run, ...end, processes: all });
    say(`grains: ${await rowsBehind(stand)} rows behind when all was completed`);
    return { saturation };
  },
  'no-sinks': async (stand, run) => ({
    saturation: await saturate(stand, {
      count: Math.round(count / 3),
      run,
      processes: [...CHAIN, PAYOUTS],
      until: 'transfer.completed',
      onTheirWay: FEW,
    }),
  }),
  stored: async (stand, run) => ({ stored: await withStored(stand, run) }),
  steady: async (stand, run) => ({
    steady: await steady(stand, { rate, seconds, warmUp, run, processes: CHAIN, topics: CHAIN_TOPICS }),
  }),
  'steady-2': async (stand, run) => ({
    steady: await steady(stand, { rate, seconds, warmUp, run, processes: CHAIN_2, topics: CHAIN_TOPICS }),
  }),
  'steady-all': async (stand, run) => ({
    steady: await steady(stand, { rate, seconds, warmUp, run, processes: [...CHAIN, BACK], topics: ALL_TOPICS }),
  }),
};

const wanted = positionals.length > 0 ? positionals : ['chain', 'chain-2', 'end-to-end', 'no-sinks', 'steady'];
const unknown = wanted.find((name) => SCENARIOS[name] === undefined);
if (unknown !== undefined) {
  console.error(`there is no scenario ${unknown}\n\n${USAGE}`);
  process.exit(2);
}

const results: { scenario: string; round: number; load: number; figures: Figures }[] = [];
for (let round = 1; round <= Number(values.rounds); round++) {
  for (const scenario of wanted) {
    say(`${scenario}, round ${round}: starting servers`);
    const stand = await Stand.start(settings, () => undefined);
    try {
      await stand.connections.codec.load(['transfer.requested']);
      const figures = await SCENARIOS[scenario]!(stand, `${scenario}-${round}`);
      results.push({ scenario, round, load: load(), figures });
      say(`${scenario}: ${JSON.stringify(figures)}`);
    } finally {
      await stand.stop();
    }
  }
}
print();

function print(): void {
  const saturations = results.flatMap(({ scenario, load, figures: { saturation } }) =>
    saturation ? [{ scenario, load, ...saturation }] : [],
  );
  const steadies = results.flatMap(({ scenario, load, figures: { steady } }) =>
    steady ? [{ scenario, load, ...steady }] : [],
  );
  const beside = results.flatMap(({ load, figures: { stored } }) => (stored ?? []).map((one) => ({ load, ...one })));
  const cells = (of: Readonly<Record<string, number>>) =>
    Object.entries(of)
      .filter(([, value]) => value > 0)
      .map(([name, value]) => `${name} ${value}`)
      .join(', ');
  const tables: string[] = [];
  if (saturations.length > 0) {
    const rows = saturations.map((one) => [
      one.scenario,
      one.transfers,
      one.perSecond,
      one.transactionsPerSecond,
      cells(one.cpuUs),
      cells(one.databaseWrites),
      one.load,
    ]);
    const header = ['saturation', 'transfers', 'transfers/s', 'commits/s', 'processor time, µs a transfer'];
    tables.push(table([...header, 'database writes a transfer', 'load'], rows));
  }
  if (steadies.length > 0) {
    const rows = steadies.flatMap((one) =>
      Object.entries(one.latencyMs).map(([topic, { p50, p95, p99 }]) => [
        `${one.scenario}, ${one.rate}/s`,
        topic,
        `${p50} / ${p95} / ${p99}`,
        `${one.stageMs[topic]!.p50} / ${one.stageMs[topic]!.p99}`,
      ]),
    );
    tables.push(table(['steady', 'topic', 'from the intent, p50 / p95 / p99 ms', 'of the stage, p50 / p99 ms'], rows));
    const costs = steadies.map((one) => [
      `${one.scenario}, ${one.rate}/s for ${one.seconds} s`,
      one.transactionsPerSecond,
      cells(one.cpuPercent),
      one.load,
    ]);
    tables.push(table(['steady', 'commits/s', 'processor time, per cent of a core', 'load'], costs));
  }
  const text = tables.join('\n\n');
  console.log(text);
  const rows = beside.map((one) => [one.stored, one.transfers, one.perSecond, cells(one.cpuUs), one.load]);
  const storedText = table(
    ['transfers stored before', 'transfers', 'transfers/s', 'processor time, µs a transfer', 'load'],
    rows,
  );
  if (rows.length > 0) console.log(storedText);
  if (!values.write) return;
  if (tables.length > 0) {
    writeResults('pipeline', results);
    writeSection(BENCHMARKS_PAGE, 'pipeline', text);
  }
  if (rows.length === 0) return;
  writeResults('stored', beside);
  writeSection(BENCHMARKS_PAGE, 'stored', storedText);
}
