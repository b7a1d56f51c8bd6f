// Calls to the provider about one attempt, and what was learnt by each: facts, which decide.ts makes something of.
import { Batcher } from '../ports/batcher.ts';
import { CodedError } from '../ports/fault.ts';
import type { PayoutRequested } from '../schemas/types.generated.ts';
import { differences } from './answer-match.ts';
import { lastAttempt } from './changes.ts';
import { clockAhead, isClockDoubtful } from './clock-doubt.ts';
import { type Learnt, seemsUnseen, sendBefore } from './decide.ts';
import type { PayoutExecutorDependencies, PayoutReports } from './dependencies.ts';
import { instructionOf, openParties, unpayableReason } from './instruction.ts';
import type { Attempt, CancelResult, Payout, PayoutInstruction, QueryResult, SubmitResult } from './payout.ts';
import type { GateVerdict, ProviderClient } from './ports.ts';

type ClosedGate = Extract<GateVerdict, { pass: false }>;

export class ProviderCalls {
  readonly #deps: PayoutExecutorDependencies;
  readonly #reports: PayoutReports;
  readonly #decodes: Batcher<Payout, PayoutRequested>;
  readonly #gates: Batcher<PayoutRequested, GateVerdict>;

  constructor(deps: PayoutExecutorDependencies, reports: PayoutReports) {
    this.#deps = deps;
    this.#reports = reports;
    const { codec, gate, config } = deps;
    const bounds = { maxItems: config.maxStoreBatch, gathersTurn: true };
    this.#decodes = new Batcher<Payout, PayoutRequested>({
      run: (batch) => codec.decode(batch.map(({ requested }) => requested)),
      keyOf: ({ payoutId }) => payoutId,
      ...bounds,
    });
    this.#gates = new Batcher({
      run: async (batch) => (gate ? gate.check(batch) : batch.map(() => ({ pass: true }))),
      keyOf: ({ envelope }) => envelope.transferId,
      ...bounds,
    });
  }

  /** The event that the payout was asked for with. */
  requestOf(payout: Payout): Promise<PayoutRequested> {
    return this.#decodes.add(payout);
  }

  /** May this be submitted? Read after the call. Without a gate: yes, unless somebody has paused it. */
  async gate(requested: PayoutRequested): Promise<GateVerdict> {
    const pause = this.#pauseOf(requested);
    if (pause) return pause;
    return this.#deps.gate ? this.#gates.add(requested) : { pass: true };
  }

  /** When a payout that is paused is to be looked at again, ms since the epoch; undefined: it is not paused. */
  async pausedUntil(payout: Payout): Promise<number | undefined> {
    if (!this.#deps.pauses?.some) return undefined;
    return this.#pauseOf(await this.requestOf(payout))?.untilMs;
  }

  #pauseOf(requested: PayoutRequested): ClosedGate | undefined {
    const { clock, config, pauses } = this.#deps;
    const paused = pauses?.of(requested);
    return paused && { pass: false, untilMs: clock.now() + config.pausedLookMs, code: paused.code };
  }

  /**
   * Sends the attempt that this worker, and no other, has just begun and stored.
   * @param begunAt monotonic time from before the attempt was stored, ms
   * @returns undefined: there is none to be sent, the price was over
   */
  async submit(payout: Payout, requested: PayoutRequested, begunAt: number): Promise<Learnt | undefined> {
    const { clock, failpoint } = this.#deps;
    const attempt = lastAttempt(payout);
    if (payout.phase !== 'SUBMITTING' || !attempt) return undefined;
    await failpoint?.('payout.after-cas-submitting');
    const result = await this.#send(payout, attempt, requested, begunAt);
    await failpoint?.('payout.after-submit');
    return { call: 'submit', key: attempt.key, result, at: clock.now() };
  }

  /** Asks the provider about the last attempt. */
  async query(payout: Payout): Promise<Learnt & { readonly call: 'query' }> {
    const { clock, config, failpoint, payouts } = this.#deps;
    const { key } = lastAttempt(payout)!;
    const result = await this.#compared(payout, await this.#providerOf(payout).query(key));
    this.#report(payout, 'query', result);
    await failpoint?.('payout.after-query');
    const at = clock.now();
    // What could happen: our clock is ahead, and an attempt that may still be taken counts as over. What stops it: where the
    // passing of time would be the proof, and there alone, the store's clock must say so too.
    const earliest = seemsUnseen(payout, result, at, config.policy) ? await payouts.now() : at;
    return { call: 'query', key, result, at, earliest };
  }

  /** Has the provider close the last attempt's key for good. */
  async cancel(payout: Payout): Promise<Learnt & { readonly call: 'cancel' }> {
    const { clock, failpoint } = this.#deps;
    const { key } = lastAttempt(payout)!;
    const result = await this.#compared(payout, await this.#providerOf(payout).cancel(key));
    this.#report(payout, 'cancel', result);
    await failpoint?.('payout.after-cancel');
    return { call: 'cancel', key, result, at: clock.now() };
  }

  /**
   * The way to every call. What could happen: the configured provider changes while payouts are open, does not know their
   * keys, and its "not found" counts as proof. What stops it: a payout goes to the provider that it was opened with alone.
   */
  #providerOf({ payoutId, provider: opened }: Payout): ProviderClient {
    const { provider } = this.#deps;
    if (provider.name === opened) return provider;
    throw new CodedError('PAYOUT_OTHER_PROVIDER', `payout ${payoutId} is of ${opened}, and ${provider.name} is asked`);
  }

  async #send(payout: Payout, attempt: Attempt, requested: PayoutRequested, begunAt: number): Promise<SubmitResult> {
    const { clock, config } = this.#deps;
    const provider = this.#providerOf(payout);
    const parties = openParties(requested);
    if (!parties) return { kind: 'not-sent', code: 'PARTIES_SEALED', detail: 'the parties are sealed' };
    // What could happen: a list is put in force between the first look and the write. What stops it: this second look is
    // read after the attempt is stored, so whatever was put in force before that moment holds.
    const verdict = await this.gate(requested).catch(() => undefined);
    if (!verdict) return { kind: 'not-sent', code: 'GATE_UNREACHABLE', detail: 'the gate could not be asked' };
    if (!verdict.pass) return { kind: 'not-sent', code: verdict.code, detail: 'the gate closed' };
    // What could happen: this process is stopped, its lease runs out, others have the key cancelled and begin the next one,
    // and it wakes up. What stops it: the lease is looked at in the turn of the event loop that writes the first byte, by
    // both clocks. What is left, a stop between that look and the write, ends at the provider: the key is closed or expired.
    const until = sendBefore(attempt);
    const mayStart = () =>
      clock.now() < until &&
      clock.monotonic() - begunAt < config.policy.leaseMs &&
      this.#pauseOf(requested) === undefined;
    const instruction = instructionOf(requested, parties, attempt);
    const unpayable = unpayableReason(instruction);
    // Ours to refuse, and for good: no provider could pay it.
    if (unpayable) return { kind: 'observed', state: 'REFUSED', reference: null, reasonCode: unpayable };
    const result = withDifferences(await provider.submit(instruction, mayStart), instruction);
    this.#report(payout, 'submit', result);
    return result;
  }

  /** The answer about the last attempt, with what it says otherwise than was asked. */
  async #compared<R extends QueryResult | CancelResult>(payout: Payout, result: R): Promise<R> {
    const attempt = lastAttempt(payout);
    // An attempt of a price before has ended: its answers are judged as those of a dead key.
    if (result.kind !== 'observed' || !result.echoed || attempt?.pricingAttempt !== payout.pricingAttempt) {
      return result;
    }
    const requested = await this.requestOf(payout);
    const parties = openParties(requested);
    return parties ? withDifferences(result, instructionOf(requested, parties, attempt)) : result;
  }

  #report(payout: Payout, call: Learnt['call'] & ('submit' | 'query' | 'cancel'), result: AnyResult): void {
    const { clock, config } = this.#deps;
    const { payoutId } = payout;
    const at = clock.now();
    const aheadMs = clockAhead(result, at);
    if (aheadMs !== undefined) {
      const isDoubtful = isClockDoubtful(result, at, config.policy);
      this.#reports.emit({ kind: 'clock', payoutId, aheadMs, isDoubtful });
    }
    if ('code' in result) this.#reports.emit({ kind: 'no-answer', payoutId, call, code: result.code });
  }
}

type AnyResult = SubmitResult | QueryResult | CancelResult;

function withDifferences<R extends AnyResult>(result: R, asked: PayoutInstruction): R {
  if (result.kind !== 'observed' || !result.echoed) return result;
  return { ...result, differs: differences(result.echoed, asked) };
}
