// Quotes as JSON: what is asked, and what came of it.
import { z } from 'zod';
import { QUOTE_STATES, quoteState } from '../../operations/quotes/ask.ts';
import type { StoredQuote } from '../../operations/quotes/ports.ts';
import { QUOTE_KINDS, type QuoteRequest } from '../../processors/fx-pricing/quote.ts';
import { quoteIdOf, quoteIn, type SealedQuote, validUntilOf } from '../../processors/fx-pricing/quote-seals.ts';
import type { Price } from '../../schemas/types.generated.ts';
import { instant, instantOf, moneyDto, moneyOf } from './dto.ts';

const currency = z.string().regex(/^[A-Z]{3}$/);
const minor = z
  .string()
  .regex(/^\d{1,19}$/, 'a whole number of minor units')
  .transform((value) => BigInt(value))
  .refine((value) => BigInt.asIntN(64, value) === value, 'does not fit into 64 bits');
const taxName = z.strictObject({
  kind: z.string().regex(/^[A-Z][A-Z0-9_]{0,15}$/),
  authority: z.string().regex(/^[A-Z0-9][A-Z0-9_-]{0,34}$/),
});

/** What a price depends on: a transfer that names the quote must say the same of each. */
export const quoteRequestDto = z
  .strictObject({
    kind: z.enum(QUOTE_KINDS).default('GUARANTEED').describe('INDICATIVE: to show alone, no transfer can have it.'),
    instructedAmount: z.strictObject({ minor, currency }).describe('The amount that is fixed.'),
    amountSide: z.enum(['SOURCE', 'TARGET']).default('SOURCE'),
    sourceCurrency: currency,
    targetCurrency: currency,
    chargeBearer: z.enum(['DEBT', 'CRED', 'SHAR', 'SLEV']).default('SLEV'),
    kycTier: z
      .string()
      .regex(/^[A-Z][A-Z0-9_]{0,15}$/)
      .nullable()
      .default(null),
    fundingMethod: z.enum(['ACCOUNT', 'CARD', 'CASH', 'MONEY_ORDER', 'PREFUNDED']).nullable().default(null),
    taxes: z
      .array(taxName)
      .max(10)
      .default([])
      .describe('Taxes that you take by yourself, as the intent will name them.'),
  })
  .meta({ id: 'QuoteRequest' });

export function contentOf(dto: z.output<typeof quoteRequestDto>): Omit<QuoteRequest, 'requestId' | 'producerId'> {
  const { kind, instructedAmount: amount, amountSide: side, taxes: declaredTaxes, ...rest } = dto;
  return { kind, side, amount, ...rest, declaredTaxes };
}

const priceDto = z.object({
  validUntil: instant.describe('Before then a payout at this price must be on its way.'),
  debit: moneyDto.describe('What the sender gives up, fees and taxes included.'),
  credit: moneyDto.describe('What the beneficiary gets.'),
  principal: moneyDto.describe('What is exchanged.'),
  fees: z.array(z.object({ code: z.string(), amount: moneyDto })),
  taxes: z.array(z.object({ kind: z.string(), authority: z.string(), amount: moneyDto })),
  midRate: z.string().describe('Units of target for one of source, before margin.'),
  customerRate: z.string().describe('The same after margin: what the customer gets.'),
  termsVersion: z.string().nullable(),
  valueDate: z.string().nullable(),
  availableAt: instant.nullable(),
});

export const quoteDto = z
  .object({
    requestId: z.string().describe('Of the request. No transfer can name it.'),
    quoteId: z.string().nullable().describe('What a transfer names. Null: there is no price.'),
    producerId: z.string(),
    kind: z.enum(QUOTE_KINDS),
    state: z
      .enum(QUOTE_STATES)
      .describe(
        'ASKED: not answered yet, ask again. REFUSED: there is no price for it. USED: by a transfer, also where that was declined later.',
      ),
    instructedAmount: moneyDto,
    amountSide: z.enum(['SOURCE', 'TARGET']),
    sourceCurrency: z.string(),
    targetCurrency: z.string(),
    chargeBearer: z.string(),
    kycTier: z.string().nullable(),
    fundingMethod: z.string().nullable(),
    taxesDeclared: z.array(z.object({ kind: z.string(), authority: z.string() })),
    askedAt: instant,
    answeredAt: instant.nullable(),
    price: priceDto.nullable().describe('Null: not answered yet, or refused.'),
    reason: z.object({ code: z.string(), detail: z.string() }).nullable().describe('Why it was refused.'),
    usedBy: z.string().nullable().describe('The transfer that has its price.'),
  })
  .meta({ id: 'Quote' });

/** @param now ms since 1970 */
export function quoteDtoOf(stored: StoredQuote, now: number): z.output<typeof quoteDto> {
  const { request, askedAt, answer, claim } = stored;
  const { requestId, producerId, kind, side, amount, declaredTaxes, ...rest } = request;
  const priced = answer?.kind === 'priced' ? pricedIn(answer.sealed) : undefined;
  return {
    ...{ requestId, quoteId: priced?.quoteId ?? null, producerId, kind },
    state: quoteState(stored, now),
    instructedAmount: moneyOf(amount.minor, amount.currency),
    amountSide: side,
    sourceCurrency: rest.sourceCurrency,
    targetCurrency: rest.targetCurrency,
    chargeBearer: rest.chargeBearer,
    kycTier: rest.kycTier,
    fundingMethod: rest.fundingMethod,
    taxesDeclared: declaredTaxes.map((tax) => ({ kind: tax.kind, authority: tax.authority })),
    askedAt: instantOf(askedAt),
    answeredAt: answer ? instantOf(answer.at) : null,
    price: priced?.price ?? null,
    reason: answer?.kind === 'refused' ? { code: answer.reason.code, detail: answer.reason.detail } : null,
    usedBy: claim?.transferId ?? null,
  };
}

/** What the text says; undefined: nothing that can be shown, or its id is of another text. */
function pricedIn({ quoteId, content }: SealedQuote): Pick<z.output<typeof quoteDto>, 'quoteId' | 'price'> | undefined {
  const price = quoteIdOf(content) === quoteId ? quoteIn(content)?.price : undefined;
  if (price === undefined) return undefined;
  try {
    return { quoteId, price: priceDto.parse(priceDtoOf(price)) };
  } catch {
    return undefined;
  }
}

function priceDtoOf(price: Price): z.output<typeof priceDto> {
  const { debit, credit, principal, fees, taxes, midRate, customerRate, terms, valueDate, availableAt } = price;
  return {
    validUntil: instantOf(validUntilOf(price)),
    debit: moneyOf(debit.minor, debit.currency),
    credit: moneyOf(credit.minor, credit.currency),
    principal: moneyOf(principal.minor, principal.currency),
    fees: fees.map(({ code, amount }) => ({ code, amount: moneyOf(amount.minor, amount.currency) })),
    taxes: taxes.map(({ kind, authority, amount }) => ({
      ...{ kind, authority },
      amount: moneyOf(amount.minor, amount.currency),
    })),
    ...{ midRate, customerRate, termsVersion: terms?.set ?? null, valueDate },
    availableAt: availableAt === null ? null : instantOf(availableAt),
  };
}
