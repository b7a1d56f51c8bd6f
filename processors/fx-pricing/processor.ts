// Wires pricing: routes over the followed rates, found once per pair and batch.
import type { Corridor, CorridorBook } from '../../domain/corridors/corridors.ts';
import type { TermBook } from '../../domain/terms/term-book.ts';
import type { Failpoint } from '../../ports/failpoint.ts';
import type { AcceptedRate } from '../../schemas/types.generated.ts';
import type { Processor } from '../contract.ts';
import type { Policy } from '../policies.ts';
import { type Topology, topology } from '../topology.ts';
import { DEFAULT_PRICING_RULES, decide, type PricingContext, type PricingRules } from './decide.ts';
import { type CorridorMemory, corridorMemory } from './memory.ts';
import type { AcceptedRates, PricingFailpoint, RateTable } from './ports.ts';
import { findRoute, type RateBook, type Route, rateBookOf } from './routes.ts';

export interface FxPricingOptions {
  /** The followed table of fx.rates. */
  readonly rates: RateTable;
  readonly accepted: AcceptedRates;
  readonly corridors: CorridorBook;
  /**
   * By which transfers are priced: those that count when the log took the event that asks for a price. The same whenever it runs
   * again, and for a transfer that is priced again those of the event that asked for it.
   */
  readonly terms: Policy<TermBook>;
  /** ms since 1970 */
  readonly clock: () => number;
  readonly rules?: Partial<PricingRules>;
  readonly failpoint?: Failpoint<PricingFailpoint>;
  /** Told of what corridors had gone by and nobody remembered, once it is remembered again. */
  readonly onForgotten?: (forgotten: readonly AcceptedRate[]) => void;
}

export interface FxPricing extends Processor<Topology['fx-pricing'], PricingContext> {
  /** The route of each corridor now, whether a transfer asks for it or not. */
  routes(): readonly { readonly corridor: Corridor; readonly route: Route }[];
}

/** transfer.screened, transfer.requote-requested -> transfer.priced | transfer.rejected */
export function createFxPricing(options: FxPricingOptions): FxPricing {
  const { rates, corridors, terms: inForce, clock } = options;
  const rules = { ...DEFAULT_PRICING_RULES, ...options.rules };
  const book = latestBook(rates);
  const memory = corridorMemory(options.accepted, options.failpoint);
  return {
    name: 'fx-pricing',
    edges: topology['fx-pricing'],
    async prepare(batch) {
      const now = clock();
      const current = book();
      const asked = batch.map(({ value: { instruction } }) =>
        corridors.between(instruction.sourceCurrency, instruction.targetCurrency),
      );
      const routesNow = () =>
        new Map([...new Set(asked)].flatMap((each) => (each ? [[each, routeOf(current, each, memory, now)]] : [])));
      let routes = routesNow();
      if ([...routes.values()].some(isFirst)) {
        // Either nothing was ever priced by it, or what was is forgotten: the prices in the log tell.
        const forgotten = await memory.recall(corridors);
        if (forgotten.length > 0) {
          options.onForgotten?.(forgotten);
          routes = routesNow();
        }
      }
      const contexts = batch.map(({ appendedAt }, i): PricingContext => {
        const corridor = asked[i];
        const route: Route = corridor === undefined ? { kind: 'none' } : routes.get(corridor)!;
        return { now, corridor, route, terms: inForce.at(appendedAt).content, rules };
      });
      const taken = [...routes].flatMap(([corridor, route]) =>
        route.kind === 'fresh' ? route.taken.map((each) => ({ ...each, corridor })) : [],
      );
      // Before anything is priced by them: what is priced and forgotten could not be held against what comes next.
      await memory.take(taken, now);
      return contexts;
    },
    decide,
    discardable: async (batch) => batch.map(() => ({ kind: 'reject', occurredAt: clock() })),
    routes: () => {
      const [now, current] = [clock(), book()];
      return corridors.corridors.map((corridor) => ({ corridor, route: routeOf(current, corridor, memory, now) }));
    },
  };
}

/** Held against nothing: no rate of one of its pairs was gone by before. */
const isFirst = (route: Route): boolean => route.kind === 'fresh' && route.taken.some(({ version }) => version === 1);

function routeOf(book: RateBook, corridor: Corridor, memory: CorridorMemory, now: number): Route {
  const terms = { ...corridor.rates, maxRateAgeMs: corridor.maxRateAgeMs, memory: memory.of(corridor) };
  return findRoute(book, corridor.source.currency, corridor.target.currency, now, terms);
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
