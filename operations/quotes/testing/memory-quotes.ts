// Quotes and their claims in memory: the same guards as the store.
import type { QuoteStore } from '../../../processors/fx-pricing/ports.ts';
import type { AskedQuote } from '../../../processors/fx-pricing/processor.ts';
import type { SealedClaim } from '../../../processors/fx-pricing/quote-seals.ts';
import type { Quotes, StoredAnswer } from '../ports.ts';

export interface MemoryQuotes extends Quotes, QuoteStore {
  /** By the id of the request, as `answers`. */
  readonly asked: Map<string, AskedQuote>;
  readonly answers: Map<string, StoredAnswer>;
  /** By the id of the quote. */
  readonly claims: Map<string, SealedClaim>;
}

export function memoryQuotes(): MemoryQuotes {
  const asked: MemoryQuotes['asked'] = new Map();
  const answers: MemoryQuotes['answers'] = new Map();
  const claims: MemoryQuotes['claims'] = new Map();
  const idOf = (requestId: string) => {
    const answer = answers.get(requestId);
    return answer?.kind === 'priced' ? answer.sealed.quoteId : undefined;
  };
  return {
    ...{ asked, answers, claims },
    async ask(given) {
      if (asked.has(given.request.requestId)) return false;
      asked.set(given.request.requestId, given);
      return true;
    },
    open: async (producerId, limit) =>
      Math.min(
        limit,
        [...asked.values()].filter(({ request: of }) => of.producerId === producerId && !answers.has(of.requestId))
          .length,
      ),
    unused: async (producerId, at, limit) => {
      const holds = [...asked.values()].filter(({ request: of }) => {
        const answer = answers.get(of.requestId);
        if (of.producerId !== producerId) return false;
        if (answer?.kind !== 'priced') return answer === undefined && of.kind === 'GUARANTEED';
        return (answer.holdsUntil ?? 0) > at && !claims.has(answer.sealed.quoteId);
      });
      return Math.min(limit, holds.length);
    },
    withdraw: async (requestId) => !answers.has(requestId) && asked.delete(requestId),
    async show(id) {
      const found = asked.get(id) ?? [...asked.values()].find(({ request }) => idOf(request.requestId) === id);
      if (found === undefined) return undefined;
      const { requestId } = found.request;
      return { ...found, answer: answers.get(requestId), claim: claims.get(idOf(requestId) ?? '') };
    },
    unanswered: async (limit) => ({
      requests: [...asked.values()].filter(({ request }) => !answers.has(request.requestId)).slice(0, limit),
      unreadable: [],
    }),
    async answer(given) {
      for (const [id, answer] of given) if (!answers.has(id)) answers.set(id, answer);
    },
    find: async (ids) => ({
      quotes: [...answers.values()].flatMap((answer) =>
        answer.kind === 'priced' && ids.includes(answer.sealed.quoteId) ? [answer.sealed] : [],
      ),
      claims: ids.flatMap((id) => claims.get(id) ?? []),
    }),
    claim: async (wanted) =>
      wanted.map((claim) => {
        const stands = claims.get(claim.quoteId) ?? claim;
        claims.set(claim.quoteId, stands);
        return stands;
      }),
  };
}
