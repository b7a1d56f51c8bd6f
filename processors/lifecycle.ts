// The analytics record of a transition: flat, complete, without personal data. Pure.

import { currencyOf } from '../domain/money/currencies.ts';
import { ENDED, STATE_OF_TOPIC } from '../domain/transfers/transfer-states.ts';
import type { ErrorCode } from '../ports/error-codes.ts';
import type {
  Envelope,
  Instruction,
  LifecycleLeg,
  LifecycleTax,
  Price,
  RateLeg,
  Reason,
  Reservation,
  ScreeningEvidence,
  Stage,
  Tax,
  TransferLifecycle,
} from '../schemas/types.generated.ts';
import { CONTRACT_VERSION } from '../topics/analytics-contract.ts';
import { contractOf } from '../topics/catalogue.ts';

/** What any event of the chain may carry, by the names that all of them share. */
export interface ChainEvent {
  readonly envelope: Envelope;
  readonly instruction: Instruction;
  readonly screening?: ScreeningEvidence | null;
  readonly price?: Price | null;
  readonly reservation?: Reservation | null;
  readonly payout?: { readonly provider: string; readonly attemptKey: string } | null;
  readonly limitsRefusal?: { readonly limitRules: string | null } | null;
  readonly reasons?: readonly Reason[];
  readonly reason?: Reason;
  readonly hold?: { readonly holdId: string; readonly reasons: readonly Reason[] };
}

/** The input that a stage made a transition from. */
export interface LifecycleInput {
  readonly topic: string;
  readonly value: unknown;
  /** The replay that sent it; null: none did. */
  readonly replayId: string | null;
}

/** The stage of a processor, by its name (`fx-pricing` is FX_PRICING). */
export function stageOf(processor: string): Stage {
  return processor.toUpperCase().replaceAll('-', '_') as Stage;
}

/** The processor that a stage names; the inverse of `stageOf`. */
export function processorOf(stage: Stage): string {
  return stage.toLowerCase().replaceAll('_', '-');
}

/**
 * The lifecycle record of a transition, or undefined when the topic holds no transitions.
 * @param input what it was made from; absent: what was before is left out
 */
export function lifecycleOf(
  topic: string,
  event: ChainEvent,
  stage: Stage,
  input?: LifecycleInput,
): TransferLifecycle | undefined {
  const state = STATE_OF_TOPIC[topic];
  if (state === undefined) return undefined;
  const { eventId, occurredAt } = event.envelope;
  const made = record(event, { eventId, occurredAt, state, stage });
  return input ? { ...made, ...before(event, input), replayId: input.replayId } : made;
}

/** The state that a transition ends, as its input tells it. */
function before({ envelope }: ChainEvent, { topic, value }: LifecycleInput): Before {
  const previous = eventIn(topic, value);
  if (previous === undefined) return NOTHING_BEFORE;
  const { sequence, occurredAt } = previous.envelope;
  // Money came back of what was completed meanwhile: the update still carries what asked for the payout.
  if (envelope.sequence !== sequence + 1) return { ...NOTHING_BEFORE, previousState: 'COMPLETED' };
  const previousState = stateIn(topic);
  return beforeOf(previousState, occurredAt, envelope.occurredAt);
}

type Before = Pick<TransferLifecycle, 'previousState' | 'previousOccurredAt' | 'heldMs'>;
/** What the first record of a transfer says of the state before. */
export const NOTHING_BEFORE: Before = { previousState: null, previousOccurredAt: null, heldMs: null };

/** What a record says of the state before. Times in ms since 1970. */
export function beforeOf(previousState: string | null, previousOccurredAt: number, occurredAt: number): Before {
  const heldMs = previousState === 'HELD' ? occurredAt - previousOccurredAt : null;
  return { previousState, previousOccurredAt, heldMs };
}

/** The state of the event within an input: commands carry what is held, or what asked for the payout. */
const stateIn = (topic: string): string | null => STATE_OF_TOPIC[topic] ?? STATE_IN_COMMAND[topic] ?? null;
const STATE_IN_COMMAND: Readonly<Record<string, string>> = {
  'review.decided': 'HELD',
  'payout.updated': 'DISPATCHED',
};

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
  const reached = STATE_OF_TOPIC[topic];
  if (event === undefined || (reached && ENDED.has(reached))) return undefined;
  const { eventId, occurredAt, stage, code } = mark;
  return {
    ...record(event, { eventId, occurredAt, state: 'DEAD_LETTERED', stage }),
    ...beforeOf(stateIn(topic), event.envelope.occurredAt, occurredAt),
    reasonCodes: [code],
    heldMs: null,
  };
}

/** The event of the transfer within an input: the input itself, or what a command carries. */
export function eventIn(topic: string, value: unknown): ChainEvent | undefined {
  return (contractOf(topic)?.eventOf(value as never) ?? undefined) as ChainEvent | undefined;
}

type Identity = Pick<TransferLifecycle, 'eventId' | 'occurredAt' | 'state' | 'stage'>;

function record(event: ChainEvent, { eventId, occurredAt, state, stage }: Identity): TransferLifecycle {
  const { envelope, instruction } = event;
  const isMark = state === 'DEAD_LETTERED';
  const ended = !isMark && ENDED.has(state as never);
  return {
    eventId,
    transferId: envelope.transferId,
    sequence: envelope.sequence,
    attempt: envelope.attempt,
    state,
    stage,
    occurredAt,
    ...instructed(instruction),
    ...priced(event.price ?? null),
    ...screened(event.screening ?? null),
    limitRulesVersion: event.reservation?.limitRules ?? event.limitsRefusal?.limitRules ?? null,
    limitRuleIds: event.reservation ? [...new Set(event.reservation.uses.map(({ ruleId }) => ruleId))] : NONE,
    provider: event.payout?.provider ?? null,
    payoutAttemptKey: event.payout?.attemptKey ?? null,
    reasonCodes: reasonsOf(event).map((reason) => reason.code),
    holdId: isMark ? null : (event.hold?.holdId ?? null),
    eventKind: isMark ? 'MARK' : 'TRANSITION',
    contractVersion: CONTRACT_VERSION,
    ended,
    endedAt: ended ? occurredAt : null,
    returnedMinor: state === 'RETURNED' ? (event.price?.credit.minor ?? null) : null,
    ...NOTHING_BEFORE,
    replayId: null,
  };
}

const NONE: readonly never[] = [];

function instructed(instruction: Instruction) {
  const { sourceCurrency, targetCurrency, instructedAmount } = instruction;
  return {
    requestedAt: instruction.requestedAt,
    producerId: instruction.producerId,
    corridorId: instruction.corridorId,
    sourceCountry: instruction.sourceCountry,
    targetCountry: instruction.targetCountry,
    sourceCurrency,
    targetCurrency,
    sourceExponent: currencyOf(sourceCurrency)?.exponent ?? null,
    targetExponent: currencyOf(targetCurrency)?.exponent ?? null,
    instructedMinor: instructedAmount.minor,
    instructedCurrency: instructedAmount.currency,
    amountSide: instruction.amountSide,
    debtorToken: instruction.debtorToken,
    creditorToken: instruction.creditorToken,
    tokenKeyId: instruction.tokenKeyId,
    purposeCode: instruction.purposeCode,
    chargeBearer: instruction.chargeBearer,
    ...declaredClasses(instruction),
  };
}

type PricedFields = Pick<TransferLifecycle, PricedField>;
type PricedField =
  | ('debitMinor' | 'creditMinor' | 'feesMinor' | 'fees' | 'principalMinor' | 'marginMinor' | 'residual')
  | ('midRate' | 'customerRate' | 'marginBps' | 'rateSnapshotId')
  | ('termsVersion' | 'termIds' | 'market' | 'chargedTaxes' | 'chargedTaxesMinor')
  | ('valueDate' | 'availableAt' | 'cancelUntil' | 'priceLegs' | 'pivotCurrency');

function priced(price: Price | null): PricedFields {
  if (price === null) return UNPRICED;
  return {
    debitMinor: price.debit.minor,
    creditMinor: price.credit.minor,
    feesMinor: totalOf(price.fees),
    fees: price.fees.map(({ code, amount }) => ({ code, minor: amount.minor })),
    principalMinor: price.principal.minor,
    marginMinor: price.margin?.minor ?? null,
    residual: price.residual,
    midRate: price.midRate,
    customerRate: price.customerRate,
    marginBps: price.marginBps,
    rateSnapshotId: price.snapshotId,
    termsVersion: price.terms?.set ?? null,
    termIds: price.terms?.termIds ?? NONE,
    market: price.terms?.market ?? null,
    chargedTaxesMinor: totalOf(price.taxes),
    chargedTaxes: price.taxes.map(taxOf),
    valueDate: price.valueDate,
    availableAt: price.availableAt,
    cancelUntil: price.cancelUntil,
    priceLegs: price.legs.map(legOf),
    pivotCurrency: pivotOf(price),
  };
}

const UNPRICED: PricedFields = {
  ...{ debitMinor: null, creditMinor: null, feesMinor: null, fees: NONE },
  ...{ principalMinor: null, marginMinor: null, residual: null },
  ...{ midRate: null, customerRate: null, marginBps: null, rateSnapshotId: null },
  ...{ termsVersion: null, termIds: NONE, market: null, chargedTaxesMinor: null, chargedTaxes: NONE },
  ...{ valueDate: null, availableAt: null, cancelUntil: null, priceLegs: NONE, pivotCurrency: null },
};

const legOf = ({ base, quote, rate, source, observedAt }: RateLeg): LifecycleLeg => ({
  ...{ base, quote, rate, source, observedAt },
});

/** What both legs name beside the currencies of the transfer. */
function pivotOf({ legs: [first, second] }: Price): string | null {
  if (first === undefined || second === undefined) return null;
  return [first.base, first.quote].find((code) => code === second.base || code === second.quote) ?? null;
}

function screened(screening: ScreeningEvidence | null) {
  return {
    screeningOutcome: screening?.outcome ?? null,
    engineVersion: screening?.engineVersion ?? null,
    screeningConfiguration: screening?.configurationHash ?? null,
    screeningLists: screening ? screening.lists.map(({ source, versionId }) => `${source}:${versionId}`) : NONE,
  };
}

/** Of what was declared the classes alone, and taxes: no reference, no name. */
function declaredClasses({ nationalPurpose, funding, payeeVerification, ...rest }: Instruction) {
  return {
    nationalPurpose: nationalPurpose && `${nationalPurpose.scheme}:${nationalPurpose.code}`,
    fundingMethod: funding?.method ?? null,
    payeeVerification: payeeVerification?.result ?? null,
    arrangement: rest.arrangement,
    kycTier: rest.kycTier,
    transferRules: rest.transferRules,
    taxes: rest.taxes.map(taxOf),
  };
}

const taxOf = ({ kind, authority, amount }: Pick<Tax, 'kind' | 'authority' | 'amount'>): LifecycleTax => ({
  ...{ kind, authority },
  ...{ currency: amount.currency, minor: amount.minor },
});

function totalOf(parts: readonly { readonly amount: { readonly minor: bigint } }[]): bigint {
  let total = 0n;
  for (const { amount } of parts) total += amount.minor;
  return total;
}

function reasonsOf(event: ChainEvent): readonly Reason[] {
  if (event.reasons) return event.reasons;
  if (event.reason) return [event.reason];
  return event.hold?.reasons ?? [];
}
