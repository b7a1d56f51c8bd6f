// The routes of corridors by the rates of now, held against what each went by before, and what is gone by from now on.
import type { Corridor, CorridorBook } from '../../domain/corridors/corridors.ts';
import type { Failpoint } from '../../ports/failpoint.ts';
import type { AcceptedRate } from '../../schemas/types.generated.ts';
import { corridorMemory } from './memory.ts';
import type { AcceptedRates, PricingFailpoint, RateTable } from './ports.ts';
import { findRoute, type RateBook, type Route, rateBookOf, type Taken } from './routes.ts';

export type Routes = ReadonlyMap<Corridor, Route>;

export interface CurrentRoutes {
  /**
   * Of each of these corridors, once.
   * @param now ms since 1970
   * @throws CodedError of the log
   */
  to(asked: readonly (Corridor | undefined)[], now: number): Promise<Routes>;
  /**
   * Has the corridors go by these routes; resolves when the log has it, and only then may anything be priced by them: what is
   * priced and forgotten could not be held against what comes next.
   * @param which default: all that is another than before
   * @throws CodedError of the log
   */
  take(routes: Routes, now: number, which?: (taken: Taken) => boolean): Promise<void>;
  /** Of every corridor; nothing is recalled for it. */
  all(now: number): readonly { readonly corridor: Corridor; readonly route: Route }[];
}

export interface RouteComponents {
  readonly rates: RateTable;
  readonly accepted: AcceptedRates;
  readonly corridors: CorridorBook;
  readonly failpoint?: Failpoint<PricingFailpoint> | undefined;
  /** Told of what corridors had gone by and nobody remembered, once it is remembered again. */
  readonly onForgotten?: ((forgotten: readonly AcceptedRate[]) => void) | undefined;
}

export function currentRoutes({ rates, accepted, corridors, failpoint, onForgotten }: RouteComponents): CurrentRoutes {
  const book = latestBook(rates);
  const memory = corridorMemory(accepted, failpoint);
  function routeOf(current: RateBook, corridor: Corridor, now: number): Route {
    const terms = { ...corridor.rates, maxRateAgeMs: corridor.maxRateAgeMs, memory: memory.of(corridor) };
    return findRoute(current, corridor.source.currency, corridor.target.currency, now, terms);
  }
  return {
    async to(asked, now) {
      const current = book();
      const routesNow = () =>
        new Map([...new Set(asked)].flatMap((each) => (each ? [[each, routeOf(current, each, now)]] : [])));
      const routes = routesNow();
      if (![...routes.values()].some(isFirst)) return routes;
      // Either nothing was ever priced by it, or what was is forgotten: the prices in the log tell.
      const forgotten = await memory.recall(corridors);
      if (forgotten.length === 0) return routes;
      onForgotten?.(forgotten);
      return routesNow();
    },
    async take(routes, now, which = () => true) {
      const taken = [...routes].flatMap(([corridor, route]) =>
        route.kind === 'fresh' ? route.taken.filter(which).map((each) => ({ ...each, corridor })) : [],
      );
      await memory.take(taken, now);
    },
    all(now) {
      const current = book();
      return corridors.corridors.map((corridor) => ({ corridor, route: routeOf(current, corridor, now) }));
    },
  };
}

const NO_ROUTE: Route = { kind: 'none' };

export const routeIn = (routes: Routes, corridor: Corridor | undefined): Route =>
  (corridor && routes.get(corridor)) ?? NO_ROUTE;

/** Held against nothing: no rate of its pair was gone by before. */
export const isOfFirst = ({ version }: Taken): boolean => version === 1;
const isFirst = (route: Route): boolean => route.kind === 'fresh' && route.taken.some(isOfFirst);

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
