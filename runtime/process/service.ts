// One process: its hosts started together, watched, and drained together.

import { type ErrorCode, foreignCodeOf, type ShownCode } from '../../ports/error-codes.ts';
import type { HealthServer, HealthSource } from '../../ports/health.ts';
import { within } from '../../ports/pause.ts';
import { faultOf } from '../fault.ts';
import { watchEventLoop } from '../health/event-loop-watch.ts';
import { healthOf, healthsOf, type Running } from '../health/health.ts';
import { type LivenessLimits, watchProgress } from '../health/liveness.ts';
import type { Host, StoppedPart } from '../hosts/host.ts';
import type { Logger } from '../logs-and-metrics/logger.ts';
import type { Metrics } from '../logs-and-metrics/metrics.ts';
import { type Part, type Supervisor, supervise } from './supervisor.ts';

/** How a process ends. Codes of signals are the shell's own (137 for a wedged event loop). */
export const EXIT = { ok: 0, fault: 1, noProgress: 75, drainTimedOut: 76 } as const;

export interface ServiceOptions {
  /** Names the process in logs, such as `chain`. */
  readonly name: string;
  readonly hosts: readonly Host[];
  /**
   * Made and started once the hosts above run. One that stops by itself is started again with back-off, and the others go
   * on; the process ends only when all that consume stand, or its only one does (unless `stays`).
   */
  readonly parts?: readonly Part[];
  /** Never ends because of parts that stand: they are started again for ever. */
  readonly stays?: boolean;
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
  readonly code: ShownCode;
  readonly detail: string;
}

/**
 * Runs until a signal or a fault ends it; never rejects. The first signal drains; a second one ends the process at once.
 * The caller exits with `exitCode`.
 */
export async function runService(options: ServiceOptions): Promise<ServiceEnd> {
  const { logger, metrics, hosts } = options;
  const ending = Promise.withResolvers<ServiceEnd>();
  const release = onSignals(options, (code) => ending.resolve({ exitCode: EXIT.ok, code, detail: 'asked to stop' }));
  const loop = options.eventLoopDeadlineMs === undefined ? undefined : watchEventLoop(options.eventLoopDeadlineMs);
  const onStopped = () => {
    const standing = options.stays ? undefined : allStanding(running);
    if (standing) ending.resolve({ exitCode: EXIT.fault, code: standing.code, detail: standing.detail });
  };
  const supervisors = (options.parts ?? []).map((part) => supervise({ part, logger, metrics, onStopped }));
  const running: Running = { options, supervisors, areMade: supervisors.length === 0 };
  const watch = watchProgress(
    () => healthsOf(running),
    options.liveness,
    ({ code, detail }) => ending.resolve({ exitCode: EXIT.noProgress, code, detail }),
  );
  const failWith = (error: unknown) => {
    const { code, detail } = faultOf(error);
    ending.resolve({ exitCode: EXIT.fault, code: foreignCodeOf(error) ?? code, detail });
  };
  let health: HealthServer | undefined;
  let isEnding = false;
  const start = async () => {
    for (const host of hosts) host.failed.catch(failWith);
    await Promise.all(hosts.map((host) => host.start()));
    if (isEnding) return;
    running.areMade = true;
    await Promise.all(supervisors.map((supervisor) => supervisor.start()));
  };
  try {
    health = await options.serveHealth?.(healthOf(running));
    logger.info({ service: options.name, port: health?.port }, 'starting');
    start().then(() => {
      if (isEnding) return;
      logger.info({ service: options.name, count: hosts.length + supervisors.length, port: health?.port }, 'running');
      options.onReady?.(health);
    }, failWith);
  } catch (error) {
    failWith(error);
  }
  const end = await ending.promise;
  isEnding = true;
  watch.stop();
  logger[end.exitCode === EXIT.ok ? 'info' : 'error']({ code: end.code, detail: end.detail }, 'ending');
  const drained = await drain(options, supervisors);
  await health?.close();
  await loop?.stop();
  release();
  if (drained || end.exitCode !== EXIT.ok) return end;
  return { exitCode: EXIT.drainTimedOut, code: 'DRAIN_TIMED_OUT', detail: 'work that was begun did not end in time' };
}

/** Why the process is of no more use: all its parts that consume stand. */
function allStanding({ supervisors }: Running): StoppedPart | undefined {
  const consuming = supervisors.filter(({ part }) => part.consumes);
  const judged = consuming.length > 0 ? consuming : supervisors;
  const standing = judged.flatMap((supervisor) => supervisor.standing() ?? []);
  return standing.length === judged.length ? standing.at(-1) : undefined;
}

/** Stops all hosts, then closes what they used. False when that took longer than it may. */
async function drain(options: ServiceOptions, supervisors: readonly Supervisor[]): Promise<boolean> {
  const { hosts, resources = [], drainDeadlineMs, logger } = options;
  const work = (async () => {
    const stops = [...hosts, ...supervisors].map((each) => each.stop(drainDeadlineMs));
    for (const [i, result] of (await Promise.allSettled(stops)).entries()) {
      if (result.status === 'rejected') logger.warn({ host: hosts[i]?.name, err: result.reason }, 'stopping failed');
    }
    for (const { name, close } of resources) {
      await close().catch((error: unknown) => logger.warn({ name, err: error }, 'closing failed'));
    }
  })();
  // Hosts keep to the deadline themselves; this one is for those that do not.
  return within(drainDeadlineMs + 2_000, work);
}

function onSignals({ handleSignals = true, signal }: ServiceOptions, stop: (code: ErrorCode) => void): () => void {
  let asked = false;
  const listener = (name: 'SIGTERM' | 'SIGINT') => {
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
