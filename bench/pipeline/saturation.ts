// How many transfers a second go through when there is always more to do.
import { cpuBetween } from '../cpu.ts';
import type { BenchProcess, Stand } from './installation.ts';
import { keepFull, transfers } from './load.ts';
import { watch } from './watch.ts';

export interface Saturation {
  readonly transfers: number;
  /** Between the first part of them and the end: starting up is left out. */
  readonly perSecond: number;
  readonly seconds: number;
  /** Processor time of each process, µs for each transfer. */
  readonly cpuUs: Readonly<Record<string, number>>;
  /** Commits of each consumer, for each transfer. */
  readonly commitsPerTransfer: Readonly<Record<string, number>>;
  readonly transactionsPerSecond: number;
  /** Documents inserted, updated or deleted in MongoDB for each transfer, by collection; over all of them. */
  readonly databaseWrites: Readonly<Record<string, number>>;
  /** Commands that these took, for each transfer; reads are among them. */
  readonly databaseCommands: number;
}

type Counts = Iterable<readonly [string, number]>;

const QUIET_MS = 60_000;
/** So much of the work is warming up. */
const WARM_UP = 0.2;
/**
 * Starts the processes, keeps `onTheirWay` transfers on their way, so that there is always more to do, and measures until every
 * transfer stands on `until`. What is measured is all stages at work at once: no work is done before or after it.
 */
export async function saturate(
  stand: Stand,
  options: {
    readonly count: number;
    readonly run: string;
    readonly processes: readonly BenchProcess[];
    readonly until: string;
    readonly onTheirWay: number;
  },
): Promise<Saturation> {
  const { count, run, processes, until } = options;
  const onTheirWay = Math.min(options.onTheirWay, Math.ceil(count / 4));
  const records = transfers(stand, count, run);
  const watching = await watch(stand, [until]);
  for (const process of processes) await stand.run(process);
  const feeding = keepFull(stand, records, onTheirWay, () => watching.seen(until).at.size);
  await watching.reaches(until, Math.ceil(count * WARM_UP), QUIET_MS);
  const began = performance.now();
  const already = watching.seen(until).at.size;
  const cpu = stand.cpu();
  const commits = await stand.metric('corridor_commit_seconds_count');
  // To the end of what was fed at full load: the last ones run through emptying stages.
  await watching.reaches(until, count - onTheirWay, QUIET_MS);
  const seconds = (performance.now() - began) / 1_000;
  const used = cpuBetween(cpu, stand.cpu());
  const made = await stand.metric('corridor_commit_seconds_count');
  const through = watching.seen(until).at.size;
  await feeding;
  await watching.reaches(until, count, QUIET_MS);
  const written = await stand.metric('corridor_database_writes_total', 'collection');
  const sent = await stand.metric('corridor_database_commands_total', 'collection');
  await watching.stop();
  for (const { name } of processes) await stand.end(name);
  const measured = through - already;
  const since = (after: ReadonlyMap<string, number>, before: ReadonlyMap<string, number>) =>
    [...after].map(([name, n]) => [name, n - (before.get(name) ?? 0)] as const);
  const perTransfer = (counts: Counts, of: number) =>
    Object.fromEntries([...counts].map(([name, n]) => [name, Number((n / of).toFixed(4))]));
  const total = (counts: Counts) => [...counts].reduce((sum, [, n]) => sum + n, 0);
  const commitsOf = since(made, commits);
  return {
    transfers: measured,
    perSecond: Math.round(measured / seconds),
    seconds: Number(seconds.toFixed(1)),
    cpuUs: Object.fromEntries(Object.entries(used).map(([name, ms]) => [name, Math.round((ms * 1_000) / measured)])),
    commitsPerTransfer: perTransfer(commitsOf, measured),
    transactionsPerSecond: Math.round(total(commitsOf) / seconds),
    databaseWrites: perTransfer(written, count),
    databaseCommands: Number((total(sent) / count).toFixed(4)),
  };
}
