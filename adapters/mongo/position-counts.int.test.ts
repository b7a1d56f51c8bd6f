// The kept count: of two that count at once one is kept, and what is of another shape stands in nobody's way.
import { expect, inject, it } from 'vitest';
import type { PositionCount } from '../../operations/positions/ports.ts';
import { POSITION_COUNTS, positionCounts } from './position-counts.ts';
import { freshDatabases } from './testing/databases.ts';

const freshDb = freshDatabases('positions', inject('stack').mongoUri);

const countOf = (version: number, minor: bigint): PositionCount => ({
  ...{ topicId: 't-1', offsets: new Map([[0, 7]]), records: 4, unproven: 0, isWhole: true, version },
  ...{ open: new Map([['GBP', minor]]), countedAt: 1_700_000_000_000 },
});

it('is kept once for each version, with sums above a long', async () => {
  const counts = positionCounts(freshDb());
  expect(await counts.find()).toBeUndefined();
  expect(await Promise.all([1n, 2n, 3n].map((minor) => counts.keep(countOf(1, minor))))).toHaveLength(3);
  const first = await counts.find();
  expect(first).toMatchObject({ version: 1 });
  expect(await counts.keep(countOf(1, 9n))).toBe(false);
  expect(await counts.keep(countOf(2, -(2n ** 80n)))).toBe(true);
  expect(await counts.keep(countOf(2, 5n))).toBe(false);
  expect(await counts.find()).toEqual(countOf(2, -(2n ** 80n)));
});

it('that is of another shape is none, and is counted over', async () => {
  const db = freshDb();
  const counts = positionCounts(db);
  await db.collection(POSITION_COUNTS).insertOne({ _id: 'fx.position' as never, open: 'mallory', version: 99 });
  expect(await counts.find()).toBeUndefined();
  expect(await counts.keep(countOf(1, 5n))).toBe(true);
  expect(await counts.find()).toEqual(countOf(1, 5n));
});
