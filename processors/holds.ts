// Holding and resuming a transfer: shared by the stages that hold. A hold is honoured once, and only for what was decided on.
//
// A command proves nothing by being there. The held event that it carries must bear the seal of the stages, its content
// must hash to what was sealed, and the decision must bear the seal of the program through which a person made it. That
// a hold lapsed is what anybody may say: the stage looks at its own clock.

import { HOLD_EXPIRY } from '../domain/people/identities.ts';
import { isOfTwo, type SecondPerson, secondPersonContent } from '../domain/people/two-persons.ts';
import { isSealed, type KeyRing, sealOf } from '../domain/seals/seal.ts';
import { holdIdOf } from '../domain/transfers/event-id.ts';
import { isSamePosition } from '../domain/transfers/origin-position.ts';
import { askSome } from '../ports/ask-some.ts';
import type { ErrorCode } from '../ports/error-codes.ts';
import type { Reason, ReviewDecided, ReviewOutcome, Stage, TransferHeld } from '../schemas/types.generated.ts';
import type { TopicName } from '../topics/catalogue.ts';
import type { Cause, Disposition, Received } from './contract.ts';
import { contentHashOf } from './hold-content.ts';
import type { NeedsTwo } from './second-person.ts';

/** How long a hold waits for a decision before it lapses, unless configured. */
export const DEFAULT_HOLD_TTL_MS = 14 * 86_400_000;

/** Which command resumed a hold. Never changes once made. */
export interface HoldClaim {
  readonly holdId: string;
  readonly commandId: string;
  /** Where that command stands in the log: the same command may be published twice. */
  readonly position: string;
  readonly transferId: string;
  /** When the claim was made, ms: the time of the event that follows, however often it is emitted. */
  readonly claimedAt: number;
}

/** Durable, atomic claims on holds. */
export interface HoldClaims {
  /**
   * Claims holds that no command resumed before; at most one claim per hold in a batch.
   * @returns for each given claim, in order, the claim that stands
   * @throws CodedError MONGO_UNAVAILABLE
   */
  claim(claims: readonly HoldClaim[]): Promise<readonly HoldClaim[]>;
}

/** Failpoints of the stages that hold: a hold is claimed, nothing is emitted. */
export const HOLD_FAILPOINTS = [
  'screening.after-hold-claim',
  'limits.after-hold-claim',
  'payout-dispatch.after-hold-claim',
] as const;
export type HoldFailpoint = (typeof HOLD_FAILPOINTS)[number];

/** Failpoints of whoever keeps claims on holds. */
export const HOLD_CLAIMS_FAILPOINTS = ['hold-claims.after-insert'] as const;
export type HoldClaimsFailpoint = (typeof HOLD_CLAIMS_FAILPOINTS)[number];

/** Under which keys holds and decisions on them are sealed. */
export interface HoldKeys {
  /** Seals what the stages hold. */
  readonly stages: KeyRing;
  /** Seals what persons decide. */
  readonly operators: KeyRing;
}

/** What a decision is held against. */
export interface ReviewTrust extends HoldKeys {
  /** Which holds take two persons. */
  readonly needsTwo: NeedsTwo;
}

/** What a stage does with a decision. */
export type ReviewVerdict =
  | {
      readonly kind: 'honour';
      readonly approved: boolean;
      /** The hold lapsed: nobody decided, or the approval came too late. Not approved. */
      readonly lapse?: 'undecided' | 'late';
      readonly review: ReviewOutcome;
      readonly occurredAt: number;
    }
  /** Another stage holds this transfer. */
  | { readonly kind: 'not-ours' }
  /** Not what was decided on, not proven, or another command was first. */
  | { readonly kind: 'dropped'; readonly cause: Cause }
  | { readonly kind: 'halt'; readonly disposition: Disposition };

/** Whether the transfer goes on. */
export const isApproved = (verdict: ReviewVerdict | undefined): boolean =>
  verdict?.kind === 'honour' && verdict.approved;

interface ReviewTerms {
  readonly stage: Stage;
  /** ms since 1970 */
  readonly now: number;
  readonly keys: ReviewTrust;
}

/** A decision, where it stands in the log and since when. */
export type PlacedReview = Pick<Received<ReviewDecided>, 'value' | 'position' | 'appendedAt'>;

/** The verdict of each decision, in order; claims the holds on the way. */
export async function settleReviews(
  store: HoldClaims,
  reviews: readonly PlacedReview[],
  terms: ReviewTerms,
): Promise<readonly ReviewVerdict[]> {
  const refusals = reviews.map(({ value }) => refusalOf(value, terms));
  const wanted = new Map<string, HoldClaim>();
  reviews.forEach(({ value: { holdId, command }, position }, index) => {
    if (refusals[index] !== undefined || wanted.has(holdId)) return;
    const { commandId, transferId } = command;
    wanted.set(holdId, { holdId, commandId, position, transferId, claimedAt: terms.now });
  });
  const claims = wanted.size > 0 ? await store.claim([...wanted.values()]) : [];
  const verdict = new Map(claims.map((claim) => [claim.holdId, claim]));
  return reviews.map((review, index) => refusals[index] ?? honoured(review, verdict.get(review.value.holdId)!));
}

export interface ReviewsOptions extends ReviewTerms {
  readonly holds: HoldClaims;
  /** Once the holds are claimed. */
  readonly afterClaim?: () => void | Promise<void>;
  /** Called with each decision that has no effect, or not the one that the person wanted. */
  readonly onDropped?: ((cause: Cause) => void) | undefined;
}

/** The verdict of each decision in a batch, at its place; undefined where there is none. Claims the holds on the way. */
export function verdictsIn(
  batch: readonly (
    | (PlacedReview & { readonly topic: 'review.decided' })
    | { readonly topic: Exclude<TopicName, 'review.decided'> }
  )[],
  { holds, afterClaim, onDropped, ...terms }: ReviewsOptions,
): Promise<readonly (ReviewVerdict | undefined)[]> {
  const decisions = batch.map((input) => (input.topic === 'review.decided' ? input : undefined));
  return askSome(decisions, async (reviews) => {
    const verdicts = await settleReviews(holds, reviews, terms);
    await afterClaim?.();
    reportDropped(verdicts, onDropped);
    return verdicts;
  });
}

function refusalOf(decided: ReviewDecided, { stage, now, keys }: ReviewTerms): ReviewVerdict | undefined {
  const { held, holdId, command } = decided;
  const { hold, envelope } = held;
  if (hold.stage !== stage) return { kind: 'not-ours' };
  if (!isSealedAsHeld(keys.stages, held)) {
    return dropped('HOLD_NOT_SEALED', 'the held event does not bear the seal of a stage: it was made by somebody else');
  }
  if (holdId !== hold.holdId || holdId !== holdIdOf(envelope.transferId, envelope.sequence)) {
    return dropped('HOLD_MISMATCH', 'the decision names another hold than the held event');
  }
  if (command.transferId !== envelope.transferId) {
    return dropped('HOLD_MISMATCH', 'the decision is for another transfer');
  }
  if (decided.evidenceHash !== hold.evidenceHash || contentHashOf(held) !== hold.evidenceHash) {
    return dropped('EVIDENCE_MISMATCH', 'the decision was made on other content than is held: decide again');
  }
  return command.issuedBy === HOLD_EXPIRY ? earlyExpiry(decided, now) : unprovenDecision(decided, keys);
}

/** An expiry is honoured when the hold has lapsed by our own clock, and is nothing but a rejection. */
function earlyExpiry({ decision, held }: ReviewDecided, now: number): ReviewVerdict | undefined {
  if (decision !== 'REJECT') return dropped('EXPIRY_NO_REJECTION', 'the lapse of a hold can only reject');
  const { expiresAt } = held.hold;
  if (now > expiresAt) return undefined;
  const cause: Cause = { code: 'HOLD_NOT_EXPIRED', detail: 'by the clock of this stage the hold has not lapsed yet' };
  return { kind: 'halt', disposition: { kind: 'wait', untilMs: expiresAt + 1, cause } };
}

function unprovenDecision(decided: ReviewDecided, { operators, needsTwo }: ReviewTrust): ReviewVerdict | undefined {
  if (!isReviewSealed(operators, decided)) {
    return dropped('DECISION_NOT_SEALED', 'the decision does not bear the seal of a program for operators');
  }
  const isOfOne = !isOfTwo({ ...decided, by: decided.command.issuedBy });
  const why = decided.decision === 'APPROVE' && isOfOne ? needsTwo(decided.held) : [];
  if (why.length > 0) {
    return dropped(
      'DECISION_OF_ONE',
      `one person alone approved what takes two (${why.join(', ')}): restore its case, then two decide it`,
    );
  }
  if (decided.decision !== 'UNKNOWN') return undefined;
  const cause: Cause = { code: 'DECISION_UNKNOWN', detail: 'a decision of a kind that this version does not know' };
  return { kind: 'halt', disposition: { kind: 'stop', cause } };
}

function honoured({ value, position, appendedAt }: PlacedReview, claim: HoldClaim): ReviewVerdict {
  const { command, holdId, decision, evidenceHash, justification, held } = value;
  if (claim.commandId !== command.commandId) return dropped('HOLD_TAKEN', 'another decision resumed this hold before');
  const made = { position: claim.position, storedAt: claim.claimedAt };
  if (!isSamePosition(made, { topic: 'review.decided', position, appendedAt }))
    return dropped('DECISION_REPEATED', 'this decision was published before');
  const { issuedBy: decidedBy, issuedAt: decidedAt } = command;
  const review = { holdId, decision, decidedBy, decidedAt, evidenceHash, justification };
  const { claimedAt: occurredAt } = claim;
  // Late by the broker's clock and by ours: the same whenever the record runs again, since the claim is stored.
  const isLate = Math.min(appendedAt, occurredAt) > held.hold.expiresAt;
  if (decision !== 'APPROVE' || !isLate) {
    const lapse = decidedBy === HOLD_EXPIRY ? ({ lapse: 'undecided' } as const) : {};
    return { kind: 'honour', approved: decision === 'APPROVE', review, occurredAt, ...lapse };
  }
  const late = `The approval by ${decidedBy} came after the hold had lapsed.`;
  const lapsed: ReviewOutcome = {
    ...review,
    decision: 'REJECT',
    decidedBy: HOLD_EXPIRY,
    decidedAt: occurredAt,
    justification: late,
  };
  return { kind: 'honour', approved: false, lapse: 'late', review: lapsed, occurredAt };
}

/** Tells of each decision that has no effect, or not the one that the person wanted. */
function reportDropped(verdicts: readonly ReviewVerdict[], onDropped: ((cause: Cause) => void) | undefined): void {
  for (const verdict of verdicts) {
    if (verdict.kind === 'dropped') onDropped?.(verdict.cause);
    if (verdict.kind === 'honour' && verdict.lapse === 'late') {
      onDropped?.({ code: 'DECISION_LATE', detail: verdict.review.justification });
    }
  }
}

const dropped = (code: ErrorCode, detail: string): ReviewVerdict => ({ kind: 'dropped', cause: { code, detail } });

/** What a person decided on which hold. */
export interface Decided extends SecondPerson {
  readonly holdId: string;
  readonly evidenceHash: string;
  readonly decision: ReviewDecided['decision'];
  readonly decidedBy: string;
  /** ms since 1970 */
  readonly decidedAt: number;
  readonly justification: string;
}

/** Whether a program for operators sealed this decision as it stands. */
export const isReviewSealed = (operators: KeyRing, decided: ReviewDecided): boolean =>
  isDecisionSealed(operators, decisionIn(decided), decided.seal);

const decisionIn = (decided: ReviewDecided): Decided => ({
  ...decided,
  decidedBy: decided.command.issuedBy,
  decidedAt: decided.command.issuedAt,
});

const decisionContent = (decided: Decided): readonly string[] => {
  const { holdId, evidenceHash, decision, decidedBy, decidedAt, justification } = decided;
  const alone = [holdId, evidenceHash, decision, decidedBy, String(decidedAt), justification];
  return [...alone, ...secondPersonContent(decided)];
};

/** The seal of a decision, made when the person makes it. */
export const sealDecision = (operators: KeyRing, decided: Decided): string =>
  sealOf(operators, 'decision', decisionContent(decided));

/** Whether this decision was sealed as it stands. */
export const isDecisionSealed = (operators: KeyRing, decided: Decided, seal: string | null | undefined): boolean =>
  isSealed(operators, 'decision', decisionContent(decided), seal);

const holdContent = ({ envelope, hold }: Pick<TransferHeld, 'envelope' | 'hold'>) => [
  hold.holdId,
  envelope.transferId,
  hold.stage,
  String(hold.expiresAt),
  hold.evidenceHash,
];

/** Whether the seal of the hold is that of a stage; the content is bound by the hash that is sealed. */
export const isSealedAsHeld = (stages: KeyRing, held: TransferHeld): boolean =>
  isSealed(stages, 'hold', holdContent(held), held.hold.seal);

/** How a stage holds. */
export interface Holding {
  /** How long a hold waits for a decision before it lapses, in ms. */
  readonly ttlMs: number;
  readonly stages: KeyRing;
}

interface HoldTerms {
  readonly stage: Stage;
  readonly reasons: readonly Reason[];
}

/** The held event with its hold: bound to all that the event says, sealed, and lapsing `ttlMs` after it occurred. */
export function heldOf(
  event: Omit<TransferHeld, 'hold'>,
  { stage, reasons }: HoldTerms,
  { ttlMs, stages }: Holding,
): TransferHeld {
  const { transferId, sequence, occurredAt } = event.envelope;
  const hold = { holdId: holdIdOf(transferId, sequence), stage, reasons, expiresAt: occurredAt + ttlMs };
  const bound = { ...hold, evidenceHash: contentHashOf({ ...event, hold }), seal: null };
  const seal = sealOf(stages, 'hold', holdContent({ envelope: event.envelope, hold: bound }));
  return { ...event, hold: { ...bound, seal } };
}
