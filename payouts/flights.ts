// Flights: a flight is all that this process does about one payout in one go. What a flight needs meanwhile it holds as
// permits, and has given back when it ends, however it ends; nothing else takes or gives back any.
//
// Its side effects, in this order, and what a death after each leaves to others (docs/payouts.md, "After kill -9"):
//   1. gate                         nothing is stored: the record comes again, or the sweeper finds the payout
//   2. the attempt is stored        SUBMITTING: when the lease is over it is asked about and cancelled, never sent again
//   3. its claim stands in the log  the same. Not for an attempt that is inserted with its payout (ADR 10)
//   4. gate, lease, first byte      the same; what is on its way arrives before the cancel, or is refused
//   5. the answer, the first query  the same; that the provider has it is learnt again
//   6. the outcome is stored        the relay publishes what is in the outbox, the sweeper finds what is due next
import { CodedError } from '../ports/fault.ts';
import type { PayoutRequested } from '../schemas/types.generated.ts';
import { lastAttempt } from './changes.ts';
import { after, beginAttempt, type Learnt } from './decide.ts';
import type { ExecutorContext, PayoutExecutorDependencies } from './dependencies.ts';
import type { Payout } from './payout.ts';
import { PayoutSteps } from './payout-steps.ts';
import { KeyedLocks, Semaphore } from './permits.ts';
import { ProviderCalls } from './provider-calls.ts';
import type { StoredPayouts } from './stored-payouts.ts';

/** Room for a first attempt, until its outcome is stored; whoever is given it disposes of what is held. */
export interface Room {
  readonly held: DisposableStack;
  /** Among what is held: given back as soon as the provider has answered. */
  readonly submit: Disposable;
}

/** How a flight of `takeUp` ended. */
export type Sight = 'seen' | 'missing' | 'failed';

export interface FlightsOptions extends ExecutorContext {
  readonly stored: StoredPayouts;
  /** Called at the end of each flight of `takeUp`, while it is still busy with the payout. Must not throw. */
  readonly onTakenUp: (payoutId: string, sight: Sight) => void;
}

interface FirstAttempt {
  /** Stored as SUBMITTING by this worker, and by no other. */
  readonly begun: Payout;
  readonly requested: PayoutRequested;
  /** Monotonic time from before it was stored, ms. */
  readonly begunAt: number;
}

export class Flights {
  readonly #deps: PayoutExecutorDependencies;
  readonly #options: FlightsOptions;
  readonly #calls: ProviderCalls;
  readonly #steps: PayoutSteps;
  readonly #submits: Semaphore;
  readonly #unsettled: Semaphore;
  readonly #polls: Semaphore;
  readonly #busy = new KeyedLocks();

  constructor(deps: PayoutExecutorDependencies, options: FlightsOptions) {
    this.#deps = deps;
    this.#options = options;
    const { stored, reports } = options;
    this.#calls = new ProviderCalls(deps, reports);
    this.#steps = new PayoutSteps(deps, { stored, calls: this.#calls, reports });
    this.#submits = new Semaphore(deps.config.maxInFlight);
    this.#unsettled = new Semaphore(deps.config.maxUnsettled);
    this.#polls = new Semaphore(deps.config.maxPolls);
  }

  stats() {
    const { taken, size } = this.#submits;
    return { inFlight: taken, maxInFlight: size, unsettled: this.#unsettled.taken, polls: this.#polls.taken };
  }

  /** Whether an attempt that was stored without one may begin now. */
  get canBegin(): boolean {
    return this.#steps.canBegin;
  }

  /** Whether a flight is under way. */
  isBusy(payoutId: string): boolean {
    return this.#busy.isHeld(payoutId);
  }

  /** Room for a first attempt; undefined: none came free while `waitMs` was above 0. */
  async room(waitMs: () => number): Promise<Room | undefined> {
    using held = new DisposableStack();
    if (!held.use(await this.#unsettled.acquire(waitMs()))) return undefined;
    const submit = held.use(await this.#submits.acquire(waitMs()));
    return submit && { submit, held: held.move() };
  }

  /**
   * Stores a payout with its first attempt begun, and sends it in the background. With the gate closed it is stored to be
   * sent later. Rejects when it may not be stored.
   *
   * What could happen: the same record is handled twice, by this process or by two. What stops a second send: a payout is
   * inserted once, and only whose insert it was may send.
   * @returns false: the payout exists already, and nothing was done
   */
  async first(opened: Payout, requested: PayoutRequested, room: Room): Promise<boolean> {
    using held = room.held.move();
    // None when the same record is being handled right now: then this insert answers that it exists.
    held.use(this.#busy.tryAcquire(opened.payoutId));
    const { clock, config } = this.#deps;
    const { background, stored } = this.#options;
    const verdict = await this.#calls.gate(requested);
    if (!verdict.pass) return stored.insert({ ...opened, nextPollAt: verdict.untilMs });
    const begunAt = clock.monotonic();
    const begun = beginAttempt(opened, clock.now(), config.policy);
    if (!(await stored.insert(begun))) return false;
    background.run(this.#send({ begun, requested, begunAt }, { submit: room.submit, held: held.move() }));
    return true;
  }

  /** Takes up payouts that are due, each by its own flight; those that this process is busy with are left out. */
  async takeUp(payoutIds: readonly string[], look: (payout: Payout) => Payout = (payout) => payout): Promise<void> {
    if (this.#options.ending.aborted) return;
    await Promise.all(payoutIds.map((id) => this.#takeUp(id, look)));
  }

  async #takeUp(payoutId: string, look: (payout: Payout) => Payout): Promise<void> {
    using busy = this.#busy.tryAcquire(payoutId);
    if (!busy) return;
    using _poll = await this.#polls.acquire();
    const { stored, reports, onTakenUp } = this.#options;
    let sight: Sight = 'failed';
    try {
      // Loaded only now: what was loaded before the wait may be old.
      const payout = await stored.load(payoutId);
      if (payout) await this.#steps.advance(look(payout));
      sight = payout ? 'seen' : 'missing';
    } catch (error) {
      reports.fault(error);
    } finally {
      onTakenUp(payoutId, sight);
    }
  }

  /**
   * The rest of a first flight: sends the attempt, asks about it if need be, stores what came of it. Rejects when that could
   * not be stored in time.
   *
   * An acceptance is usually not stored on its own: the provider is asked once more, and one write stores both answers. What
   * could happen: the process dies before that write. It leaves SUBMITTING, as a death at any time since the insert does.
   */
  async #send({ begun, requested, begunAt }: FirstAttempt, room: Room): Promise<void> {
    using _held = room.held;
    const learnt: Learnt[] = [];
    {
      using _submit = room.submit;
      const sent = await this.#calls.submit(begun, requested, begunAt);
      if (sent) learnt.push(sent);
    }
    const { policy } = this.#deps.config;
    const asked = await this.#askSoon(learnt.reduce((known, one) => after(known, one, policy), begun));
    if (asked) learnt.push(asked);
    await this.#storeOutcome(begun, learnt, begunAt);
  }

  /** What the first query says; undefined: what is known by now had better be stored. */
  async #askSoon(payout: Payout): Promise<Learnt | undefined> {
    if (payout.phase !== 'ACCEPTED' || payout.nextPollAt === null) return undefined;
    const { clock, provider } = this.#deps;
    const { ending, reports } = this.#options;
    const waitMs = payout.nextPollAt - clock.now();
    // The wait for the time and that for a permit leave half of what there is of the lease for the query and the write.
    const maxWaitMs = (lastAttempt(payout)!.leaseUntil - clock.now()) / 4;
    if (waitMs > maxWaitMs) return undefined;
    await clock.sleep(Math.max(0, waitMs), ending);
    if (ending.aborted || !provider.ready()) return undefined;
    using poll = await this.#polls.acquire(maxWaitMs);
    if (!poll || ending.aborted) return undefined;
    // What the submit has said is worth storing when the query breaks, too.
    return await this.#calls.query(payout).catch((error: unknown) => {
      reports.fault(error);
      return undefined;
    });
  }

  /** Stores an outcome, again and again while the store is away and nobody else may take the payout up. */
  async #storeOutcome(begun: Payout, learnt: readonly Learnt[], begunAt: number): Promise<void> {
    const { clock, config } = this.#deps;
    const { ending } = this.#options;
    for (;;) {
      try {
        await this.#steps.storeOutcome(begun, learnt);
        return;
      } catch (error) {
        const isOver = clock.monotonic() - begunAt + config.retryStoreMs >= config.policy.leaseMs;
        if (isOver || ending.aborted || !isAway(error)) throw error;
        // Not reported each time: there may be thousands, and who takes new ones in reports the store's outage.
        await clock.sleep(config.retryStoreMs, ending);
      }
    }
  }
}

/** A dependency that will come back, such as the store. */
const isAway = (error: unknown): boolean => error instanceof CodedError && error.faultClass === 'transient-dependency';
