// The transfer that names a quote has exactly its price or none, and an expired one is the price of nobody.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keyRing } from '../../domain/seals/seal.ts';
import { createFxPricing } from '../../processors/fx-pricing/processor.ts';
import { quoteIn, sealClaim, sealQuote, validUntilOf } from '../../processors/fx-pricing/quote-seals.ts';
import { MAX_REQUEST_AGE_MS } from '../../processors/fx-pricing/quotes.ts';
import { DEFAULT_DISPATCH_RULES } from '../../processors/payout-dispatch/decide.ts';
import type { TransferRejected } from '../../schemas/types.generated.ts';
import { AT, BOOK, BUILT_IN_PRICES, fxRate, only, received, requoteRequested, run } from '../../test/kit/builders.ts';
import { memoryRates } from '../../test/kit/memory-rates.ts';
import { times } from '../../test/kit/times.ts';
import {
  codeOf,
  MINUTE,
  naming,
  type Over,
  PRODUCER,
  quoted,
  ring,
  stranger,
  tableOf,
  world,
} from './testing/quoted-world.ts';

describe('a transfer that names a quote', () => {
  it('has exactly its price, wherever the rates are by then', async () => {
    const amounts = fc.bigInt({ min: 1_000n, max: 400_000n });
    const away = fc.integer({ min: 60_000_000, max: 250_000_000 });
    await fc.assert(
      fc.asyncProperty(amounts, away, fc.integer({ min: 0, max: 30 * MINUTE - 1 }), async (minor, moved, laterMs) => {
        const here = world();
        const { quoteId, price } = await quoted(here, { amount: { minor, currency: 'GBP' } });
        here.rate = (moved / 1_000_000).toString();
        here.now += laterMs;
        const of = { instructedAmount: { minor, currency: 'GBP' } };
        const value = only((await run(here.stage(), [naming(quoteId, 'transfer-0001', of)]))[0], 'transfer.priced');
        const cancelUntil = price.cancelUntil === null ? null : price.cancelUntil + laterMs;
        expect(value.price).toEqual({ ...price, cancelUntil });
        expect(value.envelope).toMatchObject({ attempt: 1, occurredAt: here.now });
      }),
      { numRuns: times(60) },
    );
  });

  it('has it while there is no rate at all', async () => {
    const here = world();
    const { quoteId, price } = await quoted(here);
    const stage = createFxPricing({
      ...{ rates: tableOf(), accepted: memoryRates(), corridors: BOOK, terms: BUILT_IN_PRICES, clock: () => here.now },
      quotes: { store: here.quotes, ring },
    });
    expect(only((await run(stage, [naming(quoteId)]))[0], 'transfer.priced').price.credit).toEqual(price.credit);
  });

  it('has none when the quote has expired by the clocks of the log and of the stage, from its last moment on', async () => {
    // Around the end: a clock that is away by days decides nothing alone.
    const away = fc.integer({ min: -29 * MINUTE, max: 400 * 24 * 60 * MINUTE });
    await fc.assert(
      fc.asyncProperty(away, away, async (lateByLog, lateByStage) => {
        const here = world();
        const { quoteId, price } = await quoted(here);
        const end = validUntilOf(price);
        here.now = end + lateByStage;
        const [decision] = await run(here.stage(), [naming(quoteId, 'transfer-0001', {}, end + lateByLog)]);
        const isOver = lateByLog >= 0 && lateByStage >= 0;
        if (isOver) expect(codeOf(decision)).toBe('QEXP');
        else expect(only(decision, 'transfer.priced').price.expiresAt).toBe(price.expiresAt);
        expect(here.quotes.claims.size).toBe(isOver ? 0 : 1);
        // Whoever has it has it whenever it runs again.
        here.now = end + 1_000 * MINUTE;
        const [again] = await run(here.stage(), [naming(quoteId, 'transfer-0001', {}, end + lateByLog)]);
        if (isOver) expect(codeOf(again)).toBe('QEXP');
        else expect(again).toEqual(decision);
      }),
      { numRuns: times(60) },
    );
  });

  it('has none from when on dispatch would pay nothing at its price', async () => {
    const here = world();
    const { quoteId, price } = await quoted(here);
    here.now = price.expiresAt - DEFAULT_DISPATCH_RULES.minRemainingMs;
    const [decision] = await run(here.stage(), [naming(quoteId, 'transfer-0001', {}, here.now)]);
    expect(codeOf(decision)).toBe('QEXP');
    here.now--;
    const [before] = await run(here.stage(), [naming(quoteId, 'transfer-0001', {}, here.now)]);
    expect(only(before, 'transfer.priced').price.expiresAt - here.now).toBeGreaterThan(
      DEFAULT_DISPATCH_RULES.minRemainingMs,
    );
  });

  it('waits where its quote, or its claim, is under a key that this process has not', async () => {
    const here = world();
    const { quoteId, price } = await quoted(here);
    await run(here.stage(), [naming(quoteId)]);
    const others = keyRing('next:the-next-key-of-the-stages-00000000000');
    const stage = createFxPricing({
      ...{ rates: tableOf(fxRate()), accepted: memoryRates(), corridors: BOOK, terms: BUILT_IN_PRICES },
      ...{ clock: () => here.now, quotes: { store: here.quotes, ring: others } },
    });
    const waits = { kind: 'wait', cause: { code: 'QUOTE_KEY_UNKNOWN' }, forPerson: true };
    expect((await run(stage, [naming(quoteId)]))[0]).toMatchObject(waits);
    const claim = here.quotes.claims.get(quoteId)!;
    here.quotes.claims.set(quoteId, sealClaim(others, claim));
    expect((await run(here.stage(), [naming(quoteId)]))[0]).toMatchObject(waits);
    // Once the key is there it has its price.
    here.quotes.claims.set(quoteId, claim);
    expect(only((await run(here.stage(), [naming(quoteId)]))[0], 'transfer.priced').price.credit).toEqual(price.credit);
    // Another transfer is declined all the same, also where nobody can tell who made the claim.
    here.quotes.claims.set(quoteId, sealClaim(others, claim));
    expect(codeOf((await run(here.stage(), [naming(quoteId, 'transfer-0002')]))[0])).toBe('QUSD');
  });

  it.each<[string, string, Over]>([
    ['another producer', 'QUNK', { producerId: 'zenith' }],
    ['nobody for certain', 'QPRD', { producerId: null }],
    ['another amount', 'QDIF', { instructedAmount: { minor: 100_001n, currency: 'GBP' } }],
    ['the other side', 'QDIF', { amountSide: 'TARGET' }],
    ['another tier', 'QDIF', { kycTier: 'TIER_2' }],
    ['another funding', 'QDIF', { funding: { method: 'CARD', receivedAt: null, reference: null } }],
    ['another charge bearer', 'QDIF', { chargeBearer: 'DEBT' }],
  ])('has none when it is of %s, and leaves the quote to who may use it', async (_what, code, over) => {
    const here = world();
    const { quoteId } = await quoted(here);
    const decisions = await run(here.stage(), [
      naming(quoteId, 'transfer-0001', over),
      naming(quoteId, 'transfer-0002'),
    ]);
    expect(codeOf(decisions[0])).toBe(code);
    expect(only(decisions[1], 'transfer.priced').envelope.transferId).toBe('transfer-0002');
  });

  it('has none of an indicative quote, of one that was never given, or of one that pricing refused', async () => {
    const here = world();
    const { quoteId } = await quoted(here, { kind: 'INDICATIVE' });
    expect(codeOf((await run(here.stage(), [naming(quoteId)]))[0])).toBe('QIND');
    expect(codeOf((await run(here.stage(), [naming(quoteId.replace(/.$/, '0'))]))[0])).toBe('QUNK');
    // The id of the request is no quote.
    const { requestId } = await quoted(here, {}, 'order-0003');
    expect(codeOf((await run(here.stage(), [naming(requestId)]))[0])).toBe('QUNK');
    const dear = { amount: { minor: 1n, currency: 'GBP' } };
    await expect(quoted(here, dear, 'order-0002')).rejects.toThrow('AM06');
  });

  it('has none where nothing proves that the stages have quoted it', async () => {
    const here = world();
    const { quoteId, requestId } = await quoted(here);
    const answer = here.quotes.answers.get(requestId)!;
    if (answer.kind !== 'priced') throw new Error('refused');
    const better = answer.sealed.content.replace('"12444609"', '"99444609"');
    expect(better).not.toBe(answer.sealed.content);
    const other = await quoted(here, { amount: { minor: 200_000n, currency: 'GBP' } }, 'order-0002');
    const forged = [
      { ...answer.sealed, content: better },
      { ...sealQuote(stranger, quoteIn(answer.sealed.content)!) },
      // A true quote under the id of another.
      { ...sealQuote(ring, other), quoteId },
      { ...answer.sealed, content: '{', seal: '' },
    ];
    for (const sealed of forged) {
      here.quotes.answers.set(requestId, { ...answer, sealed });
      expect(codeOf((await run(here.stage(), [naming(quoteId)]))[0])).toBe('QUNK');
      // A copy of the true one beside it counts, in whatever order they are found.
      here.quotes.answers.set('copy', answer);
      const price = only((await run(here.stage(), [naming(quoteId)]))[0], 'transfer.priced');
      expect(price.price.credit).toEqual(quoteIn(answer.sealed.content)!.price.credit);
      here.quotes.answers.delete('copy');
      here.quotes.claims.clear();
    }
  });

  it('has one price under one id: a request that is put back as unanswered is another quote', async () => {
    const here = world();
    const { quoteId, requestId, price } = await quoted(here);
    const first = here.quotes.answers.get(requestId)!;
    here.quotes.answers.delete(requestId);
    here.rate = '131';
    here.now += MAX_REQUEST_AGE_MS;
    const second = await quoted(here);
    expect(second.quoteId).not.toBe(quoteId);
    expect(codeOf((await run(here.stage(), [naming(quoteId)]))[0])).toBe('QUNK');
    here.quotes.answers.set('put back beside it', first);
    expect(only((await run(here.stage(), [naming(quoteId)]))[0], 'transfer.priced').price.credit).toEqual(price.credit);
    here.quotes.answers.delete(requestId);
    here.now += 1;
    await expect(quoted(here)).rejects.toThrow('QOLD');
  });

  it('learns nothing of quotes where nothing proves whose it is', async () => {
    const here = world();
    const { quoteId } = await quoted(here);
    for (const id of [quoteId, quoteId.replace(/.$/, '0')]) {
      const [decision] = await run(here.stage(), [naming(id, 'transfer-0001', { producerId: null })]);
      expect(codeOf(decision)).toBe('QPRD');
    }
    const details = [];
    for (const id of [quoteId, quoteId.replace(/.$/, '0')]) {
      const [decision] = await run(here.stage(), [naming(id, 'transfer-0001', { producerId: 'zenith' })]);
      details.push((only(decision!, 'transfer.rejected') as TransferRejected).reasons);
    }
    expect(details[0]).toEqual(details[1]);
  });

  it('is not priced again when its price has expired: that would be another than was quoted', async () => {
    const here = world();
    const { quoteId } = await quoted(here);
    const requote = requoteRequested();
    const instruction = { ...requote.instruction, producerId: PRODUCER, quoteId };
    const again = received('transfer.requote-requested', { ...requote, instruction });
    const value = only((await run(here.stage(), [again]))[0], 'transfer.rejected');
    expect(value).toMatchObject({ reasons: [{ code: 'QEXP' }], reservation: requote.reservation });
    expect(here.quotes.claims.size).toBe(0);
  });

  it('has none where pricing has no quotes at all', async () => {
    const rates = tableOf(fxRate());
    const stage = createFxPricing({
      ...{ rates, accepted: memoryRates(), corridors: BOOK, terms: BUILT_IN_PRICES, clock: () => AT },
    });
    expect(codeOf((await run(stage, [naming('5f0c6b1e-0000-5000-8000-000000000000')]))[0])).toBe('QUNK');
  });
});
