// Payout dispatch: the last look inside the chain before money moves. Pure.

import { priceFaults } from '../../domain/pricing/pricing.ts';
import { reason } from '../../domain/reasons.ts';
import { nextEnvelope } from '../../domain/transfers/envelope.ts';
import type { ErrorCode } from '../../ports/error-codes.ts';
import type { Reason, ReviewDecided, ScreeningRecheck, TransferReserved } from '../../schemas/types.generated.ts';
import { withRecheck, withReview } from '../../screening/evidence.ts';
import type { Difference } from '../../screening/ports.ts';
import type { Decision, Disposition, EmittedTo, Received, ReceivedFrom } from '../contract.ts';
import { type Holding, heldOf, type ReviewVerdict } from '../holds.ts';
import { MIN_REMAINING_MS } from '../remaining-time.ts';
import { declined, reasonsOf } from '../screening/hold.ts';
import type { Topology } from '../topology.ts';

export type DispatchInput = ReceivedFrom<Topology['payout-dispatch']['reads']>;
export type DispatchEvent = EmittedTo<Topology['payout-dispatch']['writes']>;

export interface DispatchContext {
  /** ms since 1970 */
  readonly now: number;
  readonly rules: DispatchRules;
  readonly holding: Holding;
  /** What the lists in force hold that the parties were not screened against; undefined: nothing new. */
  readonly difference?: Difference | undefined;
  /** For a decision of a person. */
  readonly verdict?: ReviewVerdict;
}

export interface DispatchRules {
  /** A price must hold for at least this long, in ms, so that the executor has time to submit. */
  readonly minRemainingMs: number;
  /** Quotes that a transfer may have in all. */
  readonly maxAttempts: number;
}

export const DEFAULT_DISPATCH_RULES: DispatchRules = {
  minRemainingMs: MIN_REMAINING_MS,
  maxAttempts: 5,
};

export function decide(input: DispatchInput, context: DispatchContext): Decision<DispatchEvent> {
  if (input.topic === 'review.decided') return resume(input, context);
  return dispatch(input.value, input.causationId, context, 'DISPATCH');
}

function dispatch(
  reserved: TransferReserved,
  causationId: string,
  { now, rules, holding, difference }: DispatchContext,
  why: 'DISPATCH' | 'RESUMED',
): Decision<DispatchEvent> {
  const value = difference === undefined ? reserved : screenedAgain(reserved, difference, now, why);
  const { envelope, instruction, screening, price } = value;
  const following = (topic: string) => nextEnvelope(envelope, { topic, causationId, occurredAt: now });
  if (instruction.amountSide === 'UNKNOWN' || screening.outcome === 'UNKNOWN') {
    return {
      kind: 'stop',
      cause: { code: 'SYMBOL_UNKNOWN', detail: 'an enum symbol that this version does not know' },
    };
  }
  if (difference !== undefined && difference.outcome !== 'CLEAR') {
    return [held(value, following('transfer.held'), holding)];
  }
  if (screening.outcome !== 'CLEAR' && screening.outcome !== 'APPROVED') {
    return refuse('SCREENING_NOT_CLEAR', `screening ended as ${screening.outcome}: this must never be paid`);
  }
  const { instructedAmount: amount, sourceCurrency, targetCurrency, amountSide: side } = instruction;
  const faults = priceFaults({ side, amount, sourceCurrency, targetCurrency }, price);
  if (faults.length > 0) return refuse('PRICE_INCONSISTENT', faults.join('; '));
  if (price.expiresAt - now >= rules.minRemainingMs) {
    return [{ to: 'payout.requested', value: { ...value, envelope: following('payout.requested') } }];
  }
  if (envelope.attempt < rules.maxAttempts) {
    const topic = 'transfer.requote-requested';
    return [{ to: topic, value: { ...value, envelope: following(topic), reason: reason('XPRD') } }];
  }
  return [rejected(value, following('transfer.rejected'), reason('QUOT'))];
}

function screenedAgain(
  value: TransferReserved,
  difference: Difference,
  screenedAt: number,
  why: ScreeningRecheck['reason'],
): TransferReserved {
  const recheck = { ...difference, reason: why, screenedAt, review: null };
  return { ...value, screening: withRecheck(value.screening, recheck) };
}

function held(value: TransferReserved, envelope: TransferReserved['envelope'], holding: Holding): DispatchEvent {
  const terms = { stage: 'PAYOUT_DISPATCH', reasons: reasonsOf(value.screening) } as const;
  return { to: 'transfer.held', value: heldOf({ ...value, envelope }, terms, holding) };
}

function rejected(value: TransferReserved, envelope: TransferReserved['envelope'], why: Reason): DispatchEvent {
  return {
    to: 'transfer.rejected',
    value: { ...value, envelope, payout: null, stage: 'PAYOUT_DISPATCH', reasons: [why], limitsRefusal: null },
  };
}

function resume(
  { value, causationId }: Received<ReviewDecided, 'review.decided'>,
  context: DispatchContext,
): Decision<DispatchEvent> {
  const { verdict } = context;
  if (verdict === undefined) throw new Error('a review was given the context of a transfer');
  if (verdict.kind === 'halt') return verdict.disposition;
  if (verdict.kind !== 'honour') return [];
  const { envelope, instruction, parties, screening, price, reservation } = value.held;
  if (screening === null || price === null || reservation === null) {
    return refuse('EVIDENCE_MISSING', 'a hold before the payout without evidence, price or reservation');
  }
  const { approved, review, occurredAt } = verdict;
  const reviewed = { envelope, instruction, parties, screening: withReview(screening, review), price, reservation };
  if (approved) return dispatch(reviewed, causationId, { ...context, now: occurredAt }, 'RESUMED');
  const following = nextEnvelope(envelope, { topic: 'transfer.rejected', causationId, occurredAt });
  return [rejected(reviewed, following, declined(verdict.lapse !== undefined))];
}

const refuse = (code: ErrorCode, detail: string): Disposition => ({ kind: 'dead-letter', cause: { code, detail } });
