// Keeps one part of a process running: makes its hosts, and when one of them ends by itself, stops what is left of the
// part and makes it anew after a while. The other parts of the process never notice.

import { type BackoffLimits, backoffMs, DEPENDENCY_BACKOFF } from '../../ports/backoff.ts';
import { type Clock, systemClock } from '../../ports/clock.ts';
import { foreignCodeOf, type ShownCode } from '../../ports/error-codes.ts';
import { within } from '../../ports/pause.ts';
import { topology } from '../../processors/topology.ts';
import { type Fault, faultOf } from '../fault.ts';
import type { DependencyTrouble, Host, HostHealth, StoppedPart } from '../hosts/host.ts';
import type { Logger } from '../logs-and-metrics/logger.ts';
import type { Metrics } from '../logs-and-metrics/metrics.ts';

/** Delays between a stop and the next start. */
const RESTART_BACKOFF: BackoffLimits = { firstMs: 1_000, maxMs: 5 * 60_000 };
/** A part that ran for so long starts its delays anew, ms. */
const RAN_WELL_MS = 10 * 60_000;
/** What is left of a part that stopped gets this long to end, ms. */
const CLEAR_MS = 10_000;
/** Hosts keep to their deadline themselves. What has not ended so long after it is left behind, ms. */
const LEFT_BEHIND_MS = 5_000;

/** A stage, a sink, the executor: what stops and starts together. */
export interface Part {
  readonly name: string;
  /** False for work in the background (relays, sweeps): a process lives for its other parts. */
  readonly consumes: boolean;
  /** New hosts, and what they use. Called again after each stop. */
  make(): Promise<PartHosts>;
}

export interface PartHosts {
  readonly hosts: readonly Host[];
  /** Closed after the hosts, in order. */
  readonly resources: readonly { readonly name: string; close(): Promise<void> }[];
  /** Rejects when something that the part was made with is of no more use (a client that is broken for ever); never resolves. */
  readonly lost?: Promise<never>;
}

export interface SupervisorOptions {
  readonly part: Part;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Called each time the part stops by itself. */
  readonly onStopped: (standing: StoppedPart) => void;
  readonly clock?: Clock;
  readonly random?: () => number;
}

export interface Supervisor {
  readonly part: Part;
  /** Resolves when the part runs for the first time, or stands, or is stopped. Never rejects. */
  start(): Promise<void>;
  /** Set while the part stands: it stopped by itself, and is not running again yet. */
  standing(): StoppedPart | undefined;
  healths(): readonly HostHealth[];
  /** Finishes the work that was begun within the deadline (ms). Never rejects. */
  stop(deadlineMs: number): Promise<void>;
}

/** How a part ended: errors that are not of the product bear codes of their own. */
type Ended = Omit<Fault, 'code'> & { readonly code: ShownCode };

const NOTHING: PartHosts = { hosts: [], resources: [] };

/** What an operator does next, where the fault's own words do not say it. */
function toDo({ code }: Ended, name: string): string {
  const isStage = Object.hasOwn(topology, name);
  const known: Readonly<Record<string, string>> = {
    DLQ_BREAKER_OPEN: `look at what ${name}.dlq holds and mend the cause; the records that opened it were not moved, and run again by themselves. If they rightly are dead letters, start it once with higher CORRIDOR_DLQ_BREAKER_ settings`,
    MONGO_CLIENT_BROKEN: `nothing: ${name} is started again by itself, with a fresh connection. Report it, with the log of this process`,
    NEWER_SCHEMA: 'deploy a version that knows this schema: the readers of a topic before its writers',
    ATTEMPT_CLAIMS_UNREADABLE:
      'have a replica that can still be read lead payout.attempts; if there is none, see docs/payouts.md, "When claims cannot be read"',
    OFFSET_MISSING: `run \`corridor topics apply\` if the topic or partition is new or was made again${isStage ? `, and look with \`corridor topics resume ${name}\`` : ''}; otherwise find out why the offset was lost`,
    OFFSET_LOST: `look with \`corridor topics resume ${name}\`, then stop its processes and run it with --apply`,
    OFFSET_OF_ANOTHER_TOPIC: isStage
      ? `look with \`corridor topics resume ${name}\`, then stop its processes and run it with --apply`
      : `stop the processes of ${name}, and set the offset of its group to the earliest of the topic that was made again`,
    REDIS_CLIENT_BROKEN: `nothing: ${name} is started again by itself, with a fresh connection. Report it, with the log of this process`,
    OFFSET_OUT_OF_RANGE:
      'find out why records are gone before any offset is set by hand; if the topic was made again, run `corridor topics apply`',
    SCHEMA_NOT_REGISTERED: 'run `corridor schemas push`',
  };
  return known[code] ?? `see the log of this process; ${name} is started again by itself`;
}

export function supervise(options: SupervisorOptions): Supervisor {
  const { part, logger, metrics, clock = systemClock, random = Math.random } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  const begun = Promise.withResolvers<void>();
  let made: PartHosts = NOTHING;
  let state: 'starting' | 'running' | 'standing' = 'starting';
  let standing: StoppedPart | undefined;
  let waitsFor: DependencyTrouble | undefined;
  let drainMs = CLEAR_MS;
  let life: Promise<void> | undefined;

  async function live(): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      const startedAt = clock.now();
      const fault = await once();
      const wasRunning = state === 'running';
      await clear();
      if (signal.aborted || fault === undefined) return;
      if (fault.faultClass === 'transient-dependency' && !wasRunning) {
        await waitFor(fault, ++failures);
        continue;
      }
      if (wasRunning && clock.now() - startedAt > RAN_WELL_MS) failures = 0;
      await stand(fault, ++failures);
    }
  }

  /** Runs the part until it ends by itself, and says why; undefined when it was asked to stop. */
  async function once(): Promise<Ended | undefined> {
    const stopped = new Promise<undefined>((resolve) => {
      signal.addEventListener('abort', () => resolve(undefined), { once: true });
    });
    try {
      const making = part.make();
      const ready = await Promise.race([making, stopped]);
      if (ready === undefined) {
        // It may wait for a dependency: what it makes after all is given back, and nobody waits for that.
        making.then(giveBack, () => undefined);
        return undefined;
      }
      made = ready;
      const { hosts, lost } = made;
      const failed = Promise.race([...hosts.map((host) => host.failed), ...(lost ? [lost] : [])]);
      failed.catch(() => undefined);
      if (signal.aborted) return undefined;
      await Promise.race([Promise.all(made.hosts.map((host) => host.start())), failed, stopped]);
      if (signal.aborted) return undefined;
      runs();
      await Promise.race([failed, stopped]);
      return undefined;
    } catch (error) {
      const fault = faultOf(error);
      return { ...fault, code: foreignCodeOf(error) ?? fault.code };
    }
  }

  function runs(): void {
    state = 'running';
    waitsFor = undefined;
    if (standing) logger.info({ stage: part.name, restarts: standing.restarts }, 'running again');
    standing = undefined;
    begun.resolve();
  }

  /** The part cannot be made yet: a dependency is away. */
  async function waitFor({ code, detail, dependency = 'unknown' }: Ended, failures: number): Promise<void> {
    const since = waitsFor?.since ?? clock.now();
    if (waitsFor?.code !== code) logger.warn({ stage: part.name, code, dependency, detail }, 'cannot start yet');
    waitsFor = { dependency, code, detail, since, topic: 'start', partition: 0, lastMetAt: performance.now() };
    await clock.sleep(backoffMs(failures, DEPENDENCY_BACKOFF), signal);
  }

  async function stand(fault: Ended, failures: number): Promise<void> {
    state = 'standing';
    waitsFor = undefined;
    const delayMs = backoffMs(failures, RESTART_BACKOFF, random);
    const { code, detail } = fault;
    const restarts = failures - 1;
    standing = {
      name: part.name,
      code,
      detail,
      toDo: toDo(fault, part.name),
      since: standing?.since ?? clock.now(),
      restarts,
      nextStartAt: clock.now() + delayMs,
    };
    metrics.hostStops.inc({ consumer: part.name, code });
    logger.error({ stage: part.name, code, detail, delayMs, restarts }, 'stands: it stopped by itself');
    options.onStopped(standing);
    begun.resolve();
    await clock.sleep(delayMs, signal);
    if (!signal.aborted) state = 'starting';
  }

  /** Stops what is left. */
  async function clear(): Promise<void> {
    await giveBack(made);
    made = NOTHING;
  }

  /** Waits for no host and no client that cannot end: what it could still do is fenced, as of a process that was frozen. */
  async function giveBack(given: PartHosts): Promise<void> {
    if (await within(drainMs + LEFT_BEHIND_MS, endOf(given), clock)) return;
    logger.warn({ stage: part.name, code: 'DRAIN_TIMED_OUT' }, 'what does not end is left behind');
  }

  async function endOf({ hosts, resources }: PartHosts): Promise<void> {
    for (const result of await Promise.allSettled(hosts.map((host) => host.stop(drainMs)))) {
      if (result.status === 'rejected') logger.warn({ stage: part.name, err: result.reason }, 'stopping failed');
    }
    for (const { name, close } of resources) {
      await close().catch((error: unknown) => logger.warn({ name, err: error }, 'closing failed'));
    }
  }

  const placeholder = (): HostHealth => ({
    name: part.name,
    state: state === 'standing' ? 'failed' : 'starting',
    partitions: [],
    troubles: waitsFor ? [waitsFor] : [],
    tables: [],
  });

  return {
    part,
    start() {
      life ??= live();
      return Promise.race([begun.promise, life]);
    },
    standing: () => standing,
    healths: () =>
      state === 'standing' || made.hosts.length === 0 ? [placeholder()] : made.hosts.map((host) => host.health()),
    async stop(deadlineMs) {
      drainMs = deadlineMs;
      stopping.abort();
      await life;
    },
  };
}
