// A set of terms made ready for pricing: which rows hold for a transfer, found once for all transfers that are alike.
import type { BusinessDays, HolidaysOf } from '../calendars/business-days.ts';
import { businessDays } from '../calendars/business-days.ts';
import type { Corridor } from '../corridors/corridors.ts';
import type { FeeRule, TaxRule } from '../pricing/pricing.ts';
import { checkTerms, checkTermsFor } from './check-terms.ts';
import { marketState, type SettlementDates, settlementDates } from './dates.ts';
import {
  type CancellationRow,
  feeSlot,
  isInBand,
  isValidOn,
  type MarketState,
  rankOf,
  type SettlementRow,
  type TermRow,
  type TermSet,
  taxSlot,
  termSetName,
} from './terms.ts';

/** What terms depend on. */
export interface TermCase {
  readonly corridor: Corridor;
  readonly bearer: string;
  /** Null: the intent names none. */
  readonly kycTier: string | null;
  readonly fundingMethod: string | null;
  /** As `sizeOf` of pricing says, minor units of the source currency. */
  readonly sizeMinor: bigint;
  /** When the price is made, ms since 1970. */
  readonly at: number;
  /** Taxes that the producer takes by itself. */
  readonly declared: readonly { readonly kind: string; readonly authority: string }[];
}

export interface ChosenTerms {
  /** Name and version of the set, and the number of the policy version that it is: `house@2026-12#7`. */
  readonly set: string;
  readonly market: MarketState;
  /** The rows that it goes by: margin, lifetime, fees, taxes, settlement, cancellation. */
  readonly termIds: readonly string[];
  readonly marginBps: number;
  readonly fees: readonly FeeRule[];
  readonly taxes: readonly TaxRule[];
  readonly bindsForMs: number;
  readonly settlement: SettlementRow | undefined;
  readonly cancellation: CancellationRow | undefined;
}

export interface TermBook {
  readonly set: TermSet;
  /** As prices name it. */
  readonly name: string;
  /** The same case has the same terms. */
  choose(of: TermCase): ChosenTerms;
  /** Value date and availability of a price made at an instant; undefined: the terms do not say. */
  datesOf(chosen: ChosenTerms, at: number): SettlementDates | undefined;
}

const DAY_MS = 86_400_000;
/** What may be remembered: tiers are what intents say. */
const MAX_KNOWN = 10_000;

/**
 * @param version of the policy that the set is; 0: it is of the configuration
 * @throws DomainError TERMS_INVALID with every mistake
 */
export function termBook(set: TermSet, corridors: readonly Corridor[], holidaysOf: HolidaysOf, version = 0): TermBook {
  checkTermsFor(checkTerms(set), corridors);
  const days = businessDays(set.calendars, holidaysOf);
  checkDays(set, days);
  const name = version === 0 ? termSetName(set) : `${termSetName(set)}#${version}`;
  const alike = new Map<string, Alike>();
  const marketOf = marketFinder(set, days);
  const datesOf = datesFinder(days);
  return {
    ...{ set, name },
    choose(of) {
      const market = marketOf(of.corridor.id, of.at);
      // As JSON: nothing that is no tier, and no tier with a slash in it, passes for another case.
      const key = JSON.stringify([
        ...[of.corridor.id, of.bearer, of.kycTier, of.fundingMethod],
        ...[market, Math.floor(of.at / DAY_MS)],
      ]);
      let found = alike.get(key);
      if (found === undefined) {
        if (alike.size >= MAX_KNOWN) alike.clear();
        found = alikeIn(set, name, of, market);
        alike.set(key, found);
      }
      const chosen = found(of);
      return of.declared.length > 0 && chosen.taxes.length > 0 ? withoutDeclared(chosen, of) : chosen;
    },
    datesOf,
  };
}

/** Asks every calendar once, so that a country which nobody knows, or calendars that never meet, are found before a price is. */
function checkDays({ calendars, settlements }: TermSet, days: BusinessDays): void {
  for (const { id } of calendars) days.isOpen(id, ANY_DAY);
  for (const row of settlements) for (const ids of [row.calendars, row.rail.calendars]) days.firstOpen(ids, ANY_DAY);
}

const ANY_DAY = '2026-12-01';

/** Once for each corridor and instant: the transfers of a batch are priced at one. */
function marketFinder({ markets }: TermSet, days: BusinessDays): (corridor: string, at: number) => MarketState {
  const last = new Map<string, { readonly at: number; readonly state: MarketState }>();
  return (corridor, at) => {
    const known = last.get(corridor);
    if (known?.at === at) return known.state;
    const row = best(markets.filter(({ where }) => where.corridors?.includes(corridor) !== false));
    const state = row === undefined ? 'OPEN' : marketState(row, at, days);
    last.set(corridor, { at, state });
    return state;
  };
}

function datesFinder(days: BusinessDays): TermBook['datesOf'] {
  const last = new Map<string, { readonly at: number; readonly dates: SettlementDates }>();
  return ({ settlement }, at) => {
    if (settlement === undefined) return undefined;
    const known = last.get(settlement.termId);
    if (known?.at === at) return known.dates;
    const dates = settlementDates(settlement, at, days);
    last.set(settlement.termId, { at, dates });
    return dates;
  };
}

/** Terms of cases that differ in their size alone. */
type Alike = (of: TermCase) => ChosenTerms;

function alikeIn(set: TermSet, name: string, of: TermCase, market: MarketState): Alike {
  const candidates = candidatesFor(set, of, market);
  const bands = Object.values(candidates)
    .flat(2)
    .flatMap(({ where }) => where.amount ?? []);
  // Between two edges every row holds or does not.
  const edges = [...new Set(bands.flatMap(({ fromMinor, belowMinor }) => [fromMinor, belowMinor ?? fromMinor]))].sort(
    (a, b) => (a < b ? -1 : 1),
  );
  const bySize = new Map<number, ChosenTerms>();
  return (each) => {
    const size = each.sizeMinor;
    let reached = 0;
    while (reached < edges.length && size >= edges[reached]!) reached++;
    const known = bySize.get(reached);
    if (known) return known;
    const chosen = chosenOf(candidates, size, { set: name, market });
    bySize.set(reached, chosen);
    return chosen;
  };
}

/** The rows that can hold whatever the size, those of a slot together. */
function candidatesFor(set: TermSet, of: TermCase, market: MarketState) {
  const day = new Date(of.at).toISOString().slice(0, 10);
  const holds = (row: TermRow) => isMeant(row, of, market);
  const { currency } = of.corridor.source;
  const fees = set.fees.filter((row) => row.currency === currency && holds(row));
  const taxes = set.taxes.filter((row) => isValidOn(row, day) && holds(row));
  return {
    margins: [set.margins.filter(holds)],
    lifetimes: [set.lifetimes.filter(holds)],
    fees: [...Map.groupBy(fees, feeSlot).values()],
    taxes: [...Map.groupBy(taxes, taxSlot).values()],
    settlements: [set.settlements.filter(holds)],
    cancellations: [set.cancellations.filter((row) => isValidOn(row, day) && holds(row))],
  };
}

/** Whether a row holds for a transfer, whatever its size. */
function isMeant(
  { where }: TermRow,
  { corridor, bearer, kycTier, fundingMethod }: TermCase,
  market: MarketState,
): boolean {
  const { corridors, bearers, kycTiers, fundingMethods, amount, markets } = where;
  if (corridors?.includes(corridor.id) === false || bearers?.includes(bearer) === false) return false;
  if (kycTiers?.includes(kycTier ?? 'NONE') === false || fundingMethods?.includes(fundingMethod ?? 'NONE') === false)
    return false;
  return markets?.includes(market) !== false && (amount === undefined || amount.currency === corridor.source.currency);
}

/** The most specific of rows that hold; of a checked set no two are equally so. */
function best<R extends TermRow>(rows: readonly R[], sizeMinor?: bigint): R | undefined {
  let found: R | undefined;
  for (const row of rows) {
    if (row.where.amount && (sizeMinor === undefined || !isInBand(row.where.amount, sizeMinor))) continue;
    if (found === undefined || rankOf(row.where) > rankOf(found.where)) found = row;
  }
  return found;
}

function chosenOf(
  { margins, lifetimes, fees, taxes, settlements, cancellations }: ReturnType<typeof candidatesFor>,
  size: bigint,
  of: Pick<ChosenTerms, 'set' | 'market'>,
): ChosenTerms {
  const bestOf = <R extends TermRow>(slots: readonly (readonly R[])[]): R[] =>
    slots.flatMap((rows) => best(rows, size) ?? []);
  const [margin, lifetime] = [bestOf(margins)[0]!, bestOf(lifetimes)[0]!];
  const [ofFees, ofTaxes] = [bestOf(fees), bestOf(taxes)];
  const [settlement, cancellation] = [bestOf(settlements)[0], bestOf(cancellations)[0]];
  const rows = [
    margin,
    lifetime,
    ...ofFees,
    ...ofTaxes,
    ...(settlement ? [settlement] : []),
    ...(cancellation ? [cancellation] : []),
  ];
  return {
    ...of,
    termIds: rows.map(({ termId }) => termId),
    marginBps: margin.marginBps,
    fees: ofFees.map(({ code, flatMinor, bps, minMinor, maxMinor }) => ({ code, flatMinor, bps, minMinor, maxMinor })),
    taxes: ofTaxes.map(({ termId, kind, authority, base, rateBps, rounding }) => ({
      ...{ termId, kind, authority, base, rateBps, rounding },
    })),
    bindsForMs: lifetime.bindsForMs,
    settlement,
    cancellation,
  };
}

function withoutDeclared(chosen: ChosenTerms, { declared }: TermCase): ChosenTerms {
  const taken = new Set(declared.map(taxSlot));
  const taxes = chosen.taxes.filter((tax) => !taken.has(taxSlot(tax)));
  if (taxes.length === chosen.taxes.length) return chosen;
  const gone = new Set(chosen.taxes.filter((tax) => taken.has(taxSlot(tax))).map(({ termId }) => termId));
  return { ...chosen, taxes, termIds: chosen.termIds.filter((termId) => !gone.has(termId)) };
}
