// Resuming a held transfer: shared by the stages that hold. A hold is honoured once, and only for what was decided on.
import { holdIdOf } from '../domain/event-id.ts';
import type { Hold, Reason, ReviewDecided, ReviewOutcome, Stage } from '../schemas/types.generated.ts';
import type { Cause, Disposition, Received } from './contract.ts';

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

/** What a stage does with a decision of a person. */
export type ReviewStanding =
  | { readonly kind: 'honour'; readonly approved: boolean; readonly review: ReviewOutcome; readonly occurredAt: number }
  /** Another stage holds this transfer. */
  | { readonly kind: 'not-ours' }
  /** Not what was decided on, or another command was first. */
  | { readonly kind: 'dropped'; readonly cause: Cause }
  | { readonly kind: 'halt'; readonly disposition: Disposition };

interface ReviewTerms {
  readonly stage: Stage;
  readonly now: number;
  /** Recomputes the hash of what the hold is about, where the stage can. */
  readonly evidenceHashOf?: (decided: ReviewDecided) => string;
}

/** A decision and where it stands in the log. */
export type PlacedReview = Pick<Received<ReviewDecided>, 'value' | 'position'>;

/** The standing of each decision, in order; claims the holds on the way. */
export async function settleReviews(
  store: HoldClaims,
  reviews: readonly PlacedReview[],
  terms: ReviewTerms,
): Promise<readonly ReviewStanding[]> {
  const refusals = reviews.map(({ value }) => refusalOf(value, terms));
  const wanted = new Map<string, HoldClaim>();
  reviews.forEach(({ value: { holdId, command }, position }, index) => {
    if (refusals[index] !== undefined || wanted.has(holdId)) return;
    const { commandId, transferId } = command;
    wanted.set(holdId, { holdId, commandId, position, transferId, claimedAt: terms.now });
  });
  const claims = wanted.size > 0 ? await store.claim([...wanted.values()]) : [];
  const standing = new Map(claims.map((claim) => [claim.holdId, claim]));
  return reviews.map((review, index) => refusals[index] ?? honoured(review, standing.get(review.value.holdId)!));
}

function refusalOf(decided: ReviewDecided, { stage, evidenceHashOf }: ReviewTerms): ReviewStanding | undefined {
  const { held, holdId, command, decision, evidenceHash } = decided;
  const { hold, envelope } = held;
  if (hold.stage !== stage) return { kind: 'not-ours' };
  if (decision === 'UNKNOWN') return halt('DECISION_UNKNOWN', 'a decision of a kind that this version does not know');
  if (holdId !== hold.holdId || holdId !== holdIdOf(envelope.transferId, envelope.sequence)) {
    return dropped('HOLD_MISMATCH', 'the decision names another hold than the held event');
  }
  if (command.transferId !== envelope.transferId)
    return dropped('HOLD_MISMATCH', 'the decision is for another transfer');
  const asSeen = evidenceHash === hold.evidenceHash;
  const asHeld = evidenceHashOf === undefined || evidenceHashOf(decided) === hold.evidenceHash;
  if (!asSeen || !asHeld) return dropped('EVIDENCE_MISMATCH', 'the decision was made on other evidence: decide again');
  return undefined;
}

function honoured({ value, position }: PlacedReview, claim: HoldClaim): ReviewStanding {
  const { command, holdId, decision, evidenceHash, justification } = value;
  if (claim.commandId !== command.commandId) return dropped('HOLD_TAKEN', 'another decision resumed this hold before');
  if (claim.position !== position) return dropped('DECISION_REPEATED', 'this decision was published before');
  const { issuedBy: decidedBy, issuedAt: decidedAt } = command;
  const review = { holdId, decision, decidedBy, decidedAt, evidenceHash, justification };
  return { kind: 'honour', approved: decision === 'APPROVE', review, occurredAt: claim.claimedAt };
}

const dropped = (code: string, detail: string): ReviewStanding => ({ kind: 'dropped', cause: { code, detail } });
const halt = (code: string, detail: string): ReviewStanding => ({
  kind: 'halt',
  disposition: { kind: 'stop', cause: { code, detail } },
});

export interface HoldTerms {
  readonly transferId: string;
  /** Sequence of the held event. */
  readonly sequence: number;
  readonly stage: Stage;
  readonly reasons: readonly Reason[];
  readonly evidenceHash: string;
  /** ms since 1970 */
  readonly expiresAt: number;
}

export const holdOf = ({ transferId, sequence, ...rest }: HoldTerms): Hold => ({
  holdId: holdIdOf(transferId, sequence),
  ...rest,
});
