// What a quote is: a price that was made before the transfer, for one producer and one amount, and is used once. Types alone.
import type { Price } from '../../schemas/types.generated.ts';
import type { Priceable } from './price.ts';

/** GUARANTEED: a transfer may name it and has its price. INDICATIVE: it is shown, and binds nobody. */
export const QUOTE_KINDS = ['GUARANTEED', 'INDICATIVE'] as const;
export type QuoteKind = (typeof QUOTE_KINDS)[number];

export interface QuoteRequest extends Priceable {
  /** Of the request, to look at what came of it. No transfer can name it: the id of the quote follows from the answer. */
  readonly requestId: string;
  readonly producerId: string;
  readonly kind: QuoteKind;
}

/** A request that was answered with a price. */
export interface Quote {
  readonly request: QuoteRequest;
  readonly price: Price;
}

/** Which transfer uses a quote. Made once, and never changed. */
export interface QuoteClaim {
  readonly quoteId: string;
  readonly transferId: string;
  /** topicId:partition:offset of the intent. */
  readonly originPosition: string;
  /** ms since 1970: the time of the price, however often the transfer is priced by it. */
  readonly claimedAt: number;
}
