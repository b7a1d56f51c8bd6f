// Settlement: what became of the payout becomes the end of the transfer. Pure.

import { reason } from '../../domain/reasons.ts';
import { nextEnvelope } from '../../domain/transfers/envelope.ts';
import type { PayoutRequested, PayoutUpdated, Reason } from '../../schemas/types.generated.ts';
import type { Cause, Decision, EmittedTo, ReceivedFrom } from '../contract.ts';
import type { Topology } from '../topology.ts';
import type { SettlementEnd, SettlementStep } from './ports.ts';
import type { StepOutcome } from './steps.ts';

export type SettlementInput = ReceivedFrom<Topology['settlement']['reads']>;
export type SettlementEvent = EmittedTo<Topology['settlement']['writes']>;

export interface SettlementContext {
  readonly outcome: StepOutcome | { readonly kind: 'unproven' };
  /** The event that asked for the payout; absent: as the update has it. */
  readonly requested?: PayoutRequested;
}

export function decide(input: SettlementInput, { outcome, requested }: SettlementContext): Decision<SettlementEvent> {
  switch (outcome.kind) {
    case 'pending':
    case 'stale':
      return [];
    case 'unknown':
      return {
        kind: 'stop',
        cause: { code: 'STATUS_UNKNOWN', detail: 'a payout status that this version does not know' },
      };
    case 'unproven':
      return { kind: 'dead-letter', cause: UNPROVEN };
    case 'contradiction':
      return { kind: 'dead-letter', cause: outcome.cause };
    case 'step':
      return [settled(input, outcome.step, requested ?? input.value.requested)];
  }
}

const TOPIC_OF = {
  completed: 'transfer.completed',
  returned: 'transfer.returned',
  rejected: 'transfer.rejected',
  requote: 'transfer.requote-requested',
} as const satisfies Record<SettlementEnd, SettlementEvent['to']>;

const UNPROVEN: Cause = {
  code: 'REQUEST_NOT_SEALED',
  detail: 'the payout has expired, and what it is to be priced again on does not bear the seal of payout dispatch',
};

function settled(
  { value, causationId }: SettlementInput,
  { end, sequence, at }: SettlementStep,
  requested: PayoutRequested,
): SettlementEvent {
  const { payout } = value;
  const envelope = nextEnvelope(requested.envelope, { topic: TOPIC_OF[end], causationId, occurredAt: at, sequence });
  const stated = { ...requested, envelope };
  switch (end) {
    case 'completed':
      return { to: 'transfer.completed', value: { ...stated, payout } };
    case 'returned':
      return {
        to: 'transfer.returned',
        value: { ...stated, payout, reasons: [reasonOf(value, 'the money came back')] },
      };
    case 'requote':
      return { to: 'transfer.requote-requested', value: { ...stated, reason: reason('XPRD') } };
    case 'rejected':
      return {
        to: 'transfer.rejected',
        value: {
          ...{ ...stated, payout, stage: 'SETTLEMENT', limitsRefusal: null },
          reasons: [reasonOf(value, 'the payout failed')],
        },
      };
  }
}

const reasonOf = ({ payout }: PayoutUpdated, otherwise: string): Reason => payout.reason ?? reason('NARR', otherwise);
