// What the executor needs from outside; adapters implement it.
import type { ErrorCode, ShownCode } from '../ports/error-codes.ts';
import type { PayoutRequested } from '../schemas/types.generated.ts';
import type { AttemptClaim, ClaimedAttempt } from './attempt-ledger.ts';
import type { CancelResult, Payout, PayoutInstruction, QueryResult, SubmitResult } from './payout.ts';

/** A change to be stored only if nobody else has written since. */
export interface PayoutChange {
  /** Revision that the change was decided on. */
  readonly from: number;
  readonly next: Payout;
}

/**
 * Payouts, durably. Every method is one round trip (or two) for a whole batch, and rejects with a coded error when the
 * store cannot be reached; what it had done by then is not known to the caller.
 */
export interface PayoutStore {
  /**
   * Stores those that do not exist yet. Answers, in order, whether this very call stored it: true for at most one of all
   * callers of a payout.
   */
  insert(payouts: readonly Payout[]): Promise<readonly boolean[]>;
  /**
   * Compare-and-set on the revision; at most one change per payout and call. True: this very call won. A false answer may
   * be wrong (somebody wrote right after), a true one never is.
   */
  apply(changes: readonly PayoutChange[]): Promise<readonly boolean[]>;
  load(payoutIds: readonly string[]): Promise<readonly Payout[]>;
  /** The store's own clock, ms since the epoch: a second opinion on ours. */
  now(): Promise<number>;
  /**
   * Ids of payouts of this provider with `nextPollAt` at or before `before`: the longest overdue first, and after the others,
   * or not at all, those that are NEW.
   */
  overdue(
    before: number,
    limit: number,
    options: { readonly provider: string; readonly withNew: boolean },
  ): Promise<readonly string[]>;
  /** How many payouts of other providers than this have `nextPollAt` at or before `before`; counts to `limit` at most. */
  countOfOthers(before: number, limit: number, provider: string): Promise<number>;
}

/** One provider. Never throws for what the provider or the network does. */
export interface ProviderClient {
  /** Of the payouts that are its own: a key means nothing to any other provider. */
  readonly name: string;
  /** False while the circuit is open and no trial call is due: don't begin attempts. */
  ready(): boolean;
  /**
   * Sends the instruction at most once. `mayStart` is asked right before the first byte is written to the socket; when it
   * says no, nothing is sent and the result is `not-sent`.
   */
  submit(instruction: PayoutInstruction, mayStart: () => boolean): Promise<SubmitResult>;
  query(key: string): Promise<QueryResult>;
  /** Asks to close the key for good, whether or not the provider has ever seen it. */
  cancel(key: string): Promise<CancelResult>;
}

/** Wakes payouts up. Only a timer: what it forgets, the sweeper finds. */
export interface PollTimer {
  schedule(entries: readonly { readonly payoutId: string; readonly dueAt: number }[]): Promise<void>;
  /** Calls back with ids that are due; the promise is awaited, which limits how many are on their way. */
  start(onDue: (payoutIds: readonly string[]) => Promise<void>): Promise<void>;
  stop(): Promise<void>;
}

/** The fast way out: payouts with updates that are not published yet, right after they were stored. Never throws. */
export interface OutcomeOutbox {
  offer(payouts: readonly Payout[]): void;
}

/** payout.requested as bytes and back. */
export interface RequestCodec {
  encode(requested: PayoutRequested): Uint8Array;
  /** A copy of these bytes, which are known to hold this event. */
  keep(bytes: Uint8Array, requested: PayoutRequested): Uint8Array;
  decode(requested: readonly Uint8Array[]): Promise<readonly PayoutRequested[]>;
}

/** Attempts that were claimed, in the log: beside the database, and out of its reach. */
export interface AttemptClaims {
  /** The highest attempt of a payout that was claimed, as far as this process has read: it may lag behind. */
  highest(payoutId: string): ClaimedAttempt | undefined;
  /**
   * Claims attempts that are stored, before anything of them is sent: one round trip for a batch. Answers, in order, whether
   * each may be sent: the first claim of a payout stands, and later ones whose number is above that of the claim that stood
   * last and whose document has that attempt too. Rejects with a coded error when that is not known in time; the claims may
   * stand all the same.
   */
  claim(claims: readonly Omit<AttemptClaim, 'claimId'>[]): Promise<readonly boolean[]>;
  /** False while claims do not come back: don't begin attempts that need one, since each that is begun counts. */
  ready(): boolean;
  /** Has the log know that nothing of this payout begins any more: tried until it does, and only then resolved. Never rejects. */
  stopped(payoutId: string, since: number): Promise<void>;
}

export type GateVerdict =
  | { readonly pass: true }
  /** Not now; asked again at `untilMs`. */
  | { readonly pass: false; readonly untilMs: number; readonly code: ErrorCode };

/**
 * Asked right before an attempt begins, and again after it is stored and before the first byte: the second answer must be
 * read after the call, from the durable source. One round trip for a batch; verdicts in order.
 */
export interface SubmissionGate {
  check(requests: readonly PayoutRequested[]): Promise<readonly GateVerdict[]>;
}

/** Payouts that people have paused. Answers at once: what was set is followed beside it. */
export interface PayoutPauses {
  /** Whether anything is paused that a payout could depend on: asked for each payout that would end or begin. */
  readonly some: boolean;
  /** Why this payout may not begin; undefined: it may. */
  of(requested: PayoutRequested): { readonly code: ErrorCode; readonly detail: string } | undefined;
}

export interface PayoutClock {
  /** Wall clock, ms since the epoch. */
  now(): number;
  /** Never goes back; ms. */
  monotonic(): number;
  /** Resolves after `ms`, or at once when the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** Points between two side effects where tests may end or stop the process. */
export const PAYOUT_FAILPOINTS = [
  'payout.after-insert',
  'payout.after-cas-submitting',
  /** Reached by attempts that are claimed: all but those that are sent as they come. */
  'payout.after-attempt-claimed',
  'payout.after-submit',
  'payout.after-outcome-write',
  'payout.after-lease-given-up',
  /** Reached by the outbox relay: in the log, and not yet marked so. */
  'payout.after-publish',
  'payout.after-query',
  'payout.after-cancel',
] as const;
/**
 * Two persons let the closing of a case through, and it is not written yet; it is, and nobody was told. The crash
 * harness draws none of them: nobody closes cases of payouts in its runs.
 */
export const CLOSING_FAILPOINTS = ['payout.before-closing', 'payout.after-closing'] as const;
export type PayoutFailpoint = (typeof PAYOUT_FAILPOINTS)[number];

/** What happened, for metrics and logs. Ids only, no personal data. */
export type PayoutEvent =
  | { readonly kind: 'transition'; readonly payoutId: string; readonly from: string; readonly to: string }
  /** Somebody else wrote first; decided anew on what they wrote. */
  | { readonly kind: 'write-conflict'; readonly payoutId: string }
  | { readonly kind: 'redelivered'; readonly payoutId: string }
  | { readonly kind: 'case'; readonly payoutId: string; readonly code: ErrorCode }
  | {
      readonly kind: 'no-answer';
      readonly payoutId: string;
      readonly call: 'submit' | 'query' | 'cancel';
      readonly code: ShownCode;
    }
  /** An answer bore the provider's clock; `aheadMs` of ours. */
  | { readonly kind: 'clock'; readonly payoutId: string; readonly aheadMs: number; readonly isDoubtful: boolean }
  | { readonly kind: 'swept'; readonly count: number }
  /** Payouts of other providers are due, `count` of them as far as was counted: nothing is done about them. 0: none is. */
  | { readonly kind: 'of-other-provider'; readonly count: number }
  /** Work in the background failed; the sweeper takes it up again. */
  | { readonly kind: 'fault'; readonly code: ErrorCode; readonly detail: string };
