// What `corridor quotes request` asks for, from its options. Pure.
import { contentOf, quoteRequestDto } from '../api/v1/quote-dto.ts';
import { PRODUCER_ID_PATTERN, type ProducerTerms } from '../domain/producers/producers.ts';
import { isTransferId, TRANSFER_ID_RULE } from '../domain/transfers/transfer-id.ts';
import type { Asking } from '../operations/quotes/ask.ts';
import { CodedError } from '../ports/fault.ts';

export interface QuoteOptions {
  readonly producer: string;
  readonly key: string;
  readonly amount: string;
  readonly currency: string;
  readonly from: string;
  readonly to: string;
  readonly bearer?: string;
  readonly tier?: string;
  readonly funding?: string;
  /** `KIND:AUTHORITY` each. */
  readonly tax?: readonly string[];
  readonly indicative?: boolean;
}

/**
 * The keys of commands are not those of the API: what one producer asks for there answers nobody's command, and no command keeps a
 * producer from its key.
 * @throws CodedError OPTION_INVALID
 */
export function askingOf(options: QuoteOptions, { producers }: Pick<ProducerTerms, 'producers'>): Asking {
  const { producer, key, amount, currency, from, to, bearer, tier, funding, tax = [], indicative } = options;
  if (!PRODUCER_ID_PATTERN.test(producer)) throw invalid('--producer', 'is no id of a producer');
  if (producers.length > 0 && !producers.some(({ id }) => id === producer))
    throw invalid('--producer', `${producer} is not among the producers that are configured`);
  if (!isTransferId(key)) throw invalid('--key', TRANSFER_ID_RULE);
  const body = quoteRequestDto.safeParse({
    kind: indicative ? 'INDICATIVE' : 'GUARANTEED',
    instructedAmount: { minor: amount, currency },
    amountSide: currency === to ? 'TARGET' : 'SOURCE',
    ...{ sourceCurrency: from, targetCurrency: to },
    ...(bearer === undefined ? {} : { chargeBearer: bearer }),
    ...(tier === undefined ? {} : { kycTier: tier }),
    ...(funding === undefined ? {} : { fundingMethod: funding }),
    taxes: tax.map(taxIn),
  });
  if (body.success) return { producerId: producer, key: `command\n${key}`, content: contentOf(body.data) };
  const [first] = body.error.issues;
  throw invalid(first!.path.join('.'), first!.message);
}

function taxIn(text: string): { readonly kind: string; readonly authority: string } {
  const [kind = '', authority, ...more] = text.split(':');
  if (authority === undefined || more.length > 0) throw invalid('--tax', `${text} is not KIND:AUTHORITY`);
  return { kind, authority };
}

const invalid = (what: string, why: string) => new CodedError('OPTION_INVALID', `${what}: ${why}`);
