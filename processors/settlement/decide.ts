// Settlement: what became of the payout becomes the end of the transfer. Pure.
import { nextEnvelope } from '../../domain/envelope.ts';
import { reason } from '../../domain/reasons.ts';
import type { PayoutUpdated, Reason } from '../../schemas/types.generated.ts';
import type { Decision, EmittedTo, ReceivedFrom } from '../contract.ts';
import type { Topology } from '../topology.ts';
import type { SettlementEnd, SettlementStep } from './ports.ts';
import type { StepOutcome } from './steps.ts';

export type SettlementInput = ReceivedFrom<Topology['settlement']['reads']>;
export type SettlementEvent = EmittedTo<Topology['settlement']['writes']>;

export interface SettlementContext {
  readonly outcome: StepOutcome;
}

export function decide(input: SettlementInput, { outcome }: SettlementContext): Decision<SettlementEvent> {
  switch (outcome.kind) {
    case 'pending':
    case 'stale':
      return [];
    case 'unknown':
      return {
        kind: 'stop',
        cause: { code: 'STATUS_UNKNOWN', detail: 'a payout status that this version does not know' },
      };
    case 'contradiction':
      return { kind: 'dead-letter', cause: outcome.cause };
    case 'step':
      return [settled(input, outcome.step)];
  }
}

const TOPIC_OF = {
  completed: 'transfer.completed',
  returned: 'transfer.returned',
  rejected: 'transfer.rejected',
  requote: 'transfer.requote-requested',
} as const satisfies Record<SettlementEnd, SettlementEvent['to']>;

function settled({ value, causationId }: SettlementInput, { end, sequence, at }: SettlementStep): SettlementEvent {
  const { requested, payout } = value;
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
        value: { ...stated, payout, stage: 'SETTLEMENT', reasons: [reasonOf(value, 'the payout failed')] },
      };
  }
}

const reasonOf = ({ payout }: PayoutUpdated, otherwise: string): Reason => payout.reason ?? reason('NARR', otherwise);
