// Quotes: a price before the transfer.
import { z } from 'zod';
import { isTransferId, TRANSFER_ID_PATTERN, TRANSFER_ID_RULE } from '../../../domain/transfers/transfer-id.ts';
import { mayTouch } from '../../../operations/access/principal.ts';
import { askForQuote } from '../../../operations/quotes/ask.ts';
import { CodedError } from '../../../ports/fault.ts';
import { Refusal } from '../../http/problem.ts';
import { answer, type Route, route } from '../../http/route.ts';
import { contentOf, quoteDto, quoteDtoOf, quoteRequestDto } from '../quote-dto.ts';

/** RFC 8941 text, as the draft of the field has it, or bare. */
function keyIn(header: string | undefined): string {
  const key = /^"([^"]*)"$/.exec(header ?? '')?.[1] ?? header;
  if (key !== undefined && isTransferId(key)) return key;
  throw new CodedError('IDEMPOTENCY_KEY_INVALID', `Idempotency-Key must be a key of yours: ${TRANSFER_ID_RULE}`);
}

const ask = route({
  name: 'askForQuote',
  method: 'POST',
  url: '/v1/quotes',
  action: 'quotes.ask',
  tag: 'Quotes',
  summary: 'Ask for a quote',
  description:
    'Kept, and answered by pricing within a second or so: look at Location until its state is not ASKED. requestId is of the request; the quote has its quoteId once it has a price. A guaranteed quote is the price of one transfer of yours that names this quoteId and asks for the same; from validUntil on it is the price of none. A request that nobody answers within a minute is refused (QOLD). The same Idempotency-Key with the same content is the same request (Idempotent-Replayed: true).',
  headers: {
    'idempotency-key': {
      description: 'A key of your own for this request.',
      required: true,
      pattern: TRANSFER_ID_PATTERN.source,
    },
  },
  body: quoteRequestDto,
  answers: { 202: quoteDto },
  refusals: ['IDEMPOTENCY_KEY_INVALID', 'IDEMPOTENCY_KEY_REUSED', 'QUOTES_OFF', 'QUOTES_TOO_MANY', 'MONGO_UNAVAILABLE'],
  async handle({ parts, principal, body, header }) {
    if (!parts.offersQuotes) throw new CodedError('QUOTES_OFF', 'quotes are not offered here');
    const key = keyIn(header('idempotency-key'));
    const now = parts.clock();
    const asked = await askForQuote(
      parts.quotes,
      { producerId: principal.subject, key, content: contentOf(body) },
      now,
      parts.maxUnusedQuotes,
    );
    if (asked.kind === 'other-content')
      throw new Refusal('IDEMPOTENCY_KEY_REUSED', 'the key stands for a quote with another content', {});
    return answer(202, quoteDtoOf(asked.quote, now), {
      location: `/v1/quotes/${asked.quote.request.requestId}`,
      ...(asked.isReplay ? { 'idempotent-replayed': 'true' } : {}),
    });
  },
});

const show = route({
  name: 'getQuote',
  method: 'GET',
  url: '/v1/quotes/:requestId',
  action: 'quotes.read',
  tag: 'Quotes',
  summary: 'A quote as it stands',
  description: 'By the id of the request, or of the quote.',
  path: z.strictObject({ requestId: z.string().regex(TRANSFER_ID_PATTERN, TRANSFER_ID_RULE) }),
  answers: { 200: quoteDto },
  refusals: ['QUOTE_UNKNOWN', 'MONGO_UNAVAILABLE'],
  async handle({ parts, path: { requestId }, condition, principal }) {
    const quote = await parts.quotes.show(requestId);
    // That of another is answered as one that there is not, so that nobody learns which ids there are.
    if (quote === undefined || !mayTouch(condition, principal, quote.request.producerId))
      throw new CodedError('QUOTE_UNKNOWN', `there is no quote ${requestId}`);
    return answer(200, quoteDtoOf(quote, parts.clock()));
  },
});

export const quoteRoutes: readonly Route[] = [ask, show];
