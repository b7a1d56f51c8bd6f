// Terms as data: what a transfer costs, how long its price binds, and when its money arrives, by corridor, tier, funding, amount
// and market. Of the rows that hold for a transfer the most specific one counts. Pure.
import type { CalendarTerms, Weekday } from '../calendars/business-days.ts';
import type { Day } from '../calendars/days.ts';

/** Whether the market is open: within its hours; outside of them; or within them on a day of holiday. */
export const MARKET_STATES = ['OPEN', 'CLOSED', 'HOLIDAY'] as const;
export type MarketState = (typeof MARKET_STATES)[number];

/**
 * Amounts of a currency from one on and below another, in minor units. Measured is the size of a transfer: the debit where it
 * is fixed, else what the credit costs at the mid rate, rounded up. It does not depend on what the terms come to.
 */
export interface TermBand {
  /** Source currency of the corridors that it is about. */
  readonly currency: string;
  readonly fromMinor: bigint;
  /** Null: without end. */
  readonly belowMinor: bigint | null;
}

/** Which transfers a row is for; what is left out does not matter to it. */
export interface TermWhere {
  readonly corridors?: readonly string[] | undefined;
  /** Charge bearers; of fees alone. */
  readonly bearers?: readonly string[] | undefined;
  /** Tiers of the sender; `NONE`: the intent names none. */
  readonly kycTiers?: readonly string[] | undefined;
  /** How the money came in; `NONE`: the intent does not say. */
  readonly fundingMethods?: readonly string[] | undefined;
  readonly amount?: TermBand | undefined;
  readonly markets?: readonly MarketState[] | undefined;
}

export interface TermRow {
  /** Names it in events; one in a set. */
  readonly termId: string;
  readonly where: TermWhere;
}

export interface MarginRow extends TermRow {
  /** Basis points of the mid rate. */
  readonly marginBps: number;
}

/** A fee of one code. Flat part, least and most are in minor units of its currency. */
export interface FeeRow extends TermRow {
  readonly code: string;
  /** Source currency of the corridors that it is of. */
  readonly currency: string;
  readonly flatMinor: bigint;
  readonly bps: number;
  /** Null: there is none. */
  readonly minMinor: bigint | null;
  readonly maxMinor: bigint | null;
  /** Of two fees that both count though they have one code; a file of terms has none of these. */
  readonly place?: number | undefined;
}

export const TAX_BASES = ['PRINCIPAL', 'FEES'] as const;
/** PRINCIPAL: the amount exchanged. FEES: all fees, but for what rounding left. */
export type TaxBase = (typeof TAX_BASES)[number];
export const TAX_ROUNDINGS = ['UP', 'DOWN', 'HALF_UP'] as const;
export type TaxRounding = (typeof TAX_ROUNDINGS)[number];

/** Who says so, where it is to be read, and on which days it holds. Nobody here gives legal advice. */
export interface Provenance {
  readonly title: string;
  readonly link: string | null;
  readonly validFrom: Day;
  /** First day (UTC) on which it holds no more; null: until further notice. */
  readonly validTo: Day | null;
  readonly status: 'TO_CONFIRM_WITH_COUNSEL' | 'CONFIRMED';
}

/** A tax, apart from fees. It is not charged where the intent declares one of this kind and authority: its producer takes it. */
export interface TaxRow extends TermRow, Provenance {
  /** What is taxed, such as EXCISE. */
  readonly kind: string;
  /** The rule that it is owed under, such as US_IRC_4475. */
  readonly authority: string;
  readonly base: TaxBase;
  readonly rateBps: number;
  readonly rounding: TaxRounding;
}

export interface LifetimeRow extends TermRow {
  /** How long a price binds, ms. */
  readonly bindsForMs: number;
}

/** Hours of the market, by the week of a zone; times are HH:MM or HH:MM:SS. */
export interface MarketRow extends TermRow {
  readonly timeZone: string;
  readonly opens: { readonly weekday: Weekday; readonly time: string };
  readonly closes: { readonly weekday: Weekday; readonly time: string };
  /** Calendars by whose days it is a holiday, where one of them does not settle. */
  readonly calendars: readonly string[];
}

/** When the money is worth something to the beneficiary. */
export interface SettlementRow extends TermRow {
  /** What is priced from this time on counts for the next day. */
  readonly timeZone: string;
  readonly cutOff: string;
  /** Of both sides: days on which all of them settle count. */
  readonly calendars: readonly string[];
  /** Such days from the day of the price to the value date: 0 for the same day, 2 for spot. */
  readonly valueDays: number;
  readonly rail: RailTerms;
}

/** When the rail of the payout pays. */
export interface RailTerms {
  readonly timeZone: string;
  readonly calendars: readonly string[];
  readonly opens: string;
  /** What comes at this time or later is paid on its next day; 24:00: it pays to the end of the day. */
  readonly cutOff: string;
  /** How long it takes at most, ms. */
  readonly takesMs: number;
}

/** How long the sender may take it back, by whose rule. */
export interface CancellationRow extends TermRow, Provenance {
  readonly authority: string;
  readonly windowMs: number;
}

export interface TermSet {
  readonly name: string;
  readonly version: string;
  readonly calendars: readonly CalendarTerms[];
  readonly markets: readonly MarketRow[];
  readonly margins: readonly MarginRow[];
  readonly fees: readonly FeeRow[];
  readonly taxes: readonly TaxRow[];
  readonly lifetimes: readonly LifetimeRow[];
  readonly settlements: readonly SettlementRow[];
  readonly cancellations: readonly CancellationRow[];
}

/** As events name it. */
export const termSetName = ({ name, version }: Pick<TermSet, 'name' | 'version'>): string => `${name}@${version}`;

/** What rounding left of a fixed debit; terms cannot have a fee of this code. */
export const ROUNDING_FEE = 'ROUNDING';

/** What a row can name, the weightier first. */
const DIMENSIONS = ['corridors', 'bearers', 'kycTiers', 'fundingMethods', 'amount', 'markets'] as const;

/**
 * How specific a row is. Who names more goes first; of two that name equally many the one that names what stands earlier in
 * this order: corridor, charge bearer, tier, funding, amount, market. Two of one rank name exactly the same.
 */
export function rankOf(where: TermWhere): number {
  const named = DIMENSIONS.filter((dimension) => where[dimension] !== undefined);
  const order = named.reduce((sum, dimension) => sum + 2 ** (DIMENSIONS.length - DIMENSIONS.indexOf(dimension)), 0);
  return named.length * 2 ** (DIMENSIONS.length + 1) + order;
}

/** Rows of one kind compete where they have the same slot: a fee with those of its code, a tax with those of its rule. */
export function competes(one: TermRow, other: TermRow): boolean {
  if (rankOf(one.where) !== rankOf(other.where)) return false;
  return holdTogether(one, other) && areBothValid(one, other);
}

function holdTogether({ where: a }: TermRow, { where: b }: TermRow): boolean {
  for (const dimension of ['corridors', 'bearers', 'kycTiers', 'fundingMethods', 'markets'] as const) {
    const [one, other] = [a[dimension] as readonly string[] | undefined, b[dimension] as readonly string[] | undefined];
    if (one && other && !one.some((value) => other.includes(value))) return false;
  }
  if (a.amount === undefined || b.amount === undefined) return true;
  if (a.amount.currency !== b.amount.currency) return false;
  return isBelow(a.amount.fromMinor, b.amount.belowMinor) && isBelow(b.amount.fromMinor, a.amount.belowMinor);
}

const isBelow = (minor: bigint, end: bigint | null): boolean => end === null || minor < end;

type Dated = TermRow & Partial<Pick<Provenance, 'validFrom' | 'validTo'>>;

function areBothValid(one: Dated, other: Dated): boolean {
  const begins = (row: Dated) => row.validFrom ?? '0000-01-01';
  const isOver = (row: Dated, by: string) => row.validTo != null && row.validTo <= by;
  return !isOver(one, begins(other)) && !isOver(other, begins(one));
}

export const isValidOn = ({ validFrom, validTo }: Pick<Provenance, 'validFrom' | 'validTo'>, day: Day): boolean =>
  validFrom <= day && (validTo === null || day < validTo);

export const isInBand = ({ fromMinor, belowMinor }: TermBand, minor: bigint): boolean =>
  minor >= fromMinor && isBelow(minor, belowMinor);

export const feeSlot = ({ code, currency, place }: FeeRow): string => `${currency}/${code}/${place ?? 0}`;
export const taxSlot = ({ kind, authority }: Pick<TaxRow, 'kind' | 'authority'>): string => `${kind}/${authority}`;
