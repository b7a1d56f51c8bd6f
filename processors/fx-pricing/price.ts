// What a transfer costs by the rates and terms of one moment: for a transfer that is priced, and for a quote. Pure.
import { hash } from 'node:crypto';
import type { Corridor, CorridorSide } from '../../domain/corridors/corridors.ts';
import { formatMoney } from '../../domain/money/currencies.ts';
import type { Money } from '../../domain/money/money.ts';
import { type Pricing, priceOf, sizeOf } from '../../domain/pricing/pricing.ts';
import { type ReasonCode, reason } from '../../domain/reasons.ts';
import type { ChosenTerms, TermBook } from '../../domain/terms/term-book.ts';
import type { Instruction, Price, RateLeg, Reason } from '../../schemas/types.generated.ts';

/** All that a price depends on, beside rates, terms and time. */
export interface Priceable {
  readonly side: 'SOURCE' | 'TARGET';
  /** In the currency of its side. */
  readonly amount: Money;
  readonly sourceCurrency: string;
  readonly targetCurrency: string;
  readonly chargeBearer: string;
  readonly kycTier: string | null;
  readonly fundingMethod: string | null;
  /** Taxes that the producer takes by itself. */
  readonly declaredTaxes: readonly { readonly kind: string; readonly authority: string }[];
}

export function priceableOf(instruction: Instruction, side: 'SOURCE' | 'TARGET'): Priceable {
  const { instructedAmount: amount, sourceCurrency, targetCurrency, chargeBearer, kycTier, funding } = instruction;
  return {
    ...{ side, amount, sourceCurrency, targetCurrency, chargeBearer, kycTier },
    fundingMethod: funding?.method ?? null,
    declaredTaxes: instruction.taxes,
  };
}

export interface PriceMoment {
  readonly corridor: Corridor;
  readonly legs: readonly RateLeg[];
  readonly terms: TermBook;
  /** ms since 1970 */
  readonly now: number;
}

export type PriceMade =
  | { readonly ok: true; readonly price: Price }
  /** The corridor carries nothing of the kind. */
  | { readonly ok: false; readonly why: Reason };

/** A price that binds from now on, by the terms that hold for it. */
export function madePrice(of: Priceable, moment: PriceMoment): PriceMade {
  const { corridor, legs, terms, now } = moment;
  const { side, amount, sourceCurrency, targetCurrency, chargeBearer: bearer, kycTier, fundingMethod } = of;
  const fixed = { side, amount, sourceCurrency, targetCurrency, legs };
  const sizeMinor = sizeOf(fixed);
  const chosen = terms.choose({
    ...{ corridor, bearer, kycTier, fundingMethod },
    ...{ sizeMinor, at: now, declared: of.declaredTaxes },
  });
  const priced = priceOf({ ...fixed, marginBps: chosen.marginBps }, chosen.fees, chosen.taxes);
  if (!priced.ok) return { ok: false, why: reason(priced.why === 'TOO_LOW' ? 'AM06' : 'AM02') };
  const why = outsideOf(corridor, priced.pricing);
  if (why !== undefined) return { ok: false, why };
  return { ok: true, price: bindingPrice(priced.pricing, moment, { chosen, sizeMinor }) };
}

interface ByTerms {
  readonly chosen: ChosenTerms;
  readonly sizeMinor: bigint;
}

function bindingPrice(pricing: Pricing, { legs, terms, now }: PriceMoment, { chosen, sizeMinor }: ByTerms): Price {
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

/** Both sides must be within the corridor; intake could check the fixed one only. */
export function outsideOf(
  { source, target }: Corridor,
  { debit, credit }: Pick<Pricing, 'debit' | 'credit'>,
): Reason | undefined {
  return outsideOfSide(source, debit.minor) ?? outsideOfSide(target, credit.minor);
}

function outsideOfSide({ amount, currency }: CorridorSide, minor: bigint): Reason | undefined {
  const shown = (bound: bigint) => formatMoney({ minor: bound, currency });
  const refuse = (code: ReasonCode, detail: string) => reason(code, `${shown(minor)}: the corridor carries ${detail}`);
  if (minor < amount.minMinor) return refuse('AM06', `${shown(amount.minMinor)} at least`);
  if (minor > amount.maxMinor) return refuse('AM02', `${shown(amount.maxMinor)} at most`);
  return undefined;
}
