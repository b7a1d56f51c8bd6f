// Takes each dependency away for a while and gives it back, with a small steady load all the time, and judges the whole.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts } from '../../infra/local/ports.ts';
import { listedPersons, loadSampleList } from '../../screening/lists/sample/load.ts';
import { ChaosBooks } from '../chaos/books.ts';
import { drained } from '../chaos/drain.ts';
import { chaosFeed } from '../chaos/feed.ts';
import { Feeder } from '../chaos/feeder.ts';
import type { InjectedFault } from '../chaos/injected.ts';
import { NO_FAULTS } from '../chaos/injected-provider-faults.ts';
import { judge, type Verdict } from '../chaos/judge.ts';
import { RateSources } from '../chaos/members/rate-sources.ts';
import { Operator } from '../chaos/operator.ts';
import { PROFILES } from '../chaos/profile.ts';
import { Slot, type SlotExit } from '../chaos/slot.ts';
import { Tail } from '../chaos/tail.ts';
import { World } from '../chaos/world.ts';
import { type Dependency, giveBack, type Process, takeAway, type Way } from './dependency.ts';
import { HealthLog, type HealthSaid } from './health-log.ts';

export interface Outage {
  readonly dependency: Dependency;
  readonly way: Way;
}

export interface OutageOptions {
  readonly outages: readonly Outage[];
  /** How long each lasts, s. */
  readonly seconds: number;
  /** Records a second, all the time. */
  readonly rate: number;
  /** When a stall makes a process unready, and when it ends it, ms; default 20 s and 60 s. */
  readonly deadlines?: { readonly stallAfterMs: number; readonly exitAfterMs: number };
  readonly seed: number;
  readonly keep: boolean;
  readonly say: (line: string) => void;
}

/** What one outage showed. Times in ms. */
export interface OutageResult {
  readonly dependency: string;
  readonly way: Way;
  readonly awayMs: number;
  readonly health: Readonly<Partial<Record<Process, HealthSaid>>>;
  /** Transfers completed while it was away. */
  readonly completedMeanwhile: number;
  /** Inputs without their end at the moment it was back. */
  readonly backlog: number;
  /** From the moment it answered again: the first completed transfer, and no more inputs under way than before it. */
  readonly firstCompletedMs: number | null;
  readonly drainedMs: number | null;
  /** From the moment it answered again to the process that was started meanwhile being ready; null: it was before. */
  readonly lateReadyMs: number | null;
  readonly findings: readonly string[];
}

export interface OutageReport {
  readonly ok: boolean;
  readonly seed: number;
  readonly seconds: number;
  readonly rate: number;
  readonly elapsedMs: number;
  readonly results: readonly OutageResult[];
  readonly fed: Readonly<Record<string, number>>;
  readonly exits: readonly SlotExit[];
  readonly verdict: Verdict;
  readonly logs: string;
}

const BACK = ['run', '--sinks', 'all', '--payouts', '--cases'];
const ARGS: Readonly<Record<Process, readonly string[]>> = {
  chain: ['run', '--processors', 'all'],
  back: BACK,
  late: BACK,
};
/** Well within an outage of two minutes, and longer than any single answer is waited for: what waits must have said so. */
const DEADLINES = { stallAfterMs: 20_000, exitAfterMs: 60_000 };
const QUIET_MS = 90_000;
const STOP_WITHIN_MS = 30_000;
const WARM_UP_MS = 5_000;
const LOOK_EVERY_MS = 50;
/** Looked at for so long to see how many inputs are usually under way, ms. */
const USUAL_MS = 5_000;
const LATE_TIMEOUT_MS = 60_000;
/** A backlog that is not drained by then is a finding, ms. */
const RECOVERY_TIMEOUT_MS = 120_000;

interface Stage {
  readonly world: World;
  readonly books: ChaosBooks;
  readonly slots: Map<string, Slot>;
  readonly slot: (name: string, kind: Process, env?: NodeJS.ProcessEnv) => Slot;
  readonly seconds: number;
  readonly exits: readonly SlotExit[];
  readonly say: (line: string) => void;
}

export async function runOutages(options: OutageOptions): Promise<OutageReport> {
  const { outages, seed, rate, seconds } = options;
  const began = performance.now();
  const now = () => performance.now() - began;
  const startedAt = Date.now();
  const say = (line: string) => options.say(`${(now() / 1_000).toFixed(1).padStart(7)} s  ${line}`);
  const dir = mkdtempSync(path.join(tmpdir(), 'corridor-outage-'));
  const failures: string[] = [];
  say(`Seed ${seed}; data and logs in ${dir}`);
  const world = await World.start({
    dir,
    brokers: 1,
    seed,
    providerFaults: NO_FAULTS,
    say,
    onUnexpectedExit: (server, how) => failures.push(`${server} ended by itself: ${how}`),
  });
  const slots = new Map<string, Slot>();
  let keep = true;
  try {
    const { log, codec, config } = world.connections;
    await codec.load(['transfer.requested']);
    const rates = new RateSources(world);
    const books = new ChaosBooks();
    const tail = new Tail({ log, codec, books, rings: config.keys });
    tail.stopRepeating();
    const operator = new Operator(world.connections);
    const feeder = new Feeder({
      log,
      books,
      chainPartitions: config.kafka.chainPartitions,
      ledgerFile: path.join(dir, 'fed.ndjson'),
      records: chaosFeed({
        // More than is ever taken: the load goes on until the last outage is over.
        profile: { ...PROFILES.full, outOfOrder: 0 },
        seed,
        runId: `${seed}-${Date.now().toString(36)}`,
        now: Date.now,
        listedNames: listedPersons(await loadSampleList()),
        encode: (intent) => codec.encode('transfer.requested', intent),
      }),
    });
    await rates.first;
    await tail.start();
    operator.start();
    const exits: SlotExit[] = [];
    const slot = (name: string, kind: Process, env: NodeJS.ProcessEnv = {}) => {
      const onExit = (exit: SlotExit) => {
        exits.push(exit);
        if (!exit.meant) say(`${exit.slot} ended by itself (${exit.signal ?? exit.code}): ${exit.reason}`);
      };
      const { stallAfterMs, exitAfterMs } = options.deadlines ?? DEADLINES;
      const all = {
        ...world.env,
        CORRIDOR_STALL_AFTER_MS: String(stallAfterMs),
        CORRIDOR_EXIT_AFTER_MS: String(exitAfterMs),
        ...env,
      };
      const made = new Slot({ name, args: ARGS[kind], env: all, dir: path.join(dir, 'processes'), now, onExit });
      slots.set(name, made);
      return made;
    };
    const early = [slot('chain', 'chain'), slot('back', 'back')];
    for (const one of early) one.start();
    await Promise.all(early.map((one) => one.ready()));
    const feeding = steadily(feeder, rate);
    await sleep(WARM_UP_MS);

    const stage: Stage = { world, books, slots, slot, seconds, exits, say };
    const results: OutageResult[] = [];
    const injected: InjectedFault[] = [];
    for (const [index, outage] of outages.entries()) {
      const fromMs = now();
      results.push(await oneOutage(stage, outage));
      injected.push(asInjected(index, outage, fromMs, now()));
    }
    await feeding.stop();
    await feeder.close();
    say('The last outage is over: draining');
    const notDrained = await drained({ books, tail, pipeline: early, quietMs: QUIET_MS, say });
    await operator.stop();
    await tail.stop();
    await rates.stop();
    for (const one of early) {
      const code = await one.stop(STOP_WITHIN_MS);
      if (code !== 0) notDrained.push(`${one.name} did not drain when asked to: exit code ${code}`);
    }
    const verdict = await judge({
      connections: world.connections,
      providerLedger: world.providerLedger,
      books,
      feeder,
      tail,
      operator,
      forbidden: new Map(),
      tables: [],
      // Which of them are passed is not the question here.
      reached: new Set(),
      allFailpoints: false,
      exits,
      injected,
      startedAt,
      notDrained,
      failures,
      say,
    });
    const ok = verdict.ok && results.every(({ findings }) => findings.length === 0);
    keep = options.keep || !ok;
    const elapsedMs = Math.round(now());
    const fed = { ...feeder.counts, casesDecided: operator.decided };
    return { ok, seed, seconds, rate, elapsedMs, results, fed, exits, verdict, logs: keep ? dir : '' };
  } finally {
    await Promise.all([...slots.values()].map((slot) => slot.stop(0)));
    await world.stop();
    if (!keep) rmSync(dir, { recursive: true, force: true });
  }
}

async function oneOutage(stage: Stage, { dependency, way }: Outage): Promise<OutageResult> {
  const { world, books, slots, slot, seconds, exits, say } = stage;
  const { name, metBy, transfersGoOn } = dependency;
  const exitsBefore = exits.length;
  const usual = await usuallyUnderWay(books);
  say(`${name} is taken away (${way}) for ${seconds} s`);
  await takeAway(world, dependency, way);
  const awayAt = performance.now();
  const completedBefore = books.completed;
  const logs = new Map<Process, HealthLog>();
  for (const process of ['chain', 'back'] as const) {
    logs.set(process, new HealthLog(() => slots.get(process)!.health, name));
  }
  await sleep((seconds * 1_000) / 2);
  const [port] = (await freePorts(1)) as [number];
  const late = slot(`late-${name}-${way}`, 'late', { CORRIDOR_HEALTH_PORT: String(port) });
  late.start();
  const lateReady = late.ready().then(() => performance.now());
  logs.set('late', new HealthLog(() => `http://127.0.0.1:${port}`, name));
  await sleep((seconds * 1_000) / 2);
  const health: Partial<Record<Process, HealthSaid>> = {};
  for (const [process, log] of logs) health[process] = await log.stop();
  const completedMeanwhile = books.completed - completedBefore;

  await giveBack(world, dependency, way);
  const backAt = performance.now();
  const backlog = books.balance().unaccounted;
  say(`${name} is back after ${((backAt - awayAt) / 1_000).toFixed(1)} s; ${backlog} inputs have no end yet`);
  const { firstCompletedMs, drainedMs } = await recovery(books, backAt, usual);
  const lateReadyAt = await Promise.race([lateReady, sleep(LATE_TIMEOUT_MS, undefined)]);
  const findings = findingsOf({ health, metBy, transfersGoOn, completedMeanwhile, drainedMs, firstCompletedMs });
  if (lateReadyAt === undefined) findings.push('late: was not ready a minute after it was back');
  const code = await late.stop(STOP_WITHIN_MS);
  if (code !== 0) findings.push(`late: did not drain when asked to: exit code ${code}`);
  for (const exit of exits.slice(exitsBefore)) {
    if (!exit.meant) findings.push(`${exit.slot} ended by itself (${exit.signal ?? exit.code}): ${exit.reason}`);
  }
  say(`${name}: first completed after ${firstCompletedMs} ms, backlog drained after ${drainedMs} ms`);
  for (const finding of findings) say(`${name}: ${finding}`);
  return {
    dependency: name,
    way,
    awayMs: Math.round(backAt - awayAt),
    health,
    completedMeanwhile,
    backlog,
    firstCompletedMs,
    drainedMs,
    lateReadyMs: lateReadyAt === undefined || lateReadyAt < backAt ? null : Math.round(lateReadyAt - backAt),
    findings,
  };
}

interface Shown extends Pick<Dependency, 'metBy' | 'transfersGoOn'> {
  readonly health: Readonly<Partial<Record<Process, HealthSaid>>>;
  readonly completedMeanwhile: number;
  readonly firstCompletedMs: number | null;
  readonly drainedMs: number | null;
}

function findingsOf({
  health,
  metBy,
  transfersGoOn,
  completedMeanwhile,
  firstCompletedMs,
  drainedMs,
}: Shown): string[] {
  const findings: string[] = [];
  for (const [process, said] of Object.entries(health) as [Process, HealthSaid][]) {
    if (metBy.includes(process) && !said.namedAtEnd) findings.push(`${process}: health did not name it`);
    if (said.notLive > 0) findings.push(`${process}: was not live ${said.notLive} of ${said.asked} times`);
    // It may end and be started again, and is not ready before it can begin.
    if (process === 'late') continue;
    if (said.notReady > 0) findings.push(`${process}: was not ready ${said.notReady} of ${said.asked} times`);
    if (said.unanswered > 0) findings.push(`${process}: did not answer ${said.unanswered} of ${said.asked} times`);
  }
  if (transfersGoOn && completedMeanwhile === 0) findings.push('nothing came to its end meanwhile, although it could');
  if (firstCompletedMs === null) findings.push('nothing came to its end after it was back');
  if (drainedMs === null) findings.push('the backlog was not drained in time');
  return findings;
}

/** Inputs that are under way at one time when nothing is wrong. */
async function usuallyUnderWay(books: ChaosBooks): Promise<number> {
  let most = 0;
  for (const until = performance.now() + USUAL_MS; performance.now() < until; ) {
    most = Math.max(most, books.balance().unaccounted);
    await sleep(LOOK_EVERY_MS);
  }
  return most;
}

/** When the first transfer was completed, and when no more inputs were under way than usual. New ones come all the time. */
async function recovery(books: ChaosBooks, backAt: number, usual: number) {
  const completedBefore = books.completed;
  let firstCompletedMs: number | null = null;
  while (performance.now() - backAt < RECOVERY_TIMEOUT_MS) {
    const elapsed = Math.round(performance.now() - backAt);
    if (books.completed > completedBefore) firstCompletedMs ??= elapsed;
    if (firstCompletedMs !== null && books.balance().unaccounted <= usual) {
      return { firstCompletedMs, drainedMs: elapsed };
    }
    await sleep(LOOK_EVERY_MS);
  }
  return { firstCompletedMs, drainedMs: null };
}

/** A load that goes on until it is stopped; while the brokers are away it waits. */
function steadily(feeder: Feeder, rate: number) {
  let stopped = false;
  const running = (async () => {
    while (!stopped) await feeder.burst(rate, 1_000);
  })();
  return {
    stop: async () => {
      stopped = true;
      await running;
    },
  };
}

/** As the judge of the crash harness knows faults: they explain payouts whose outcome nobody learnt. */
function asInjected(
  index: number,
  { dependency: { name, server }, way }: Outage,
  fromMs: number,
  toMs: number,
): InjectedFault {
  const kind = way === 'hole' ? 'network' : server === undefined ? 'provider-kill' : 'server-kill';
  return { id: `o${index + 1}`, kind, what: `${name} away (${way})`, fromMs, toMs, outcome: '', counts: [] };
}
