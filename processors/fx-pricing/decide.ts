// Pricing: a binding price from fresh rates, or patience, or a decline. Pure.

import type { Corridor } from '../../domain/corridors/corridors.ts';
import { reason } from '../../domain/reasons.ts';
import type { TermBook } from '../../domain/terms/term-book.ts';
import { nextEnvelope } from '../../domain/transfers/envelope.ts';
import type { ErrorCode } from '../../ports/error-codes.ts';
import type { Price, Reason } from '../../schemas/types.generated.ts';
import type { Cause, Decision, Disposition, EmittedTo, ReceivedFrom } from '../contract.ts';
import type { Topology } from '../topology.ts';
import { madePrice, outsideOf, priceableOf } from './price.ts';
import type { QuoteStanding } from './quotes.ts';
import type { Route } from './routes.ts';

export type PricingInput = ReceivedFrom<Topology['fx-pricing']['reads']>;
export type PricingEvent = EmittedTo<Topology['fx-pricing']['writes']>;

export interface PricingContext {
  /** ms since 1970 */
  readonly now: number;
  /** Undefined when no corridor carries the pair any more. */
  readonly corridor: Corridor | undefined;
  readonly route: Route;
  /** Those in force when the log took the event that asks for the price. */
  readonly terms: TermBook;
  readonly rules: PricingRules;
  /** Of a transfer that names a quote. Undefined: there is none for it. */
  readonly quote?: QuoteStanding | undefined;
}

export interface PricingRules {
  /** Prices that a transfer may have in all. */
  readonly maxAttempts: number;
  /** Longest wait for a fresh rate, in ms: waits asked for, not time since the event, most of which may be an outage. */
  readonly maxWaitMs: number;
  /** How long to wait before looking again, in ms. */
  readonly waitStepMs: number;
  /** The same where a person has to accept a jump, in ms. */
  readonly jumpStepMs: number;
}

export const DEFAULT_PRICING_RULES: PricingRules = {
  maxAttempts: 5,
  maxWaitMs: 30 * 60_000,
  waitStepMs: 5_000,
  jumpStepMs: 15_000,
};

export function decide(input: PricingInput, context: PricingContext): Decision<PricingEvent> {
  const { now, corridor, route, rules } = context;
  const { instruction, envelope } = input.value;
  const attempt = input.topic === 'transfer.requote-requested' ? envelope.attempt + 1 : envelope.attempt;
  if (attempt > rules.maxAttempts) return [rejected(input, now, reason('QUOT'))];
  if (corridor === undefined) return [rejected(input, now, reason('AG03'))];
  if (instruction.amountSide === 'UNKNOWN')
    return stop('AMOUNT_SIDE_UNKNOWN', 'an amount side that this version does not know');
  if (instruction.quoteId !== null) return byQuote(input, corridor, context);
  if (route.kind === 'jumped') return waitForPerson(route, corridor, context);
  if (route.kind !== 'fresh') return waitForRate(input, context);
  const { legs } = route;
  const made = madePrice(priceableOf(instruction, instruction.amountSide), {
    ...{ corridor, legs, terms: context.terms, now },
  });
  if (!made.ok) return [rejected(input, now, made.why)];
  return [priced(input, made.price, { occurredAt: now, attempt })];
}

/** By the quote that it names, and by nothing else: with that price, or not at all. */
function byQuote(
  input: PricingInput,
  corridor: Corridor,
  { now, quote, rules }: PricingContext,
): Decision<PricingEvent> {
  // What was quoted bound until its price expired; another price is another transfer's.
  if (input.topic === 'transfer.requote-requested') return [rejected(input, now, reason('QEXP'))];
  if (quote === undefined) return [rejected(input, now, reason('QUNK'))];
  if (quote.kind === 'refused') return [rejected(input, now, quote.reason)];
  if (quote.kind === 'unclear') return waitForKey(quote.keyId, now + rules.jumpStepMs);
  // A quote is for what the corridor carried then; it must carry it still.
  const outside = outsideOf(corridor, quote.price);
  if (outside !== undefined) return [rejected(input, now, outside)];
  return [priced(input, quote.price, { occurredAt: quote.at, attempt: input.value.envelope.attempt })];
}

function priced(input: PricingInput, price: Price, next: { occurredAt: number; attempt: number }): PricingEvent {
  const { envelope, instruction, parties, screening } = input.value;
  // What a person approved at limits is not asked again because a price expired.
  const approval = input.topic === 'transfer.requote-requested' ? input.value.reservation?.approval : undefined;
  return {
    to: 'transfer.priced',
    value: {
      envelope: nextEnvelope(envelope, { topic: 'transfer.priced', causationId: input.causationId, ...next }),
      ...{ instruction, parties, screening, price },
      limitsApproval: approval ?? null,
    },
  };
}

/** A key that is not here is a fault of the configuration, for which no transfer is declined. */
function waitForKey(keyId: string, untilMs: number): Disposition {
  const detail = `its quote, or the claim on it, is sealed under the key ${keyId}, which this process has not`;
  return { kind: 'wait', untilMs, cause: { code: 'QUOTE_KEY_UNKNOWN', detail }, forPerson: true };
}

/** For as long as it takes: which of the two rates is right a person finds out, and nothing is declined meanwhile. */
function waitForPerson(
  route: Extract<Route, { kind: 'jumped' }>,
  corridor: Corridor,
  { now, rules }: PricingContext,
): Disposition {
  const cause: Cause = { code: 'RATE_JUMPED', detail: jumpInWords(corridor.id, route) };
  return { kind: 'wait', untilMs: now + rules.jumpStepMs, cause, forPerson: true };
}

/** All that a person needs to accept it. */
export function jumpInWords(corridor: string, { leg, step }: Extract<Route, { kind: 'jumped' }>): string {
  const { from, distanceBps } = step;
  const last = `${from.base}/${from.quote} ${from.rate} (version ${from.version})`;
  const now = `${leg.base}/${leg.quote} ${leg.rate} by ${leg.source}`;
  return `${corridor}: from ${last} to ${now}, ${distanceBps} bps`;
}

function waitForRate(input: PricingInput, { now, route, rules }: PricingContext): Decision<PricingEvent> {
  if (input.waitedMs >= rules.maxWaitMs) return [rejected(input, now, reason('RATE'))];
  return { kind: 'wait', untilMs: now + rules.waitStepMs, cause: whyNoRate(route, input.value.instruction) };
}

function whyNoRate(route: Route, { sourceCurrency, targetCurrency }: PricingInput['value']['instruction']): Cause {
  switch (route.kind) {
    case 'stale':
      return { code: 'RATE_STALE', detail: `the rate ${route.pair} is too old` };
    case 'few':
      return { code: 'RATE_UNCONFIRMED', detail: `too few sources quote ${route.pair}: ${named(route.sources)}` };
    case 'disputed':
      return {
        code: 'RATE_DISPUTED',
        detail: `the sources of ${route.pair} contradict each other: ${named(route.sources)}`,
      };
    default:
      return { code: 'RATE_MISSING', detail: `no rates lead from ${sourceCurrency} to ${targetCurrency}` };
  }
}

/** A few names: what a feed calls itself is bounded, how many feeds there are is not. */
const named = (sources: readonly string[]): string => sources.slice(0, 5).join(', ');

function rejected(input: PricingInput, now: number, why: Reason): PricingEvent {
  const { envelope, instruction, parties, screening } = input.value;
  const again = input.topic === 'transfer.requote-requested' ? input.value : undefined;
  return {
    to: 'transfer.rejected',
    value: {
      envelope: nextEnvelope(envelope, { topic: 'transfer.rejected', causationId: input.causationId, occurredAt: now }),
      instruction,
      parties,
      screening,
      price: again?.price ?? null,
      reservation: again?.reservation ?? null,
      payout: null,
      limitsRefusal: null,
      stage: 'FX_PRICING',
      reasons: [why],
    },
  };
}

const stop = (code: ErrorCode, detail: string): Disposition => ({ kind: 'stop', cause: { code, detail } });
