// What a corridor is, and how one is found. The corridors themselves are data: corridor-table.ts.

import { DomainError } from '../fault.ts';
import { currencyOf } from '../money/currencies.ts';
import type { RateTerms } from '../pricing/agreement.ts';
import type { FeeRule } from '../pricing/pricing.ts';

/**
 * Who bears the charges (ISO 20022 ChargeBearerType1Code), and what it does to the price. Corridor's own fees are always the
 * sender's: they are in the debit, and the credit is what leaves for the beneficiary.
 *
 * - SLEV, SHAR: what the beneficiary's side charges is the beneficiary's, by the rules of the scheme or shared.
 * - DEBT: what the beneficiary's side charges is the sender's too, so the corridor has a fee that only DEBT pays.
 * - CRED: all charges are the beneficiary's. No corridor offers it, since nothing here takes a fee from the credit.
 */
export type ChargeBearer = 'DEBT' | 'CRED' | 'SHAR' | 'SLEV';

/** The fees that a transfer with this charge bearer pays. Pure. */
export const feesFor = (corridor: Corridor, bearer: string): readonly FeeRule[] =>
  corridor.fees.filter(({ bearers }) => bearers === undefined || bearers.includes(bearer));

/** How accounts of one side are identified. */
export interface AccountRule {
  readonly scheme: 'IBAN' | 'BBAN' | 'VPA';
  /** What `agent` must hold; NONE where the account carries the institution (a BIC is taken there all the same). */
  readonly agent: 'NONE' | 'IFSC' | 'SORT_CODE' | 'ABA';
}

export interface AmountRange {
  readonly minMinor: bigint;
  readonly maxMinor: bigint;
}

export interface CorridorSide {
  /** ISO 4217. */
  readonly currency: string;
  /** ISO 3166-1 alpha-2 codes. */
  readonly countries: readonly string[];
  /** Least and most of one transfer, in minor units of the currency. */
  readonly amount: AmountRange;
  readonly accounts: readonly AccountRule[];
}

/** A pair of currencies and countries in which transfers are carried, and its terms. */
export interface Corridor {
  readonly id: string;
  readonly source: CorridorSide;
  readonly target: CorridorSide;
  readonly chargeBearers: readonly ChargeBearer[];
  /** ISO 20022 external purpose codes. */
  readonly purposeCodes: readonly string[];
  /** Basis points of the mid rate. */
  readonly marginBps: number;
  readonly fees: readonly FeeRule[];
  /** How long a price binds, in ms. */
  readonly priceTtlMs: number;
  /** A rate observed longer ago than this, in ms, prices nothing. */
  readonly maxRateAgeMs: number;
  /** What a rate must be before it prices a transfer. */
  readonly rates: RateTerms;
  /** When payouts are made. */
  readonly open: 'ALWAYS';
}

/** Corridors by what an intent says. Build it once, at the start. */
export interface CorridorBook {
  readonly corridors: readonly Corridor[];
  /** The corridor between two currencies, or undefined. */
  between(sourceCurrency: string, targetCurrency: string): Corridor | undefined;
}

/** @throws DomainError CORRIDORS_INVALID with every mistake in the table */
export function corridorBook(corridors: readonly Corridor[]): CorridorBook {
  const faults = corridors.flatMap(corridorFaults);
  const byPair = new Map<string, Corridor>();
  for (const corridor of corridors) {
    const pair = `${corridor.source.currency}/${corridor.target.currency}`;
    if (byPair.has(pair)) faults.push(`${corridor.id}: the pair ${pair} is taken by ${byPair.get(pair)!.id}`);
    byPair.set(pair, corridor);
  }
  if (faults.length > 0) throw new DomainError('CORRIDORS_INVALID', `correct the corridor table: ${faults.join('; ')}`);
  return { corridors, between: (source, target) => byPair.get(`${source}/${target}`) };
}

function corridorFaults(corridor: Corridor): string[] {
  const { id, source, target } = corridor;
  const faults: string[] = [];
  const claim = (holds: boolean, fault: string) => {
    if (!holds) faults.push(`${id}: ${fault}`);
  };
  claim(source.currency !== target.currency, 'source and target currency are the same');
  for (const side of [source, target]) {
    const { currency, amount } = side;
    claim(currencyOf(currency) !== undefined, `${currency} is not in the currency table`);
    claim(
      amount.minMinor > 0n && amount.minMinor <= amount.maxMinor,
      `the amounts in ${currency} are no range above zero`,
    );
    claim(amount.maxMinor < MAX_CAP, `the cap in ${currency} is above what limits can count`);
    claim(
      side.countries.length > 0 && side.countries.every((code) => /^[A-Z]{2}$/.test(code)),
      'a country code is invalid',
    );
    claim(side.accounts.length > 0, `no account scheme for ${currency}`);
  }
  claim(Number.isInteger(corridor.marginBps) && corridor.marginBps >= 0 && corridor.marginBps < 10_000, 'margin');
  claim(
    corridor.fees.every((fee) => fee.flatMinor >= 0n && Number.isInteger(fee.bps) && fee.bps >= 0),
    'fees',
  );
  claim(corridor.chargeBearers.length > 0 && corridor.purposeCodes.length > 0, 'no charge bearer or purpose code');
  claim(!corridor.chargeBearers.includes('CRED'), 'CRED is offered, and no fee is ever taken from the credit');
  const paysOwn = corridor.fees.some(({ bearers }) => bearers?.length === 1 && bearers[0] === 'DEBT');
  claim(
    !corridor.chargeBearers.includes('DEBT') || paysOwn,
    "DEBT is offered without a fee of its own, which pays what the beneficiary's side charges",
  );
  const { quorum, maxDistanceBps, maxJumpBps, sources, fixings } = corridor.rates;
  claim(Number.isInteger(quorum) && quorum >= 1, 'the quorum of sources of rates is no number from 1 on');
  claim(
    sources === undefined || (new Set(sources).size === sources.length && sources.length >= quorum),
    'fewer sources of rates than their quorum',
  );
  claim(Number.isInteger(maxDistanceBps) && maxDistanceBps >= 0 && maxDistanceBps <= 10_000, 'distance of rates');
  claim(Number.isInteger(maxJumpBps) && maxJumpBps >= 1 && maxJumpBps <= 10_000, 'largest jump of rates');
  claim(new Set(fixings.map(({ source }) => source)).size === fixings.length, 'a source has two fixings');
  claim(corridor.priceTtlMs > 0 && corridor.maxRateAgeMs > 0, 'a duration is not above zero');
  return faults;
}

/** Counters of limits are exact below 2^53; a cap far below leaves room for sums. */
const MAX_CAP = 2n ** 50n;
