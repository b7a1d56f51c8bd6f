// The analytics record of a transition: flat, complete, without personal data. Pure.

import { STATE_OF_TOPIC } from '../domain/transfers/transfer-states.ts';
import type { ErrorCode } from '../ports/error-codes.ts';
import type {
  Envelope,
  Instruction,
  Price,
  Reason,
  ScreeningEvidence,
  Stage,
  TransferLifecycle,
  TransferState,
} from '../schemas/types.generated.ts';
import { contractOf } from '../topics/catalogue.ts';

const ENDED: ReadonlySet<TransferState | undefined> = new Set(['COMPLETED', 'REJECTED', 'RETURNED']);

/** What any event of the chain may carry, by the names that all of them share. */
export interface ChainEvent {
  readonly envelope: Envelope;
  readonly instruction: Instruction;
  readonly screening?: ScreeningEvidence | null;
  readonly price?: Price | null;
  readonly payout?: { readonly provider: string } | null;
  readonly reasons?: readonly Reason[];
  readonly reason?: Reason;
  readonly hold?: { readonly reasons: readonly Reason[] };
}

/** The stage of a processor, by its name (`fx-pricing` is FX_PRICING). */
export function stageOf(processor: string): Stage {
  return processor.toUpperCase().replaceAll('-', '_') as Stage;
}

/** The processor that a stage names; the inverse of `stageOf`. */
export function processorOf(stage: Stage): string {
  return stage.toLowerCase().replaceAll('_', '-');
}

/** The lifecycle record of a transition, or undefined when the topic holds no transitions. */
export function lifecycleOf(topic: string, event: ChainEvent, stage: Stage): TransferLifecycle | undefined {
  const state = STATE_OF_TOPIC[topic];
  if (state === undefined) return undefined;
  return record(event, { eventId: event.envelope.eventId, occurredAt: event.envelope.occurredAt, state, stage });
}

/** What marks a transfer as dead-lettered. */
export interface Mark {
  readonly eventId: string;
  readonly occurredAt: number;
  readonly stage: Stage;
  readonly code: ErrorCode;
}

/**
 * The DEAD_LETTERED mark for an input that became a dead letter; the sequence repeats the last one. Undefined when the
 * input stops no transfer: an intent that was never accepted, or an event after which the transfer had ended anyway.
 */
export function deadLetterMark(topic: string, value: unknown, mark: Mark): TransferLifecycle | undefined {
  const event = eventIn(topic, value);
  if (event === undefined || ENDED.has(STATE_OF_TOPIC[topic])) return undefined;
  const { eventId, occurredAt, stage, code } = mark;
  return { ...record(event, { eventId, occurredAt, state: 'DEAD_LETTERED', stage }), reasonCodes: [code] };
}

/** The event of the transfer within an input: the input itself, or what a command carries. */
export function eventIn(topic: string, value: unknown): ChainEvent | undefined {
  return (contractOf(topic)?.eventOf(value as never) ?? undefined) as ChainEvent | undefined;
}

type Identity = Pick<TransferLifecycle, 'eventId' | 'occurredAt' | 'state' | 'stage'>;

function record(event: ChainEvent, { eventId, occurredAt, state, stage }: Identity): TransferLifecycle {
  const { envelope, instruction } = event;
  const price = event.price ?? null;
  return {
    eventId,
    transferId: envelope.transferId,
    sequence: envelope.sequence,
    attempt: envelope.attempt,
    state,
    stage,
    occurredAt,
    requestedAt: instruction.requestedAt,
    sourceCountry: instruction.sourceCountry,
    targetCountry: instruction.targetCountry,
    sourceCurrency: instruction.sourceCurrency,
    targetCurrency: instruction.targetCurrency,
    debtorToken: instruction.debtorToken,
    creditorToken: instruction.creditorToken,
    purposeCode: instruction.purposeCode,
    chargeBearer: instruction.chargeBearer,
    debitMinor: price?.debit.minor ?? null,
    creditMinor: price?.credit.minor ?? null,
    feesMinor: price === null ? null : totalOf(price),
    midRate: price?.midRate ?? null,
    customerRate: price?.customerRate ?? null,
    marginBps: price?.marginBps ?? null,
    rateSnapshotId: price?.snapshotId ?? null,
    screeningOutcome: event.screening?.outcome ?? null,
    provider: event.payout?.provider ?? null,
    reasonCodes: reasonsOf(event).map((reason) => reason.code),
    producerId: instruction.producerId,
    ...declaredClasses(instruction),
  };
}

/** Of what was declared the classes alone: no reference, no name, no amount. */
function declaredClasses({ nationalPurpose, funding, payeeVerification, ...rest }: Instruction) {
  return {
    nationalPurpose: nationalPurpose && `${nationalPurpose.scheme}:${nationalPurpose.code}`,
    fundingMethod: funding?.method ?? null,
    payeeVerification: payeeVerification?.result ?? null,
    arrangement: rest.arrangement,
    kycTier: rest.kycTier,
    transferRules: rest.transferRules,
  };
}

function totalOf(price: Price): bigint {
  let total = 0n;
  for (const fee of price.fees) total += fee.amount.minor;
  return total;
}

function reasonsOf(event: ChainEvent): readonly Reason[] {
  if (event.reasons) return event.reasons;
  if (event.reason) return [event.reason];
  return event.hold?.reasons ?? [];
}
