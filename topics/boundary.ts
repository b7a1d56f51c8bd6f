// Where the chain meets the outside: intents in, commands in, analytics out, reference tables.
import { policyKey } from '../domain/policies/versions.ts';
import { pairKey } from '../domain/pricing/jumps.ts';
import type {
  AcceptedRate,
  AnalyticsWatermark,
  AuditCheckpoint,
  AuditEntry,
  FxPosition,
  FxRate,
  FxRateRecord,
  IntentDuplicated,
  IntentRejected,
  LimitsSnapshot,
  PayoutAttemptClaimed,
  PayoutUpdated,
  PolicyVersion,
  RateJumpAccepted,
  ReferenceVersion,
  ReviewDecided,
  RuntimeControl,
  ScreeningExceptionRevoked,
  ScreeningListActivated,
  TransferLifecycle,
  TransferMoney,
  TransferRequested,
} from '../schemas/types.generated.ts';
import { DAY_MS, INTENT_MAX_MESSAGE_BYTES, topic } from './contract.ts';
import { controlKey, controlOrder } from './control-key.ts';

const commandKey = (value: { command: { transferId: string } }) => value.command.transferId;

export const transferRequested = topic<TransferRequested>()('transfer.requested', 'intent', {
  doc: 'Transfer intents, from upstream producers.',
  record: 'TransferRequested',
  keyOf: (intent) => intent.transferId,
  maxMessageBytes: INTENT_MAX_MESSAGE_BYTES,
  compression: 'producer',
});
export const intentRejected = topic<IntentRejected>()('intent.rejected', 'outcome', {
  doc: 'Intents that were decoded but refused, or reused the id of another payload. Never part of a transfer.',
  record: 'IntentRejected',
  keyOf: (rejection) => rejection.transferId,
});
export const intentDuplicated = topic<IntentDuplicated>()('intent.duplicated', 'outcome', {
  doc: 'Intents that repeat an earlier one exactly: dropped, and recorded so that the log accounts for every input.',
  record: 'IntentDuplicated',
  keyOf: (duplicate) => duplicate.transferId,
});
export const reviewDecided = topic<ReviewDecided>()('review.decided', 'command', {
  doc: 'A person decided a hold; the stage that holds the transfer resumes it.',
  record: 'ReviewDecided',
  sealedBy: 'operators',
  keyOf: commandKey,
  eventOf: ({ held }) => held,
});
export const payoutUpdated = topic<PayoutUpdated>()('payout.updated', 'command', {
  doc: 'The payout executor reports a change of a payout.',
  record: 'PayoutUpdated',
  sealedBy: 'executor',
  keyOf: commandKey,
  eventOf: ({ requested }) => requested,
});
export const payoutAttempts = topic<PayoutAttemptClaimed>()('payout.attempts', 'claim', {
  doc: 'Attempts of payouts that are about to be sent, but for first ones that are sent as they come: what the database is held against.',
  record: 'PayoutAttemptClaimed',
  sealedBy: 'executor',
  keyOf: ({ payoutId }) => payoutId,
  retentionMs: 7 * DAY_MS,
});
export const transferLifecycle = topic<TransferLifecycle>()('transfer.lifecycle', 'analytics', {
  doc: 'One flat record per transition of each transfer, without personal data.',
  record: 'TransferLifecycle',
  keyOf: (record) => record.transferId,
  retentionMs: 365 * DAY_MS,
});
export const fxPosition = topic<FxPosition>()('fx.position', 'analytics', {
  doc: 'What a price adds to the open exposure by currency, and what takes it back.',
  record: 'FxPosition',
  keyOf: (position) => position.transferId,
  retentionMs: 365 * DAY_MS,
});
export const transferState = topic<TransferLifecycle>()('transfer.state', 'analytics', {
  doc: 'The latest lifecycle row of each transfer; kept for 365 days after it came.',
  record: 'TransferLifecycle',
  keyOf: (row) => row.transferId,
  cleanup: 'compact,delete',
  retentionMs: 365 * DAY_MS,
  // A row that another follows stays so long: who reads up to a point finds the latest of each transfer up to there.
  minCompactionLagMs: DAY_MS,
});
export const transferMoney = topic<TransferMoney>()('transfer.money', 'analytics', {
  doc: 'One record per movement of money, signed; those of a transfer sum to zero in each currency.',
  record: 'TransferMoney',
  keyOf: (movement) => movement.transferId,
  idOf: ({ movementId }) => movementId,
  retentionMs: 365 * DAY_MS,
});
export const analyticsWatermark = topic<AnalyticsWatermark>()('analytics.watermark', 'table', {
  doc: 'Until when each partition of transfer.lifecycle is complete, and is in transfer.state and transfer.money.',
  record: 'AnalyticsWatermark',
  sealedBy: 'lifecycle',
  keyOf: ({ topic, partition }) => `${topic}/${partition}`,
  orderOf: ({ completeUntil }) => completeUntil,
});
export const fxRates = topic<FxRate>()('fx.rates', 'table', {
  doc: 'The latest market rate of each pair and source.',
  record: 'FxRate',
  sealedBy: 'feeds',
  keyOf: (rate) => `${rate.source}/${rate.base}/${rate.quote}`,
  speakerOf: (key) => key.split('/').slice(0, -2).join('/'),
  // One that was dated ahead does not shut out those that follow it.
  orderOf: ({ observedAt }, appendedAt) => Math.min(observedAt, appendedAt),
  // A rate that a newer one followed stays so long: the writer of the history may have been away. Pricing reads all of it at its start.
  minCompactionLagMs: DAY_MS / 4,
});
export const fxRateHistory = topic<FxRateRecord>()('fx.rate-history', 'table', {
  doc: 'Each market rate that its feed published, kept after newer ones have come.',
  record: 'FxRateRecord',
  sealedBy: 'lifecycle',
  keyOf: ({ source, base, quote }) => `${source}/${base}/${quote}`,
  idOf: ({ rateId }) => rateId,
  // By time, and never compacted: nobody takes a rate away by writing under its key.
  cleanup: 'delete',
  // Twice as long as rows are kept, so that a year can be held against the one before.
  retentionMs: 730 * DAY_MS,
});
export const referenceVersions = topic<ReferenceVersion>()('reference.versions', 'table', {
  doc: 'Versions of corridors, terms, limit rules, lists and providers, with the time from and to which each counted.',
  record: 'ReferenceVersion',
  sealedBy: 'lifecycle',
  keyOf: ({ versionId }) => versionId,
  keepsAll: true,
});
export const fxAcceptedRates = topic<AcceptedRate>()('fx.accepted-rates', 'table', {
  doc: 'The rate of each pair that a corridor last went by; one that is far from it prices nothing.',
  record: 'AcceptedRate',
  sealedBy: 'stages',
  keyOf: pairKey,
  keepsAll: true,
  orderOf: ({ version }) => version,
});
export const fxJumpsAccepted = topic<RateJumpAccepted>()('fx.jumps-accepted', 'table', {
  doc: 'Jumps of rates that two persons accepted, each of one pair and corridor, to one rate, from one.',
  record: 'RateJumpAccepted',
  sealedBy: 'operators',
  keyOf: pairKey,
  keepsAll: true,
  orderOf: ({ acceptedAt }, appendedAt) => Math.min(acceptedAt, appendedAt),
});
export const policyVersions = topic<PolicyVersion>()('policy.versions', 'table', {
  doc: 'Versions of what is law as data (limit rules, terms), which two persons put in force.',
  record: 'PolicyVersion',
  sealedBy: 'operators',
  keyOf: policyKey,
  keepsAll: true,
  firstCounts: true,
});
export const limitsSnapshots = topic<LimitsSnapshot>()('limits.snapshots', 'table', {
  doc: 'Snapshots of what limits count, in parts, so that windows outlive the retention of the log when Redis is lost.',
  record: 'LimitsSnapshot',
  sealedBy: 'stages',
  keyOf: ({ slot, part }) => `${slot}/${part}`,
});
export const screeningExceptionRevoked = topic<ScreeningExceptionRevoked>()('screening.exception-revoked', 'table', {
  doc: 'Exceptions of screening that excuse nobody any more, whatever the database says.',
  record: 'ScreeningExceptionRevoked',
  sealedBy: 'operators',
  keyOf: ({ exceptionId }) => exceptionId,
  keepsAll: true,
});
export const screeningListActivated = topic<ScreeningListActivated>()('screening.list-activated', 'table', {
  doc: 'The list version in force, per source.',
  record: 'ScreeningListActivated',
  sealedBy: 'operators',
  keyOf: (activation) => activation.list.source,
  keepsAll: true,
  orderOf: ({ list }) => list.activation,
});
export const auditEntries = topic<AuditEntry>()('audit.entries', 'audit', {
  doc: 'What was allowed, denied, shown and done, as the programs write it: not in order yet.',
  record: 'AuditEntry',
  sealedBy: 'audit',
  keyOf: ({ entryId }) => entryId,
});
export const auditLog = topic<AuditEntry>()('audit.log', 'audit', {
  doc: 'The audit log: the same entries in their one order, byte for byte, under the seals of those who wrote them.',
  record: 'AuditEntry',
  keyOf: ({ entryId }) => entryId,
  retentionMs: null,
});
export const auditCheckpoints = topic<AuditCheckpoint>()('audit.checkpoints', 'audit', {
  doc: 'Signed checkpoints over the audit log. Who owns the database cannot write here.',
  record: 'AuditCheckpoint',
  keyOf: ({ note }) => note.slice(0, note.indexOf('\n')),
  maxMessageBytes: 16_384,
  retentionMs: null,
});
export const runtimeControls = topic<RuntimeControl>()('runtime.controls', 'table', {
  doc: 'What people have set for the running pipeline: pauses and their ends, glass that was broken and its review.',
  record: 'RuntimeControl',
  sealedBy: 'operators',
  keyOf: controlKey,
  keepsAll: true,
  orderOf: controlOrder,
});
