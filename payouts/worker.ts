// Takes payouts one step further: asks decide.ts what is due, does it, stores what came of it.
import { Batcher } from '../ports/batcher.ts';
import type { Failpoint } from '../ports/failpoint.ts';
import { CodedError, codeAndDetail } from '../ports/fault.ts';
import type { PayoutRequested } from '../schemas/types.generated.ts';
import { differences } from './answer-match.ts';
import { isBehind, isToBeStopped } from './attempt-ledger.ts';
import { lastAttempt } from './changes.ts';
import { clockAhead, isClockDoubtful } from './clock-doubt.ts';
import type { PayoutExecutorConfig } from './config.ts';
import { endsPayout } from './contradictions.ts';
import {
  afterCancel,
  afterQuery,
  afterSubmit,
  beginAttempt,
  expire,
  giveUp,
  giveUpLease,
  nextStep,
  postpone,
  seemsUnseen,
  sendBefore,
} from './decide.ts';
import { instructionOf, openParties, unpayableReason } from './instruction.ts';
import type { Attempt, CancelResult, Payout, PayoutInstruction, QueryResult, SubmitResult } from './payout.ts';
import type {
  AttemptClaims,
  GateVerdict,
  OutcomeOutbox,
  PayoutChange,
  PayoutClock,
  PayoutEvent,
  PayoutFailpoint,
  PayoutPauses,
  PayoutStore,
  PollTimer,
  ProviderClient,
  RequestCodec,
  SubmissionGate,
} from './ports.ts';
import { giveBack, stopRolledBack, stopUnprovable, wasRolledBack } from './put-back.ts';

export interface WorkerDependencies {
  readonly config: PayoutExecutorConfig;
  readonly payouts: PayoutStore;
  readonly provider: ProviderClient;
  readonly timer: PollTimer;
  readonly outbox: OutcomeOutbox;
  readonly codec: RequestCodec;
  readonly clock: PayoutClock;
  /** Without them, a document that was put back to an older state of its own is believed. */
  readonly attempts?: AttemptClaims;
  /** Without one, the price alone decides. */
  readonly gate?: SubmissionGate;
  /** Absent: nothing can be paused. */
  readonly pauses?: PayoutPauses;
  readonly failpoint?: Failpoint<PayoutFailpoint>;
  /** Never throws. */
  readonly onEvent?: (event: PayoutEvent) => void;
}

function withDifferences<R extends SubmitResult | QueryResult | CancelResult>(result: R, asked: PayoutInstruction): R {
  if (result.kind !== 'observed' || !result.echoed) return result;
  return { ...result, differs: differences(result.echoed, asked) };
}

function claimOf(payout: Payout) {
  const { number, startedAt } = lastAttempt(payout)!;
  const earlier = payout.attempts.slice(0, -1).map((one) => ({ number: one.number, startedAt: one.startedAt }));
  return { payoutId: payout.payoutId, attempt: number, startedAt, earlier };
}

/** More than one round is rare: a query that leads to a cancel, a lease that is given up and asked about. */
const MAX_STEPS = 8;
/** A change that keeps losing its race is left to whoever wins. */
const MAX_RACES = 5;

/** What something that was heard makes of a payout; the same one when it changes nothing. */
export type Decision = (payout: Payout) => Payout;

export class PayoutWorker {
  readonly #deps: WorkerDependencies;
  readonly #inserts: Batcher<Payout, boolean>;
  readonly #changes: Batcher<PayoutChange, boolean>;
  readonly #loads: Batcher<string, Payout | undefined>;
  readonly #decodes: Batcher<Payout, PayoutRequested>;
  readonly #claims: Batcher<Payout, boolean>;
  readonly #gates: Batcher<PayoutRequested, GateVerdict>;
  readonly #schedules: Batcher<{ payoutId: string; dueAt: number }, undefined>;

  constructor(deps: WorkerDependencies) {
    this.#deps = deps;
    const { payouts, attempts, codec, gate, timer, config } = deps;
    const keyOf = ({ payoutId }: { payoutId: string }) => payoutId;
    const bounds = { maxItems: config.maxStoreBatch, gathersTurn: true };
    this.#inserts = new Batcher<Payout, boolean>({ run: (batch) => payouts.insert(batch), keyOf, ...bounds });
    this.#changes = new Batcher({
      run: (batch) => payouts.apply(batch),
      keyOf: ({ next }) => next.payoutId,
      ...bounds,
    });
    this.#loads = new Batcher({
      run: async (ids) => {
        const found = new Map((await payouts.load(ids)).map((payout) => [payout.payoutId, payout]));
        return ids.map((id) => found.get(id));
      },
      keyOf: (id) => id,
      ...bounds,
    });
    this.#decodes = new Batcher<Payout, PayoutRequested>({
      run: (batch) => codec.decode(batch.map(({ requested }) => requested)),
      keyOf,
      ...bounds,
    });
    this.#claims = new Batcher<Payout, boolean>({
      run: async (batch) => (attempts ? attempts.claim(batch.map(claimOf)) : batch.map(() => true)),
      keyOf,
      ...bounds,
    });
    this.#gates = new Batcher({
      run: async (batch) => (gate ? gate.check(batch) : batch.map(() => ({ pass: true }))),
      keyOf: ({ envelope }) => envelope.transferId,
      ...bounds,
    });
    this.#schedules = new Batcher<{ payoutId: string; dueAt: number }, undefined>({
      run: async (batch) => {
        await timer.schedule(batch);
        return batch.map(() => undefined);
      },
      keyOf,
      ...bounds,
    });
  }

  /** May this be submitted? Read after the call. Without a gate: yes, unless somebody has paused it. */
  async gate(requested: PayoutRequested): Promise<GateVerdict> {
    const paused = this.#paused(requested);
    if (paused) return paused;
    return this.#deps.gate ? this.#gates.add(requested) : { pass: true };
  }

  #paused(requested: PayoutRequested): GateVerdict | undefined {
    const { clock, config, pauses } = this.#deps;
    const paused = pauses?.of(requested);
    return paused && { pass: false, untilMs: clock.now() + config.pausedLookMs, code: paused.code };
  }

  /**
   * NEW and paused: it waits, whatever becomes of its price. When it is resumed, a price that is over is asked for anew.
   * Undefined: it is not paused.
   */
  async #whilePaused(payout: Payout): Promise<Decision | undefined> {
    if (!this.#deps.pauses?.some) return undefined;
    const paused = this.#paused(await this.#decodes.add(payout));
    if (!paused || paused.pass) return undefined;
    return (now) => postpone(now, this.#deps.clock.now(), paused.untilMs);
  }

  /** Stores a payout that does not exist yet; false: it does. */
  async insert(payout: Payout): Promise<boolean> {
    const inserted = await this.#inserts.add(payout);
    if (!inserted) return false;
    this.#notify({ ...payout, phase: 'NEW', updates: [] }, payout);
    await this.#deps.failpoint?.('payout.after-insert');
    return true;
  }

  /** The payout as stored. One that was put back to an older state is stopped first; undefined: it is not there. */
  async load(payoutId: string): Promise<Payout | undefined> {
    const { attempts, clock } = this.#deps;
    for (let race = 0; race < MAX_RACES; race++) {
      // Looked at before the read: an attempt is stored before it is claimed, so what is read now has it.
      const claimed = attempts?.highest(payoutId);
      const payout = await this.#loads.add(payoutId);
      // Whoever opened the case may have died before the log knew.
      if (payout && isToBeStopped(payout, claimed)) attempts?.stopped(payoutId, clock.now());
      if (!payout || !claimed || wasRolledBack(payout) || !isBehind(payout, claimed)) return payout;
      const stopped = await this.settle(payout, (now) => stopRolledBack(now, claimed.attempt, clock.now()), false);
      if (stopped) return stopped;
    }
    return undefined;
  }

  /**
   * Stores what `decide` makes of the payout; when somebody else has written, of what they wrote. Answers the payout as
   * stored, or undefined when it is left to others.
   */
  async settle(payout: Payout, decide: Decision, insist = true): Promise<Payout | undefined> {
    let current: Payout | undefined = payout;
    for (let race = 0; race < MAX_RACES && current; race++) {
      const next = decide(current);
      if (next === current) return current;
      if (await this.#changes.add({ from: current.revision, next })) {
        this.#notify(current, next);
        return next;
      }
      this.#emit({ kind: 'write-conflict', payoutId: payout.payoutId });
      if (!insist) return undefined;
      current = await this.load(payout.payoutId);
    }
    return undefined;
  }

  /**
   * Does all that is due on a payout. One of another provider is left as it is, for an executor of that provider: this one
   * does not know the keys of its attempts, so "not found" would be taken for proof, and a further attempt would pay twice.
   */
  async advance(payout: Payout): Promise<void> {
    if (payout.provider !== this.#deps.provider.name) return;
    let current: Payout | undefined = payout;
    for (let step = 0; step < MAX_STEPS && current; step++) current = await this.#step(current);
  }

  /**
   * Sends the attempt that this worker, and no other, has just begun and stored.
   * @param begunAt monotonic time from before the attempt was stored.
   * @returns what the answer makes of the payout; to be stored
   */
  async exchange(payout: Payout, requested: PayoutRequested, begunAt: number): Promise<Decision> {
    const attempt = lastAttempt(payout);
    if (payout.phase !== 'SUBMITTING' || !attempt) return (now) => now;
    await this.#deps.failpoint?.('payout.after-cas-submitting');
    const result = await this.#submit(payout, attempt, requested, begunAt);
    await this.#deps.failpoint?.('payout.after-submit');
    const { clock, config } = this.#deps;
    const at = clock.now();
    return (now) => afterSubmit(now, attempt.key, result, at, config.policy);
  }

  /**
   * Asks the provider about the last attempt.
   * @returns what the answer makes of the payout, to be stored; and whether it states anything
   */
  async query(payout: Payout): Promise<{ readonly decide: Decision; readonly isObserved: boolean }> {
    const { clock, config, payouts } = this.#deps;
    const { key } = lastAttempt(payout)!;
    const result = await this.#compared(payout, await this.#providerOf(payout).query(key));
    this.#reportAnswer(payout, 'query', result);
    await this.#deps.failpoint?.('payout.after-query');
    const at = clock.now();
    // Only where the passing of time would be the proof: the store's clock must say so too.
    const earliest = seemsUnseen(payout, result, at, config.policy) ? await payouts.now() : at;
    const decide = (now: Payout) => afterQuery(now, key, result, at, config.policy, earliest);
    return { decide, isObserved: result.kind === 'observed' };
  }

  /** Stores the outcome of an attempt that this worker has sent. */
  async conclude(payout: Payout, decision: Decision): Promise<Payout | undefined> {
    const after = await this.settle(payout, decision);
    await this.#deps.failpoint?.('payout.after-outcome-write');
    return after;
  }

  /** Whether an attempt that was stored without one may begin: the provider takes submits, and claims come back. */
  get canBegin(): boolean {
    const { attempts, provider } = this.#deps;
    return provider.ready() && attempts?.ready() !== false;
  }

  /** One step; answers the payout when there may be another. */
  async #step(payout: Payout): Promise<Payout | undefined> {
    const { clock, config } = this.#deps;
    const at = clock.now();
    switch (nextStep(payout, at, config.policy)) {
      case 'rest':
        return undefined;
      case 'expire': {
        const waits = await this.#whilePaused(payout);
        const next = await this.settle(payout, waits ?? ((now) => expire(now, at)), false);
        return waits ? undefined : next;
      }
      case 'give-up':
        return this.settle(payout, (now) => giveUp(now, at), false);
      case 'give-up-lease': {
        const unknown = await this.settle(payout, (now) => giveUpLease(now, at), false);
        await this.#deps.failpoint?.('payout.after-lease-given-up');
        return unknown;
      }
      case 'submit':
        return this.canBegin ? this.#begin(payout) : undefined;
      case 'query': {
        const { decide, isObserved } = await this.query(payout);
        return this.settle(payout, decide, isObserved);
      }
      case 'cancel':
        return this.#cancel(payout);
    }
  }

  async #begin(payout: Payout): Promise<Payout | undefined> {
    const { attempts, clock, config } = this.#deps;
    const waits = await this.#whilePaused(payout);
    if (waits) {
      await this.settle(payout, waits, false);
      return undefined;
    }
    if (attempts && clock.now() - payout.createdAt > config.provableMs) {
      return this.settle(payout, (now) => stopUnprovable(now, clock.now()), false);
    }
    const requested = await this.#decodes.add(payout);
    const verdict = await this.gate(requested);
    if (!verdict.pass) {
      await this.settle(payout, (now) => postpone(now, clock.now(), verdict.untilMs), false);
      return undefined;
    }
    const begunAt = clock.monotonic();
    // Only who wins this write may send.
    const begun = await this.settle(payout, (now) => beginAttempt(now, clock.now(), config.policy), false);
    if (begun?.phase !== 'SUBMITTING') return begun;
    // And only who claims it beside the database too: the database may have been put back.
    const refused = await this.#claim(begun);
    return this.conclude(begun, refused ?? (await this.exchange(begun, requested, begunAt)));
  }

  /** Claims an attempt that has just been stored; what to make of the payout when it must not be sent. */
  async #claim(begun: Payout): Promise<Decision | undefined> {
    const { clock, config, failpoint } = this.#deps;
    const { key } = lastAttempt(begun)!;
    try {
      if (await this.#claims.add(begun)) {
        await failpoint?.('payout.after-attempt-claimed');
        return undefined;
      }
      return (now) => giveBack(now, key, clock.now());
    } catch (error) {
      this.fault(error);
      const unsent = { kind: 'not-sent', ...codeAndDetail(error) } as const;
      return (now) => afterSubmit(now, key, unsent, clock.now(), config.policy);
    }
  }

  /** The way to every call: none of a payout gets to a provider that it was not opened with. */
  #providerOf({ payoutId, provider: opened }: Payout): ProviderClient {
    const { provider } = this.#deps;
    if (provider.name === opened) return provider;
    throw new CodedError('PAYOUT_OTHER_PROVIDER', `payout ${payoutId} is of ${opened}, and ${provider.name} is asked`);
  }

  async #submit(payout: Payout, attempt: Attempt, requested: PayoutRequested, begunAt: number): Promise<SubmitResult> {
    const { clock, config } = this.#deps;
    const provider = this.#providerOf(payout);
    const parties = openParties(requested);
    if (!parties) return { kind: 'not-sent', code: 'PARTIES_SEALED', detail: 'the parties are sealed' };
    const verdict = await this.gate(requested).catch(() => undefined);
    if (!verdict) return { kind: 'not-sent', code: 'GATE_UNREACHABLE', detail: 'the gate could not be asked' };
    if (!verdict.pass) return { kind: 'not-sent', code: verdict.code, detail: 'the gate closed' };
    const until = sendBefore(attempt);
    // Asked right before the first byte: a worker that was stopped and woke up late sends nothing.
    const mayStart = () =>
      clock.now() < until &&
      clock.monotonic() - begunAt < config.policy.leaseMs &&
      this.#paused(requested) === undefined;
    const instruction = instructionOf(requested, parties, attempt);
    const unpayable = unpayableReason(instruction);
    // Ours to refuse, and for good: no provider could pay it.
    if (unpayable) return { kind: 'observed', state: 'REFUSED', reference: null, reasonCode: unpayable };
    const result = withDifferences(await provider.submit(instruction, mayStart), instruction);
    this.#reportAnswer(payout, 'submit', result);
    return result;
  }

  /** The answer about the last attempt, with what it says otherwise than was asked. */
  async #compared<R extends QueryResult | CancelResult>(payout: Payout, result: R): Promise<R> {
    const attempt = lastAttempt(payout);
    // An attempt of a price before has ended: its answers are judged as those of a dead key.
    if (result.kind !== 'observed' || !result.echoed || attempt?.pricingAttempt !== payout.pricingAttempt)
      return result;
    const requested = await this.#decodes.add(payout);
    const parties = openParties(requested);
    return parties ? withDifferences(result, instructionOf(requested, parties, attempt)) : result;
  }

  async #cancel(payout: Payout): Promise<Payout | undefined> {
    const { clock, config } = this.#deps;
    const { key } = lastAttempt(payout)!;
    const result = await this.#compared(payout, await this.#providerOf(payout).cancel(key));
    this.#reportAnswer(payout, 'cancel', result);
    await this.#deps.failpoint?.('payout.after-cancel');
    const decide = (now: Payout) => afterCancel(now, key, result, clock.now(), config.policy);
    return this.settle(payout, decide, result.kind === 'observed');
  }

  /** A change is stored: tell who needs to know. */
  #notify(before: Payout, after: Payout): void {
    const { payoutId } = after;
    const { attempts, clock, config, outbox } = this.#deps;
    // What a database that is put back forgets, the log keeps: nothing of this payout begins any more.
    if (after.cases.slice(before.cases.length).some(endsPayout)) attempts?.stopped(payoutId, clock.now());
    if (before.phase !== after.phase) this.#emit({ kind: 'transition', payoutId, from: before.phase, to: after.phase });
    for (const { code } of after.cases.slice(before.cases.length)) this.#emit({ kind: 'case', payoutId, code });
    if (after.updates.length > before.updates.length) outbox.offer([after]);
    // The sweeper takes care of a lease that runs out: usually its worker reports long before.
    if (after.nextPollAt === null || after.phase === 'SUBMITTING') return;
    if (after.nextPollAt > clock.now() + config.timerHorizonMs) return;
    this.#schedules.add({ payoutId, dueAt: after.nextPollAt }).catch((error: unknown) => this.fault(error));
  }

  #reportAnswer(
    payout: Payout,
    call: 'submit' | 'query' | 'cancel',
    result: SubmitResult | QueryResult | CancelResult,
  ): void {
    const { clock, config } = this.#deps;
    const at = clock.now();
    const aheadMs = clockAhead(result, at);
    if (aheadMs !== undefined) {
      const isDoubtful = isClockDoubtful(result, at, config.policy);
      this.#emit({ kind: 'clock', payoutId: payout.payoutId, aheadMs, isDoubtful });
    }
    if (!('code' in result)) return;
    this.#emit({ kind: 'no-answer', payoutId: payout.payoutId, call, code: result.code });
  }

  /** Something in the background failed; the sweeper takes it up again. */
  fault(error: unknown): void {
    this.#emit({ kind: 'fault', ...codeAndDetail(error) });
  }

  #emit(event: PayoutEvent): void {
    this.#deps.onEvent?.(event);
  }
}
