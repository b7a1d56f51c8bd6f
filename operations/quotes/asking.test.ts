// Asking for a quote, and answering: once, beside whatever else is asked.
import { describe, expect, it } from 'vitest';
import { corridorBook } from '../../domain/corridors/corridors.ts';
import { BUILT_IN_TERMS, corridorTerms } from '../../domain/terms/corridor-terms.ts';
import { termBook } from '../../domain/terms/term-book.ts';
import { createFxPricing } from '../../processors/fx-pricing/processor.ts';
import type { Quote } from '../../processors/fx-pricing/quote.ts';
import { sealQuote, unsealedQuote, validUntilOf } from '../../processors/fx-pricing/quote-seals.ts';
import { MAX_REQUEST_AGE_MS } from '../../processors/fx-pricing/quotes.ts';
import { fixedPolicy } from '../../processors/policies.ts';
import { AT, BOOK, BUILT_IN_PRICES, fxRate, run } from '../../test/kit/builders.ts';
import { memoryRates } from '../../test/kit/memory-rates.ts';
import { answerQuotes } from './answer.ts';
import { askForQuote, MAX_OPEN_REQUESTS, quoteState } from './ask.ts';
import { CONTENT, naming, PRODUCER, quoted, ring, tableOf, world } from './testing/quoted-world.ts';

describe('asking for a quote', () => {
  it('twice under one key is asking once, and another content is refused', async () => {
    const here = world();
    const { requestId } = await quoted(here);
    const again = { producerId: PRODUCER, key: 'order-0001', content: CONTENT };
    expect(await askForQuote(here.quotes, again, here.now)).toMatchObject({ kind: 'asked', isReplay: true });
    const other = { ...again, content: { ...CONTENT, kycTier: 'TIER_1' } };
    expect(await askForQuote(here.quotes, other, here.now)).toEqual({ kind: 'other-content' });
    const zenith = await askForQuote(here.quotes, { ...again, producerId: 'zenith' }, here.now);
    expect(zenith).toMatchObject({ kind: 'asked', isReplay: false });
    expect(here.quotes.asked.has(requestId)).toBe(true);
  });

  it('is refused to a producer with too many that nobody has answered, and to no other', async () => {
    const here = world();
    const ask = (key: string, producerId = PRODUCER) =>
      askForQuote(here.quotes, { producerId, key, content: CONTENT }, here.now);
    for (let n = 0; n < MAX_OPEN_REQUESTS; n++) await ask(`order-${n}`);
    await expect(ask('one-more')).rejects.toMatchObject({ code: 'QUOTES_TOO_MANY' });
    expect(await ask('order-7')).toMatchObject({ kind: 'asked', isReplay: true });
    expect(await ask('one-more', 'zenith')).toMatchObject({ isReplay: false });
    await answerQuotes({ quotes: here.quotes, pricing: here.stage(), ring, clock: () => here.now }, 10);
    expect(await ask('one-more')).toMatchObject({ isReplay: false });
  });

  it('is refused to a producer with too many guaranteed ones that hold unused, until they are used or over', async () => {
    const here = world();
    const most = 3;
    const ask = (key: string, over: object = {}) => {
      const { producerId, ...more } = { producerId: PRODUCER, ...over };
      return askForQuote(here.quotes, { producerId, key, content: { ...CONTENT, ...more } }, here.now, most);
    };
    const answer = () => answerQuotes({ quotes: here.quotes, pricing: here.stage(), ring, clock: () => here.now }, 10);
    const tooMany = { code: 'QUOTES_TOO_MANY' };
    await ask('order-1');
    await ask('order-2');
    await answer();
    // One that waits will hold too; an indicative one never does.
    await ask('order-0', { kind: 'INDICATIVE' });
    await ask('order-3');
    await expect(ask('order-4')).rejects.toMatchObject(tooMany);
    await answer();
    await expect(ask('order-4')).rejects.toMatchObject(tooMany);
    expect(await ask('order-3')).toMatchObject({ isReplay: true });
    expect(await ask('order-4', { kind: 'INDICATIVE' })).toMatchObject({ isReplay: false });
    expect(await ask('order-4', { producerId: 'zenith' })).toMatchObject({ isReplay: false });
    await answer();
    const [used] = here.quotes.answers.values();
    if (used?.kind !== 'priced') throw new Error('it has no price');
    const { quoteId } = used.sealed;
    await here.quotes.claim([{ quoteId, transferId: 't', originPosition: 'p', claimedAt: here.now, seal: 's' }]);
    expect(await ask('order-5')).toMatchObject({ isReplay: false });
    await answer();
    await expect(ask('order-6')).rejects.toMatchObject(tooMany);
    here.now = used.holdsUntil!;
    expect(await ask('order-6')).toMatchObject({ isReplay: false });
  });

  it('is refused to requests at once, so that no more stay than may', async () => {
    const here = world();
    const ask = (n: number) =>
      askForQuote(here.quotes, { producerId: PRODUCER, key: `at-once-${n}`, content: CONTENT }, here.now, 3);
    const asked = await Promise.allSettled(Array.from({ length: 100 }, (_, n) => ask(n)));
    const kept = asked.filter(({ status }) => status === 'fulfilled').length;
    expect(kept).toBeLessThanOrEqual(3);
    expect(here.quotes.asked.size).toBe(kept);
    for (let n = 200; here.quotes.asked.size < 3; n++) await ask(n);
    await expect(ask(300)).rejects.toMatchObject({ code: 'QUOTES_TOO_MANY' });
  });

  it('is answered beside what cannot be read or priced, which is refused and told by its id', async () => {
    const here = world();
    for (const key of ['order-0001', 'order-0002'])
      await askForQuote(here.quotes, { producerId: PRODUCER, key, content: CONTENT }, here.now);
    const [bad, good] = [...here.quotes.asked.keys()];
    const stage = here.stage();
    const failed: unknown[] = [];
    const quotes = {
      unanswered: async () => ({ ...(await here.quotes.unanswered(10)), unreadable: ['odd'] }),
      answer: here.quotes.answer,
    };
    const spoilt = { ...CONTENT, requestId: bad!, producerId: PRODUCER, declaredTaxes: null as never };
    here.quotes.asked.set(bad!, { request: spoilt, askedAt: here.now });
    const onFailed = (id: string) => failed.push(id);
    const answered = await answerQuotes({ quotes, pricing: stage, ring, clock: () => AT, onFailed }, 10);
    expect(answered).toEqual({ count: 3, oldest: { requestId: bad, askedAt: AT } });
    expect(failed).toEqual(['odd', bad]);
    for (const id of ['odd', bad!])
      expect(here.quotes.answers.get(id)).toMatchObject({ kind: 'refused', reason: { code: 'QFLT' } });
    expect(here.quotes.answers.get(good!)).toMatchObject({ kind: 'priced' });
  });

  it('gets no price that binds too shortly to be paid at', async () => {
    const here = world();
    const brief = BOOK.corridors.map((corridor) => ({ ...corridor, priceTtlMs: 30_000 }));
    const stage = createFxPricing({
      ...{ rates: tableOf(fxRate()), accepted: memoryRates(), clock: () => AT, corridors: corridorBook(brief) },
      terms: fixedPolicy(termBook(corridorTerms(brief, BUILT_IN_TERMS), brief, () => new Set())),
    });
    const { request } = await quoted(here);
    const [answer] = await stage.quote([{ request, askedAt: AT }]);
    expect(answer).toMatchObject({ kind: 'refused', reason: { code: 'QEXP' } });
  });

  it('is refused where the clocks of who asked and who answers are too far apart', async () => {
    const here = world();
    const { request } = await quoted(here);
    const codes = [];
    for (const askedAt of [
      AT - MAX_REQUEST_AGE_MS - 1,
      AT - MAX_REQUEST_AGE_MS,
      AT + MAX_REQUEST_AGE_MS,
      AT + MAX_REQUEST_AGE_MS + 1,
    ]) {
      const [answer] = await here.stage().quote([{ request, askedAt }]);
      codes.push(answer!.kind === 'refused' ? answer!.reason.code : answer!.kind);
    }
    expect(codes).toEqual(['QOLD', 'priced', 'priced', 'QOLD']);
  });

  it('is answered once, though two answer and one of them dies', async () => {
    const here = world();
    await askForQuote(here.quotes, { producerId: PRODUCER, key: 'order-0001', content: CONTENT }, here.now);
    const answering = (rate: string, dies?: string) => {
      here.rate = rate;
      const failpoint = (name: string) => {
        if (name === dies) throw new Error('dead');
      };
      return answerQuotes({ quotes: here.quotes, pricing: here.stage(), ring, clock: () => AT, failpoint }, 10);
    };
    const { unanswered } = here.quotes;
    await expect(answering('120', 'quotes.before-answer')).rejects.toThrow('dead');
    expect(here.quotes.answers.size).toBe(0);
    await expect(answering('121', 'quotes.after-answer')).rejects.toThrow('dead');
    const [id] = here.quotes.answers.keys();
    const first = here.quotes.answers.get(id!);
    // One that had read the request before answers late.
    const found = { requests: [here.quotes.asked.get(id!)!], unreadable: [] };
    const late = { ...here.quotes, unanswered: async () => found };
    await answerQuotes({ quotes: late, pricing: here.stage(), ring, clock: () => AT }, 10);
    expect(here.quotes.answers.get(id!)).toBe(first);
    expect((await unanswered(10)).requests).toEqual([]);
  });

  it('is refused without a rate of now, and says how it stands', async () => {
    const here = world();
    const { quoteId, requestId, price } = await quoted(here);
    const stored = (await here.quotes.show(requestId))!;
    expect(await here.quotes.show(quoteId)).toEqual(stored);
    expect(quoteState({ ...stored, answer: undefined }, here.now)).toBe('ASKED');
    expect(quoteState(stored, validUntilOf(price) - 1)).toBe('PRICED');
    expect(quoteState(stored, validUntilOf(price))).toBe('EXPIRED');
    await run(here.stage(), [naming(quoteId)]);
    expect(quoteState((await here.quotes.show(quoteId))!, price.expiresAt)).toBe('USED');
    const [answer] = await createFxPricing({
      ...{ rates: tableOf(), accepted: memoryRates(), corridors: BOOK, terms: BUILT_IN_PRICES, clock: () => AT },
    }).quote([stored]);
    expect(answer).toMatchObject({ kind: 'refused', reason: { code: 'RATE' } });
  });
});

/** The seal holds what was quoted to the last field. */
it('a quote comes out of its seal as it went in', async () => {
  const { quoteId, request, price }: Quote & { quoteId: string } = await quoted(world());
  const sealed = sealQuote(ring, { request, price });
  expect(unsealedQuote(ring, sealed)).toEqual({ request, price });
  expect(sealed.quoteId).toBe(quoteId);
});
