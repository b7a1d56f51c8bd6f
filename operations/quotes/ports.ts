// What asking for quotes, and answering them, needs from outside.
import type { AskedQuote } from '../../processors/fx-pricing/processor.ts';
import type { SealedClaim, SealedQuote } from '../../processors/fx-pricing/quote-seals.ts';
import type { Reason } from '../../schemas/types.generated.ts';

/** What pricing said. Times are ms since 1970. */
export type StoredAnswer =
  | {
      readonly kind: 'priced';
      readonly at: number;
      readonly sealed: SealedQuote;
      /** Until when it binds the house, of a guaranteed one that is kept; absent: it does not, or it was read. */
      readonly holdsUntil?: number;
    }
  | { readonly kind: 'refused'; readonly at: number; readonly reason: Reason };

export interface StoredQuote extends AskedQuote {
  /** Undefined: nobody has answered yet. */
  readonly answer: StoredAnswer | undefined;
  /** Undefined: no transfer uses it. */
  readonly claim: SealedClaim | undefined;
}

export interface Unanswered {
  /** The oldest first. */
  readonly requests: readonly AskedQuote[];
  /** Ids of what is kept as unanswered and is no request: they are refused, so that they keep no other waiting. */
  readonly unreadable: readonly string[];
}

/** Requests for quotes, and their answers. Every method throws CodedError MONGO_UNAVAILABLE. */
export interface Quotes {
  /** Keeps the request, if none has its id. @returns whether it did; false: another was kept before */
  ask(asked: AskedQuote): Promise<boolean>;
  /** How many requests of the producer nobody has answered; counts no further than the limit. */
  open(producerId: string, limit: number): Promise<number>;
  /** How many guaranteed quotes the producer has at this time (ms) that hold and are not used, or wait to be answered; counts no further than the limit. */
  unused(producerId: string, at: number, limit: number): Promise<number>;
  /** Takes a request back that nobody has answered. @returns whether it did: what has an answer stays, since somebody may use it */
  withdraw(requestId: string): Promise<boolean>;
  /** By the id of the request, or of the quote. Undefined: there is none, or what is kept is of another shape. */
  show(id: string): Promise<StoredQuote | undefined>;
  /** At most so many. */
  unanswered(limit: number): Promise<Unanswered>;
  /** Keeps each answer, by the id of its request, where there is none yet: of two that answer at once, one stands. One round trip. */
  answer(answers: ReadonlyMap<string, StoredAnswer>): Promise<void>;
}
