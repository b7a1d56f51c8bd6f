// The payout executor: takes committed payout.requested events and drives each payout to its end.
//
// What is consumed is stored before the offset is committed, usually as an attempt that has begun: the
// insert itself is the compare-and-set, since a payout is inserted once. Submits then run while the next batch comes.
import type { SealedRecord } from '../domain/seals/record-seal.ts';
import { CodedError } from '../ports/fault.ts';
import { within } from '../ports/pause.ts';
import type { Cause, Received } from '../processors/contract.ts';
import type { PayoutRequested } from '../schemas/types.generated.ts';
import { isContested } from './contradictions.ts';
import { openAsSent, openPayout, type PayoutRequest, supersede } from './decide.ts';
import { Background, type ExecutorContext, type PayoutExecutorDependencies, PayoutReports } from './dependencies.ts';
import { Flights } from './flights.ts';
import { dueNow } from './polling.ts';
import { wasRolledBack } from './put-back.ts';
import { StoredPayouts } from './stored-payouts.ts';
import { Sweeper } from './sweeper.ts';

export interface PayoutExecutorStats {
  /** Submits on their way, and places for them. */
  readonly inFlight: number;
  readonly maxInFlight: number;
  /** First attempts whose outcome is not stored yet. */
  readonly unsettled: number;
  readonly polls: number;
  /** False: the provider's circuit is open; payouts wait. */
  readonly providerReady: boolean;
}

/** A record that is not stored, by its place in the batch: its payout is there, and is not as the executor wrote it. */
export interface RefusedRequest {
  readonly index: number;
  readonly cause: Cause;
}

export interface PayoutExecutor {
  /**
   * Resolves when every record is stored, so that the offset may be committed, but for those that it answers: put them
   * aside for a person. Rejects with a coded error when the store cannot be reached: hand the batch in again. Handing in a
   * record again is harmless.
   */
  handle(batch: readonly Received<PayoutRequested>[]): Promise<readonly RefusedRequest[]>;
  /** Starts timer and sweeper. */
  start(): Promise<void>;
  /** Takes on no more work and waits for what is on its way, `deadlineMs` at most. Stop the consumer first. */
  stop(deadlineMs: number): Promise<void>;
  /** Has these payouts looked at now: a webhook came. The hint is not believed; the provider is asked. */
  pollNow(payoutIds: readonly string[]): Promise<void>;
  stats(): PayoutExecutorStats;
}

const rolledBack = (payoutId: string): Cause => ({
  code: 'PAYOUT_ROLLED_BACK',
  detail: `payout ${payoutId} is behind the attempts that were claimed in the log, or gone: the database was put back, so this request was not added to it. Ask the provider about every key, mend the document (docs/payouts.md), then replay this`,
});

const forged = (payoutId: string): Cause => ({
  code: 'PAYOUT_FORGED',
  detail: `payout ${payoutId} is in the database, and not as the executor wrote it, so this request could not be added to it: mend the document, then replay this`,
});

const contested = (payoutId: string) =>
  new CodedError('PAYOUT_CONTESTED', `payout ${payoutId} keeps being changed, so its new price is not stored yet`, {
    faultClass: 'transient-dependency',
    dependency: 'mongo',
  });

interface Candidate {
  /** Place in the batch. */
  readonly index: number;
  readonly request: PayoutRequest;
  readonly requested: PayoutRequested;
}

export function createPayoutExecutor(deps: PayoutExecutorDependencies): PayoutExecutor {
  return new Executor(deps);
}

class Executor implements PayoutExecutor {
  readonly #deps: PayoutExecutorDependencies;
  readonly #ending = new AbortController();
  readonly #context: ExecutorContext;
  readonly #stored: StoredPayouts;
  readonly #flights: Flights;
  readonly #sweeper: Sweeper;

  constructor(deps: PayoutExecutorDependencies) {
    this.#deps = deps;
    const reports = new PayoutReports(deps.onEvent);
    this.#context = { reports, background: new Background(reports), ending: this.#ending.signal };
    this.#stored = new StoredPayouts(deps, reports);
    this.#flights = new Flights(deps, {
      ...this.#context,
      stored: this.#stored,
      onTakenUp: (payoutId, sight) => this.#sweeper.takenUp(payoutId, sight),
    });
    this.#sweeper = new Sweeper(deps, this.#context, this.#flights);
  }

  async handle(batch: readonly Received<PayoutRequested>[]): Promise<readonly RefusedRequest[]> {
    const { clock, config } = this.#deps;
    const deadline = clock.monotonic() + config.admitWaitMs;
    const opening: Promise<PromiseSettledResult<Candidate | undefined>>[] = [];
    for (const candidate of this.#candidates(batch)) {
      const opens = await this.#open(candidate, () => Math.max(0, deadline - clock.monotonic()));
      const known = opens.inserted.then((isNew) => (isNew ? undefined : candidate));
      // Waited for at once: a batch that waits for room must not leave a failure of the store without anybody to take it.
      opening.push(Promise.allSettled([known]).then(([result]) => result));
    }
    const results = await Promise.all(opening);
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
    const known = results.flatMap((result) => (result.status === 'fulfilled' && result.value ? [result.value] : []));
    const met = await Promise.all(known.map((candidate) => this.#meetExisting(candidate)));
    return met.filter((refused) => refused !== undefined);
  }

  async start(): Promise<void> {
    await this.#deps.timer.start((payoutIds) => this.#flights.takeUp(payoutIds));
    this.#sweeper.start();
  }

  async stop(deadlineMs: number): Promise<void> {
    this.#ending.abort();
    this.#sweeper.stop();
    await within(deadlineMs, Promise.all([this.#deps.timer.stop(), this.#context.background.idle()]));
  }

  async pollNow(payoutIds: readonly string[]): Promise<void> {
    const at = this.#deps.clock.now();
    await this.#flights.takeUp(payoutIds, (payout) => dueNow(payout, at));
  }

  stats(): PayoutExecutorStats {
    return { ...this.#flights.stats(), providerReady: this.#deps.provider.ready() };
  }

  /**
   * Begins to store a payout, with its first attempt where there is room for one by then. `inserted` answers false for a
   * payout that exists.
   */
  async #open(candidate: Candidate, waitMs: () => number): Promise<{ readonly inserted: Promise<boolean> }> {
    const { attempts, clock, config, provider } = this.#deps;
    const { request, requested } = candidate;
    const opened = openPayout(request, clock.now());
    // What could happen: the document of a payout that was sent is gone, and its first key is sent again. What stops it:
    // some attempt of it was claimed, so it is never inserted (docs/adr/0010-attempts-in-the-log.md).
    if (attempts?.highest(opened.payoutId)) return { inserted: Promise.resolve(false) };
    // The same where nothing was claimed, after a restore: the first key counts as sent.
    if (config.asksFirst) return { inserted: this.#stored.insert(openAsSent(request, clock.now())) };
    const room = provider.ready() ? await this.#flights.room(waitMs) : undefined;
    // Without room it is stored to be sent later.
    if (!room) return { inserted: this.#stored.insert(opened) };
    return { inserted: this.#flights.first(opened, requested, room) };
  }

  /** One candidate per payout: of several pricing attempts the last, whose being asked for ends the ones before. */
  #candidates(batch: readonly Received<PayoutRequested>[]): Iterable<Candidate> {
    const byPayout = new Map<string, Candidate>();
    for (const [index, { value: requested, sealed }] of batch.entries()) {
      const { transferId, attempt, homePartition } = requested.envelope;
      const other = byPayout.get(transferId);
      if (other && other.request.pricingAttempt >= attempt) continue;
      const request = {
        payoutId: transferId,
        provider: this.#deps.provider.name,
        homePartition,
        pricingAttempt: attempt,
        priceExpiresAt: requested.price.expiresAt,
        ...this.#asSealed(requested, sealed),
      };
      byPayout.set(transferId, { index, request, requested });
    }
    return byPayout.values();
  }

  /**
   * The event as it was sealed, so that whoever pays on it later can see who asked for it
   * (docs/adr/0007-sealed-records.md).
   */
  #asSealed(requested: PayoutRequested, sealed: SealedRecord | undefined): Pick<PayoutRequest, 'requested' | 'proof'> {
    const { codec } = this.#deps;
    if (!sealed?.value) return { requested: codec.encode(requested) };
    const { cause, seal, value } = sealed;
    return { requested: codec.keep(value, requested), proof: { cause, seal } };
  }

  /**
   * The payout exists: the same event once more, or a new price. Answers the record when the payout cannot be read: whether
   * it has this price is not known, and with the offset past it nobody would ask again.
   */
  async #meetExisting({ index, request }: Candidate): Promise<RefusedRequest | undefined> {
    const { payoutId } = request;
    const { attempts, clock } = this.#deps;
    const payout = await this.#stored.load(payoutId);
    if (!payout) return { index, cause: attempts?.highest(payoutId) ? rolledBack(payoutId) : forged(payoutId) };
    if (wasRolledBack(payout) && isContested(payout)) return { index, cause: rolledBack(payoutId) };
    if (payout.pricingAttempt >= request.pricingAttempt) {
      this.#context.reports.emit({ kind: 'redelivered', payoutId });
      return undefined;
    }
    const stored = await this.#stored.change(payout, (now) => supersede(now, request, clock.now()));
    if (!stored) throw contested(payoutId);
    this.#context.background.run(this.#flights.takeUp([payoutId]));
    return undefined;
  }
}
