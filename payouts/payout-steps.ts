// What is due on a payout, step by step: asks decide.ts, does it, stores what came of it.
import { randomUUID } from 'node:crypto';
import { Batcher } from '../ports/batcher.ts';
import { codeAndDetail } from '../ports/fault.ts';
import { lastAttempt } from './changes.ts';
import { after, beginAttempt, expire, giveUp, giveUpLease, type Learnt, nextStep, postpone } from './decide.ts';
import type { PayoutExecutorDependencies, PayoutReports } from './dependencies.ts';
import type { Attempt, Payout } from './payout.ts';
import type { ProviderCalls } from './provider-calls.ts';
import { stopUnprovable } from './put-back.ts';
import type { StoredPayouts } from './stored-payouts.ts';

/** More than one round is rare: a query that leads to a cancel, a lease that is given up and asked about. */
const MAX_STEPS = 8;

export interface StepTools {
  readonly stored: StoredPayouts;
  readonly calls: ProviderCalls;
  readonly reports: PayoutReports;
}

export class PayoutSteps {
  readonly #deps: PayoutExecutorDependencies;
  readonly #tools: StepTools;
  readonly #claims: Batcher<Payout, boolean>;

  constructor(deps: PayoutExecutorDependencies, tools: StepTools) {
    this.#deps = deps;
    this.#tools = tools;
    const { attempts, config } = deps;
    this.#claims = new Batcher<Payout, boolean>({
      run: async (batch) => (attempts ? attempts.claim(batch.map(claimOf)) : batch.map(() => true)),
      keyOf: ({ payoutId }) => payoutId,
      maxItems: config.maxStoreBatch,
      gathersTurn: true,
    });
  }

  /** Whether an attempt that was stored without one may begin: the provider takes submits, and claims come back. */
  get canBegin(): boolean {
    const { attempts, provider } = this.#deps;
    return provider.ready() && attempts?.ready() !== false;
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

  /** Stores what became of an attempt that this worker has begun; none learnt: it changes nothing. */
  async storeOutcome(payout: Payout, learnt: readonly Learnt[]): Promise<void> {
    await this.#learn(payout, learnt);
    await this.#deps.failpoint?.('payout.after-outcome-write');
  }

  #learn(payout: Payout, learnt: readonly Learnt[], insistence: 'insist' | 'once' = 'insist') {
    const { policy } = this.#deps.config;
    const decide = (now: Payout) => learnt.reduce((known, one) => after(known, one, policy), now);
    return this.#tools.stored.change(payout, decide, insistence);
  }

  /** One step; answers the payout when there may be another. */
  async #step(payout: Payout): Promise<Payout | undefined> {
    const { clock, config, failpoint } = this.#deps;
    const { stored, calls } = this.#tools;
    const at = clock.now();
    switch (nextStep(payout, at, config.policy)) {
      case 'rest':
        return undefined;
      case 'expire': {
        if (await this.#waits(payout)) return undefined;
        return stored.change(payout, (now) => expire(now, at), 'once');
      }
      case 'give-up':
        return stored.change(payout, (now) => giveUp(now, at), 'once');
      case 'give-up-lease': {
        const unknown = await stored.change(payout, (now) => giveUpLease(now, at), 'once');
        await failpoint?.('payout.after-lease-given-up');
        return unknown;
      }
      case 'submit':
        return this.canBegin ? this.#begin(payout) : undefined;
      case 'query': {
        const learnt = await calls.query(payout);
        return this.#learn(payout, [learnt], learnt.result.kind === 'observed' ? 'insist' : 'once');
      }
      case 'cancel': {
        const learnt = await calls.cancel(payout);
        return this.#learn(payout, [learnt], learnt.result.kind === 'observed' ? 'insist' : 'once');
      }
    }
  }

  /**
   * NEW and paused: it waits, whatever becomes of its price. When it is resumed, a price that is over is asked for anew.
   * False: it is not paused.
   */
  async #waits(payout: Payout): Promise<boolean> {
    const { calls, stored } = this.#tools;
    const untilMs = await calls.pausedUntil(payout);
    if (untilMs === undefined) return false;
    await stored.change(payout, (now) => postpone(now, this.#deps.clock.now(), untilMs), 'once');
    return true;
  }

  /** A later attempt, or the first of a payout that was stored without one. */
  async #begin(payout: Payout): Promise<Payout | undefined> {
    const { attempts, clock, config, failpoint } = this.#deps;
    const { stored, calls } = this.#tools;
    if (await this.#waits(payout)) return undefined;
    // What could happen: the log has forgotten what was claimed, so a document that was put back looks whole. What stops it:
    // nothing begins once a payout is older than the log reaches (docs/adr/0010-attempts-in-the-log.md).
    if (attempts && clock.now() - payout.createdAt > config.provableMs) {
      return stored.change(payout, (now) => stopUnprovable(now, clock.now()), 'once');
    }
    const requested = await calls.requestOf(payout);
    const verdict = await calls.gate(requested);
    if (!verdict.pass) {
      await stored.change(payout, (now) => postpone(now, clock.now(), verdict.untilMs), 'once');
      return undefined;
    }
    const begunAt = clock.monotonic();
    // What could happen: two workers begin the same attempt. What stops it: both name one revision, and one write wins; only
    // its worker may send. A death from here to the first byte leaves SUBMITTING: after the lease it is asked about.
    const token = randomUUID();
    const begun = await stored.change(payout, (now) => beginAttempt(now, clock.now(), config.policy, token), 'once');
    if (begun?.phase !== 'SUBMITTING') return begun;
    const unclaimed = await this.#claim(begun);
    if (!unclaimed) await failpoint?.('payout.after-attempt-claimed');
    const learnt = unclaimed ?? (await calls.submit(begun, requested, begunAt));
    const concluded = await this.#learn(begun, learnt ? [learnt] : []);
    await failpoint?.('payout.after-outcome-write');
    return concluded;
  }

  /**
   * Claims an attempt in the log that has just been stored. Undefined: the claim stands, and the attempt may be sent.
   *
   * What could happen: the database was put back before this write, which then won on a state that lacks what was sent. What
   * stops it: a claim stands only if the document has the attempt that was claimed before it. Store, claim, send in this
   * order: a death between the first two leaves an attempt that was never sent, and no claim without an attempt (ADR 10).
   */
  async #claim(begun: Payout): Promise<Learnt | undefined> {
    const { key } = lastAttempt(begun)!;
    const { clock } = this.#deps;
    try {
      return (await this.#claims.add(begun)) ? undefined : { call: 'claim', key, at: clock.now() };
    } catch (error) {
      this.#tools.reports.fault(error);
      const result = { kind: 'not-sent', ...codeAndDetail(error) } as const;
      return { call: 'submit', key, result, at: clock.now() };
    }
  }
}

const begun = ({ number, startedAt, token }: Attempt) => ({ number, startedAt, token: token ?? null });

function claimOf(payout: Payout) {
  const { number, startedAt, token } = begun(lastAttempt(payout)!);
  return {
    payoutId: payout.payoutId,
    attempt: number,
    startedAt,
    token,
    earlier: payout.attempts.slice(0, -1).map(begun),
  };
}
