// What pricing needs from outside: the table of market rates, and what it has gone by before.
import type { AcceptedRate, FxRate, RateJumpAccepted, TransferPriced } from '../../schemas/types.generated.ts';
import type { SealedClaim, SealedQuote } from './quote-seals.ts';

/** The latest rate of each source and pair, as the followed topic has it. */
export interface RateTable {
  /** Rises with every change. */
  readonly version: number;
  entries(): Iterable<readonly [key: string, rate: FxRate]>;
}

/** What each corridor last went by, and which jumps were accepted, as the followed topics have it; by `pairKey`. */
export interface AcceptedRates {
  last(key: string): AcceptedRate | undefined;
  jump(key: string): RateJumpAccepted | undefined;
  /**
   * Writes them; resolves when the log has them, and only then may anything be priced by them. Again is the same.
   * @throws CodedError of the log
   */
  write(rates: readonly AcceptedRate[]): Promise<void>;
  /**
   * The prices that were made of late, as the log has them: asked for where nothing is remembered of a pair, since the memory may
   * have been deleted. Absent: nobody looks.
   * @throws CodedError of the log
   */
  lastPrices?(): Promise<readonly Pick<TransferPriced, 'instruction' | 'price'>[]>;
}

/** Quotes that have a price, and which transfer uses each. Every method throws CodedError MONGO_UNAVAILABLE. */
export interface QuoteStore {
  /** Of these quotes what is kept, and the claims that stand; one round trip each, at once. */
  find(quoteIds: readonly string[]): Promise<{
    readonly quotes: readonly SealedQuote[];
    readonly claims: readonly SealedClaim[];
  }>;
  /**
   * Claims quotes that nobody claimed before; at most one claim per quote in a batch. One round trip when all are free.
   * @returns for each given claim, in order, the claim that stands: the given one or an earlier one
   */
  claim(claims: readonly SealedClaim[]): Promise<readonly SealedClaim[]>;
}

/** Where there are no quotes: what names one is declined, and never priced in another way. */
export const NO_QUOTES: QuoteStore = {
  find: async () => ({ quotes: [], claims: [] }),
  claim: async (claims) => claims,
};

/** Places between two side effects, at which tests end the process. */
export const PRICING_FAILPOINTS = [
  ...(['fx-pricing.before-accepted', 'fx-pricing.after-accepted'] as const),
  ...(['fx-pricing.before-quote-claim', 'fx-pricing.after-quote-claim'] as const),
  /** Free quotes are claimed; claims of others are not read yet. */
  'quote-claims.after-insert',
  ...(['quotes.before-answer', 'quotes.after-answer'] as const),
] as const;
export type PricingFailpoint = (typeof PRICING_FAILPOINTS)[number];
