// A log of many batches, one of them damaged anyhow, behind a broker that finds offsets as Kafka does: by a sparse index,
// then batch by batch. Whatever the damage, reading goes on, and what is not damaged is read once, in order.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { times } from '../../test/kit/times.ts';
import { decodeBatches } from './kafkajs/fetch-response.ts';
import type { FetchedPartition } from './kafkajs/internals.ts';
import { Source } from './source.ts';
import { stepOver } from './step-over.ts';
import { batchBy } from './testing/batches.ts';

const PER_BATCH = 3;
const LEAST_SIZE = 14;

interface Damage {
  readonly batch: number;
  readonly at: number;
  readonly by: readonly number[];
}

/** A log on a disk. */
class DamagedLog {
  readonly #bytes: Buffer;
  readonly #index: readonly { offset: number; position: number }[];
  readonly end: number;
  readonly damagedFrom: number;
  /** Offset of the first index entry behind the damage: until there nothing is promised. */
  readonly readableFrom: number;

  constructor(batches: number, indexEvery: number, damage: Damage) {
    const whole = Array.from({ length: batches }, (_, nth) =>
      batchBy(
        'none',
        Array.from({ length: PER_BATCH }, (__, at) => ({ value: Buffer.from(`value ${nth * PER_BATCH + at}`) })),
        nth * PER_BATCH,
      ),
    );
    const index: { offset: number; position: number }[] = [];
    let position = 0;
    whole.forEach((batch, nth) => {
      if (nth % indexEvery === 0) index.push({ offset: nth * PER_BATCH, position });
      position += batch.length;
    });
    this.end = batches * PER_BATCH;
    this.damagedFrom = damage.batch * PER_BATCH;
    this.#index = index;
    this.readableFrom = index.find(({ offset }) => offset > this.damagedFrom)?.offset ?? this.end;
    const spoilt = whole[damage.batch]!;
    damage.by.forEach((byte, at) => {
      if (damage.at + at < spoilt.length) spoilt[damage.at + at] = byte;
    });
    this.#bytes = Buffer.concat(whole);
  }

  /** Undefined: the broker finds nothing. @throws 2 as the broker's error code */
  #positionOf(offset: number): number | undefined {
    let at = this.#index.findLast((entry) => entry.offset <= offset)!.position;
    while (at + 12 <= this.#bytes.length) {
      const size = this.#bytes.readInt32BE(at + 8);
      if (size < LEAST_SIZE) throw 2;
      if (at + 12 + size > this.#bytes.length) return undefined;
      const last = Number(this.#bytes.readBigInt64BE(at)) + this.#bytes.readInt32BE(at + 23);
      if (last >= offset) return at;
      at += 12 + size;
    }
    return undefined;
  }

  async fetch(offset: number, most: number): Promise<FetchedPartition> {
    const answer = { partition: 0, abortedTransactions: [], highWatermark: `${this.end}` };
    const lastStableOffset = `${this.end}`;
    try {
      const at = this.#positionOf(offset);
      const size = at === undefined ? 0 : Math.max(most, 12 + this.#bytes.readInt32BE(at + 8));
      const bytes = at === undefined ? Buffer.alloc(0) : this.#bytes.subarray(at, at + size);
      return { ...answer, errorCode: 0, lastStableOffset, messages: await decodeBatches(bytes, this.end) };
    } catch (errorCode) {
      if (errorCode !== 2) throw errorCode;
      return { ...answer, errorCode: 2, lastStableOffset: '-1', messages: [] };
    }
  }
}

/** Reads as the fetcher does. */
async function readThrough(log: DamagedLog, most: number) {
  const source = new Source('t', 0, { isGapless: true });
  source.seek(0);
  source.lastStableOffset = log.end;
  for (let left = 400; left > 0 && source.position! < log.end && !source.standing; left--) {
    const fetched = await log.fetch(source.position!, most);
    if (fetched.errorCode === 0) source.accept(fetched, source.seeks);
    else source.missed();
    if (source.isFruitless) await stepOver(source, (offset) => log.fetch(offset, most));
  }
  return { records: source.take(Number.POSITIVE_INFINITY), source };
}

const damageFrom = (first: number, last: number) =>
  fc.record({
    batch: fc.nat(39),
    at: fc.integer({ min: first, max: last }),
    by: fc.array(fc.constantFrom(0, 1, 2, 0x7f, 0x80, 0xff, 60, 100), { minLength: 1, maxLength: 8 }),
  });

it('reads on behind any damage, and names what it could not read', async () => {
  const damage = damageFrom(8, 110);
  await fc.assert(
    fc.asyncProperty(damage, fc.constantFrom(1, 3, 7, 40), fc.constantFrom(1, 200, 100_000), async (d, every, most) => {
      const log = new DamagedLog(40, every, d);
      const { records, source } = await readThrough(log, most);
      const seen = new Set<number>();
      let last = -1;
      for (const { offset, value, unreadable } of records) {
        expect(offset).toBeGreaterThan(last);
        if (unreadable) {
          expect(unreadable.firstOffset).toBeGreaterThan(last);
          for (let at = unreadable.firstOffset; at <= unreadable.lastOffset; at++) seen.add(at);
          const nothing = unreadable.lastOffset >= log.damagedFrom && unreadable.firstOffset < log.readableFrom;
          expect(nothing).toBe(true);
        } else {
          expect(String(value)).toBe(`value ${offset}`);
          seen.add(offset);
        }
        last = offset;
      }
      if (source.standing) {
        expect(source.position).toBeGreaterThanOrEqual(log.damagedFrom);
        expect(log.readableFrom).toBe(log.end);
      } else expect(source.position).toBe(log.end);
      for (let at = 0; at < source.position!; at++) expect(seen.has(at)).toBe(true);
    }),
    { numRuns: times(400) },
  );
});

it('comes to an end also where a first offset is damaged, which no checksum covers and by which the broker itself looks', async () => {
  await fc.assert(
    fc.asyncProperty(
      damageFrom(0, 7),
      fc.constantFrom(1, 3, 40),
      fc.constantFrom(1, 100_000),
      async (d, every, most) => {
        const log = new DamagedLog(40, every, d);
        const { records, source } = await readThrough(log, most);
        expect(source.standing !== undefined || source.position === log.end).toBe(true);
        const offsets = records.map(({ offset }) => offset);
        expect(offsets).toEqual(offsets.toSorted((one, other) => one - other));
      },
    ),
    { numRuns: times(200) },
  );
});

it('skips nothing when what was dark for a while comes back', async () => {
  const log = new DamagedLog(40, 3, { batch: 0, at: 0, by: [] });
  const source = new Source('t', 0);
  source.seek(9);
  source.lastStableOffset = log.end;
  let fetches = 0;
  await stepOver(source, async (offset) => {
    const isDark = ++fetches <= 6;
    return isDark ? { ...(await log.fetch(offset, 1)), errorCode: 2, messages: [] } : log.fetch(offset, 1);
  });
  expect(source.take(99).map(({ offset }) => offset)).toEqual([9, 10, 11]);
});

it.each([2, -1])(
  'passes over nothing while it is patient, and takes all that comes back: broker error %i',
  async (errorCode) => {
    const log = new DamagedLog(40, 3, { batch: 0, at: 0, by: [] });
    const source = new Source('t', 0, { patienceMs: Number.POSITIVE_INFINITY });
    source.seek(9);
    source.lastStableOffset = log.end;
    let isTrouble = true;
    const fetch = async (offset: number) => {
      const fetched = await log.fetch(offset, 1);
      return isTrouble && offset < 20 ? { ...fetched, errorCode, messages: [] } : fetched;
    };
    for (let looks = 0; looks < 10; looks++) {
      source.missed();
      if (source.isFruitless) await stepOver(source, fetch);
    }
    expect(source).toMatchObject({ position: 9, buffered: 0, standing: undefined, rests: true });
    isTrouble = false;
    await stepOver(source, fetch);
    expect(source.take(99).map(({ offset }) => offset)).toEqual([9, 10, 11]);
  },
);

it('asks again for a batch that fails its checksum while it is patient, and reads what stands before it', async () => {
  const sound = new DamagedLog(40, 3, { batch: 0, at: 0, by: [] });
  const damaged = new DamagedLog(40, 3, { batch: 4, at: 70, by: [0xff] });
  const source = new Source('t', 0, { isGapless: true, patienceMs: Number.POSITIVE_INFINITY });
  source.seek(9);
  for (let fetches = 0; fetches < 10; fetches++) source.accept(await damaged.fetch(source.position!, 100_000), 1);
  expect(source.position).toBe(12);
  expect(source.rests).toBe(true);
  source.accept(await sound.fetch(12, 1), 1);
  expect(source.take(99).map(({ offset, unreadable }) => [offset, unreadable])).toEqual(
    [9, 10, 11, 12, 13, 14].map((offset) => [offset, undefined]),
  );
});
