// Attempts of payouts as the log has them: written by every process of the executor, and read by each from the start on. The
// topic has one partition, so all see the same first claim of each attempt (docs/adr/0010-attempts-in-the-log.md).

import { randomUUID } from 'node:crypto';
import { type AttemptClaim, PROBE_ID, STOPPED } from '../payouts/attempt-ledger.ts';
import type { AttemptClaims } from '../payouts/ports.ts';
import { backoffMs, DEPENDENCY_BACKOFF } from '../ports/backoff.ts';
import { type Clock, systemClock } from '../ports/clock.ts';
import type { Codec } from '../ports/codec.ts';
import type { ErrorCode } from '../ports/error-codes.ts';
import { dependencyDown } from '../ports/fault.ts';
import type { Log, LogWriter } from '../ports/log.ts';
import { within } from '../ports/pause.ts';
import { type RecordMaker, recordMaker } from '../ports/records.ts';
import type { Rings } from '../ports/seals.ts';
import { consumers } from '../processors/topology.ts';
import type { PayoutAttemptClaimed } from '../schemas/types.generated.ts';
import { payoutAttempts } from '../topics/boundary.ts';
import { ClaimReader } from './claim-reader.ts';
import { faultOf } from './fault.ts';
import type { DependencyTrouble } from './hosts/host.ts';

const TOPIC = payoutAttempts.name;
/** How long a claim may take: a part of the lease of its attempt. */
const MAX_CLAIM_MS = 5_000;
const MAX_STOPS_AT_ONCE = 500;

export interface LogAttemptClaims extends AttemptClaims {
  /** Resolves when all that was claimed before the call is known. */
  start(): Promise<void>;
  /** Rejects when nothing can be told any more: from here on nothing of any payout may begin. */
  readonly failed: Promise<never>;
  /** Claims that nobody here can believe, since the key that sealed them was removed. */
  troubles(): readonly DependencyTrouble[];
  stop(): Promise<void>;
}

export interface AttemptClaimsOptions {
  readonly log: Log;
  /** Not closed here. */
  readonly writer: LogWriter;
  readonly codec: Codec;
  /** With the executor's keys. */
  readonly rings: Rings;
  readonly clock?: Clock;
  /** Called with what it passes over, and when it can tell nothing any more. Must not throw. */
  readonly onFault: (code: ErrorCode, detail: string) => void;
}

export function logAttemptClaims(options: AttemptClaimsOptions): LogAttemptClaims {
  return new ClaimLog({ clock: systemClock, ...options });
}

type NewClaim = Omit<AttemptClaim, 'claimId'>;

interface Stop {
  /** ms since the epoch */
  readonly since: number;
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

class ClaimLog implements LogAttemptClaims {
  readonly #options: Required<AttemptClaimsOptions>;
  readonly #make: RecordMaker<typeof TOPIC>;
  readonly #reader: ClaimReader;
  readonly #stopping = new AbortController();
  /** Payouts that are stopped, which the log does not know yet. */
  readonly #stops = new Map<string, Stop>();
  #isWritingStops = false;
  /** Claims do not come back. */
  #isAway = false;
  /** Claims and probes in a row that did not come back. */
  #misses = 0;

  constructor(options: Required<AttemptClaimsOptions>) {
    this.#options = options;
    const { codec, rings } = options;
    const { writes } = consumers['payout-executor'];
    this.#make = recordMaker({ owner: 'payout-attempts', writes, codec, rings });
    this.#reader = new ClaimReader(options);
  }

  start(): Promise<void> {
    return this.#reader.start();
  }

  get failed(): Promise<never> {
    return this.#reader.failed;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#reader.stop();
  }

  highest(payoutId: string) {
    return this.#reader.highest(payoutId);
  }

  troubles(): readonly DependencyTrouble[] {
    return this.#reader.troubles();
  }

  ready(): boolean {
    return !this.#isAway && this.#reader.failure === undefined;
  }

  /** Every claim but probes goes this way: after one that does not come back no attempt begins until a probe does. */
  async claim(claims: readonly NewClaim[]): Promise<readonly boolean[]> {
    try {
      const answers = await this.#writeAndAwait(claims);
      this.#misses = 0;
      return answers;
    } catch (error) {
      if (!this.#isAway) {
        this.#isAway = true;
        void this.#probe();
      }
      throw error;
    }
  }

  stopped(payoutId: string, since: number): Promise<void> {
    const known = this.#stops.get(payoutId);
    const stop = known ?? { since, ...Promise.withResolvers<void>() };
    this.#stops.set(payoutId, stop);
    void this.#writeStops();
    return stop.promise;
  }

  async #writeAndAwait(claims: readonly NewClaim[]): Promise<readonly boolean[]> {
    const { writer, clock } = this.#options;
    if (this.#reader.failure !== undefined) throw this.#reader.failure;
    const own = claims.map((claim) => ({ ...claim, claimId: randomUUID() }));
    using awaited = this.#reader.await(own.map(({ claimId }) => claimId));
    const sent = writer.send(own.map((one) => this.#make(TOPIC, recordOf(one), { partition: 0 })));
    const answers = Promise.race([sent.then(() => awaited.standing), this.#reader.failed]);
    if (await within(MAX_CLAIM_MS, answers, clock)) return await answers;
    throw dependencyDown('kafka', 'ATTEMPT_CLAIMS_LATE', 'claims of attempts do not come back from the log');
  }

  /**
   * What could happen: an outage of the log, in which each attempt that is begun counts, and uses up those that a payout may
   * have. What stops it: until a claim comes back again, one that is of no attempt, none begins.
   */
  async #probe(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted && this.#reader.failure === undefined) {
      await clock.sleep(backoffMs(++this.#misses, DEPENDENCY_BACKOFF), signal);
      if (signal.aborted) return;
      try {
        await this.#writeAndAwait([{ payoutId: PROBE_ID, attempt: 1, startedAt: clock.now(), earlier: [] }]);
        this.#isAway = false;
        void this.#writeStops();
        return;
      } catch (error) {
        this.#report(error);
      }
    }
  }

  /** Has the log know which payouts are stopped; what does not get there is written again after the next probe. */
  async #writeStops(): Promise<void> {
    if (this.#isWritingStops || this.#isAway) return;
    this.#isWritingStops = true;
    try {
      while (this.#stops.size > 0) {
        const some = [...this.#stops].slice(0, MAX_STOPS_AT_ONCE);
        const claims = some.map(([payoutId, { since }]) => ({
          payoutId,
          attempt: STOPPED,
          startedAt: since,
          earlier: [],
        }));
        // One that does not stand finds that the log knew.
        await this.claim(claims);
        for (const [payoutId, { resolve }] of some) {
          this.#stops.delete(payoutId);
          resolve();
        }
      }
    } catch (error) {
      this.#report(error);
    } finally {
      this.#isWritingStops = false;
    }
  }

  #report(error: unknown): void {
    const { code, detail } = faultOf(error);
    this.#options.onFault(code, detail);
  }
}

const recordOf = ({ earlier, token = null, ...claim }: AttemptClaim): PayoutAttemptClaimed => ({
  ...claim,
  token,
  earlier: earlier.map((one) => ({ ...one, token: one.token ?? null })),
});
