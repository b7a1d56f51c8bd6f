// The whole pipeline on one screen. Topics, groups, access rights, pictures and lifecycle records derive from it.
import { contracts as t } from '../topics/catalogue.ts';
import type { Edges } from './contract.ts';

const defineTopology = <const T extends Record<string, Edges>>(topology: T): T => topology;

export const topology = defineTopology({
  intake: {
    reads: [t.transferRequested],
    writes: [t.transferAccepted, t.intentRejected, t.intentDuplicated],
    follows: [t.runtimeControls],
  },
  screening: {
    reads: [t.transferAccepted, t.reviewDecided],
    writes: [t.transferScreened, t.transferHeld, t.transferRejected],
    follows: [t.screeningListActivated, t.runtimeControls],
  },
  'fx-pricing': {
    reads: [t.transferScreened, t.requoteRequested],
    writes: [t.transferPriced, t.transferRejected],
    follows: [t.fxRates, t.fxAcceptedRates, t.fxJumpsAccepted, t.policyVersions, t.runtimeControls],
  },
  limits: {
    reads: [t.transferPriced, t.reviewDecided, t.transferRejected, t.transferCompleted, t.transferReturned],
    writes: [t.transferReserved, t.transferHeld, t.transferRejected],
    follows: [t.policyVersions, t.limitsSnapshots, t.runtimeControls],
  },
  'payout-dispatch': {
    reads: [t.transferReserved, t.reviewDecided],
    writes: [t.payoutRequested, t.requoteRequested, t.transferHeld, t.transferRejected],
    follows: [t.screeningListActivated, t.runtimeControls],
  },
  settlement: {
    reads: [t.payoutUpdated],
    writes: [t.transferCompleted, t.transferReturned, t.transferRejected, t.requoteRequested],
    follows: [t.runtimeControls],
  },
});

/** Consumers of committed events, beside the chain: what is irreversible or visible to people happens here. */
export const consumers = defineTopology({
  'payout-executor': {
    reads: [t.payoutRequested],
    writes: [t.payoutUpdated, t.payoutAttempts],
    follows: [t.payoutAttempts, t.runtimeControls],
  },
  'sink-events': { reads: [t.transferLifecycle, t.intentRejected, t.intentDuplicated], writes: [] },
  'sink-transfer-view': { reads: [t.transferLifecycle], writes: [] },
  'sink-cases': { reads: [t.transferHeld], writes: [] },
  'sink-webhooks': { reads: [t.transferLifecycle], writes: [] },
});

/** Every processor and consumer that puts records aside. */
export const ownersOfLetters: readonly string[] = [...Object.keys(topology), ...Object.keys(consumers)];
/** The consumer that indexes every dead-letter topic. It puts nothing aside, so it has no recovery topics. */
export const LETTER_INDEX = 'sink-dead-letters';

/** The sequencer of the audit log, and its index. They put nothing aside either. */
export const AUDIT_SEQUENCER = 'audit-sequencer';
export const AUDIT_INDEX = 'audit-index';
export const auditConsumers = defineTopology({
  [AUDIT_SEQUENCER]: { reads: [t.auditEntries], writes: [t.auditLog, t.auditCheckpoints] },
  [AUDIT_INDEX]: { reads: [t.auditLog], writes: [] },
});

/** The one writer of what analysts read beside the rows themselves. It puts nothing aside: a row that came again would be an older one. */
export const ANALYTICS = 'analytics';
/** The one writer of the rates that are kept. */
export const RATE_HISTORY = 'rate-history';
export const analyticsConsumers = defineTopology({
  [ANALYTICS]: {
    reads: [t.transferLifecycle],
    writes: [t.transferState, t.transferMoney, t.analyticsWatermark],
    follows: [t.analyticsWatermark],
  },
  [RATE_HISTORY]: { reads: [t.fxRates], writes: [t.fxRateHistory] },
});

export type Topology = typeof topology;
export type StageName = keyof Topology;
