// Keeps one part of a process running: makes its hosts, and when one of them ends by itself, stops what is left of the
// part and makes it anew after a while. The other parts of the process never notice.

import { type BackoffLimits, backoffMs, DEPENDENCY_BACKOFF } from '../../ports/backoff.ts';
import { type Clock, systemClock } from '../../ports/clock.ts';
import { foreignCodeOf } from '../../ports/error-codes.ts';
import { within } from '../../ports/pause.ts';
import { faultOf } from '../fault.ts';
import type { Host, HostHealth, StoppedPart } from '../hosts/host.ts';
import type { Logger } from '../logs-and-metrics/logger.ts';
import type { Metrics } from '../logs-and-metrics/metrics.ts';
import { type Ended, PartState } from './part-state.ts';

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

const NOTHING: PartHosts = { hosts: [], resources: [] };

export const supervise = (options: SupervisorOptions): Supervisor => new PartSupervisor(options);

class PartSupervisor implements Supervisor {
  readonly part: Part;
  readonly #options: SupervisorOptions;
  readonly #clock: Clock;
  readonly #stopping = new AbortController();
  readonly #begun = Promise.withResolvers<void>();
  readonly #shown: PartState;
  readonly #giveBack: (given: PartHosts, drainMs: number) => Promise<void>;
  #made: PartHosts = NOTHING;
  #drainMs = CLEAR_MS;
  #life: Promise<void> | undefined;

  constructor(options: SupervisorOptions) {
    const { part, logger, clock = systemClock } = options;
    this.part = part;
    this.#options = options;
    this.#clock = clock;
    this.#shown = new PartState(part.name, clock);
    this.#giveBack = returning({ part, logger, clock });
  }

  start(): Promise<void> {
    this.#life ??= this.#live();
    return Promise.race([this.#begun.promise, this.#life]);
  }

  standing(): StoppedPart | undefined {
    return this.#shown.standing;
  }

  healths(): readonly HostHealth[] {
    const { hosts } = this.#made;
    return this.#shown.state === 'standing' || hosts.length === 0
      ? [this.#shown.health()]
      : hosts.map((host) => host.health());
  }

  async stop(deadlineMs: number): Promise<void> {
    this.#drainMs = deadlineMs;
    this.#stopping.abort();
    await this.#life;
  }

  async #live(): Promise<void> {
    const { signal } = this.#stopping;
    let failures = 0;
    while (!signal.aborted) {
      const startedAt = this.#clock.now();
      const fault = await ended(() => this.#runUntilAsked());
      const wasRunning = this.#shown.state === 'running';
      await this.#giveBack(this.#made, this.#drainMs);
      this.#made = NOTHING;
      if (signal.aborted || fault === undefined) return;
      if (fault.faultClass === 'transient-dependency' && !wasRunning) {
        await this.#waitFor(fault, ++failures);
        continue;
      }
      if (wasRunning && this.#clock.now() - startedAt > RAN_WELL_MS) failures = 0;
      await this.#stand(fault, ++failures);
    }
  }

  /** Runs the part until it is asked to stop. Rejects when it ends by itself. */
  async #runUntilAsked(): Promise<void> {
    const { signal } = this.#stopping;
    const stopped = asked(signal);
    const making = this.part.make();
    const ready = await Promise.race([making, stopped]);
    if (ready === undefined) {
      // It may wait for a dependency: what it makes after all is given back, and nobody waits for that.
      making.then(
        (late) => this.#giveBack(late, this.#drainMs),
        () => undefined,
      );
      return;
    }
    this.#made = ready;
    const { hosts, lost } = ready;
    const failed = Promise.race([...hosts.map((host) => host.failed), ...(lost ? [lost] : [])]);
    failed.catch(() => undefined);
    if (signal.aborted) return;
    await Promise.race([Promise.all(hosts.map((host) => host.start())), failed, stopped]);
    if (signal.aborted) return;
    const stood = this.#shown.runs();
    if (stood) this.#options.logger.info({ stage: this.part.name, restarts: stood.restarts }, 'running again');
    this.#begun.resolve();
    await Promise.race([failed, stopped]);
  }

  /** The part cannot be made yet: a dependency is away. */
  async #waitFor(fault: Ended, failures: number): Promise<void> {
    const { code, detail, dependency = 'unknown' } = fault;
    const waits = { stage: this.part.name, code, dependency, detail };
    if (this.#shown.waitsFor(fault)) this.#options.logger.warn(waits, 'cannot start yet');
    await this.#clock.sleep(backoffMs(failures, DEPENDENCY_BACKOFF), this.#stopping.signal);
  }

  async #stand(fault: Ended, failures: number): Promise<void> {
    const { logger, metrics, onStopped, random = Math.random } = this.#options;
    const { name } = this.part;
    const delayMs = backoffMs(failures, RESTART_BACKOFF, random);
    const standing = this.#shown.stands(fault, failures - 1, delayMs);
    const { code, detail, restarts } = standing;
    metrics.hostStops.inc({ consumer: name, code });
    logger.error({ stage: name, code, detail, delayMs, restarts }, 'stands: it stopped by itself');
    onStopped(standing);
    this.#begun.resolve();
    await this.#clock.sleep(delayMs, this.#stopping.signal);
    if (!this.#stopping.signal.aborted) this.#shown.state = 'starting';
  }
}

/** Resolves when the signal says so. */
const asked = (signal: AbortSignal): Promise<undefined> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(undefined), { once: true }));

/** How a run ended by itself; undefined: it was asked to. */
async function ended(run: () => Promise<void>): Promise<Ended | undefined> {
  try {
    await run();
    return undefined;
  } catch (error) {
    const fault = faultOf(error);
    return { ...fault, code: foreignCodeOf(error) ?? fault.code };
  }
}

type Returning = Pick<SupervisorOptions, 'part' | 'logger'> & { readonly clock: Clock };

/**
 * Stops what is left of a part, within `drainMs` and a while. It waits for no host and no client that cannot end: what that
 * could still do is fenced, as of a process that was frozen.
 */
function returning({ part, logger, clock }: Returning): (given: PartHosts, drainMs: number) => Promise<void> {
  return async (given, drainMs) => {
    if (await within(drainMs + LEFT_BEHIND_MS, endOf(given, drainMs), clock)) return;
    logger.warn({ stage: part.name, code: 'DRAIN_TIMED_OUT' }, 'what does not end is left behind');
  };

  async function endOf({ hosts, resources }: PartHosts, drainMs: number): Promise<void> {
    for (const result of await Promise.allSettled(hosts.map((host) => host.stop(drainMs)))) {
      if (result.status === 'rejected') logger.warn({ stage: part.name, err: result.reason }, 'stopping failed');
    }
    for (const { name, close } of resources) {
      await close().catch((error: unknown) => logger.warn({ name, err: error }, 'closing failed'));
    }
  }
}
