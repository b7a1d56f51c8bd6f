// One run: start everything, feed while things break, heal, drain, and judge.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { listedPersons, loadSampleList } from '../../screening/lists/sample/load.ts';
import { SINK_NAMES } from '../../services/process-parts/part-selection.ts';
import { ChaosBooks } from './books.ts';
import { Desk } from './desk.ts';
import { chaosFeed, recordsFor } from './feed.ts';
import { Feeder, INTENTS } from './feeder.ts';
import type { InjectedFault } from './injected.ts';
import { NO_FAULTS, PROVIDER_FAULTS } from './injected-provider-faults.ts';
import { Injector } from './injector.ts';
import { judge, type Verdict } from './judge.ts';
import { writeLaw } from './law.ts';
import { damageBatches } from './members/bad-batches.ts';
import { exportedTo, exportSettings, rowsIn } from './members/exported.ts';
import { ForeignProducer } from './members/foreign-batches.ts';
import type { TableSeen } from './members/forgery-check.ts';
import { LateIntents } from './members/late-schema.ts';
import { QuotedTransfers } from './members/quoted.ts';
import { RateSources } from './members/rate-sources.ts';
import { remakeIntents } from './members/remade-topic.ts';
import type { Forbidden } from './members/tampered-payouts.ts';
import { intentHeaders, Webhooks } from './members/webhooks.ts';
import type { NegativeControl } from './negative.ts';
import { Operator } from './operator.ts';
import type { Profile } from './profile.ts';
import { makeSchedule, type Schedule } from './schedule.ts';
import { Slot, type SlotExit } from './slot.ts';
import { starve } from './starve.ts';
import { Tail } from './tail.ts';
import { API_SLOT, SLOTS, type SlotName } from './targets.ts';
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

const SINKS = [...SINK_NAMES, 'parquet'].join(',');
const BACK = ['run', '--sinks', SINKS, '--payouts', '--cases', '--replays', '--audit', '--webhooks', '--analytics'];
const ARGS: Readonly<Record<SlotName, readonly string[]>> = {
  'chain-1': ['run', '--processors', 'all'],
  'chain-2': ['run', '--processors', 'all'],
  'back-1': BACK,
  'back-2': BACK,
  'api-1': ['api'],
};
const STOP_WITHIN_MS = 30_000;
const LOOK_EVERY_MS = 500;
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
  const schedule = makeSchedule(
    profile,
    seed,
    recordsFor(profile) - LAST_RECORDS - profile.beforeRemade,
    negative?.faults,
  );
  const failures: string[] = [];
  say(`Profile ${profile.name}, seed ${seed}, ${profile.brokers} broker(s); data and logs in ${dir}`);
  const world = await World.start({
    dir,
    brokers: profile.brokers,
    seed,
    providerFaults: PROVIDER_FAULTS,
    law: { ...writeLaw(dir), ...exportSettings(dir) },
    ...(negative ? { unsafe: { CORRIDOR_UNSAFE_FOR_TESTS: '1', CORRIDOR_UNSAFE: negative.name } } : {}),
    say,
    onUnexpectedExit: (server, how) => failures.push(`${server} ended by itself: ${how}`),
  }).catch((error: unknown) => {
    if (!options.keep) rmSync(dir, { recursive: true, force: true });
    throw error;
  });
  const feedAgain = options.starved ? starve(dir) : () => undefined;
  const exits: SlotExit[] = [];
  let zero = performance.now();
  const now = () => performance.now() - zero;
  const slots = new Map<SlotName, Slot>();
  let keep = true;
  const closing: (() => Promise<void>)[] = [];
  try {
    const { connections } = world;
    const { codec, log, config } = connections;
    await codec.load(['transfer.requested']);
    const rates = new RateSources(world);
    closing.push(() => rates.stop());
    const books = new ChaosBooks();
    const late = new LateIntents();
    const tail = new Tail({ log, codec, books, late, rings: config.keys });
    const feeder = new Feeder({
      log,
      books,
      chainPartitions: config.kafka.chainPartitions,
      ledgerFile: path.join(dir, 'fed.ndjson'),
      headersOf: intentHeaders(config.producers.intentKeys!),
      foreign: new ForeignProducer({
        brokers: world.stack.urls.kafkaBrokers,
        topic: INTENTS,
        partitions: config.kafka.chainPartitions,
      }),
      records: chaosFeed({
        profile,
        seed,
        runId: `${seed}-${Date.now().toString(36)}`,
        now: Date.now,
        listedNames: listedPersons(await loadSampleList()),
        encode: (intent) => codec.encode('transfer.requested', intent),
      }),
    });
    await rates.first;
    await tail.start();
    const keyFile = path.join(dir, 'issuer.json');
    const apiEnv = {
      CORRIDOR_API_PORT: '0',
      CORRIDOR_API_FACES: 'producers,operators',
      CORRIDOR_AUTH_LOCAL_KEY_FILE: keyFile,
    };
    for (const name of [...SLOTS, API_SLOT] as const) {
      const onExit = (exit: SlotExit) => {
        exits.push(exit);
        if (!exit.meant) say(`${exit.slot} ended by itself (${exit.signal ?? exit.code}): ${exit.reason}`);
      };
      const env = name === API_SLOT ? { ...world.env, ...apiEnv } : world.env;
      const slot = new Slot({ name, args: ARGS[name], env, dir: path.join(dir, 'processes'), now, onExit });
      slots.set(name, slot);
      slot.start();
    }
    const desk = new Desk(slots.get(API_SLOT)!, keyFile);
    const operator = new Operator(connections, ({ _id }, decision) => desk.decide(_id, decision));
    operator.start();
    const pipeline = SLOTS.map((name) => slots.get(name)!);
    await Promise.all([...slots.values()].map((slot) => slot.ready()));
    const webhooks = new Webhooks({ slot: slots.get(API_SLOT)!, keyFile, connections, seed, say });
    closing.push(() => webhooks.close());
    await webhooks.start();
    say(`${slots.size} processes run; ${schedule.steps.filter((step) => 'fault' in step).length} faults to come`);

    const chain = [slots.get('chain-1')!, slots.get('chain-2')!];
    await feeder.burst(profile.beforeRemade, profile.beforeRemade * BEFORE_REMADE_MS);
    const remade = await remakeIntents({ world, books, feeder, chain, seed, say });
    const startedAt = Date.now();
    zero = performance.now();
    const forbidden: Forbidden = new Map();
    const injector = new Injector({
      ...{ world, rates, books, late, desk, forbidden, slots, now, say },
      feed: (records) => feeder.insert(records),
    });
    const quoted = new QuotedTransfers({ world, books, seed, feed: (records) => feeder.insert(records) });
    quoted.start();
    await play(schedule, { now, feeder, injector });
    await injector.idle();
    await quoted.stop();
    const batchesDamaged = await damageBatches({ world, chain });
    say(`${batchesDamaged} batches are damaged on the disk`);
    // What comes after them goes through.
    await feeder.burst(LAST_RECORDS, LAST_MS);
    await feeder.close();
    say('The last fault is over: healing and draining');
    const healedAt = performance.now();
    await world.heal();
    await world.useProviderFaults(NO_FAULTS);
    tail.stopRepeating();
    const notDrained = await drained({ books, tail, pipeline, quietMs: profile.quietMs, say });
    const drainMs = Math.round(performance.now() - healedAt);
    await webhooks.settle(profile.quietMs);

    const tables = await tablesIn(pipeline);
    await operator.stop();
    await tail.stop();
    await rates.stop();
    const audit = await world.corridor('audit', 'verify');
    const stopping = [...slots.values()];
    const codes = await Promise.all(stopping.map((slot) => slot.stop(STOP_WITHIN_MS)));
    for (const [index, code] of codes.entries()) {
      if (code !== 0) notDrained.push(`${stopping[index]!.name} did not drain when asked to: exit code ${code}`);
    }
    const rowsExported = rowsIn(exportedTo(dir));
    const { code, said } = await world.corridor('analytics', 'export', exportedTo(dir));
    const fed = {
      ...feeder.counts,
      rowsExported,
      malformedKinds: feeder.kinds.size,
      commandsRepeated: tail.repeated,
      casesOverHttp: desk.casesDecided,
      casesTampered: operator.tampered.size,
      batchesDamaged,
      sentAgain: remade.sentAgain,
      ...webhooks.counts(),
      ...quoted.counts,
    };
    const faults = injector.counts();
    const verdict = await judge({
      connections,
      providerLedger: world.providerLedger,
      books,
      feeder,
      tail,
      operator,
      deskFailures: [...desk.failures, ...(audit.code === 0 ? [] : [`audit verify: ${audit.said.slice(-1_000)}`])],
      forbidden,
      hearings: webhooks.hearings,
      exported: { folder: exportedTo(dir), ...(code === 0 ? {} : { failed: said.slice(-1_000) }) },
      tables,
      quoted: quoted.named,
      remade,
      reached: new Set([...slots.values()].flatMap((slot) => [...slot.reached()])),
      allFailpoints: profile.allFailpoints,
      exits,
      injected: injector.injected,
      startedAt,
      notDrained,
      failures: [...failures, ...injector.failures, ...quoted.failures, ...shortOf(profile, { ...fed, ...faults })],
      say,
    });
    keep = options.keep || !verdict.ok;
    return {
      ok: verdict.ok,
      profile: profile.name,
      seed,
      brokers: profile.brokers,
      negative: negative?.name ?? null,
      elapsedMs: Math.round(performance.now() - began),
      drainMs,
      fed,
      faults,
      providerFaults: await providerFaults(world),
      verdict,
      injected: injector.injected,
      exits,
      schedule,
      logs: keep ? dir : '',
    };
  } finally {
    feedAgain();
    for (const close of closing) await close();
    await Promise.all([...slots.values()].map((slot) => slot.stop(0)));
    await world.stop();
    if (!keep) rmSync(dir, { recursive: true, force: true });
  }
}

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

interface Draining {
  readonly books: ChaosBooks;
  readonly tail: Tail;
  readonly pipeline: readonly Slot[];
  readonly quietMs: number;
  readonly say: (line: string) => void;
}

/** Waits until the books balance and every consumer is at its end, or until nothing moves any more: what is left then. */
export async function drained({ books, tail, pipeline, quietMs, say }: Draining): Promise<string[]> {
  tail.movedAt = performance.now();
  let saidAt = performance.now();
  for (;;) {
    const { unexpected, unaccounted } = books.balance();
    const balanced = unexpected === 0 && unaccounted === 0;
    const left = balanced ? await leftIn(pipeline) : [];
    if (balanced && left.length === 0) {
      say('Every input is where it must be, and every consumer at its end');
      return [];
    }
    const text = `${unexpected} unexpected, ${unaccounted} unaccounted${left.map((one) => `; ${one}`).join('')}`;
    if (performance.now() - tail.movedAt > quietMs) {
      say(`Nothing has moved for ${quietMs / 1_000} s: ${text}`);
      return balanced ? left : await leftIn(pipeline);
    }
    if (performance.now() - saidAt > 10_000) {
      saidAt = performance.now();
      say(`draining: ${text}`);
    }
    await sleep(LOOK_EVERY_MS);
  }
}

interface Health {
  readonly hosts: readonly {
    readonly name: string;
    readonly state: string;
    readonly lag: number;
    readonly tables?: readonly { readonly name: string; readonly unproven: number }[];
  }[];
}

const healthOf = (url: string): Promise<Health | undefined> =>
  fetch(`${url}/health`).then(
    (response) => response.json() as Promise<Health>,
    () => undefined,
  );

/** What each process that answers says of its tables. */
async function tablesIn(slots: readonly Slot[]): Promise<readonly TableSeen[]> {
  const seen = await Promise.all(
    slots.map(async ({ name, health }) => {
      const body = health === undefined ? undefined : await healthOf(health);
      return (body?.hosts ?? []).flatMap((host) =>
        (host.tables ?? []).map((table) => ({
          process: `${name} (${host.name})`,
          topic: table.name,
          unproven: table.unproven,
        })),
      );
    }),
  );
  return seen.flat();
}

/** What some consumer has not handled, and processes that cannot be asked. */
async function leftIn(slots: readonly Slot[]): Promise<string[]> {
  const left = await Promise.all(
    slots.map(async ({ name, health }) => {
      if (health === undefined) return [`${name} is not ready`];
      const body = await healthOf(health);
      if (body === undefined) return [`${name} does not answer`];
      return body.hosts
        .filter(({ state, lag }) => state !== 'running' || lag > 0)
        .map((host) => `${name}: ${host.name} is ${host.state} with ${host.lag} records to do`);
    }),
  );
  return left.flat();
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
