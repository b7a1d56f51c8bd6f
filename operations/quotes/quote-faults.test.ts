// What becomes of a transfer that names a quote when something breaks: it has the quoted price, waits, or is declined.
import { describe, expect, it } from 'vitest';
import { keyRing } from '../../domain/seals/seal.ts';
import { CodedError, dependencyDown } from '../../ports/fault.ts';
import type { QuoteStore } from '../../processors/fx-pricing/ports.ts';
import { quoteIdOf, sealQuote, validUntilOf } from '../../processors/fx-pricing/quote-seals.ts';
import { createPayoutDispatch } from '../../processors/payout-dispatch/processor.ts';
import { AT, only, received, run, transferReserved } from '../../test/kit/builders.ts';
import { KEYS } from '../../test/kit/keys.ts';
import { memoryHoldClaims } from '../../test/kit/memory-claims.ts';
import { answerQuotes } from './answer.ts';
import { askForQuote } from './ask.ts';
import { CONTENT, codeOf, MINUTE, naming, PRODUCER, quoted, ring, type World, world } from './testing/quoted-world.ts';

const down = () => Promise.reject(dependencyDown('mongo', 'MONGO_UNAVAILABLE', 'no primary'));
const dispatch = (now: number) =>
  createPayoutDispatch({
    ...{ keys: KEYS, clock: () => now, holds: memoryHoldClaims() },
    screener: { recheck: async (batch: readonly unknown[]) => batch.map(() => undefined) },
  });
const overStore = (here: World, store: Partial<QuoteStore>) =>
  here.stage(undefined, { quotes: { store: { ...here.quotes, ...store }, ring } });

describe('a transfer that names a quote', () => {
  it.each(['find', 'claim'] as const)(
    'waits with its batch while MongoDB cannot %s, and has its price after',
    async (ask) => {
      const here = world();
      const { quoteId, price } = await quoted(here);
      here.rate = '127';
      await expect(overStore(here, { [ask]: down }).prepare([naming(quoteId)])).rejects.toMatchObject({
        code: 'MONGO_UNAVAILABLE',
      });
      expect(here.quotes.claims.size).toBe(0);
      here.now += 5 * MINUTE;
      const value = only((await run(here.stage(), [naming(quoteId)]))[0], 'transfer.priced');
      expect([value.price.credit, value.price.expiresAt]).toEqual([price.credit, price.expiresAt]);
    },
  );

  it('that waited for MongoDB until its quote had expired has the old price or none, and nothing is paid at it', async () => {
    const here = world();
    const { quoteId, price } = await quoted(here);
    here.rate = '127';
    // The log took it in time; by the clock of the stage the price is over.
    here.now = price.expiresAt + MINUTE;
    const late = naming(quoteId, 'transfer-0001', {}, validUntilOf(price) - 1);
    const value = only((await run(here.stage(), [late]))[0], 'transfer.priced');
    expect(value.price.expiresAt).toBe(price.expiresAt);
    const reserved = { ...transferReserved(), instruction: value.instruction, price: value.price };
    const [asked] = await run(dispatch(here.now), [received('transfer.reserved', reserved)]);
    const requote = only(asked, 'transfer.requote-requested');
    const again = await run(here.stage(), [received('transfer.requote-requested', requote)]);
    expect(only(again[0], 'transfer.rejected').reasons).toMatchObject([{ code: 'QEXP' }]);
    // Where the log took it too late as well, it has none at all.
    const other = await quoted(here, {}, 'order-0002');
    here.now = other.price.expiresAt;
    expect(codeOf((await run(here.stage(), [naming(other.quoteId, 'transfer-0002', {}, here.now)]))[0])).toBe('QEXP');
  });

  it('has its price once in one batch with another of the same quote, and with a copy of itself', async () => {
    const here = world();
    const { quoteId } = await quoted(here);
    const batch = [naming(quoteId), naming(quoteId, 'transfer-0002'), naming(quoteId)];
    const [first, second, copy] = await run(here.stage(), batch);
    expect(only(first, 'transfer.priced').envelope.transferId).toBe('transfer-0001');
    expect(codeOf(second)).toBe('QUSD');
    expect(copy).toEqual(first);
    expect(here.quotes.claims.size).toBe(1);
  });

  it('is the same event in a second batch, after a retry, and out of a dead letter that is replayed long after', async () => {
    const here = world();
    const { quoteId, price } = await quoted(here);
    const record = naming(quoteId);
    const [first] = await run(here.stage(), [record]);
    here.rate = '127';
    for (const [laterMs, waitedMs] of [
      [1_000, 0],
      [MINUTE, MINUTE],
      [40 * 24 * 60 * MINUTE, 2 * MINUTE],
    ] as const) {
      here.now += laterMs;
      const [again] = await run(here.stage(), [{ ...record, waitedMs, position: `replay:0:${laterMs}` } as never]);
      expect(again).toEqual(first);
    }
    // One that never came to its claim, and whose quote has expired since by both clocks, has none.
    const other = await quoted(here, {}, 'order-0002');
    here.now = other.price.expiresAt + MINUTE;
    const unclaimed = naming(other.quoteId, 'transfer-0002', {}, other.price.expiresAt);
    expect(codeOf((await run(here.stage(), [unclaimed]))[0])).toBe('QEXP');
    expect(price.expiresAt).toBeLessThan(here.now);
  });

  it('has not lost its price where a zombie claims beside it, and the zombie has none', async () => {
    const here = world();
    const { quoteId } = await quoted(here);
    // It looked before the other claimed, and claims after.
    const before = { quotes: (await here.quotes.find([quoteId])).quotes, claims: [] };
    only((await run(here.stage(), [naming(quoteId)]))[0], 'transfer.priced');
    const zombie = overStore(here, { find: async () => before });
    expect(codeOf((await run(zombie, [naming(quoteId, 'transfer-0002')]))[0])).toBe('QUSD');
    // Of the same transfer it makes the same event, which only one of the two can commit.
    here.now += MINUTE;
    const [own] = await run(zombie, [naming(quoteId)]);
    expect(only(own, 'transfer.priced').envelope.occurredAt).toBe(here.quotes.claims.get(quoteId)!.claimedAt);
  });

  it('has its price under a key that was replaced, for as long as the old one is known', async () => {
    const here = world();
    const { quoteId, price } = await quoted(here);
    const [id] = ring.keys.keys();
    const rotated = { currentId: 'next', keys: new Map([...ring.keys, ...keyRing(`next:${'k'.repeat(40)}`).keys]) };
    const stage = here.stage(undefined, { quotes: { store: here.quotes, ring: rotated } });
    const [first] = await run(stage, [naming(quoteId)]);
    expect(only(first, 'transfer.priced').price.credit).toEqual(price.credit);
    // Its claim is under the new key: who has that not yet waits, and declines nothing.
    expect(here.quotes.claims.get(quoteId)!.seal).toMatch(/^next\./);
    expect((await run(here.stage(), [naming(quoteId)]))[0]).toMatchObject({
      kind: 'wait',
      cause: { code: 'QUOTE_KEY_UNKNOWN' },
    });
    expect(id).not.toBe('next');
    expect((await run(stage, [naming(quoteId)]))[0]).toEqual(first);
  });
});

describe('a database that is put back', () => {
  it('to before a claim has the transfer claim anew, at the same price', async () => {
    const here = world();
    const { quoteId, price } = await quoted(here);
    await here.stage().prepare([naming(quoteId)]);
    here.quotes.claims.clear();
    here.now += MINUTE;
    const value = only((await run(here.stage(), [naming(quoteId)]))[0], 'transfer.priced');
    expect(value.price.credit).toEqual(price.credit);
    expect(here.quotes.claims.get(quoteId)!.claimedAt).toBe(here.now);
  });

  it('lets no second transfer use a quote of before once operators have voided them, and leaves a claim what it is', async () => {
    const here = world();
    const [lost, kept] = [await quoted(here), await quoted(here, {}, 'order-0002')];
    await run(here.stage(), [naming(lost.quoteId), naming(kept.quoteId, 'transfer-0002')]);
    here.quotes.claims.delete(lost.quoteId);
    here.now += MINUTE;
    const voiding = here.stage(undefined, { quotes: { store: here.quotes, ring, voidBefore: here.now } });
    expect(codeOf((await run(voiding, [naming(lost.quoteId, 'transfer-0003')]))[0])).toBe('QVOI');
    expect(here.quotes.claims.has(lost.quoteId)).toBe(false);
    only((await run(voiding, [naming(kept.quoteId, 'transfer-0002')]))[0], 'transfer.priced');
    // What is given from then on counts.
    const next = await quoted(here, {}, 'order-0003');
    only((await run(voiding, [naming(next.quoteId, 'transfer-0004')]))[0], 'transfer.priced');
  });

  it('to before a quote has the transfer declined, never priced in another way', async () => {
    const here = world();
    const { quoteId, requestId } = await quoted(here);
    here.quotes.answers.delete(requestId);
    here.quotes.asked.delete(requestId);
    expect(codeOf((await run(here.stage(), [naming(quoteId)]))[0])).toBe('QUNK');
  });
});

describe('answering', () => {
  const asked = async (here: World, ...keys: readonly string[]) => {
    for (const key of keys) await askForQuote(here.quotes, { producerId: PRODUCER, key, content: CONTENT }, here.now);
    return [...here.quotes.asked.keys()];
  };
  const answer = (here: World, over: Parameters<World['stage']>[1] = {}) =>
    answerQuotes({ quotes: here.quotes, pricing: here.stage(undefined, over), ring, clock: () => here.now }, 10);

  it('gives no price while terms cannot be used, refuses nobody for it, and keeps nothing else waiting', async () => {
    const here = world();
    await asked(here, 'order-0001');
    const unusable = () => {
      throw new CodedError('POLICY_UNUSABLE', 'terms 3', { faultClass: 'transient-dependency' });
    };
    const terms = { at: unusable };
    const bad = { _id: 'odd' };
    const quotes = {
      unanswered: async () => ({ ...(await here.quotes.unanswered(10)), unreadable: [bad._id] }),
      answer: here.quotes.answer,
    };
    const pricing = here.stage(undefined, { terms: terms as never });
    await expect(answerQuotes({ quotes, pricing, ring, clock: () => here.now }, 10)).rejects.toMatchObject({
      code: 'POLICY_UNUSABLE',
    });
    expect([...here.quotes.answers.keys()]).toEqual(['odd']);
    // One that lay too long is refused for that, whatever terms are.
    here.now += 61_000;
    await answerQuotes({ quotes: here.quotes, pricing, ring, clock: () => here.now }, 10);
    expect([...here.quotes.answers.values()].map((each) => each.kind === 'refused' && each.reason.code)).toEqual([
      'QFLT',
      'QOLD',
    ]);
  });

  it('gives none of a corridor that operators have stopped', async () => {
    const here = world();
    const [id] = await asked(here, 'order-0001');
    const isStopped = (corridor: string) => corridor === 'GB-IN';
    await answer(here, { quotes: { store: here.quotes, ring, isStopped } });
    expect(here.quotes.answers.get(id!)).toMatchObject({ kind: 'refused', reason: { code: 'QSTP' } });
  });
});

it('a price that was sealed before a field of prices existed is read as by its default', async () => {
  const here = world();
  const { request, price, requestId } = await quoted(here);
  const { cancelUntil: _, availableAt: __, ...older } = price;
  const sealed = sealQuote(ring, { request, price: older as never });
  expect(sealed.quoteId).toBe(quoteIdOf(sealed.content));
  here.quotes.answers.set(requestId, { kind: 'priced', at: AT, sealed });
  const value = only((await run(here.stage(), [naming(sealed.quoteId)]))[0], 'transfer.priced');
  expect(value.price).toEqual({ ...price, cancelUntil: null, availableAt: null });
});
