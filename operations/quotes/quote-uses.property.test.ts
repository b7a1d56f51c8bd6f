// Of any number of transfers that name one quote, in whatever batches, by however many processes, however often they run again,
// one has it.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { corridorBook } from '../../domain/corridors/corridors.ts';
import type { KeyRing } from '../../domain/seals/seal.ts';
import { createFxPricing } from '../../processors/fx-pricing/processor.ts';
import { type SealedClaim, sealClaim } from '../../processors/fx-pricing/quote-seals.ts';
import { BOOK, BUILT_IN_PRICES, fxRate, only, run } from '../../test/kit/builders.ts';
import { memoryRates } from '../../test/kit/memory-rates.ts';
import { times } from '../../test/kit/times.ts';
import { codeOf, MINUTE, naming, quoted, ring, stranger, tableOf, world } from './testing/quoted-world.ts';

describe('the use of a quote', () => {
  it('is that of one transfer, in whatever order and batches, and however often they run again', async () => {
    const one = fc.record({
      transfer: fc.integer({ min: 1, max: 5 }),
      dies: fc.constantFrom(...DEATHS),
      batch: fc.nat(2),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(one, { minLength: 1, maxLength: 12 }), async (steps) => {
        const here = world();
        const { quoteId, price } = await quoted(here);
        const winners = new Set<string>();
        for (const { transfer, dies, batch } of steps) {
          here.now += MINUTE * 4;
          const records = Array.from({ length: batch + 1 }, (_, more) =>
            naming(quoteId, `transfer-000${transfer + more}`),
          );
          try {
            for (const decision of await run(here.stage(dies), records)) {
              if (!Array.isArray(decision)) throw new Error('no events');
              for (const event of decision) {
                if (event.to !== 'transfer.priced') continue;
                winners.add(event.value.envelope.transferId);
                expect(event.value.price.credit).toEqual(price.credit);
                expect(event.value.envelope.occurredAt).toBe(here.quotes.claims.get(quoteId)!.claimedAt);
              }
            }
          } catch (error) {
            if ((error as Error).message !== 'dead') throw error;
          }
        }
        expect(winners.size).toBeLessThanOrEqual(1);
        const claim = here.quotes.claims.get(quoteId);
        for (const winner of winners) expect(claim?.transferId).toBe(winner);
        // Whoever has it has it whenever it runs again, also long after.
        here.now += 24 * 60 * MINUTE;
        if (claim) only((await run(here.stage(), [naming(quoteId, claim.transferId)]))[0], 'transfer.priced');
      }),
      { numRuns: times(120) },
    );
  });

  it.each(['fx-pricing.before-quote-claim', 'fx-pricing.after-quote-claim'] as const)(
    'is the same after the process died at %s',
    async (dies) => {
      const here = world();
      const { quoteId, price } = await quoted(here);
      await expect(here.stage(dies).prepare([naming(quoteId)])).rejects.toThrow('dead');
      const claimedAt = here.quotes.claims.get(quoteId)?.claimedAt;
      here.now += MINUTE;
      here.rate = '99';
      const { price: again, envelope } = only((await run(here.stage(), [naming(quoteId)]))[0], 'transfer.priced');
      expect(again.credit).toEqual(price.credit);
      expect(envelope.occurredAt).toBe(claimedAt ?? here.now);
      expect(codeOf((await run(here.stage(), [naming(quoteId, 'transfer-0002')]))[0])).toBe('QUSD');
    },
  );

  it.each<[string, (claim: SealedClaim, ring: KeyRing) => SealedClaim]>([
    ['without a seal', (claim) => ({ ...claim, seal: '' })],
    ['under the seal of somebody else', (claim) => sealClaim(stranger, claim)],
    ['at another time', (claim, of) => ({ ...claim, seal: sealClaim(of, { ...claim, claimedAt: 1 }).seal })],
    ['of another quote', (claim, of) => ({ ...claim, seal: sealClaim(of, { ...claim, quoteId: 'other' }).seal })],
  ])('is not revived by a claim that somebody wrote into the store %s', async (_what, spoil) => {
    const here = world();
    const { quoteId, price } = await quoted(here);
    here.now = price.expiresAt + MINUTE;
    const late = naming(quoteId, 'transfer-0001', {}, price.expiresAt);
    const { originPosition } = late.value.instruction;
    const claim = { quoteId, transferId: 'transfer-0001', originPosition, claimedAt: here.now - 10 * MINUTE };
    here.quotes.claims.set(quoteId, spoil(sealClaim(ring, claim), ring));
    expect(codeOf((await run(here.stage(), [late]))[0])).toBe('QUSD');
  });

  it('is of one intent: another under the same id has it not', async () => {
    const here = world();
    const { quoteId } = await quoted(here);
    await run(here.stage(), [naming(quoteId)]);
    const other = naming(quoteId, 'transfer-0001', { originPosition: 'T9:0:1' });
    expect(codeOf((await run(here.stage(), [other]))[0])).toBe('QUSD');
  });

  it('is kept for others where the corridor does not carry the amount any more', async () => {
    const here = world();
    const { quoteId } = await quoted(here);
    const [first] = BOOK.corridors.filter(({ id }) => id === 'GB-IN');
    const narrow = { ...first!, source: { ...first!.source, amount: { minMinor: 1n, maxMinor: 10n } } };
    const stage = createFxPricing({
      ...{ rates: tableOf(fxRate()), accepted: memoryRates(), terms: BUILT_IN_PRICES, clock: () => here.now },
      corridors: corridorBook([narrow]),
      quotes: { store: here.quotes, ring },
    });
    expect(codeOf((await run(stage, [naming(quoteId)]))[0])).toBe('AM02');
    expect(here.quotes.claims.size).toBe(0);
  });
});
const DEATHS = [undefined, undefined, 'fx-pricing.before-quote-claim', 'fx-pricing.after-quote-claim'] as const;
