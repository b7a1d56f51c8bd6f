// The count of open positions: the same however it is cut into pieces, whoever counts, and without what nobody has sealed.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { OutputRecord } from '../../ports/log.ts';
import { recordMaker } from '../../ports/records.ts';
import { memoryCodec } from '../../test/kit/memory-codec.ts';
import { MemoryLog } from '../../test/kit/memory-log.ts';
import { testRings } from '../../test/kit/rings.ts';
import { times } from '../../test/kit/times.ts';
import { fxPosition } from '../../topics/boundary.ts';
import { countAndKeep, countOn, rangesToCount } from './count.ts';
import { memoryCounts } from './testing/memory-counts.ts';

const PARTITIONS = 3;
const NOW = 1_700_000_000_000;
const EVERYTHING = { now: NOW, maxOffsets: Number.MAX_SAFE_INTEGER };

async function world() {
  const [log, codec] = [new MemoryLog({ partitions: PARTITIONS }), memoryCodec()];
  await codec.load([fxPosition.name]);
  const make = recordMaker({ owner: 'fx-pricing', writes: [fxPosition], codec, rings: testRings });
  const writer = await log.writer();
  let next = 0;
  const put = async (minor: bigint, change: (record: OutputRecord) => OutputRecord = (same) => same) => {
    const transferId = `t-${next++}`;
    const opens = minor > 0n;
    const value = {
      ...{ eventId: `e-${next}`, transferId, attempt: 1, sequence: 3, occurredAt: NOW, corridorId: 'GB-IN' },
      change: opens ? ('OPENED' as const) : ('RETURNED' as const),
      ...{ sourceCurrency: 'GBP', sourceMinor: minor, targetCurrency: 'INR', targetMinor: -125n * minor },
    };
    await writer.send([change(make(fxPosition.name, value, { partition: next % PARTITIONS, eventId: value.eventId }))]);
  };
  return { log, put, sources: { reader: log.reader(), codec, rings: testRings, topicId: 'topic-1' } };
}

describe('the count', () => {
  it('is the sum of all positions, in however many pieces it is counted', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.bigInt({ min: -(2n ** 61n), max: 2n ** 61n }), { maxLength: 20 }),
        fc.integer({ min: 1, max: 8 }),
        async (amounts, maxOffsets) => {
          const { put, sources } = await world();
          const counts = memoryCounts();
          for (const minor of amounts) {
            await put(minor / 125n);
            await countAndKeep(sources, counts, { now: NOW, maxOffsets });
          }
          let counted = await countAndKeep(sources, counts, { now: NOW, maxOffsets });
          while (counted.behind > 0) counted = await countAndKeep(sources, counts, { now: NOW, maxOffsets });
          const gbp = amounts.reduce((sum, minor) => sum + minor / 125n, 0n);
          expect(counts.kept?.open.get('GBP') ?? 0n).toBe(gbp);
          expect(counts.kept?.open.get('INR') ?? 0n).toBe(-125n * gbp);
          const { count } = await countOn(sources, undefined, EVERYTHING);
          expect(count.open).toEqual(counts.kept?.open);
          expect(counts.kept).toMatchObject({ records: amounts.length, unproven: 0, isWhole: true });
        },
      ),
      { numRuns: times(25) },
    );
  });

  it('leaves out what nobody has sealed, and says how much', async () => {
    const { put, sources } = await world();
    await put(100n);
    await put(7n, (record) => ({ ...record, headers: { ...record.headers, seal: 'x' } }));
    const { count } = await countOn(sources, undefined, EVERYTHING);
    expect(count).toMatchObject({ records: 1, unproven: 1 });
    expect(count.open.get('GBP')).toBe(100n);
    const unkeyed = await countOn({ ...sources, rings: {} }, undefined, EVERYTHING);
    expect(unkeyed.count.open.get('GBP')).toBe(107n);
  });

  it('of two who count at once keeps one, and both say the same', async () => {
    const { put, sources } = await world();
    await put(100n);
    const counts = memoryCounts();
    const [one, other] = await Promise.all([0, 1].map(() => countAndKeep(sources, counts, EVERYTHING)));
    expect(one!.count.open).toEqual(other!.count.open);
    expect(counts.kept?.version).toBe(1);
    await put(-100n);
    await countAndKeep(sources, counts, EVERYTHING);
    expect(counts.kept?.open.get('GBP')).toBe(0n);
  });

  it('begins anew when the topic was made anew', async () => {
    const { put, sources } = await world();
    await put(100n);
    const counts = memoryCounts();
    await countAndKeep(sources, counts, EVERYTHING);
    await countAndKeep({ ...sources, topicId: 'topic-2' }, counts, EVERYTHING);
    expect(counts.kept).toMatchObject({ topicId: 'topic-2', records: 1, version: 2 });
  });
});

describe('what is still to be counted', () => {
  const range = (partition: number, from: number, to: number) => ({ topic: fxPosition.name, partition, from, to });

  it('goes on where the count ended', () => {
    const { ranges, behind, isWhole } = rangesToCount([range(0, 0, 10), range(1, 0, 4)], new Map([[0, 8]]), 100);
    expect(ranges.map(({ from, to }) => [from, to])).toEqual([
      [8, 10],
      [0, 4],
    ]);
    expect([behind, isWhole]).toEqual([0, true]);
  });

  it('is not whole where the log has forgotten some of it', () => {
    expect(rangesToCount([range(0, 5, 10)], new Map([[0, 4]]), 100).isWhole).toBe(false);
    expect(rangesToCount([range(0, 5, 10)], new Map([[0, 5]]), 100).isWhole).toBe(true);
  });

  it('is bounded, and says how much is left', () => {
    const { ranges, behind } = rangesToCount([range(0, 0, 100), range(1, 0, 3)], new Map(), 20);
    expect(ranges.map(({ to }) => to)).toEqual([10, 3]);
    expect(behind).toBe(90);
  });
});
