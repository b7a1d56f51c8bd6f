// Prices in the log, for a memory that was deleted: those alone that a stage has sealed, and no more than a bound.
import { expect, it } from 'vitest';
import { recordMaker } from '../ports/records.ts';
import { createFxPricing } from '../processors/fx-pricing/processor.ts';
import {
  AT,
  BOOK,
  BUILT_IN_PRICES,
  fxRate,
  received,
  run,
  summary,
  transferPriced,
  transferScreened,
} from '../test/kit/builders.ts';
import { memoryCodec } from '../test/kit/memory-codec.ts';
import { MemoryLog } from '../test/kit/memory-log.ts';
import { testRings } from '../test/kit/rings.ts';
import { fxAcceptedRates } from '../topics/boundary.ts';
import { transferPriced as pricedTopic } from '../topics/chain.ts';
import { followedRates } from './accepted-rates.ts';

async function world() {
  const [log, codec] = [new MemoryLog({ partitions: 2 }), memoryCodec()];
  await codec.load([pricedTopic.name, fxAcceptedRates.name]);
  const writer = await log.writer();
  const make = recordMaker({ owner: 'fx-pricing', writes: [pricedTopic], codec, rings: testRings });
  const put = async (rate: string, lockedAt: number, seal?: string) => {
    const value = structuredClone(transferPriced());
    Object.assign(value.price.legs[0]!, { rate });
    value.price.lockedAt = lockedAt;
    const record = make(pricedTopic.name, value, { partition: 1, cause: 'AAAAAAAAAAAA:0:1' });
    await writer.send([seal === undefined ? record : { ...record, headers: { ...record.headers, seal } }]);
  };
  /** A process that starts now, over a table that is empty. */
  const priceBy = async (rate: string) => {
    const { accepted, tables, close } = followedRates({ log, codec, config: { keys: testRings as never } });
    await Promise.all(tables.map((table) => table.start()));
    const rates = { version: 1, entries: () => [['sample', fxRate({ rate })] as const] };
    const reported: string[] = [];
    const onForgotten = (all: readonly { readonly rate: string }[]) => reported.push(...all.map((each) => each.rate));
    const stage = createFxPricing({
      rates,
      accepted,
      corridors: BOOK,
      terms: BUILT_IN_PRICES,
      clock: () => AT,
      onForgotten,
    });
    const [decision] = await run(stage, [received('transfer.screened', transferScreened())]);
    await Promise.all(tables.map((table) => table.stop()));
    await close();
    return { outcome: summary(decision!), reported };
  };
  return { put, priceBy };
}

it('holds the next rate against the last price, and the table has it again', async () => {
  const { put, priceBy } = await world();
  await put('125.0', AT - 1_000);
  await put('1250.0', AT, 'forged');
  expect(await priceBy('1250.0')).toEqual({ outcome: 'wait RATE_JUMPED', reported: ['125.0'] });
  // Another process: nothing is forgotten any more.
  expect(await priceBy('1250.0')).toEqual({ outcome: 'wait RATE_JUMPED', reported: [] });
  expect(await priceBy('126.0')).toEqual({ outcome: 'transfer.priced', reported: [] });
});

it('takes the first rate where no price was ever made', async () => {
  const { priceBy } = await world();
  expect(await priceBy('1250.0')).toEqual({ outcome: 'transfer.priced', reported: [] });
});
