// Quotes as they are kept: of two requests, two answers or two claims at once one stands, and nothing replaces it.
import type { Document } from 'mongodb';
import { expect, inject, it } from 'vitest';
import type { StoredAnswer, Unanswered } from '../../operations/quotes/ports.ts';
import type { QuoteRequest } from '../../processors/fx-pricing/quote.ts';
import type { SealedClaim } from '../../processors/fx-pricing/quote-seals.ts';
import { QUOTE_CLAIMS, QUOTES, quotes } from './quotes.ts';
import { freshDatabases } from './testing/databases.ts';

const freshDb = freshDatabases('quotes', inject('stack').mongoUri);
const AT = 1_700_000_000_000;

const requestOf = (requestId: string, over: Partial<QuoteRequest> = {}): QuoteRequest => ({
  ...{ requestId, producerId: 'acme', kind: 'GUARANTEED', side: 'SOURCE' },
  ...{ amount: { minor: 2n ** 62n, currency: 'GBP' }, sourceCurrency: 'GBP', targetCurrency: 'INR' },
  ...{ chargeBearer: 'SLEV', kycTier: null, fundingMethod: 'CARD' },
  declaredTaxes: [{ kind: 'EXCISE', authority: 'US_IRC_4475' }],
  ...over,
});
const priced = (content: string, quoteId = `quote-${content}`): StoredAnswer => ({
  ...{ kind: 'priced', at: AT + 5 },
  sealed: { quoteId, content, seal: `k.${content}` },
});
const asked = (requestId: string, askedAt = AT, over: Partial<QuoteRequest> = {}) => ({
  ...{ request: requestOf(requestId, over), askedAt },
});
const claimOf = (quoteId: string, transferId: string): SealedClaim => ({
  ...{ quoteId, transferId, originPosition: `T:0:${transferId}`, claimedAt: AT + 9, seal: `k.${transferId}` },
});

const idsIn = ({ requests }: Unanswered) => requests.map(({ request }) => request.requestId);

it('keeps the first request of an id, and the first answer to it', async () => {
  const store = quotes(freshDb());
  await store.ensureIndexes();
  expect(await store.show('q-1')).toBeUndefined();
  expect(await store.ask(asked('q-1'))).toBe(true);
  expect(await store.ask(asked('q-1', AT + 1, { kind: 'INDICATIVE' }))).toBe(false);
  expect(await store.show('q-1')).toEqual({
    ...{ request: requestOf('q-1'), askedAt: AT, answer: undefined, claim: undefined },
  });
  await Promise.all(['a', 'b', 'c'].map((content) => store.answer(new Map([['q-1', priced(content)]]))));
  const { answer } = (await store.show('q-1'))!;
  expect(answer).toMatchObject({ kind: 'priced', at: AT + 5 });
  const refused: StoredAnswer = { kind: 'refused', at: AT + 6, reason: { code: 'RATE', detail: 'none' } };
  await store.answer(new Map([['q-1', refused]]));
  expect((await store.show('q-1'))!.answer).toEqual(answer);
});

it('hands out what nobody has answered, the oldest first, and what is of another shape apart, to be refused', async () => {
  const db = freshDb();
  const store = quotes(db);
  for (const [place, id] of ['q-3', 'q-1', 'q-2', 'q-4'].entries()) await store.ask(asked(id, AT + place));
  await db
    .collection(QUOTES)
    .insertOne({ _id: 'q-0' as never, state: 'ASKED', askedAt: new Date(AT - 1), request: 'me' });
  const refused: StoredAnswer = { kind: 'refused', at: AT, reason: { code: 'AG03', detail: 'no' } };
  await store.answer(new Map([['q-2', refused]]));
  expect(idsIn(await store.unanswered(10))).toEqual(['q-3', 'q-1', 'q-4']);
  expect(idsIn(await store.unanswered(2))).toEqual(['q-3']);
  expect((await store.unanswered(2)).unreadable).toEqual(['q-0']);
  expect((await store.show('q-2'))!.answer).toEqual(refused);
  expect(await store.show('q-0')).toBeUndefined();
  await store.answer(new Map([['q-0', refused]]));
  expect(await store.unanswered(2)).toMatchObject({ unreadable: [] });
});

it('counts what waits of a producer, up to a limit', async () => {
  const store = quotes(freshDb());
  await store.ensureIndexes();
  for (const id of ['q-1', 'q-2', 'q-3']) await store.ask(asked(id));
  await store.ask(asked('q-4', AT, { producerId: 'zenith' }));
  await store.answer(new Map([['q-1', priced('a')]]));
  expect([await store.open('acme', 10), await store.open('acme', 1), await store.open('zenith', 10)]).toEqual([
    2, 1, 1,
  ]);
});

it('counts the guaranteed quotes of a producer that hold and are not used, up to a limit', async () => {
  const store = quotes(freshDb());
  await store.ensureIndexes();
  const holding = (content: string, holdsUntil: number): StoredAnswer => ({ ...priced(content), holdsUntil }) as never;
  for (const id of ['q-1', 'q-2', 'q-3', 'q-4']) await store.ask(asked(id));
  await store.ask(asked('q-5', AT, { producerId: 'zenith' }));
  await store.answer(
    new Map([
      ['q-1', holding('a', AT + 100)],
      ['q-2', holding('b', AT + 100)],
      ['q-3', holding('c', AT + 50)],
      // An indicative one binds nobody.
      ['q-4', priced('d')],
      ['q-5', holding('e', AT + 100)],
    ]),
  );
  await store.ask(asked('q-6', AT, { kind: 'INDICATIVE' }));
  expect([await store.unused('acme', AT, 10), await store.unused('acme', AT, 2)]).toEqual([3, 2]);
  expect([await store.unused('acme', AT + 50, 10), await store.unused('zenith', AT, 10)]).toEqual([2, 1]);
  await store.claim([claimOf('quote-a', 't-1')]);
  expect(await store.unused('acme', AT, 10)).toBe(2);
  await store.ask(asked('q-7'));
  expect(await store.unused('acme', AT, 10)).toBe(3);
  expect([await store.withdraw('q-7'), await store.withdraw('q-7')]).toEqual([true, false]);
  expect([await store.unused('acme', AT, 10), await store.show('q-7')]).toEqual([2, undefined]);
  // What has an answer may be used already.
  expect(await store.withdraw('q-2')).toBe(false);
  expect(await store.show('q-2')).toBeDefined();
  expect((await store.find(['quote-a'])).quotes).toHaveLength(1);
});

it('hands out each document of one id, so that a copy hides no quote', async () => {
  const db = freshDb();
  const store = quotes(db);
  await store.ask(asked('q-2'));
  await store.answer(new Map([['q-2', priced('a')]]));
  await db.collection(QUOTES).insertOne({ _id: 'q-1' as never, quoteId: 'quote-a', content: 'b', seal: 'k.a' });
  const { quotes: found } = await store.find(['quote-a']);
  expect(found.map(({ content }) => content).toSorted()).toEqual(['a', 'b']);
});

it('gives a quote to one transfer, whoever claims it at once or again', async () => {
  const db = freshDb();
  const store = quotes(db);
  await store.ask(asked('q-1'));
  await store.answer(new Map([['q-1', priced('a', 'quote-1')]]));
  const claimed = await Promise.all(['t-1', 't-2', 't-3'].map((id) => store.claim([claimOf('quote-1', id)])));
  const winners = new Set(claimed.flat().map(({ transferId }) => transferId));
  expect(winners.size).toBe(1);
  const [winner] = winners;
  expect(await store.claim([claimOf('quote-1', 't-9'), claimOf('quote-2', 't-9')])).toEqual([
    claimOf('quote-1', winner!),
    claimOf('quote-2', 't-9'),
  ]);
  const found = await store.find(['quote-1', 'quote-2', 'q-1']);
  expect(found.quotes).toEqual([{ quoteId: 'quote-1', content: 'a', seal: 'k.a' }]);
  expect(found.claims.map(({ quoteId }) => quoteId).toSorted()).toEqual(['quote-1', 'quote-2']);
  // By the id of the request, or of the quote.
  for (const id of ['q-1', 'quote-1']) expect((await store.show(id))!.claim).toEqual(claimOf('quote-1', winner!));
  expect(await db.collection(QUOTE_CLAIMS).countDocuments()).toBe(2);
});

it('is claimed all the same by who died after the insert', async () => {
  const db = freshDb();
  const dying = quotes(db, {
    failpoint: (name) => {
      if (name === 'quote-claims.after-insert') throw new Error('dead');
    },
  });
  await expect(dying.claim([claimOf('q-1', 't-1')])).rejects.toThrow('dead');
  expect(await quotes(db).claim([claimOf('q-1', 't-2')])).toEqual([claimOf('q-1', 't-1')]);
});

it('takes a claim of another shape for one, and hands out no request that nobody could have asked', async () => {
  const db = freshDb();
  const store = quotes(db);
  await db.collection(QUOTE_CLAIMS).insertOne({ _id: 'q-1' as never, transferId: 7, claimedAt: 'never' });
  const [standing] = await store.claim([claimOf('q-1', 't-1')]);
  expect(standing).toMatchObject({ quoteId: 'q-1', transferId: '' });
  expect((await store.find(['q-1'])).claims).toHaveLength(1);
  await store.ask(asked('q-2', AT, { kycTier: '' }));
  await store.ask(asked('q-3', AT, { sourceCurrency: 'G/P' }));
  await store.ask(asked('q-4', AT, { fundingMethod: 'MAGIC' }));
  await store.ask(asked('q-5'));
  const found = await store.unanswered(10);
  expect(idsIn(found)).toEqual(['q-5']);
  expect(found.unreadable.toSorted()).toEqual(['q-2', 'q-3', 'q-4']);
});

it('finds what nobody has answered, what a producer waits for, and a quote by its id, by an index', async () => {
  const db = freshDb();
  await quotes(db).ensureIndexes();
  for (const [filter, sort, name] of [
    [{ state: 'ASKED' }, { askedAt: 1 }, 'unanswered'],
    [{ producerId: 'acme', state: 'ASKED' }, {}, 'unanswered-of-producer'],
    [{ quoteId: { $in: ['quote-1', 'quote-2'] } }, {}, 'by-quote'],
    [{ quoteId: 'quote-1' }, {}, 'by-quote'],
  ] as const) {
    const cursor = db
      .collection(QUOTES)
      .find(filter as Document)
      .sort(sort);
    const plan = JSON.stringify((await cursor.explain('queryPlanner'))['queryPlanner'].winningPlan);
    expect(plan).toContain(`"${name}"`);
    expect(plan).not.toMatch(/COLLSCAN|"SORT"/);
  }
});
