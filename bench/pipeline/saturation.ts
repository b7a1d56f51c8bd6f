// How many transfers a second go through when there is always more to do.
import { cpuBetween } from '../cpu.ts';
import { fill, transfers } from './load.ts';
import type { Part, Stand } from './stand.ts';
import { watch } from './watch.ts';

export interface Saturation {
  readonly transfers: number;
  /** Between the first tenth and the end: starting up is left out. */
  readonly perSecond: number;
  readonly seconds: number;
  /** Processor time of each process, µs for each transfer. */
  readonly cpuUs: Readonly<Record<string, number>>;
  /** Commits of each consumer, for each transfer. */
  readonly commitsPerTransfer: Readonly<Record<string, number>>;
  readonly transactionsPerSecond: number;
  /** Documents inserted, updated or deleted in MongoDB for each transfer, by collection; over all, the first tenth too. */
  readonly databaseWrites: Readonly<Record<string, number>>;
  /** Commands that these took, for each transfer; reads are among them. */
  readonly databaseCommands: number;
}

type Counts = Iterable<readonly [string, number]>;

const QUIET_MS = 60_000;
/** So much of the work is warming up. */
const WARM_UP = 0.1;

/** Fills the first topic, starts the parts, and measures until every transfer stands on `until`. */
export async function saturate(
  stand: Stand,
  options: { readonly count: number; readonly run: string; readonly parts: readonly Part[]; readonly until: string },
): Promise<Saturation> {
  const { count, run, parts, until } = options;
  await fill(stand, transfers(stand, count, run));
  const watching = await watch(stand, [until]);
  for (const part of parts) await stand.run(part);
  await watching.reaches(until, Math.ceil(count * WARM_UP), QUIET_MS);
  const began = performance.now();
  const already = watching.seen(until).at.size;
  const cpu = stand.cpu();
  const commits = await stand.metric('corridor_commit_seconds_count');
  await watching.reaches(until, count, QUIET_MS);
  const seconds = (performance.now() - began) / 1_000;
  const used = cpuBetween(cpu, stand.cpu());
  const made = await stand.metric('corridor_commit_seconds_count');
  const written = await stand.metric('corridor_database_writes_total', 'collection');
  const sent = await stand.metric('corridor_database_commands_total', 'collection');
  await watching.stop();
  for (const { name } of parts) await stand.end(name);
  const measured = count - already;
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
