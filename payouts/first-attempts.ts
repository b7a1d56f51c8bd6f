// The first attempt of a payout, which the worker that stored it keeps in hand until its outcome is stored.
//
// That the provider has it is as a rule not stored by itself: the provider is asked once, and one write says both. A death
// before that write is a death before any: the lease runs out, and the provider is asked by another.
import { CodedError } from '../ports/fault.ts';
import type { PayoutRequested } from '../schemas/types.generated.ts';
import type { PayoutExecutorConfig } from './config.ts';
import type { Payout } from './payout.ts';
import type { PayoutClock, ProviderClient } from './ports.ts';
import type { Semaphore } from './semaphore.ts';
import type { Decision, PayoutWorker } from './worker.ts';

export interface FirstAttemptsDependencies {
  readonly worker: PayoutWorker;
  readonly provider: ProviderClient;
  readonly clock: PayoutClock;
  readonly config: PayoutExecutorConfig;
  /** Places to ask from. */
  readonly polls: Semaphore;
  /** Aborts when the process drains: what is known is stored at once. */
  readonly ending: AbortSignal;
}

export interface FirstAttempt {
  /** Stored as SUBMITTING by this worker, and by no other. */
  readonly begun: Payout;
  readonly requested: PayoutRequested;
  /** Monotonic time from before it was stored, ms. */
  readonly begunAt: number;
  /** Called once, when the submit is over. */
  readonly answered: () => void;
}

export class FirstAttempts {
  readonly #deps: FirstAttemptsDependencies;

  constructor(deps: FirstAttemptsDependencies) {
    this.#deps = deps;
  }

  /** Sends it, asks about it if need be, and stores what came of it. Rejects when that could not be stored in time. */
  async send({ begun, requested, begunAt, answered }: FirstAttempt): Promise<void> {
    let sent: Decision;
    try {
      sent = await this.#deps.worker.exchange(begun, requested, begunAt);
    } finally {
      answered();
    }
    const asked = await this.#askSoon(sent(begun));
    await this.#conclude(begun, asked ? (now) => asked(sent(now)) : sent, begunAt);
  }

  /** What the first query says; undefined: what is known by now had better be stored. */
  async #askSoon(payout: Payout): Promise<Decision | undefined> {
    if (payout.phase !== 'ACCEPTED' || payout.nextPollAt === null) return undefined;
    const { clock, provider, polls, ending, worker } = this.#deps;
    const waitMs = payout.nextPollAt - clock.now();
    // The wait for the time and that for a place leave half of what there is of the lease for the query and the write.
    const maxWaitMs = (payout.attempts.at(-1)!.leaseUntil - clock.now()) / 4;
    if (waitMs > maxWaitMs) return undefined;
    await clock.sleep(Math.max(0, waitMs), ending);
    if (ending.aborted || !provider.ready() || !(await polls.take(maxWaitMs))) return undefined;
    try {
      return ending.aborted ? undefined : (await worker.query(payout)).decide;
    } catch (error) {
      // What the submit has said is worth storing all the same.
      worker.fault(error);
      return undefined;
    } finally {
      polls.release();
    }
  }

  /** Stores an outcome, again and again while the store is away and nobody else may take the payout up. */
  async #conclude(begun: Payout, decision: Decision, begunAt: number): Promise<void> {
    const { clock, config, ending, worker } = this.#deps;
    for (;;) {
      try {
        await worker.conclude(begun, decision);
        return;
      } catch (error) {
        const isOver = clock.monotonic() - begunAt + config.retryStoreMs >= config.policy.leaseMs;
        if (isOver || ending.aborted || !isAway(error)) throw error;
        // Not told each time: there may be thousands, and the store's outage is told by who takes new ones in.
        await clock.sleep(config.retryStoreMs, ending);
      }
    }
  }
}

/** A dependency that will come back, such as the store. */
const isAway = (error: unknown): boolean => error instanceof CodedError && error.faultClass === 'transient-dependency';
