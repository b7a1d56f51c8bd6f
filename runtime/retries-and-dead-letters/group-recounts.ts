// Counts groups of dead letters again when their letters have changed: soon, and never for more than a fifth of the time.

import { backoffMs, DEPENDENCY_BACKOFF } from '../../ports/backoff.ts';
import type { Clock } from '../../ports/clock.ts';
import type { GroupCounts } from '../../sinks/dead-letters/counts.ts';
import { type Fault, faultOf } from '../fault.ts';

/** Letters come in batches: the first of them waits for the next. */
const GATHER_MS = 300;
/** What other processes have touched is found this late. */
const SWEEP_MS = 15_000;
const GROUPS_AT_ONCE = 50;
/** Pause between two counts, as a multiple of what the last one took. */
const REST_FACTOR = 4;

export interface RecountOptions {
  readonly counts: GroupCounts;
  readonly clock: Clock;
  /** Called with each fault; it is tried again. Never throws. */
  readonly onFault: (fault: Fault) => void;
}

export interface Recounts {
  start(): void;
  /** Something was touched: it is counted before the next sweep. */
  recountSoon(): void;
  stop(): Promise<void>;
}

export function createRecounts({ counts, clock, onFault }: RecountOptions): Recounts {
  const stopping = new AbortController();
  let asked = Promise.withResolvers<void>();
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    let failures = 0;
    while (!stopping.signal.aborted) {
      const pauseMs = await once().then(
        (tookMs) => {
          failures = 0;
          return tookMs;
        },
        (error: unknown) => {
          onFault(faultOf(error));
          return backoffMs(++failures, DEPENDENCY_BACKOFF);
        },
      );
      await clock.sleep(pauseMs, stopping.signal);
      if (failures > 0) continue;
      await Promise.race([asked.promise, clock.sleep(SWEEP_MS, stopping.signal)]);
      asked = Promise.withResolvers();
      await clock.sleep(GATHER_MS, stopping.signal);
    }
  }

  /** @returns how long to rest, ms */
  async function once(): Promise<number> {
    const startedAt = performance.now();
    while ((await counts.recount(GROUPS_AT_ONCE)) === GROUPS_AT_ONCE && !stopping.signal.aborted);
    return Math.ceil((performance.now() - startedAt) * REST_FACTOR);
  }

  return {
    start() {
      running ??= run();
    },
    recountSoon: () => asked.resolve(),
    async stop() {
      stopping.abort();
      asked.resolve();
      await running;
    },
  };
}
