// How long a transfer takes at a rate that the pipeline keeps up with.
import { cpuBetween } from '../cpu.ts';
import type { BenchProcess, Stand } from './installation.ts';
import { feed, transfers } from './load.ts';
import { watch } from './watch.ts';

export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

export interface Steady {
  readonly rate: number;
  readonly seconds: number;
  /** From when the intent was due to when a reader of committed records has each topic, ms. */
  readonly latencyMs: Readonly<Record<string, Percentiles>>;
  /** From the topic before to this one, ms. */
  readonly stageMs: Readonly<Record<string, Percentiles>>;
  /** The feed itself was late by so much at most, ms. */
  readonly feedLateMs: number;
  /** Processor time of each process, in per cent of a core. */
  readonly cpuPercent: Readonly<Record<string, number>>;
  readonly transactionsPerSecond: number;
  /** Of each consumer: what a batch took in its handler and in its commit, ms, and batches a second. */
  readonly batches: Readonly<Record<string, { handlerMs: number; commitMs: number; perSecond: number }>>;
}

const QUIET_MS = 60_000;

/** Feeds at `rate` for `seconds`, after warming up at the same rate; `topics` in the order in which a transfer gets to them. */
export async function steady(
  stand: Stand,
  options: {
    readonly rate: number;
    readonly seconds: number;
    /** At the same rate, before anything is measured, s. */
    readonly warmUp: number;
    readonly run: string;
    readonly processes: readonly BenchProcess[];
    readonly topics: readonly string[];
  },
): Promise<Steady> {
  const { rate, seconds, warmUp, run, processes, topics } = options;
  for (const process of processes) await stand.run(process);
  const last = topics.at(-1)!;
  const warm = await watch(stand, [last]);
  const first = transfers(stand, rate * warmUp, `${run}/warm`);
  await feed(stand, first, rate);
  await warm.reaches(last, first.length, QUIET_MS);
  await warm.stop();

  const records = transfers(stand, rate * seconds, run);
  const watching = await watch(stand, topics);
  const cpu = stand.cpu();
  const commits = await timesOf(stand);
  const began = performance.now();
  const { due, latestMs } = await feed(stand, records, rate);
  const used = cpuBetween(cpu, stand.cpu());
  const elapsedMs = performance.now() - began;
  const made = await timesOf(stand);
  await watching.reaches(last, records.length, QUIET_MS);
  await watching.stop();
  for (const { name } of processes) await stand.end(name);

  const seenAt = (topic: string, key: string) => watching.seen(topic).at.get(key) ?? Number.NaN;
  const latencyMs: Record<string, Percentiles> = {};
  const stageMs: Record<string, Percentiles> = {};
  let before = (key: string) => due.get(key)!;
  for (const topic of topics) {
    latencyMs[topic] = percentiles(records.map(({ key }) => seenAt(topic, key) - due.get(key)!));
    const from = before;
    stageMs[topic] = percentiles(records.map(({ key }) => seenAt(topic, key) - from(key)));
    before = (key) => seenAt(topic, key);
  }
  const batches: Record<string, { handlerMs: number; commitMs: number; perSecond: number }> = {};
  let transactions = 0;
  for (const [name, count] of made.commits) {
    const since = (of: keyof Times) => (made[of].get(name) ?? 0) - (commits[of].get(name) ?? 0);
    const n = count - (commits.commits.get(name) ?? 0);
    if (n === 0) continue;
    transactions += n;
    batches[name] = {
      handlerMs: rounded((since('handlerSeconds') * 1_000) / n),
      commitMs: rounded((since('commitSeconds') * 1_000) / n),
      perSecond: rounded((n * 1_000) / elapsedMs),
    };
  }
  return {
    rate,
    seconds,
    latencyMs,
    stageMs,
    feedLateMs: Math.round(latestMs),
    cpuPercent: Object.fromEntries(
      Object.entries(used).map(([name, ms]) => [name, Number(((ms * 100) / elapsedMs).toFixed(1))]),
    ),
    transactionsPerSecond: Math.round((transactions * 1_000) / elapsedMs),
    batches,
  };
}

const rounded = (value: number) => Number(value.toFixed(1));

interface Times {
  readonly commits: ReadonlyMap<string, number>;
  readonly commitSeconds: ReadonlyMap<string, number>;
  readonly handlerSeconds: ReadonlyMap<string, number>;
}

async function timesOf(stand: Stand): Promise<Times> {
  return {
    commits: await stand.metric('corridor_commit_seconds_count'),
    commitSeconds: await stand.metric('corridor_commit_seconds_sum'),
    handlerSeconds: await stand.metric('corridor_batch_handler_seconds_sum'),
  };
}

function percentiles(values: readonly number[]): Percentiles {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!);
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}
