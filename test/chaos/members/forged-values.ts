// What a stranger would write: transfers that nobody made, and true ones that pay somebody else.
import { randomUUID } from 'node:crypto';
import { holdIdOf } from '../../../domain/transfers/event-id.ts';
import { contentHashOf } from '../../../processors/hold-content.ts';
import type {
  AcceptedRate,
  AnalyticsWatermark,
  AuditEntry,
  FxPosition,
  FxRate,
  FxRateRecord,
  IntentDuplicated,
  IntentRejected,
  LimitsSnapshot,
  Parties,
  PayoutAttemptClaimed,
  PayoutUpdated,
  PolicyVersion,
  RateJumpAccepted,
  ReferenceVersion,
  ReviewDecided,
  TransferAccepted,
  TransferHeld,
  TransferLifecycle,
  TransferMoney,
} from '../../../schemas/types.generated.ts';
import type { TopicName } from '../../../topics/catalogue.ts';
import { DAY_MS } from '../../../topics/contract.ts';

/** Whom everything that is forged or tampered with would pay. */
export const MALLORY = { name: 'Mallory Malory', account: '66600066600066' };

type Event = Pick<TransferAccepted, 'envelope' | 'parties'>;

/** The event with another beneficiary. */
export function toMallory<E extends { readonly parties: Event['parties'] }>(event: E): E {
  const [[branch, parties]] = Object.entries(event.parties) as [[string, Parties]];
  const account = { ...parties.creditor.account, value: MALLORY.account };
  const creditor = { ...parties.creditor, name: MALLORY.name, account };
  return { ...event, parties: { [branch]: { ...parties, creditor } } };
}

/** The value with another beneficiary, or another price where it has none. */
export function altered(topic: TopicName, value: unknown): unknown {
  switch (topic) {
    case 'review.decided':
      return { ...(value as ReviewDecided), held: bound(toMallory((value as ReviewDecided).held)) };
    case 'payout.updated':
      return { ...(value as PayoutUpdated), requested: toMallory((value as PayoutUpdated).requested) };
    case 'fx.rates':
    case 'fx.accepted-rates':
    case 'fx.jumps-accepted':
      return { ...(value as FxRate | AcceptedRate | RateJumpAccepted), rate: '0.0000001' };
    case 'fx.rate-history':
      return { ...(value as FxRateRecord), rate: '0.0000001' };
    case 'reference.versions':
      return { ...(value as ReferenceVersion), content: '{}' };
    case 'audit.entries':
      return { ...(value as AuditEntry), subject: 'mallory' };
    case 'limits.snapshots':
      return { ...(value as LimitsSnapshot), snapshotId: 'mallory', entries: [] };
    case 'policy.versions':
      return { ...(value as PolicyVersion), content: '{}' };
    case 'screening.list-activated':
    case 'screening.exception-revoked':
    case 'runtime.controls':
      return value;
    case 'payout.attempts':
      return { ...(value as PayoutAttemptClaimed), attempt: (value as PayoutAttemptClaimed).attempt + 1 };
    case 'transfer.state':
    case 'transfer.lifecycle': {
      const record = value as TransferLifecycle;
      // Whoever believes the first pays again; whoever believes the other waits for nothing any more.
      return {
        ...record,
        sequence: record.sequence + 1,
        state: record.state === 'REJECTED' ? 'COMPLETED' : 'REJECTED',
      };
    }
    case 'transfer.money': {
      const movement = value as TransferMoney;
      return { ...movement, minor: -movement.minor };
    }
    case 'analytics.watermark': {
      const claim = value as AnalyticsWatermark;
      return { ...claim, completeUntil: claim.completeUntil + DAY_MS };
    }
    case 'fx.position': {
      const position = value as FxPosition;
      return { ...position, sourceMinor: -position.sourceMinor, targetMinor: -position.targetMinor };
    }
    case 'intent.rejected':
      return { ...(value as IntentRejected), reasons: [{ code: 'AM14', detail: 'mallory' }] };
    case 'intent.duplicated':
      return { ...(value as IntentDuplicated), firstOriginPosition: 'mallory:0:0' };
    case 'transfer.held':
      return bound(toMallory(value as TransferHeld));
    default:
      return toMallory(value as Event);
  }
}

/** The value for a transfer that nobody asked for; a table has no transfers. */
export function madeUp(
  topic: TopicName,
  value: unknown,
): { readonly key: string | undefined; readonly value: unknown } {
  const transferId = randomUUID();
  const forged = altered(topic, value);
  switch (topic) {
    case 'fx.rates':
    case 'fx.accepted-rates':
    case 'fx.jumps-accepted':
    case 'fx.rate-history':
    case 'reference.versions':
    case 'policy.versions':
    case 'limits.snapshots':
    case 'screening.list-activated':
    case 'screening.exception-revoked':
    case 'analytics.watermark':
    case 'runtime.controls':
      return { key: undefined, value: forged };
    case 'audit.entries': {
      const entryId = randomUUID();
      return { key: entryId, value: { ...(forged as AuditEntry), entryId } };
    }
    case 'transfer.money':
      return { key: transferId, value: { ...(forged as TransferMoney), transferId, movementId: randomUUID() } };
    case 'transfer.state':
    case 'transfer.lifecycle':
    case 'fx.position':
    case 'intent.rejected':
    case 'intent.duplicated': {
      const record = forged as TransferLifecycle | FxPosition | IntentRejected | IntentDuplicated;
      return { key: transferId, value: { ...record, transferId, eventId: randomUUID() } };
    }
    case 'payout.attempts': {
      const claim = { ...(forged as PayoutAttemptClaimed), payoutId: transferId, claimId: randomUUID() };
      return { key: transferId, value: claim };
    }
    case 'review.decided': {
      const decided = forged as ReviewDecided;
      const held = bound(underId(decided.held, transferId));
      const { holdId, evidenceHash } = held.hold;
      const command = { ...decided.command, commandId: randomUUID(), transferId, issuedBy: 'mallory' };
      return { key: transferId, value: { ...decided, command, held, holdId, evidenceHash, decision: 'APPROVE' } };
    }
    case 'payout.updated': {
      const updated = forged as PayoutUpdated;
      const requested = underId(updated.requested, transferId);
      const command = { ...updated.command, commandId: randomUUID(), transferId };
      const payout = { ...updated.payout, payoutId: transferId, attemptKey: `${transferId}:1`, status: 'PAID' };
      return { key: transferId, value: { ...updated, command, requested, payout } };
    }
    case 'transfer.held':
      return { key: transferId, value: bound(underId(forged as TransferHeld, transferId)) };
    default:
      return { key: transferId, value: underId(forged as Event, transferId) };
  }
}

function underId<E extends Pick<Event, 'envelope'>>(event: E, transferId: string): E {
  return { ...event, envelope: { ...event.envelope, transferId, eventId: randomUUID() } };
}

/** The held event with the ids and the hash that a stage would give it; the seal is what a stranger cannot give. */
function bound(held: TransferHeld): TransferHeld {
  const { transferId, sequence } = held.envelope;
  const hold = { ...held.hold, holdId: holdIdOf(transferId, sequence) };
  return { ...held, hold: { ...hold, evidenceHash: contentHashOf({ ...held, hold }) } };
}
