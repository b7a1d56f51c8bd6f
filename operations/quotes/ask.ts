// Asking for a quote. The API prices nothing: it keeps what is asked, and pricing answers, which has the keys and the rates.
import { deterministicId } from '../../domain/transfers/event-id.ts';
import { CodedError } from '../../ports/fault.ts';
import type { QuoteRequest } from '../../processors/fx-pricing/quote.ts';
import { quoteIn, validUntilOf } from '../../processors/fx-pricing/quote-seals.ts';
import { isSameRequest } from '../../processors/fx-pricing/quotes.ts';
import type { Quotes, StoredQuote } from './ports.ts';

export interface Asking {
  readonly producerId: string;
  /** The producer's own key of this request: the same is answered with the same quote. */
  readonly key: string;
  readonly content: Omit<QuoteRequest, 'requestId' | 'producerId'>;
}

export type AskOutcome =
  | { readonly kind: 'asked'; readonly quote: StoredQuote; readonly isReplay: boolean }
  /** The key stands for another request of this producer. */
  | { readonly kind: 'other-content' };

/** Requests of one producer that nobody has answered: more are refused. Pricing answers several hundred a second. */
export const MAX_OPEN_REQUESTS = 200;

/** Guaranteed quotes of one producer that hold and are not used, by default: each is an option that costs it nothing. */
const MAX_UNUSED_QUOTES = 1_000;

/** The id of a request follows from who asks under which key, so that asking twice is asking once. */
export const requestIdOf = (producerId: string, key: string): string =>
  deterministicId(`quote request\n${producerId}\n${key}`);

/**
 * @param now ms since 1970
 * @param maxUnused guaranteed quotes that hold and are not used, at most
 * @throws CodedError QUOTES_TOO_MANY, MONGO_UNAVAILABLE
 */
export async function askForQuote(
  quotes: Pick<Quotes, 'ask' | 'show' | 'open' | 'unused' | 'withdraw'>,
  asking: Asking,
  now: number,
  maxUnused: number = MAX_UNUSED_QUOTES,
): Promise<AskOutcome> {
  const { producerId, key, content } = asking;
  const request: QuoteRequest = { ...content, requestId: requestIdOf(producerId, key), producerId };
  const full = await fullOf(quotes, request, now, maxUnused, 0);
  if (full === undefined && (await quotes.ask({ request, askedAt: now }))) {
    await keepWithin(quotes, request, now, maxUnused);
    const quote = { request, askedAt: now, answer: undefined, claim: undefined };
    return { kind: 'asked', quote, isReplay: false };
  }
  const quote = await quotes.show(request.requestId);
  if (quote?.request.requestId !== request.requestId) {
    if (full !== undefined) throw new CodedError('QUOTES_TOO_MANY', full);
    // Taken, yet not to be read: an election is rolling it back, or somebody has changed its shape.
    throw new CodedError('MONGO_UNAVAILABLE', 'a quote is taken but cannot be read yet', { dependency: 'mongo' });
  }
  if (!isSameRequest(quote.request, request)) return { kind: 'other-content' };
  return { kind: 'asked', quote, isReplay: true };
}

/**
 * Counted again with what was just kept, so that requests at once do not pass a bound together: the last of those that stay has
 * counted all the others. Who dies before it leaves one request more, which its key finds again.
 */
async function keepWithin(
  quotes: Pick<Quotes, 'open' | 'unused' | 'withdraw'>,
  request: QuoteRequest,
  now: number,
  maxUnused: number,
): Promise<void> {
  const full = await fullOf(quotes, request, now, maxUnused, 1);
  // What pricing has answered since stays, and is counted for those that come.
  if (full === undefined || !(await quotes.withdraw(request.requestId))) return;
  throw new CodedError('QUOTES_TOO_MANY', full);
}

/** What the producer has too many of; undefined: of nothing. @param counted requests of the caller's own that are counted too */
async function fullOf(
  quotes: Pick<Quotes, 'open' | 'unused'>,
  { producerId, kind }: QuoteRequest,
  now: number,
  maxUnused: number,
  counted: 0 | 1,
): Promise<string | undefined> {
  const isGuaranteed = kind === 'GUARANTEED';
  const [open, unused] = await Promise.all([
    quotes.open(producerId, MAX_OPEN_REQUESTS + counted),
    isGuaranteed ? quotes.unused(producerId, now, maxUnused + counted) : 0,
  ]);
  if (open >= MAX_OPEN_REQUESTS + counted) return `${MAX_OPEN_REQUESTS} of your requests wait to be answered`;
  if (isGuaranteed && unused >= maxUnused + counted)
    return `${maxUnused} guaranteed quotes of yours hold or wait, and no transfer uses them`;
  return undefined;
}

/**
 * ASKED: pricing has not answered yet. REFUSED: it has no price for it. PRICED: it holds. USED: a transfer has its price.
 * EXPIRED: it holds no more, and nothing used it.
 */
export const QUOTE_STATES = ['ASKED', 'REFUSED', 'PRICED', 'USED', 'EXPIRED'] as const;
export type QuoteState = (typeof QUOTE_STATES)[number];

/** How a quote stands now. @param now ms since 1970 */
export function quoteState({ answer, claim }: StoredQuote, now: number): QuoteState {
  if (answer === undefined) return 'ASKED';
  if (answer.kind === 'refused') return 'REFUSED';
  if (claim !== undefined) return 'USED';
  const price = quoteIn(answer.sealed.content)?.price;
  return price !== undefined && now < validUntilOf(price) ? 'PRICED' : 'EXPIRED';
}
