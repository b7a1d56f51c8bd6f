// Limits: reserved, held for a person, or declined. Pure.
import { reason } from '../../domain/reasons.ts';
import { nextEnvelope } from '../../domain/transfers/envelope.ts';
import type {
  LimitsApproval,
  LimitUse,
  Reason,
  Reservation,
  ReviewDecided,
  TransferPriced,
} from '../../schemas/types.generated.ts';
import type { Decision, EmittedTo, Received } from '../contract.ts';
import { type Holding, heldOf, type ReviewVerdict } from '../holds.ts';
import type { Topology } from '../topology.ts';
import { exceeds, explainHold, explainRefusal } from './explain.ts';
import type { ReserveOutcome } from './ports.ts';
import type { LimitsInput, RuleBook } from './requests.ts';

export type LimitsEvent = EmittedTo<Topology['limits']['writes']>;

export type LimitsContext =
  | {
      readonly kind: 'claimed';
      /** ms since 1970 */
      readonly now: number;
      readonly outcome: ReserveOutcome | { readonly kind: 'not-countable' };
      readonly holding: Holding;
      readonly book: Pick<RuleBook, 'name' | 'byId'>;
    }
  | { readonly kind: 'reviewed'; readonly verdict: ReviewVerdict }
  /** The ledger took note; nothing is emitted. */
  | { readonly kind: 'noted' };

export function decide(input: LimitsInput, context: LimitsContext): Decision<LimitsEvent> {
  if (input.topic === 'transfer.priced' && context.kind === 'claimed') return claimed(input, context);
  if (input.topic === 'review.decided' && context.kind === 'reviewed') return resume(input, context.verdict);
  if (context.kind === 'noted') return [];
  throw new Error(`${input.topic} was given the context ${context.kind}`);
}

type Priced = Received<TransferPriced, 'transfer.priced'>;

type Claimed = Extract<LimitsContext, { kind: 'claimed' }>;

function claimed(input: Priced, context: Claimed): Decision<LimitsEvent> {
  const { outcome, now, book } = context;
  // What ran before may have been decided by the set of then.
  const limitRules = ('limitRules' in outcome ? outcome.limitRules : undefined) ?? book.name;
  switch (outcome.kind) {
    case 'superseded':
    case 'ended':
      return [];
    case 'not-countable':
      return [rejected(input, { now, limitRules }, [], [reason('AM14', 'the amount is above what limits can count')])];
    case 'refused': {
      const stood = outcome.uses.filter((use) => outcome.refused.includes(use.ruleId));
      const reasons = stood.map((use) => reason('AM14', explainRefusal(use, book.byId.get(use.ruleId))));
      return [rejected(input, { now, limitRules }, stood, reasons)];
    }
    case 'reserved': {
      const reservation = reservationOf(input, outcome.uses, limitRules);
      const { over, approval, isHeld } = standingOf(input.value, outcome.uses);
      if (isHeld) return [held(input, reservation, over, context)];
      const value = { ...carried(input, 'transfer.reserved', now), reservation: { ...reservation, approval } };
      return [{ to: 'transfer.reserved', value }];
    }
  }
}

/** What asks for a person of what was reserved, and whether one has approved it before. */
export function standingOf(
  value: TransferPriced,
  uses: readonly LimitUse[],
): { readonly over: readonly LimitUse[]; readonly approval: LimitsApproval | null; readonly isHeld: boolean } {
  const over = uses.filter(exceeds);
  const approval = over.length > 0 ? value.limitsApproval : null;
  return { over, approval, isHeld: over.length > 0 && !covers(approval, value, over) };
}

/** A new price of a fixed credit moves the debit a little: an approval holds up to two per cent above what it saw. */
const APPROVAL_TOLERANCE_BPS = 200n;

/** Whether a person has approved these limits for (nearly) this debit already: what was decided is not asked again. */
function covers(approval: LimitsApproval | null, { price }: TransferPriced, over: readonly LimitUse[]): boolean {
  if (approval === null || approval.debit.currency !== price.debit.currency) return false;
  if (!over.every(({ ruleId }) => approval.ruleIds.includes(ruleId))) return false;
  return price.debit.minor * 10_000n <= approval.debit.minor * (10_000n + APPROVAL_TOLERANCE_BPS);
}

function carried(
  { value, causationId }: Priced,
  topic: LimitsEvent['to'],
  now: number,
): Omit<TransferPriced, 'limitsApproval'> {
  const { instruction, parties, screening, price } = value;
  const envelope = nextEnvelope(value.envelope, { topic, causationId, occurredAt: now });
  return { envelope, instruction, parties, screening, price };
}

function reservationOf({ value, appendedAt }: Priced, uses: readonly LimitUse[], limitRules: string): Reservation {
  const { transferId, attempt } = value.envelope;
  return { reservationId: `${transferId}:${attempt}`, uses, reservedAt: appendedAt, approval: null, limitRules };
}

function rejected(
  input: Priced,
  { now, limitRules }: { readonly now: number; readonly limitRules: string },
  uses: readonly LimitUse[],
  reasons: readonly Reason[],
): LimitsEvent {
  const value = carried(input, 'transfer.rejected', now);
  const limitsRefusal = { limitRules, uses };
  return {
    to: 'transfer.rejected',
    value: { ...value, reservation: null, payout: null, stage: 'LIMITS', reasons, limitsRefusal },
  };
}

function held(
  input: Priced,
  reservation: Reservation,
  over: readonly LimitUse[],
  { now, holding, book }: Claimed,
): LimitsEvent {
  const value = carried(input, 'transfer.held', now);
  const reasons = over.map((use) =>
    reason(use.action === 'DOCUMENTS' ? 'HDOC' : 'HLIM', explainHold(use, book.byId.get(use.ruleId))),
  );
  return { to: 'transfer.held', value: heldOf({ ...value, reservation }, { stage: 'LIMITS', reasons }, holding) };
}

function resume(input: Received<ReviewDecided, 'review.decided'>, verdict: ReviewVerdict): Decision<LimitsEvent> {
  if (verdict.kind === 'halt') return verdict.disposition;
  if (verdict.kind !== 'honour') return [];
  const { envelope: previous, instruction, parties, screening, price, reservation } = input.value.held;
  if (screening === null || price === null || reservation === null) {
    return {
      kind: 'dead-letter',
      cause: { code: 'RESERVATION_MISSING', detail: 'a limits hold without a reservation' },
    };
  }
  const { approved, occurredAt } = verdict;
  const topic = approved ? 'transfer.reserved' : 'transfer.rejected';
  const envelope = nextEnvelope(previous, { topic, causationId: input.causationId, occurredAt });
  const value = { envelope, instruction, parties, screening, price, reservation };
  if (approved) {
    const exceeded = reservation.uses.filter(exceeds);
    const ruleIds = exceeded.map(({ ruleId }) => ruleId);
    const approval: LimitsApproval = { review: verdict.review, ruleIds, debit: price.debit };
    return [{ to: 'transfer.reserved', value: { ...value, reservation: { ...reservation, approval } } }];
  }
  const why = verdict.lapse
    ? 'held at a limit, and the hold lapsed before it was approved'
    : 'declined after review of the limit';
  const reasons = [reason('AM14', why)];
  return [
    { to: 'transfer.rejected', value: { ...value, payout: null, stage: 'LIMITS', reasons, limitsRefusal: null } },
  ];
}
