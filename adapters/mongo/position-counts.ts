// The latest count of open positions, in MongoDB: one document of fx_position_counts. It is found by its id; no index beside.
import type { Db } from 'mongodb';
import { z } from 'zod';
import type { PositionCount, PositionCounts } from '../../operations/positions/ports.ts';
import { insertFree } from './claims.ts';
import { MAJORITY } from './client.ts';
import { guarded } from './fault.ts';
import { STAMP } from './schema-version.ts';

export const POSITION_COUNTS = 'fx_position_counts';
const ID = 'fx.position';

const stored = z.object({
  topicId: z.string(),
  offsets: z.array(z.object({ partition: z.int(), next: z.int() })),
  /** Minor units as text: a sum may be more than a long. */
  open: z.array(z.object({ currency: z.string(), minor: z.string().regex(/^-?\d{1,40}$/) })),
  records: z.int(),
  unproven: z.int(),
  isWhole: z.boolean(),
  countedAt: z.date(),
  version: z.int(),
});
type Stored = z.output<typeof stored> & { readonly _id: string };

export function positionCounts(db: Db): PositionCounts {
  const collection = db.collection<Stored>(POSITION_COUNTS, MAJORITY);
  return {
    async find() {
      const found = stored.safeParse(await guarded(() => collection.findOne({ _id: ID })));
      return found.success ? countOf(found.data) : undefined;
    },
    async keep(count) {
      const document = storedOf(count);
      const before = { _id: ID, version: count.version - 1 };
      const replaced = await guarded(() => collection.replaceOne(before, document));
      if (replaced.matchedCount === 1) return true;
      if (
        count.version === 1 &&
        (await insertFree(collection as never, [{ _id: ID, ...document } as never])).size === 0
      )
        return true;
      const stands = await guarded(() => collection.findOne({ _id: ID }));
      // What is of another shape counts nothing, and stands in nobody's way.
      if (!stored.safeParse(stands).success) {
        await guarded(() => collection.replaceOne({ _id: ID }, document, { upsert: true }));
        return true;
      }
      return false;
    },
  };
}

const storedOf = ({ offsets, open, countedAt, ...rest }: PositionCount) => ({
  ...rest,
  offsets: [...offsets].map(([partition, next]) => ({ partition, next })),
  open: [...open].map(([currency, minor]) => ({ currency, minor: minor.toString() })),
  countedAt: new Date(countedAt),
  ...STAMP,
});

const countOf = ({ offsets, open, countedAt, ...rest }: z.output<typeof stored>): PositionCount => ({
  ...rest,
  offsets: new Map(offsets.map(({ partition, next }) => [partition, next])),
  open: new Map(open.map(({ currency, minor }) => [currency, BigInt(minor)])),
  countedAt: countedAt.getTime(),
});
