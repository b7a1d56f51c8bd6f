// Which transition a payout update leads to, given what was claimed before. Pure.
import { isSamePosition } from '../../domain/transfers/origin-position.ts';
import type { PayoutStatus, PayoutUpdated } from '../../schemas/types.generated.ts';
import type { Cause, Received } from '../contract.ts';
import type { SettlementClaim, SettlementEnd, SettlementStep } from './ports.ts';

export type StepOutcome =
  /** A transition, new or claimed by this very record before. */
  | { readonly kind: 'step'; readonly step: SettlementStep }
  /** Nothing to settle: accepted, or an outcome not known yet. */
  | { readonly kind: 'pending' }
  /** A newer version was settled before, or this one says what is settled already. */
  | { readonly kind: 'stale' }
  /** What happened cannot follow what was settled: a person must look, money may have moved. */
  | { readonly kind: 'contradiction'; readonly cause: Cause }
  /** A status that this version does not know. */
  | { readonly kind: 'unknown' };

export interface Advance {
  readonly outcome: StepOutcome;
  /** The claim afterwards; the same object when nothing changed. */
  readonly claim: SettlementClaim | undefined;
}

const END_OF: Readonly<Record<PayoutStatus, SettlementEnd | 'pending' | 'unknown'>> = {
  UNKNOWN: 'unknown',
  ACCEPTED: 'pending',
  OUTCOME_UNKNOWN: 'pending',
  PAID: 'completed',
  FAILED: 'rejected',
  RETURNED: 'returned',
  EXPIRED: 'requote',
};

/** What may follow the last step; undefined: there was none. A requote is followed by the next attempt only. */
const FOLLOWERS: Readonly<Record<SettlementEnd, readonly SettlementEnd[]>> = {
  completed: ['returned'],
  requote: ['completed', 'rejected', 'returned', 'requote'],
  rejected: [],
  returned: [],
};

/** An update and where it stands in the log. */
export type PlacedUpdate = Pick<Received<PayoutUpdated>, 'value' | 'position' | 'appendedAt'>;

/** Takes one update into the claim. `now` in ms. */
export function advance(
  claim: SettlementClaim | undefined,
  { value: update, position, appendedAt }: PlacedUpdate,
  now: number,
): Advance {
  const end = END_OF[update.payout.status];
  if (end === 'unknown') return { claim, outcome: { kind: 'unknown' } };
  if (end === 'pending') return { claim, outcome: { kind: 'pending' } };
  const { commandId, transferId } = update.command;
  const { version } = update.payout;
  const { attempt, sequence: requested } = update.requested.envelope;
  const steps = claim?.steps ?? [];
  const own = steps.find((step) => step.commandId === commandId);
  if (own !== undefined) {
    // The relay publishes at least once: the same command at another place is a repeat, not this record running again.
    const made = { position: own.position, storedAt: own.at };
    const isOwn = isSamePosition(made, { topic: 'payout.updated', position, appendedAt });
    return { claim, outcome: isOwn ? { kind: 'step', step: own } : { kind: 'stale' } };
  }
  const last = steps.at(-1);
  if (last !== undefined && version <= last.version) return { claim, outcome: { kind: 'stale' } };
  if (last !== undefined && saysNothingNew(last, end, attempt)) return { claim, outcome: { kind: 'stale' } };
  const fault = last && contradiction(last, end, attempt);
  if (fault !== undefined) {
    return { claim, outcome: { kind: 'contradiction', cause: { code: 'SETTLEMENT_CONTRADICTION', detail: fault } } };
  }
  const sequence = Math.max(requested, last?.sequence ?? 0) + 1;
  const step: SettlementStep = { commandId, position, version, attempt, sequence, end, at: now };
  return { claim: { transferId, steps: [...steps, step] }, outcome: { kind: 'step', step } };
}

/** The same end again, or the failure of an attempt that had expired: it is as dead as it was. */
function saysNothingNew(last: SettlementStep, end: SettlementEnd, attempt: number): boolean {
  return last.attempt === attempt && (end === last.end || (last.end === 'requote' && end === 'rejected'));
}

function contradiction(last: SettlementStep, end: SettlementEnd, attempt: number): string | undefined {
  if (!FOLLOWERS[last.end].includes(end)) return `${end} cannot follow ${last.end} (attempt ${last.attempt})`;
  if (last.end === 'requote' && attempt <= last.attempt) {
    return `attempt ${attempt} became ${end} after it had expired: it must have been dead`;
  }
  if (last.end !== 'requote' && attempt !== last.attempt)
    return `attempt ${attempt} became ${end} after attempt ${last.attempt}`;
  return undefined;
}
