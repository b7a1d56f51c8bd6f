// Pricing: a binding price from fresh rates, or patience, or a decline. Pure.

import { hash } from 'node:crypto';
import type { Corridor, CorridorSide } from '../../domain/corridors/corridors.ts';
import { formatMoney } from '../../domain/money/currencies.ts';
import { type Pricing, priceOf, sizeOf } from '../../domain/pricing/pricing.ts';
import { type ReasonCode, reason } from '../../domain/reasons.ts';
import type { ChosenTerms, TermBook } from '../../domain/terms/term-book.ts';
import { nextEnvelope } from '../../domain/transfers/envelope.ts';
import type { ErrorCode } from '../../ports/error-codes.ts';
import type { Price, RateLeg, Reason } from '../../schemas/types.generated.ts';
import type { Cause, Decision, Disposition, EmittedTo, ReceivedFrom } from '../contract.ts';
import type { Topology } from '../topology.ts';
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
}

export interface PricingRules {
  /** Quotes that a transfer may have in all. */
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
  if (route.kind === 'jumped') return waitForPerson(route, corridor, context);
  if (route.kind !== 'fresh') return waitForRate(input, context);

  const { priced, chosen, sizeMinor } = pricedBy(input, instruction.amountSide, corridor, route.legs, context);
  if (!priced.ok) return [rejected(input, now, reason(priced.why === 'TOO_LOW' ? 'AM06' : 'AM02'))];
  const outside = outsideOf(corridor, priced.pricing);
  if (outside !== undefined) return [rejected(input, now, outside)];

  const { parties, screening } = input.value;
  const next = nextEnvelope(envelope, {
    topic: 'transfer.priced',
    causationId: input.causationId,
    occurredAt: now,
    attempt,
  });
  const price = bindingPrice(priced.pricing, route.legs, { chosen, sizeMinor, terms: context.terms }, now);
  // What a person approved at limits is not asked again because a price expired.
  const approval = input.topic === 'transfer.requote-requested' ? input.value.reservation?.approval : undefined;
  const limitsApproval = approval ?? null;
  return [{ to: 'transfer.priced', value: { envelope: next, instruction, parties, screening, price, limitsApproval } }];
}

/** The terms that hold for a transfer, and what it comes to by them. */
function pricedBy(
  { value: { instruction } }: PricingInput,
  side: 'SOURCE' | 'TARGET',
  corridor: Corridor,
  legs: readonly RateLeg[],
  { terms, now }: PricingContext,
) {
  const {
    instructedAmount: amount,
    sourceCurrency,
    targetCurrency,
    funding,
    kycTier,
    chargeBearer,
    taxes,
  } = instruction;
  const fixed = { side, amount, sourceCurrency, targetCurrency, legs };
  const sizeMinor = sizeOf(fixed);
  const chosen = terms.choose({
    ...{ corridor, bearer: chargeBearer, kycTier, fundingMethod: funding?.method ?? null },
    ...{ sizeMinor, at: now, declared: taxes },
  });
  return { priced: priceOf({ ...fixed, marginBps: chosen.marginBps }, chosen.fees, chosen.taxes), chosen, sizeMinor };
}

interface ByTerms {
  readonly chosen: ChosenTerms;
  readonly sizeMinor: bigint;
  readonly terms: TermBook;
}

function bindingPrice(
  pricing: Pricing,
  legs: readonly RateLeg[],
  { chosen, sizeMinor, terms }: ByTerms,
  now: number,
): Price {
  const { set, termIds, market, marginBps, bindsForMs, cancellation } = chosen;
  const dates = terms.datesOf(chosen, now);
  return {
    ...pricing,
    snapshotId: snapshotIdOf(legs),
    legs,
    marginBps,
    lockedAt: now,
    positioned: true,
    expiresAt: now + bindsForMs,
    terms: { set, termIds, market, sizeMinor },
    valueDate: dates?.valueDate ?? null,
    availableAt: dates?.availableAt ?? null,
    cancelUntil: cancellation === undefined ? null : now + cancellation.windowMs,
  };
}

/** Identifier of a set of rates: the same rates always have the same one. */
export function snapshotIdOf(legs: readonly RateLeg[]): string {
  const known = snapshotIds.get(legs);
  if (known !== undefined) return known;
  const canonical = legs.map(({ base, quote, rate, source, observedAt }) => [base, quote, rate, source, observedAt]);
  const id = hash('sha256', JSON.stringify(canonical), 'hex').slice(0, 32);
  snapshotIds.set(legs, id);
  return id;
}

/** Of the legs of a route, which all transfers of a batch share. */
const snapshotIds = new WeakMap<readonly RateLeg[], string>();

/** The derived side must be within the corridor too; intake could check the fixed one only. */
function outsideOf({ source, target }: Corridor, { debit, credit }: Pricing): Reason | undefined {
  return outsideOfSide(source, debit.minor) ?? outsideOfSide(target, credit.minor);
}

function outsideOfSide({ amount, currency }: CorridorSide, minor: bigint): Reason | undefined {
  const shown = (bound: bigint) => formatMoney({ minor: bound, currency });
  const refuse = (code: ReasonCode, detail: string) => reason(code, `${shown(minor)}: the corridor carries ${detail}`);
  if (minor < amount.minMinor) return refuse('AM06', `${shown(amount.minMinor)} at least`);
  if (minor > amount.maxMinor) return refuse('AM02', `${shown(amount.maxMinor)} at most`);
  return undefined;
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
