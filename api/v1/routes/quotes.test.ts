import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MAX_OPEN_REQUESTS } from '../../../operations/quotes/ask.ts';
import { quoteIdOf, sealClaim, sealQuote } from '../../../processors/fx-pricing/quote-seals.ts';
import { DEFAULT_DISPATCH_RULES } from '../../../processors/payout-dispatch/decide.ts';
import { AT, transferPriced } from '../../../test/kit/builders.ts';
import { testRings } from '../../../test/kit/rings.ts';
import { bearer, type Memory, testApi } from '../../testing/api.ts';

let app: FastifyInstance;
let memory: Memory;
beforeEach(async () => {
  ({ app, memory } = await testApi());
});
afterEach(() => app.close());

const BODY = { instructedAmount: { minor: '100000', currency: 'GBP' }, sourceCurrency: 'GBP', targetCurrency: 'INR' };
const ask = async (body: object = BODY, who = 'acme', key: string | null = 'order-0001') =>
  app.inject({
    ...{ method: 'POST', url: '/v1/quotes', payload: body },
    headers: { ...(await bearer(who, 'producer')), ...(key === null ? {} : { 'idempotency-key': key }) },
  });
const look = async (url: string, who = 'acme', role: 'producer' | 'viewer' = 'producer') =>
  app.inject({ url, headers: await bearer(who, role) });

/** As pricing would answer. */
function answered(expiresAt: number): void {
  const { request } = memory.quotes.asked.values().next().value!;
  const price = { ...transferPriced().price, expiresAt };
  const sealed = sealQuote(testRings.stages!, { request, price });
  memory.quotes.answers.set(request.requestId, { kind: 'priced', at: AT, sealed });
}

describe('asking for a quote', () => {
  it('keeps what was asked, once for each key, and shows the price when pricing has made it', async () => {
    const first = await ask();
    expect(first.statusCode).toBe(202);
    expect(first.json()).toMatchObject({
      ...{ producerId: 'acme', kind: 'GUARANTEED', state: 'ASKED', price: null, reason: null, usedBy: null },
      instructedAmount: { minor: '100000', currency: 'GBP', text: '1000.00 GBP' },
      ...{ amountSide: 'SOURCE', chargeBearer: 'SLEV', kycTier: null, fundingMethod: null, taxesDeclared: [] },
    });
    const location = String(first.headers['location']);
    expect(location).toBe(`/v1/quotes/${first.json().requestId}`);
    expect(first.json().quoteId).toBeNull();
    answered(AT + 60_000);
    const again = await ask();
    expect(again.headers['idempotent-replayed']).toBe('true');
    expect(again.json()).toEqual((await look(location)).json());
    expect(again.json()).toMatchObject({
      state: 'PRICED',
      // As long as dispatch pays at it.
      price: {
        validUntil: new Date(AT + 60_000 - DEFAULT_DISPATCH_RULES.minRemainingMs).toISOString(),
        credit: { currency: 'INR' },
      },
    });
    expect(memory.quotes.asked.size).toBe(1);
    const { quoteId } = again.json();
    expect(quoteId).not.toBe(first.json().requestId);
    expect((await look(`/v1/quotes/${quoteId}`)).json()).toEqual(again.json());
    const claim = { quoteId, transferId: 'transfer-0001', originPosition: 'x', claimedAt: AT };
    memory.quotes.claims.set(quoteId, sealClaim(testRings.stages!, claim));
    expect((await look(location)).json()).toMatchObject({ state: 'USED', usedBy: 'transfer-0001' });
  });

  it('is refused with another content under one key, and without one', async () => {
    await ask();
    const other = await ask({ ...BODY, kind: 'INDICATIVE' });
    expect([other.statusCode, other.json().code]).toEqual([409, 'IDEMPOTENCY_KEY_REUSED']);
    expect((await ask(BODY, 'acme', null)).json().code).toBe('IDEMPOTENCY_KEY_INVALID');
    expect((await ask(BODY, 'zenith')).statusCode).toBe(202);
    expect(memory.quotes.asked.size).toBe(2);
  });

  it('is refused where quotes are not offered, and with too many that wait', async () => {
    const off = await testApi({}, { offersQuotes: false });
    const headers = { ...(await bearer('acme', 'producer')), 'idempotency-key': 'order-0001' };
    const refused = await off.app.inject({ method: 'POST', url: '/v1/quotes', payload: BODY, headers });
    expect([refused.statusCode, refused.json().code]).toEqual([403, 'QUOTES_OFF']);
    expect(off.memory.quotes.asked.size).toBe(0);
    await off.app.close();
    await ask();
    const waits = memory.quotes.asked.values().next().value!;
    for (let n = 1; n < MAX_OPEN_REQUESTS; n++)
      memory.quotes.asked.set(`q-${n}`, { ...waits, request: { ...waits.request, requestId: `q-${n}` } });
    const more = await ask(BODY, 'acme', 'order-0002');
    expect([more.statusCode, more.json().code, more.headers['retry-after']]).toEqual([429, 'QUOTES_TOO_MANY', '60']);
    expect((await ask()).statusCode).toBe(202);
  });

  it.each([
    { ...BODY, instructedAmount: { minor: '1.5', currency: 'GBP' } },
    { ...BODY, instructedAmount: { minor: '99999999999999999999', currency: 'GBP' } },
    { ...BODY, sourceCurrency: 'pounds' },
    { ...BODY, kycTier: 'x'.repeat(100) },
    { ...BODY, price: '1' },
  ])('takes no %j', async (body) => {
    expect((await ask(body)).json().code).toBe('REQUEST_INVALID');
    expect(memory.quotes.asked.size).toBe(0);
  });
});

describe('a quote', () => {
  it('is shown to its producer and to those who operate, and to no other producer', async () => {
    const location = String((await ask()).headers['location']);
    answered(AT);
    expect((await look(location)).json()).toMatchObject({ state: 'EXPIRED' });
    expect((await look(location, 'vera', 'viewer')).statusCode).toBe(200);
    const other = await look(location, 'zenith');
    expect([other.statusCode, other.json().code]).toEqual([404, 'QUOTE_UNKNOWN']);
    expect((await look(location.replace(/.$/, '0'))).json().code).toBe('QUOTE_UNKNOWN');
  });

  it('that was refused says why', async () => {
    const { requestId } = (await ask()).json();
    const reason = { code: 'RATE', detail: 'there is no rate' };
    memory.quotes.answers.set(requestId, { kind: 'refused', at: AT, reason });
    expect((await look(`/v1/quotes/${requestId}`)).json()).toMatchObject({ state: 'REFUSED', reason, price: null });
  });

  it.each<[string, (content: string) => string]>([
    ['is no JSON', () => '{'],
    ['has no price', () => '{}'],
    ['has no rate', (content) => content.replaceAll('"midRate"', '"midrate"')],
    ['has an amount that is none', (content) => content.replaceAll('{"$minor":', '{"minor":')],
    ['has a time that is none', (content) => content.replace(/"expiresAt":\d+/, '"expiresAt":9007199254740991')],
  ])('is shown without a price where what is kept %s', async (_what, spoil) => {
    const location = String((await ask()).headers['location']);
    answered(AT + 60_000);
    const [id, answer] = memory.quotes.answers.entries().next().value!;
    if (answer.kind !== 'priced') throw new Error('refused');
    const content = spoil(answer.sealed.content);
    expect(content).not.toBe(answer.sealed.content);
    const sealed = { ...answer.sealed, content, quoteId: quoteIdOf(content) };
    memory.quotes.answers.set(id, { ...answer, sealed });
    const shown = await look(location);
    expect([shown.statusCode, shown.json().price, shown.json().quoteId]).toEqual([200, null, null]);
    // Nor what is another text than its id is of.
    memory.quotes.answers.set(id, { ...answer, sealed: { ...answer.sealed, quoteId: id } });
    expect((await look(location)).json()).toMatchObject({ price: null, quoteId: null });
  });
});
