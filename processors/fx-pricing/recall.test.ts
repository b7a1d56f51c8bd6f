// Somebody deleted what corridors went by: the next rate is held against the last prices in the log, and that is told.
import { describe, expect, it } from 'vitest';
import type { AcceptedRate, FxRate, TransferPriced } from '../../schemas/types.generated.ts';
import {
  AT,
  BOOK,
  BUILT_IN_PRICES,
  fxRate,
  only,
  received,
  run,
  summary,
  transferScreened,
} from '../../test/kit/builders.ts';
import { memoryRates } from '../../test/kit/memory-rates.ts';
import type { AcceptedRates } from './ports.ts';
import { createFxPricing } from './processor.ts';
import { ratesOfPrices } from './recall.ts';

/** A process that starts over this memory, with these prices in the log. */
function stageOver(accepted: AcceptedRates, prices: () => readonly TransferPriced[] | Promise<never>) {
  const forgotten: AcceptedRate[] = [];
  let looks = 0;
  let rates: readonly FxRate[] = [];
  const stage = createFxPricing({
    rates: { version: 1, entries: () => rates.map((rate) => [rate.source, rate] as const) },
    accepted: {
      ...accepted,
      lastPrices: async () => {
        looks += 1;
        return prices();
      },
    },
    corridors: BOOK,
    terms: BUILT_IN_PRICES,
    clock: () => AT,
    onForgotten: (records) => forgotten.push(...records),
  });
  const priceBy = async (...now: readonly FxRate[]) => {
    rates = now;
    const [decision] = await run(stage, [received('transfer.screened', transferScreened())]);
    return decision!;
  };
  return { priceBy, forgotten, looks: () => looks };
}
async function pricedBy(...rates: readonly FxRate[]): Promise<TransferPriced> {
  const stage = createFxPricing({
    rates: { version: 1, entries: () => rates.map((rate, n) => [`${n}`, rate] as const) },
    ...{ accepted: memoryRates(), corridors: BOOK, terms: BUILT_IN_PRICES, clock: () => AT },
  });
  const [decision] = await run(stage, [received('transfer.screened', transferScreened())]);
  return only(decision, 'transfer.priced');
}

describe('a memory that was deleted', () => {
  it.each([
    ['1250.0', 'wait RATE_JUMPED'],
    ['126.0', 'transfer.priced'],
  ])('is had again from the last price: then %s is %s', async (rate, expected) => {
    const before = await pricedBy(fxRate({ rate: '125.0' }));
    const accepted = memoryRates();
    const { priceBy, forgotten } = stageOver(accepted, () => [before]);
    expect(summary(await priceBy(fxRate({ rate })))).toBe(expected);
    expect(forgotten).toMatchObject([{ corridor: 'GB-IN', base: 'GBP', quote: 'INR', rate: '125.0', version: 1 }]);
    // In the log, so another process that starts now has it too.
    expect(accepted.acceptedRecords[0]).toEqual(forgotten[0]);
  });

  it('is had again of a route over a pivot, with what it comes to', async () => {
    const legs = [fxRate({ base: 'EUR', quote: 'GBP', rate: '0.8' }), fxRate({ base: 'EUR', rate: '100' })];
    const accepted = memoryRates();
    const { priceBy, forgotten } = stageOver(accepted, async () => [await pricedBy(...legs)] as never);
    expect(summary(await priceBy(fxRate({ rate: '1250.0' })))).toBe('wait RATE_JUMPED');
    expect(forgotten.map(({ base, quote, rate, source }) => `${base}/${quote} ${rate} ${source}`)).toEqual([
      'EUR/GBP 0.8 sample',
      'EUR/INR 100 sample',
      'GBP/INR 125 over EUR',
    ]);
  });

  it('is of the latest price of a pair, whatever their order in the log', async () => {
    const older = await pricedBy(fxRate({ rate: '120.0' }));
    const newer = structuredClone(await pricedBy(fxRate({ rate: '125.0' })));
    newer.price.lockedAt += 1;
    for (const prices of [
      [older, newer],
      [newer, older],
    ])
      expect([...ratesOfPrices(prices, BOOK).values()].map(({ rate }) => rate)).toEqual(['125.0']);
  });

  it('is looked for once, and again where the log was away', async () => {
    let isAway = true;
    const before = await pricedBy(fxRate({ rate: '125.0' }));
    const { priceBy, looks } = stageOver(memoryRates(), () => (isAway ? Promise.reject(new Error('away')) : [before]));
    await expect(priceBy(fxRate({ rate: '1250.0' }))).rejects.toThrow('away');
    isAway = false;
    expect(summary(await priceBy(fxRate({ rate: '1250.0' })))).toBe('wait RATE_JUMPED');
    expect(summary(await priceBy(fxRate({ rate: '1250.0' })))).toBe('wait RATE_JUMPED');
    expect(looks()).toBe(2);
  });
});

describe('a memory that was never there', () => {
  it('takes the first rate as it is, and tells nothing', async () => {
    const { priceBy, forgotten } = stageOver(memoryRates(), () => []);
    expect(summary(await priceBy(fxRate({ rate: '1250.0' })))).toBe('transfer.priced');
    expect(forgotten).toEqual([]);
  });

  it('is not looked for where the pair is remembered', async () => {
    const accepted = memoryRates();
    const first = stageOver(accepted, () => []);
    await first.priceBy(fxRate({ rate: '125.0' }));
    const later = stageOver(accepted, () => Promise.reject(new Error('nobody asks')));
    expect(summary(await later.priceBy(fxRate({ rate: '125.0' })))).toBe('transfer.priced');
  });
});
