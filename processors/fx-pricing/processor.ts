// Wires pricing: routes over the followed rates, found once per pair and batch.
import type { CorridorBook } from '../../domain/corridors/corridors.ts';
import type { Processor } from '../contract.ts';
import { type Topology, topology } from '../topology.ts';
import { DEFAULT_PRICING_RULES, decide, type PricingContext, type PricingRules } from './decide.ts';
import type { RateTable } from './ports.ts';
import { findRoute, type RateBook, type Route, rateBookOf } from './routes.ts';

export interface FxPricingOptions {
  /** The followed table of fx.rates. */
  readonly rates: RateTable;
  readonly corridors: CorridorBook;
  /** ms since 1970 */
  readonly clock: () => number;
  readonly rules?: Partial<PricingRules>;
}

/** transfer.screened, transfer.requote-requested -> transfer.priced | transfer.rejected */
export function createFxPricing(options: FxPricingOptions): Processor<Topology['fx-pricing'], PricingContext> {
  const { rates, corridors, clock } = options;
  const rules = { ...DEFAULT_PRICING_RULES, ...options.rules };
  const book = latestBook(rates);
  return {
    name: 'fx-pricing',
    edges: topology['fx-pricing'],
    async prepare(batch) {
      const now = clock();
      const current = book();
      const routes = new Map<string, Route>();
      return batch.map(({ value }): PricingContext => {
        const { sourceCurrency, targetCurrency } = value.instruction;
        const corridor = corridors.between(sourceCurrency, targetCurrency);
        if (corridor === undefined) return { now, corridor, route: { kind: 'none' }, rules };
        const route =
          routes.get(corridor.id) ??
          findRoute(current, sourceCurrency, targetCurrency, now, {
            ...corridor.rates,
            maxRateAgeMs: corridor.maxRateAgeMs,
          });
        routes.set(corridor.id, route);
        return { now, corridor, route, rules };
      });
    },
    decide,
    discardable: async (batch) => batch.map(() => ({ kind: 'reject', occurredAt: clock() })),
  };
}

/** The book of the table, rebuilt only when the table has changed. */
function latestBook(rates: RateTable): () => RateBook {
  let version = -1;
  let book: RateBook = new Map();
  return () => {
    if (rates.version !== version) {
      version = rates.version;
      book = rateBookOf([...rates.entries()].map(([, rate]) => rate));
    }
    return book;
  };
}
