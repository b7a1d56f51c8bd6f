// Pairs of corridors for whose rate a person is needed, in health and metrics: transfers of them wait.
import { jumpInWords } from '../../processors/fx-pricing/decide.ts';
import type { FxPricing } from '../../processors/fx-pricing/processor.ts';
import type { Route } from '../../processors/fx-pricing/routes.ts';
import type { DependencyTrouble } from '../../runtime/hosts/host.ts';
import type { Metrics } from '../../runtime/logs-and-metrics/metrics.ts';

type Wrong = Extract<Route, { kind: 'disputed' | 'jumped' }>;

/** What health says of them, whenever it is asked; found out from the tables, so before a transfer waits for one. */
export function ratesWaiting(
  pricing: Pick<FxPricing, 'routes'>,
  { ratesWaiting: gauge }: Pick<Metrics, 'ratesWaiting'>,
  clock: () => number,
): () => readonly DependencyTrouble[] {
  let since = new Map<string, number>();
  return () => {
    const now = clock();
    const wrong = pricing
      .routes()
      .flatMap(({ corridor, route }) =>
        route.kind === 'disputed' || route.kind === 'jumped' ? [{ corridor: corridor.id, route }] : [],
      );
    since = new Map(wrong.map((each) => [nameOf(each), since.get(nameOf(each)) ?? now]));
    gauge.reset();
    return wrong.map((each): DependencyTrouble => {
      const { corridor, route } = each;
      const code = route.kind === 'jumped' ? 'RATE_JUMPED' : 'RATE_DISPUTED';
      gauge.set({ corridor, pair: route.pair, code }, 1);
      return {
        ...{ dependency: nameOf(each), code, detail: detailOf(each), since: since.get(nameOf(each))! },
        ...{ topic: 'fx.rates', partition: 0, lastMetAt: performance.now() },
      };
    });
  };
}

interface Waiting {
  readonly corridor: string;
  readonly route: Wrong;
}

const nameOf = ({ corridor, route }: Waiting): string => `rate ${route.pair} of ${corridor}`;

const detailOf = ({ corridor, route }: Waiting): string =>
  route.kind === 'jumped'
    ? jumpInWords(corridor, route)
    : `the sources of ${route.pair} contradict each other: ${route.sources.slice(0, 5).join(', ')}`;
