// One process: its hosts started together, watched, and drained together.

import { watchEventLoop } from './event-loop-watch.ts';
import { faultOf } from './faults.ts';
import type { Host, HostHealth } from './host.ts';
import { assess, type LivenessLimits, watchProgress } from './liveness.ts';
import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';
import type { HealthServer, HealthSource } from './ports/health.ts';

/** How a process ends. Codes of signals are the shell's own (137 for a wedged event loop). */
export const EXIT = { ok: 0, fault: 1, noProgress: 75, drainTimedOut: 76 } as const;

export interface ServiceOptions {
  /** Names the process in logs, such as `chain`. */
  readonly name: string;
  readonly hosts: readonly Host[];
  /** Makes more hosts once those above run; started, watched and drained like them. Health answers from before that. */
  readonly continueWith?: () => Promise<readonly Host[]>;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly liveness: LivenessLimits;
  /** How long a drain may take, ms. */
  readonly drainDeadlineMs: number;
  /** The event loop may stand still for this long, ms; undefined: not watched (several services in one test process). */
  readonly eventLoopDeadlineMs?: number;
  /** Starts the health server (adapters/http); absent: none. */
  readonly serveHealth?: (source: HealthSource) => Promise<HealthServer>;
  /** Closed after the hosts, in order: connections to the log and the stores. */
  readonly resources?: readonly { readonly name: string; close(): Promise<void> }[];
  /** Ends the service as a signal does. */
  readonly signal?: AbortSignal;
  /** Take SIGTERM and SIGINT; default true. */
  readonly handleSignals?: boolean;
  /** Called when every host runs. */
  readonly onReady?: (health: HealthServer | undefined) => void;
}

/** Why a service ended. */
export interface ServiceEnd {
  readonly exitCode: number;
  readonly code: string;
  readonly detail: string;
}

/**
 * Runs until a signal or a fault ends it; never rejects. The first signal drains; a second one ends the process at once.
 * The caller exits with `exitCode`.
 */
export async function runService(given: ServiceOptions): Promise<ServiceEnd> {
  const hosts = [...given.hosts];
  const options: ServiceOptions = { ...given, hosts };
  const { logger } = options;
  const ending = Promise.withResolvers<ServiceEnd>();
  const release = onSignals(options, (code) => ending.resolve({ exitCode: EXIT.ok, code, detail: 'asked to stop' }));
  const loop = options.eventLoopDeadlineMs === undefined ? undefined : watchEventLoop(options.eventLoopDeadlineMs);
  const watch = watchProgress(hosts, options.liveness, ({ code, detail }) =>
    ending.resolve({ exitCode: EXIT.noProgress, code, detail }),
  );
  const failWith = (error: unknown) => {
    const { code, detail } = faultOf(error);
    ending.resolve({ exitCode: EXIT.fault, code: codeOf(error) ?? code, detail });
  };
  let health: HealthServer | undefined;
  let isEnding = false;
  let isComplete = options.continueWith === undefined;
  const startAll = async (some: readonly Host[]) => {
    for (const host of some) host.failed.catch(failWith);
    await Promise.all(some.map((host) => host.start()));
  };
  const start = async () => {
    await startAll(hosts);
    if (!options.continueWith || isEnding) return;
    const more = await options.continueWith();
    if (isEnding) return;
    hosts.push(...more);
    isComplete = true;
    await startAll(more);
  };
  try {
    health = await options.serveHealth?.(healthOf(options, () => isComplete));
    logger.info({ service: options.name, port: health?.port }, 'starting');
    start().then(() => {
      if (isEnding) return;
      logger.info({ service: options.name, count: hosts.length, port: health?.port }, 'running');
      options.onReady?.(health);
    }, failWith);
  } catch (error) {
    failWith(error);
  }
  const end = await ending.promise;
  isEnding = true;
  watch.stop();
  logger[end.exitCode === EXIT.ok ? 'info' : 'error']({ code: end.code, detail: end.detail }, 'ending');
  const drained = await drain(options);
  await health?.close();
  await loop?.stop();
  release();
  if (drained || end.exitCode !== EXIT.ok) return end;
  return { exitCode: EXIT.drainTimedOut, code: 'DRAIN_TIMED_OUT', detail: 'work in hand did not end in time' };
}

/** Stops all hosts, then closes what they used. False when that took longer than it may. */
async function drain({ hosts, resources = [], drainDeadlineMs, logger }: ServiceOptions): Promise<boolean> {
  const work = (async () => {
    const stopped = await Promise.allSettled(hosts.map((host) => host.stop(drainDeadlineMs)));
    for (const [i, result] of stopped.entries()) {
      if (result.status === 'rejected') logger.warn({ host: hosts[i]!.name, err: result.reason }, 'stopping failed');
    }
    for (const { name, close } of resources) {
      await close().catch((error: unknown) => logger.warn({ name, err: error }, 'closing failed'));
    }
    return true;
  })();
  let timer: NodeJS.Timeout | undefined;
  // Hosts keep to the deadline themselves; this one is for those that do not.
  const tooLate = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), drainDeadlineMs + 2_000);
  });
  const inTime = await Promise.race([work, tooLate]);
  clearTimeout(timer);
  return inTime;
}

/** Errors of the log's end carry a code of their own. */
function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]*$/.test(code) ? code : undefined;
}

function onSignals({ handleSignals = true, signal }: ServiceOptions, stop: (code: string) => void): () => void {
  let asked = false;
  const listener = (name: NodeJS.Signals) => {
    if (asked) process.exit(EXIT.fault);
    asked = true;
    stop(name);
  };
  const abort = () => stop('ABORTED');
  if (signal?.aborted) abort();
  signal?.addEventListener('abort', abort, { once: true });
  if (handleSignals) for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, listener);
  return () => {
    signal?.removeEventListener('abort', abort);
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.off(name, listener);
  };
}

/** What the health server tells: liveness by progress, dependencies that are waited for, every partition. */
export function healthOf({ hosts, liveness, metrics }: ServiceOptions, isComplete = () => true): HealthSource {
  const judge = () => {
    const healths = hosts.map((host) => host.health());
    const verdict = assess(healths, liveness, performance.now());
    return { healths, verdict: { ...verdict, ready: verdict.ready && isComplete() } };
  };
  return {
    live() {
      const { verdict } = judge();
      const failed = hosts.map((host) => host.health()).filter(({ state }) => state === 'failed');
      const ok = verdict.exit === undefined && failed.length === 0;
      return { ok, body: { live: ok, reason: verdict.exit?.detail } };
    },
    ready() {
      const { healths, verdict } = judge();
      return { ok: verdict.ready, body: { ready: verdict.ready, ...summary(healths), stalled: verdict.stalled } };
    },
    all() {
      const { healths, verdict } = judge();
      const live = verdict.exit === undefined;
      return {
        ok: verdict.ready && live,
        body: { live, ready: verdict.ready, ...summary(healths), ...parts(healths, verdict.stalled) },
      };
    },
    async metrics() {
      refresh(hosts, metrics);
      return { contentType: metrics.registry.contentType, text: await metrics.registry.metrics() };
    },
  };
}

function summary(healths: readonly HostHealth[]) {
  const waitingFor = [...new Set(healths.flatMap(({ troubles }) => troubles.map(({ dependency }) => dependency)))];
  return { degraded: waitingFor.length > 0, waitingFor };
}

function parts(healths: readonly HostHealth[], stalled: readonly unknown[]) {
  return {
    stalled,
    hosts: healths.map(({ name, state, partitions, troubles, tables, underWay }) => ({
      name,
      state,
      lag: partitions.reduce((sum, { lag }) => sum + lag, 0),
      troubles,
      tables,
      underWay,
      paused: partitions.flatMap(({ topic, partition, lag, paused }) =>
        paused ? [{ topic, partition, lag, code: paused.code, detail: paused.detail }] : [],
      ),
    })),
  };
}

function refresh(hosts: readonly Host[], metrics: Metrics): void {
  metrics.lag.reset();
  metrics.pausedPartitions.reset();
  metrics.underWay.reset();
  for (const host of hosts) {
    const { name, partitions, tables, underWay = {} } = host.health();
    for (const table of tables) metrics.tableSkipped.set({ consumer: name, topic: table.name }, table.undecodable);
    for (const [waits_for, count] of Object.entries(underWay)) {
      metrics.underWay.set({ consumer: name, waits_for }, count);
    }
    for (const { topic, lag, paused } of partitions) {
      metrics.lag.inc({ consumer: name, topic }, Math.max(0, lag));
      if (paused) metrics.pausedPartitions.inc({ consumer: name, code: paused.code });
    }
  }
}
