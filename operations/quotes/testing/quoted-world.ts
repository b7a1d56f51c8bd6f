// A world with quotes: pricing as several processes have it, over one store, with a clock and a rate that move.
import { expect } from 'vitest';
import { type KeyRing, keyRing } from '../../../domain/seals/seal.ts';
import type { PricingInput } from '../../../processors/fx-pricing/decide.ts';
import type { PricingFailpoint, RateTable } from '../../../processors/fx-pricing/ports.ts';
import { createFxPricing, type FxPricingOptions } from '../../../processors/fx-pricing/processor.ts';
import type { QuoteRequest } from '../../../processors/fx-pricing/quote.ts';
import { unsealedQuote } from '../../../processors/fx-pricing/quote-seals.ts';
import type { FxRate, TransferRejected } from '../../../schemas/types.generated.ts';
import { AT, BOOK, BUILT_IN_PRICES, fxRate, only, received, transferScreened } from '../../../test/kit/builders.ts';
import { type MemoryRates, memoryRates } from '../../../test/kit/memory-rates.ts';
import { testRings } from '../../../test/kit/rings.ts';
import { answerQuotes } from '../answer.ts';
import { askForQuote } from '../ask.ts';
import { type MemoryQuotes, memoryQuotes } from './memory-quotes.ts';

export const MINUTE = 60_000;
export const PRODUCER = 'acme';
export const ring: KeyRing = testRings.stages!;
/** Another secret under the name of the stages' key. */
export const stranger = keyRing(`${ring.currentId}:a-secret-of-somebody-else-000000000000000`);
export const tableOf = (...rates: FxRate[]): RateTable => ({
  version: 1,
  entries: () => rates.map((rate) => [`${rate.source}/${rate.base}/${rate.quote}`, rate] as const),
});

export interface World {
  readonly quotes: MemoryQuotes;
  /** What the corridors go by, which all processes share. */
  readonly accepted: MemoryRates;
  now: number;
  rate: string;
  /** Pricing as another process has it. */
  stage(dies?: PricingFailpoint, over?: Partial<FxPricingOptions>): ReturnType<typeof createFxPricing>;
}

export function world(): World {
  const here: World = {
    quotes: memoryQuotes(),
    accepted: memoryRates(),
    now: AT,
    rate: '125.2579',
    stage: (dies, over) =>
      createFxPricing({
        rates: tableOf(fxRate({ rate: here.rate, observedAt: here.now - MINUTE, publishedAt: here.now - MINUTE })),
        ...{ accepted: here.accepted, corridors: BOOK, terms: BUILT_IN_PRICES, clock: () => here.now },
        quotes: { store: here.quotes, ring },
        failpoint: (name) => {
          if (name === dies) throw new Error('dead');
        },
        ...over,
      }),
  };
  return here;
}

export type Content = Omit<QuoteRequest, 'requestId' | 'producerId'>;
export const CONTENT: Content = {
  ...{ kind: 'GUARANTEED', side: 'SOURCE', amount: { minor: 100_000n, currency: 'GBP' } },
  ...{ sourceCurrency: 'GBP', targetCurrency: 'INR', chargeBearer: 'SLEV' },
  ...{ kycTier: null, fundingMethod: null, declaredTaxes: [] },
};

export async function quoted(here: World, over: Partial<Content> = {}, key = 'order-0001', producerId = PRODUCER) {
  const asked = await askForQuote(here.quotes, { producerId, key, content: { ...CONTENT, ...over } }, here.now);
  if (asked.kind !== 'asked') throw new Error(asked.kind);
  const { requestId } = asked.quote.request;
  await answerQuotes({ quotes: here.quotes, pricing: here.stage(), ring, clock: () => here.now }, 100);
  const answer = here.quotes.answers.get(requestId)!;
  if (answer.kind !== 'priced') throw new Error(answer.reason.code);
  const { quoteId } = answer.sealed;
  return { quoteId, requestId, ...unsealedQuote(ring, answer.sealed)! };
}

export type Over = Partial<ReturnType<typeof transferScreened>['instruction']>;
export function naming(quoteId: string, transferId = 'transfer-0001', over: Over = {}, appendedAt = AT): PricingInput {
  const value = transferScreened({ transferId });
  const instruction = { ...value.instruction, chargeBearer: 'SLEV' as const, producerId: PRODUCER, quoteId, ...over };
  return received('transfer.screened', { ...value, instruction }, { appendedAt });
}
export const codeOf = (decision: unknown) => {
  const { reasons, price } = only(decision as never, 'transfer.rejected') as TransferRejected;
  expect(price).toBeNull();
  return reasons.map(({ code }) => code).join();
};
