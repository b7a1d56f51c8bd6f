// One run: start everything, feed while things break, heal, drain, and judge.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { drained, tablesIn } from './drain.ts';
import { recordsFor } from './feed.ts';
import type { Feeder } from './feeder.ts';
import type { InjectedFault } from './injected.ts';
import { NO_FAULTS, PROVIDER_FAULTS } from './injected-provider-faults.ts';
import { Injector } from './injector.ts';
import { judge, type Verdict } from './judge.ts';
import { writeLaw } from './law.ts';
import { damageBatches } from './members/bad-batches.ts';
import { exportedTo, exportSettings, rowsIn } from './members/exported.ts';
import { QuotedTransfers } from './members/quoted.ts';
import { remakeIntents } from './members/remade-topic.ts';
import type { Forbidden } from './members/tampered-payouts.ts';
import type { NegativeControl } from './negative.ts';
import type { Profile } from './profile.ts';
import { Rig } from './rig.ts';
import { makeSchedule, type Schedule } from './schedule.ts';
import type { SlotExit } from './slot.ts';
import { starve } from './starve.ts';
import { World } from './world.ts';

export interface RunOptions {
  readonly profile: Profile;
  readonly seed: number;
  readonly negative?: NegativeControl;
  /** Keep data and logs, also of a run that found nothing. */
  readonly keep: boolean;
  /** Take processor, memory and disk away from the run. */
  readonly starved?: boolean;
  readonly say: (line: string) => void;
}

export interface RunReport {
  readonly ok: boolean;
  readonly profile: string;
  readonly seed: number;
  readonly brokers: number;
  readonly negative: string | null;
  readonly elapsedMs: number;
  /** From the last fault to the last record in its place, ms. */
  readonly drainMs: number;
  readonly fed: Readonly<Record<string, number>>;
  /** Faults that took effect. */
  readonly faults: Readonly<Record<string, number>>;
  readonly providerFaults: Readonly<Record<string, number>>;
  readonly verdict: Verdict;
  readonly injected: readonly InjectedFault[];
  readonly exits: readonly SlotExit[];
  readonly schedule: Schedule;
  readonly logs: string;
}

const STOP_WITHIN_MS = 30_000;
/** Fed when nothing breaks any more. */
const LAST_RECORDS = 40;
const LAST_MS = 1_000;
/** For each record that is fed before the topic of intents is made again. */
const BEFORE_REMADE_MS = 10;

export async function run(options: RunOptions): Promise<RunReport> {
  const { profile, seed, negative } = options;
  const began = performance.now();
  const say = (line: string) =>
    options.say(`${((performance.now() - began) / 1_000).toFixed(1).padStart(7)} s  ${line}`);
  const dir = mkdtempSync(path.join(tmpdir(), 'corridor-chaos-'));
  const most = recordsFor(profile) - LAST_RECORDS - profile.beforeRemade;
  const schedule = makeSchedule(profile, seed, most, negative?.faults);
  const failures: string[] = [];
  say(`Profile ${profile.name}, seed ${seed}, ${profile.brokers} broker(s); data and logs in ${dir}`);
  const world = await startWorld(options, { dir, failures, say });
  const feedAgain = options.starved ? starve(dir) : () => undefined;
  let zero = performance.now();
  const now = () => performance.now() - zero;
  let keep = true;
  let rig: Rig | undefined;
  try {
    rig = await Rig.start({ world, profile, seed, now, say });
    say(`${rig.slots.size} processes run; ${schedule.steps.filter((step) => 'fault' in step).length} faults to come`);
    await rig.feeder.burst(profile.beforeRemade, profile.beforeRemade * BEFORE_REMADE_MS);
    const { books, feeder, chain } = rig;
    const remade = await remakeIntents({ world, books, feeder, chain, seed, say });
    const startedAt = Date.now();
    zero = performance.now();
    const broken = await breakThings({ world, rig, schedule, seed, now, say });
    const ended = await heal({ world, rig, quietMs: profile.quietMs, say });
    const counts = { ...countsOf(rig, broken), rowsExported: ended.rowsExported, sentAgain: remade.sentAgain };
    const faults = broken.injector.counts();
    failures.push(
      ...broken.injector.failures,
      ...broken.quoted.failures,
      ...shortOf(profile, { ...counts, ...faults }),
    );
    const verdict = await judge({
      ...evidenceOf(world, rig, broken),
      ...{ ...ended.evidence, remade, startedAt, failures, say },
      allFailpoints: profile.allFailpoints,
    });
    keep = options.keep || !verdict.ok;
    return {
      ...{ ok: verdict.ok, profile: profile.name, seed, brokers: profile.brokers, negative: negative?.name ?? null },
      ...{ elapsedMs: Math.round(performance.now() - began), drainMs: ended.drainMs },
      ...{ fed: counts, faults, providerFaults: await providerFaults(world), verdict },
      ...{ injected: broken.injector.injected, exits: rig.exits, schedule, logs: keep ? dir : '' },
    };
  } finally {
    feedAgain();
    await rig?.close();
    await world.stop();
    if (!keep) rmSync(dir, { recursive: true, force: true });
  }
}

interface Starting {
  readonly dir: string;
  /** Takes what a server did by itself. */
  readonly failures: string[];
  readonly say: (line: string) => void;
}

async function startWorld({ profile, seed, negative, keep }: RunOptions, { dir, failures, say }: Starting) {
  const unsafe = negative && { CORRIDOR_UNSAFE_FOR_TESTS: '1', CORRIDOR_UNSAFE: negative.name };
  return World.start({
    ...{ dir, brokers: profile.brokers, seed, providerFaults: PROVIDER_FAULTS, say },
    law: { ...writeLaw(dir), ...exportSettings(dir) },
    ...(unsafe && { unsafe }),
    onUnexpectedExit: (server, how) => failures.push(`${server} ended by itself: ${how}`),
  }).catch((error: unknown) => {
    if (!keep) rmSync(dir, { recursive: true, force: true });
    throw error;
  });
}

interface Breaking {
  readonly world: World;
  readonly rig: Rig;
  readonly schedule: Schedule;
  readonly seed: number;
  readonly now: () => number;
  readonly say: (line: string) => void;
}

/** What was done to the world while it was fed. */
interface Broken {
  readonly injector: Injector;
  readonly quoted: QuotedTransfers;
  readonly forbidden: Forbidden;
  readonly batchesDamaged: number;
}

async function breakThings({ world, rig, schedule, seed, now, say }: Breaking): Promise<Broken> {
  const { rates, books, late, desk, slots, feeder, chain } = rig;
  const forbidden: Forbidden = new Map();
  const feed = (records: Parameters<Feeder['insert']>[0]) => feeder.insert(records);
  const injector = new Injector({ world, rates, books, late, desk, forbidden, slots, now, say, feed });
  const quoted = new QuotedTransfers({ world, books, seed, feed });
  quoted.start();
  await play(schedule, { now, feeder, injector });
  await injector.idle();
  await quoted.stop();
  const batchesDamaged = await damageBatches({ world, chain });
  say(`${batchesDamaged} batches are damaged on the disk`);
  // What comes after them goes through.
  await feeder.burst(LAST_RECORDS, LAST_MS);
  await feeder.close();
  return { injector, quoted, forbidden, batchesDamaged };
}

interface Healing {
  readonly world: World;
  readonly rig: Rig;
  readonly quietMs: number;
  readonly say: (line: string) => void;
}

/** Takes every fault away, waits until all is where it must be, and stops everything; asks on the way what is to be asked. */
async function heal({ world, rig, quietMs, say }: Healing) {
  const { books, tail, pipeline, webhooks, operator, rates, slots, desk } = rig;
  say('The last fault is over: healing and draining');
  const healedAt = performance.now();
  await world.heal();
  await world.useProviderFaults(NO_FAULTS);
  tail.stopRepeating();
  const notDrained = await drained({ books, tail, pipeline, quietMs, say });
  const drainMs = Math.round(performance.now() - healedAt);
  await webhooks.settle(quietMs);
  const tables = await tablesIn(pipeline);
  await operator.stop();
  await tail.stop();
  await rates.stop();
  const audit = await world.corridor('audit', 'verify');
  const stopping = [...slots.values()];
  const codes = await Promise.all(stopping.map((slot) => slot.stop(STOP_WITHIN_MS)));
  for (const [index, code] of codes.entries())
    if (code !== 0) notDrained.push(`${stopping[index]!.name} did not drain when asked to: exit code ${code}`);
  const folder = exportedTo(world.dir);
  const rowsExported = rowsIn(folder);
  const { code, said } = await world.corridor('analytics', 'export', folder);
  const exported = { folder, ...(code === 0 ? {} : { failed: said.slice(-1_000) }) };
  const deskFailures = [...desk.failures, ...(audit.code === 0 ? [] : [`audit verify: ${audit.said.slice(-1_000)}`])];
  return { drainMs, rowsExported, evidence: { notDrained, tables, exported, deskFailures } };
}

const countsOf = ({ feeder, tail, desk, operator, webhooks }: Rig, { batchesDamaged, quoted }: Broken) => ({
  ...feeder.counts,
  ...{ malformedKinds: feeder.kinds.size, commandsRepeated: tail.repeated },
  ...{ casesOverHttp: desk.casesDecided, casesTampered: operator.tampered.size, batchesDamaged },
  ...webhooks.counts(),
  ...quoted.counts,
});

const evidenceOf = ({ connections, providerLedger }: World, rig: Rig, { injector, quoted, forbidden }: Broken) => ({
  ...{ connections, providerLedger, forbidden, quoted: quoted.named, injected: injector.injected },
  ...{ books: rig.books, feeder: rig.feeder, tail: rig.tail, operator: rig.operator, exits: rig.exits },
  hearings: rig.webhooks.hearings,
  reached: new Set([...rig.slots.values()].flatMap((slot) => [...slot.reached()])),
});

/** What the profile promises and the run did not do. */
function shortOf({ least }: Profile, done: Readonly<Record<string, number>>): string[] {
  const redisKills = (done['redisLimitsKills'] ?? 0) + (done['redisQueueKills'] ?? 0);
  const counts: Readonly<Record<string, number>> = { ...done, redisKills };
  return Object.entries(least).flatMap(([what, least]) => {
    const count = counts[what] ?? 0;
    return count >= least ? [] : [`${what}: ${count}, and the profile promises at least ${least}`];
  });
}

interface Playing {
  readonly now: () => number;
  readonly feeder: Feeder;
  readonly injector: Injector;
}

/** Does each step at its time. A burst that is held up (the brokers are away) delays the bursts after it, not the faults. */
async function play({ steps }: Schedule, { now, feeder, injector }: Playing): Promise<void> {
  const bursts: Promise<void>[] = [];
  for (const step of steps) {
    const wait = step.atMs - now();
    if (wait > 0) await sleep(wait);
    if ('feed' in step) bursts.push(feeder.burst(step.feed, step.overMs));
    else injector.inject(step.id, step.fault);
  }
  await Promise.all(bursts);
}

async function providerFaults({ providerLedger }: World): Promise<Record<string, number>> {
  const { readLedger } = await import('../../simulator/ledger.ts');
  const counts: Record<string, number> = {};
  for await (const record of readLedger(providerLedger)) {
    if (!('fault' in record) || !record.fault) continue;
    counts[record.fault.rule] = (counts[record.fault.rule] ?? 0) + 1;
  }
  return counts;
}
