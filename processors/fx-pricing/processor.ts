// Wires pricing: routes over the followed rates, found once per pair and batch.
import type { Corridor, CorridorBook } from '../../domain/corridors/corridors.ts';
import type { KeyRing } from '../../domain/seals/seal.ts';
import type { TermBook } from '../../domain/terms/term-book.ts';
import type { Failpoint } from '../../ports/failpoint.ts';
import { isOutage } from '../../ports/fault.ts';
import type { AcceptedRate } from '../../schemas/types.generated.ts';
import type { Processor } from '../contract.ts';
import type { Policy } from '../policies.ts';
import { type Topology, topology } from '../topology.ts';
import { currentRoutes, isOfFirst, routeIn } from './current-routes.ts';
import { DEFAULT_PRICING_RULES, decide, type PricingContext, type PricingRules } from './decide.ts';
import { type AcceptedRates, NO_QUOTES, type PricingFailpoint, type QuoteStore, type RateTable } from './ports.ts';
import type { QuoteRequest } from './quote.ts';
import { settleQuotes } from './quote-claims.ts';
import { answerTo, type QuoteAnswer } from './quotes.ts';
import type { Route } from './routes.ts';

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
  /** Quotes, and the stages' keys that they are sealed under. Absent: there are none, and what names one is declined. */
  readonly quotes?: {
    readonly store: QuoteStore;
    readonly ring: KeyRing;
    /** Whether operators have stopped this corridor: no quote of it is given. */
    readonly isStopped?: (corridor: string) => boolean;
    /** Quotes from before then are the price of nobody who has not claimed them, ms since 1970. */
    readonly voidBefore?: number | undefined;
  };
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
  /**
   * Answers requests for quotes by the rates and terms of now, in order. One that cannot be priced keeps no other.
   * @throws CodedError of the log
   */
  quote(requests: readonly AskedQuote[]): Promise<readonly (QuoteAnswer | QuoteFailed)[]>;
}

/** A request, and when it was made by the clock of who keeps it, ms since 1970. */
export interface AskedQuote {
  readonly request: QuoteRequest;
  readonly askedAt: number;
}

/** Something was thrown while it was priced: `waits` of a dependency, which may be there again; `failed` by a bug. */
export interface QuoteFailed {
  readonly kind: 'failed' | 'waits';
  readonly error: unknown;
}

/** transfer.screened, transfer.requote-requested -> transfer.priced | transfer.rejected */
export function createFxPricing(options: FxPricingOptions): FxPricing {
  const { corridors, terms: inForce, clock } = options;
  const rules = { ...DEFAULT_PRICING_RULES, ...options.rules };
  const routes = currentRoutes(options);
  const desk = options.quotes ?? NO_DESK;
  const between = ({ sourceCurrency, targetCurrency }: Pick<QuoteRequest, 'sourceCurrency' | 'targetCurrency'>) =>
    corridors.between(sourceCurrency, targetCurrency);
  return {
    name: 'fx-pricing',
    edges: topology['fx-pricing'],
    async prepare(batch) {
      const now = clock();
      const quotes = await settleQuotes({ ...desk, corridors, failpoint: options.failpoint }, batch, now);
      const asked = batch.map(({ value: { instruction } }) => between(instruction));
      // What a quote prices, no rate of now does. But the corridor goes on with it, so that by quotes alone too the rates of
      // later are held against those of now.
      const goesOn = (i: number) => batch[i]!.value.instruction.quoteId === null || quotes[i]?.kind === 'honoured';
      const goingOn = asked.filter((_, i) => goesOn(i));
      const found = await routes.to(goingOn, now);
      await routes.take(found, now);
      return batch.map(({ appendedAt }, i): PricingContext => {
        const terms = inForce.at(appendedAt).content;
        return { now, corridor: asked[i], route: routeIn(found, asked[i]), terms, rules, quote: quotes[i] };
      });
    },
    async quote(requests) {
      const now = clock();
      const asked = requests.map(({ request }) => between(request));
      const found = await routes.to(asked, now);
      const answers = requests.map(({ request, askedAt }, i): QuoteAnswer | QuoteFailed => {
        const corridor = asked[i];
        const isStopped = corridor !== undefined && (desk.isStopped?.(corridor.id) ?? false);
        // Terms count once both clocks, of who asked and of who answers, are past their beginning.
        const terms = () => inForce.at(Math.min(askedAt, now)).content;
        try {
          return answerTo(request, { now, askedAt, corridor, route: routeIn(found, corridor), terms, isStopped });
        } catch (error) {
          return { kind: isOutage(error) ? 'waits' : 'failed', error };
        }
      });
      // A corridor goes by a quote once a transfer uses it. But none binds by what was held against nothing, twice.
      const binding = new Set(answers.flatMap((answer, i) => (isBinding(answer) ? [asked[i]] : [])));
      await routes.take(new Map([...found].filter(([corridor]) => binding.has(corridor))), now, isOfFirst);
      return answers;
    },
    decide,
    discardable: async (batch) => batch.map(() => ({ kind: 'reject', occurredAt: clock() })),
    routes: () => routes.all(clock()),
  };
}

const isBinding = (answer: QuoteAnswer | QuoteFailed): boolean =>
  answer.kind === 'priced' && answer.quote.request.kind === 'GUARANTEED';

/** Nothing is kept, so nothing is to be checked by the ring. */
const NO_DESK: NonNullable<FxPricingOptions['quotes']> = { store: NO_QUOTES, ring: { currentId: '', keys: new Map() } };
