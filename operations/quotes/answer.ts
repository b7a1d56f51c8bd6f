// Answering requests for quotes, where prices are made: by the same function, rates and terms as transfers.
//
//   read what nobody has answered   -> price it by the rates of now, under the stages' seal   -> keep it where no answer stands
//
// Whoever dies in between leaves the request unanswered, and it is priced anew; of two that answer at once one answer stands, and
// the other was shown to nobody.
import { reason } from '../../domain/reasons.ts';
import type { KeyRing } from '../../domain/seals/seal.ts';
import { type Failpoint, NO_FAILPOINT } from '../../ports/failpoint.ts';
import type { PricingFailpoint } from '../../processors/fx-pricing/ports.ts';
import type { FxPricing, QuoteFailed } from '../../processors/fx-pricing/processor.ts';
import { sealQuote, validUntilOf } from '../../processors/fx-pricing/quote-seals.ts';
import type { QuoteAnswer } from '../../processors/fx-pricing/quotes.ts';
import type { Quotes, StoredAnswer } from './ports.ts';

export interface AnsweringComponents {
  readonly quotes: Pick<Quotes, 'unanswered' | 'answer'>;
  readonly pricing: Pick<FxPricing, 'quote'>;
  /** The stages'. */
  readonly ring: KeyRing;
  /** ms since 1970 */
  readonly clock: () => number;
  /** Told of each request that is refused for a fault of ours: what is kept is no request (no error), or pricing it threw. */
  readonly onFailed?: (requestId: string, error: unknown) => void;
  readonly failpoint?: Failpoint<PricingFailpoint>;
}

export interface Answered {
  readonly count: number;
  /** Of the requests that were found; undefined: none was. */
  readonly oldest: { readonly requestId: string; readonly askedAt: number } | undefined;
}

/**
 * Answers at most so many.
 * @throws CodedError of the store and of the log; POLICY_UNUSABLE where terms cannot be used, once all else is answered
 */
export async function answerQuotes(parts: AnsweringComponents, limit: number): Promise<Answered> {
  const { quotes, pricing, ring, clock, onFailed, failpoint = NO_FAILPOINT } = parts;
  const { requests, unreadable } = await quotes.unanswered(limit);
  const count = requests.length + unreadable.length;
  if (count === 0) return { count, oldest: undefined };
  const made = requests.length === 0 ? [] : await pricing.quote(requests);
  const at = clock();
  const answers = new Map<string, StoredAnswer>();
  const waiting = made.find(({ kind }) => kind === 'waits');
  const fail = (id: string, error: unknown) => {
    onFailed?.(id, error);
    answers.set(id, { kind: 'refused', at, reason: reason('QFLT') });
  };
  for (const id of unreadable) fail(id, undefined);
  for (const [i, { request }] of requests.entries()) {
    const answer = made[i]!;
    if (answer.kind === 'waits') continue;
    try {
      answers.set(request.requestId, storedOf(ring, answer, at));
    } catch (error) {
      fail(request.requestId, error);
    }
  }
  await failpoint('quotes.before-answer');
  await quotes.answer(answers);
  await failpoint('quotes.after-answer');
  if (waiting?.kind === 'waits') throw waiting.error;
  const [first] = requests;
  return { count, oldest: first && { requestId: first.request.requestId, askedAt: first.askedAt } };
}

function storedOf(ring: KeyRing, answer: QuoteAnswer | QuoteFailed, at: number): StoredAnswer {
  if (answer.kind === 'refused') return { ...answer, at };
  if (answer.kind === 'priced') {
    const { request, price } = answer.quote;
    const holds = request.kind === 'GUARANTEED' ? { holdsUntil: validUntilOf(price) } : {};
    return { kind: 'priced', at, sealed: sealQuote(ring, answer.quote), ...holds };
  }
  throw answer.error;
}
