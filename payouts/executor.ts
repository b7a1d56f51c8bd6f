// The payout executor: takes committed payout.requested events and drives each payout to its end.
//
// What is consumed is stored before the offset is committed, and as a rule stored as an attempt that has begun: the
// insert itself is the compare-and-set, since a payout is inserted once. Submits then run while the next batch comes.
import type { SealedRecord } from '../domain/seals/record-seal.ts';
import { CodedError, dependencyDown } from '../ports/fault.ts';
import { within } from '../ports/pause.ts';
import type { Cause, Received } from '../processors/contract.ts';
import type { PayoutRequested } from '../schemas/types.generated.ts';
import { isContested } from './contradictions.ts';
import { beginAttempt, dueNow, openAsSent, openPayout, type PayoutRequest, supersede } from './decide.ts';
import { FirstAttempts } from './first-attempts.ts';
import type { Payout } from './payout.ts';
import { wasRolledBack } from './put-back.ts';
import { Semaphore } from './semaphore.ts';
import { PayoutWorker, type WorkerDependencies } from './worker.ts';

export type PayoutExecutorDependencies = WorkerDependencies;

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

const SWEPT_AGAIN_MS = 10_000;
/** How long the sweeper passes over a payout that is not as the executor wrote it, and over how many at once, at most. */
const REFUSED_FOR_MS = 60_000;
const MAX_REFUSED = 5_000;
/** How often payouts of other providers are counted, ms, and to how many at most. */
const HELD_COUNTED_MS = 10_000;
const MAX_HELD_COUNTED = 1_000;

/** What was handed to the timer did not come back in time: it takes jobs, and nobody works them. */
const timerSilent = () =>
  dependencyDown(
    'redis-queue',
    'REDIS_QUEUE_UNAVAILABLE',
    'it takes jobs and gives none back; payouts go on without it',
  );

const rolledBack = (payoutId: string): Cause => ({
  code: 'PAYOUT_ROLLED_BACK',
  detail: `payout ${payoutId} is behind the attempts that were claimed in the log, or gone: the database was put back, so this request was not added to it. Ask the provider about every key, mend the document (docs/payouts.md), then replay this`,
});

const forged = (payoutId: string): Cause => ({
  code: 'PAYOUT_FORGED',
  detail: `payout ${payoutId} is in the database, and not as the executor wrote it, so this request could not be added to it: mend the document, then replay this`,
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
  readonly #worker: PayoutWorker;
  readonly #submits: Semaphore;
  readonly #polls: Semaphore;
  readonly #first: FirstAttempts;
  readonly #unsettled: Semaphore;
  /** Payouts that this process is busy with. */
  readonly #busy = new Set<string>();
  readonly #background = new Set<Promise<void>>();
  /** When the sweeper last handed a payout to the timer, so that a slow queue does not fill with the same ones. */
  readonly #swept = new Map<string, number>();
  /** Payouts that the store does not give out, the longest refused first, and until when (monotonic ms) the sweeper passes over them. */
  readonly #refused = new Map<string, number>();
  #heldCountAt = Number.NEGATIVE_INFINITY;
  #sweeper: NodeJS.Timeout | undefined;
  readonly #ending = new AbortController();

  constructor(deps: PayoutExecutorDependencies) {
    this.#deps = deps;
    this.#worker = new PayoutWorker(deps);
    this.#submits = new Semaphore(deps.config.maxInFlight);
    this.#polls = new Semaphore(deps.config.maxPolls);
    this.#unsettled = new Semaphore(deps.config.maxUnsettled);
    this.#first = new FirstAttempts({ ...deps, worker: this.#worker, polls: this.#polls, ending: this.#ending.signal });
  }

  async handle(batch: readonly Received<PayoutRequested>[]): Promise<readonly RefusedRequest[]> {
    const { clock, config, provider } = this.#deps;
    const deadline = clock.monotonic() + config.admitWaitMs;
    const stored: Promise<Candidate | undefined>[] = [];
    for (const candidate of this.#candidates(batch)) {
      const opened = openPayout(candidate.request, clock.now());
      // Some attempt of it was claimed: the payout is there, or was.
      if (this.#deps.attempts?.highest(opened.payoutId)) {
        stored.push(Promise.resolve(candidate));
        continue;
      }
      if (config.asksFirst) {
        stored.push(this.#keep(candidate, openAsSent(candidate.request, clock.now())));
        continue;
      }
      const left = () => Math.max(0, deadline - clock.monotonic());
      const ready = provider.ready() && (await this.#unsettled.take(left())) && (await this.#takeSubmit(left()));
      stored.push(ready ? this.#admit(candidate, opened) : this.#keep(candidate, opened));
    }
    const results = await Promise.allSettled(stored);
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
    const known = results.flatMap((result) => (result.status === 'fulfilled' && result.value ? [result.value] : []));
    const met = await Promise.all(known.map((candidate) => this.#meetAgain(candidate)));
    return met.filter((refused) => refused !== undefined);
  }

  /** A place to send from; without one, the place in hand is given back. */
  async #takeSubmit(waitMs: number): Promise<boolean> {
    const taken = await this.#submits.take(waitMs);
    if (!taken) this.#unsettled.release();
    return taken;
  }

  async start(): Promise<void> {
    await this.#deps.timer.start((payoutIds) => this.#due(payoutIds));
    this.#sweepLater();
  }

  async stop(deadlineMs: number): Promise<void> {
    this.#ending.abort();
    clearTimeout(this.#sweeper);
    await within(deadlineMs, Promise.all([this.#deps.timer.stop(), this.#idle()]));
  }

  async pollNow(payoutIds: readonly string[]): Promise<void> {
    const at = this.#deps.clock.now();
    await this.#due(payoutIds, (payout) => dueNow(payout, at));
  }

  stats(): PayoutExecutorStats {
    return {
      inFlight: this.#submits.taken,
      maxInFlight: this.#submits.size,
      unsettled: this.#unsettled.taken,
      polls: this.#polls.taken,
      providerReady: this.#deps.provider.ready(),
    };
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
        ...this.#kept(requested, sealed),
      };
      byPayout.set(transferId, { index, request, requested });
    }
    return byPayout.values();
  }

  /** The event as it was sealed, so that whoever pays on it later can see who asked for it. */
  #kept(requested: PayoutRequested, sealed: SealedRecord | undefined): Pick<PayoutRequest, 'requested' | 'proof'> {
    const { codec } = this.#deps;
    if (!sealed?.value) return { requested: codec.encode(requested) };
    const { cause, seal, value } = sealed;
    return { requested: codec.keep(value, requested), proof: { cause, seal } };
  }

  /** Stores the payout with its first attempt begun, and sends it. Answers the candidate when the payout exists. */
  async #admit(candidate: Candidate, opened: Payout): Promise<Candidate | undefined> {
    const { clock, config } = this.#deps;
    const { payoutId } = opened;
    let sends = false;
    // The same event may come again while the first one is being handled.
    const isOurs = !this.#busy.has(payoutId);
    this.#busy.add(payoutId);
    const done = () => {
      if (isOurs) this.#busy.delete(payoutId);
      this.#unsettled.release();
    };
    try {
      const verdict = await this.#worker.gate(candidate.requested);
      if (!verdict.pass) return await this.#keep(candidate, { ...opened, nextPollAt: verdict.untilMs });
      const begunAt = clock.monotonic();
      const begun = beginAttempt(opened, clock.now(), config.policy);
      if (!(await this.#worker.insert(begun))) return candidate;
      sends = true;
      const answered = () => this.#submits.release();
      this.#inBackground(this.#first.send({ begun, requested: candidate.requested, begunAt, answered }), done);
      return undefined;
    } finally {
      if (!sends) {
        this.#submits.release();
        done();
      }
    }
  }

  /** Stores the payout to be sent later. Answers the candidate when the payout exists. */
  async #keep(candidate: Candidate, opened: Payout): Promise<Candidate | undefined> {
    return (await this.#worker.insert(opened)) ? undefined : candidate;
  }

  /**
   * The payout exists: the same event once more, or a new price. Answers the record when the payout cannot be read: whether
   * it has this price is not known, and with the offset past it nobody would ask again.
   */
  async #meetAgain({ index, request }: Candidate): Promise<RefusedRequest | undefined> {
    const { payoutId } = request;
    const payout = await this.#worker.load(payoutId);
    if (!payout)
      return { index, cause: this.#deps.attempts?.highest(payoutId) ? rolledBack(payoutId) : forged(payoutId) };
    if (wasRolledBack(payout) && isContested(payout)) return { index, cause: rolledBack(payoutId) };
    if (payout.pricingAttempt >= request.pricingAttempt) {
      this.#deps.onEvent?.({ kind: 'redelivered', payoutId });
      return undefined;
    }
    const settled = await this.#worker.settle(payout, (now) => supersede(now, request, this.#deps.clock.now()));
    if (!settled) {
      throw new CodedError(
        'PAYOUT_CONTESTED',
        `payout ${payoutId} keeps being changed, so its new price is not stored yet`,
        {
          faultClass: 'transient-dependency',
          dependency: 'mongo',
        },
      );
    }
    this.#inBackground(this.#due([payoutId]));
    return undefined;
  }

  /** Payouts that are due; ids that this process is busy with are left out. */
  async #due(payoutIds: readonly string[], look: (payout: Payout) => Payout = (payout) => payout): Promise<void> {
    if (this.#ending.signal.aborted) return;
    const mine = payoutIds.filter((id) => !this.#busy.has(id));
    for (const id of mine) this.#busy.add(id);
    await Promise.all(mine.map((id) => this.#take(id, look)));
  }

  async #take(payoutId: string, look: (payout: Payout) => Payout): Promise<void> {
    await this.#polls.take();
    try {
      // Loaded only now: what was loaded before the wait may be old.
      const payout = await this.#worker.load(payoutId);
      if (payout) await this.#worker.advance(look(payout));
      else if (this.#swept.has(payoutId)) this.#refuse(payoutId);
    } catch (error) {
      this.#worker.fault(error);
    } finally {
      this.#busy.delete(payoutId);
      this.#swept.delete(payoutId);
      this.#polls.release();
    }
  }

  /** The sweeper found it, and the store does not give it out. */
  #refuse(payoutId: string): void {
    this.#refused.delete(payoutId);
    this.#refused.set(payoutId, this.#deps.clock.monotonic() + REFUSED_FOR_MS);
    if (this.#refused.size > MAX_REFUSED) this.#refused.delete(this.#refused.keys().next().value!);
  }

  async #sweep(): Promise<void> {
    const { clock, config, payouts, provider, timer } = this.#deps;
    const now = clock.now();
    for (const [id, until] of this.#refused) if (until <= clock.monotonic()) this.#refused.delete(id);
    // The refused may well be the longest overdue: as many more are asked for, so that they never hide the rest.
    const page = config.sweepPage + this.#refused.size;
    const overdue = await payouts.overdue(now - config.overdueMs, page, {
      provider: provider.name,
      withNew: this.#worker.canBegin,
    });
    const silent = new Set<string>();
    for (const [id, at] of this.#swept) {
      if (at >= now - SWEPT_AGAIN_MS) continue;
      this.#swept.delete(id);
      silent.add(id);
    }
    const mine = overdue.filter((id) => !this.#busy.has(id) && !this.#swept.has(id) && !this.#refused.has(id));
    if (mine.length === 0) return;
    for (const id of mine) this.#swept.set(id, now);
    this.#deps.onEvent?.({ kind: 'swept', count: mine.length });
    try {
      if (mine.some((id) => silent.has(id))) throw timerSilent();
      await timer.schedule(mine.map((payoutId) => ({ payoutId, dueAt: now })));
    } catch (error) {
      this.#worker.fault(error);
      // Without the timer, this process takes them itself.
      await this.#due(mine);
    }
  }

  /** Nobody here looks at payouts of other providers; so that somebody does, they are counted. */
  async #countHeld(): Promise<void> {
    const { clock, config, payouts, provider } = this.#deps;
    if (clock.monotonic() < this.#heldCountAt) return;
    this.#heldCountAt = clock.monotonic() + HELD_COUNTED_MS;
    const count = await payouts.held(clock.now() - config.overdueMs, MAX_HELD_COUNTED, provider.name);
    this.#deps.onEvent?.({ kind: 'held', count });
  }

  #sweepLater(): void {
    if (this.#ending.signal.aborted) return;
    this.#sweeper = setTimeout(() => {
      const swept = this.#sweep().finally(() => this.#countHeld());
      this.#inBackground(swept, () => this.#sweepLater());
    }, this.#deps.config.sweepEveryMs);
  }

  #inBackground(work: Promise<unknown>, after?: () => void): void {
    const done = work
      .then(
        () => undefined,
        (error: unknown) => this.#worker.fault(error),
      )
      .finally(() => {
        this.#background.delete(done);
        after?.();
      });
    this.#background.add(done);
  }

  async #idle(): Promise<void> {
    while (this.#background.size > 0) await Promise.all(this.#background);
  }
}
