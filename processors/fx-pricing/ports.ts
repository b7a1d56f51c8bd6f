// What pricing needs from outside: the table of market rates, and what it has gone by before.
import type { AcceptedRate, FxRate, RateJumpAccepted, TransferPriced } from '../../schemas/types.generated.ts';

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

/**
 * A place between two side effects, at which tests end the process. They are on no list of the crash harness: a rate of its runs
 * seldom moves far enough to be noted.
 */
export const PRICING_FAILPOINTS = ['fx-pricing.before-accepted', 'fx-pricing.after-accepted'] as const;
export type PricingFailpoint = (typeof PRICING_FAILPOINTS)[number];
