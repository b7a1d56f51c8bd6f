// A log of many batches, one of them damaged anyhow, behind a broker that finds offsets as Kafka does: by a sparse index,
// then batch by batch. Whatever the damage, reading goes on, and what is not damaged is read once, in order.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { batchBy } from '../../test/kit/kafka/batches.ts';
import { times } from '../../test/kit/times.ts';
import { decodeBatches } from './kafkajs/fetch-response.ts';
import type { FetchedPartition } from './kafkajs/internals.ts';
import { Source } from './source.ts';
import { stepOver } from './step-over.ts';

const PER_BATCH = 3;
const MIN_BATCH_SIZE = 14;

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
      if (size < MIN_BATCH_SIZE) throw 2;
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
  for (let left = 400; left > 0 && source.position! < log.end && !source.readStop; left--) {
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
      if (source.readStop) {
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
        expect(source.readStop !== undefined || source.position === log.end).toBe(true);
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

it('passes over nothing while it is patient, and takes all that comes back', async () => {
  const log = new DamagedLog(40, 3, { batch: 0, at: 0, by: [] });
  const source = new Source('t', 0, { timeoutMs: Number.POSITIVE_INFINITY });
  source.seek(9);
  source.lastStableOffset = log.end;
  let isTrouble = true;
  const fetch = async (offset: number) => {
    const fetched = await log.fetch(offset, 1);
    return isTrouble && offset < 20 ? { ...fetched, errorCode: 2, messages: [] } : fetched;
  };
  for (let looks = 0; looks < 10; looks++) {
    source.missed();
    if (source.isFruitless) await stepOver(source, fetch);
  }
  expect(source).toMatchObject({ position: 9, buffered: 0, readStop: undefined, rests: true });
  isTrouble = false;
  await stepOver(source, fetch);
  expect(source.take(99).map(({ offset }) => offset)).toEqual([9, 10, 11]);
});

/** A log of `end` offsets, of which some give a broker's error. */
const lookedUp = (end: number, errorAt: (offset: number) => number) => async (offset: number) => {
  const rest = { partition: 0, abortedTransactions: [], highWatermark: `${end}`, lastStableOffset: `${end}` };
  const errorCode = errorAt(offset);
  if (errorCode !== 0) return { ...rest, errorCode, lastStableOffset: '-1', messages: [] } as FetchedPartition;
  let next = offset + 1;
  while (next < end && next < offset + 20 && errorAt(next) === 0) next++;
  const values = Array.from({ length: next - offset }, (_, at) => ({ value: Buffer.from(`value ${offset + at}`) }));
  return {
    ...rest,
    errorCode,
    messages: await decodeBatches(batchBy('none', values, offset), end),
  } as FetchedPartition;
};

/** Reads such a log as the fetcher does. @returns offsets that were read, and the ranges that were passed over */
async function readAll(end: number, errorAt: (offset: number) => number) {
  const source = new Source('t', 0, { isGapless: true });
  source.seek(0);
  source.lastStableOffset = end;
  const fetch = lookedUp(end, errorAt);
  for (let left = 1_000; left > 0 && source.position! < end && !source.readStop; left--) {
    const fetched = await fetch(source.position!);
    if (fetched.errorCode === 0) source.accept(fetched, source.seeks);
    else source.missed();
    if (source.isFruitless) await stepOver(source, fetch);
  }
  const records = source.take(Number.POSITIVE_INFINITY);
  const passed = records.flatMap(({ unreadable }) =>
    unreadable ? [[unreadable.firstOffset, unreadable.lastOffset]] : [],
  );
  return { source, passed, read: records.flatMap(({ offset, unreadable }) => (unreadable ? [] : [offset])) };
}

describe('two damaged places', () => {
  it('are passed by themselves: what stands between them is read', async () => {
    const errorAt = (offset: number) => (offset < 164 || (offset > 220 && offset < 300) ? 2 : 0);
    const { passed, read } = await readAll(320, errorAt);
    const first = [0, 163];
    const second = [221, 299];
    expect(passed).toEqual([first, second]);
    expect(read).toHaveLength(57 + 20);
  });

  it('of any size are told exactly, unless so little stands so far behind that it is found by no probe', async () => {
    const size = (max: number) => fc.integer({ min: 1, max });
    const sizes = fc.record({ sound: size(5), one: size(900), between: size(200), other: size(900), tail: size(5) });
    await fc.assert(
      fc.asyncProperty(sizes, async ({ sound, one, between, other, tail }) => {
        const second = sound + one + between;
        const end = second + other + tail;
        const isDark = (offset: number) =>
          (offset >= sound && offset < sound + one) || (offset >= second && offset < second + other);
        const { passed, read } = await readAll(end, (offset) => (isDark(offset) ? 2 : 0));
        expect(read.every((offset) => !isDark(offset))).toBe(true);
        const isSurelySeen = one < 256 || between > (one + between + other) / 65;
        const reported = passed.map(([from, to]) => to! - from! + 1);
        if (isSurelySeen) expect(reported).toEqual([one, other]);
        expect(read.length + reported.reduce((sum, count) => sum + count, 0)).toBe(end);
      }),
      { numRuns: times(40) },
    );
  });
});

describe('a broker that does not know whether it can read', () => {
  const fruitless = () => {
    const source = new Source('t', 0);
    source.seek(9);
    source.lastStableOffset = 60;
    for (let misses = 0; misses < 3; misses++) source.missed();
    return source;
  };

  it.each([
    ['the position', (offset: number) => (offset < 20 ? -1 : 0)],
    ['the offset before', (offset: number) => (offset === 8 ? -1 : offset < 20 ? 2 : 0)],
    ['an offset behind', (offset: number) => (offset === 15 ? -1 : offset < 20 ? 2 : 0)],
    ['where the log ends', (offset: number) => (offset > 30 ? 1 : 2)],
  ])('has nothing passed, however long it lasts, and all is taken afterwards: %s', async (_name, errorAt) => {
    const source = fruitless();
    for (let looks = 0; looks < 5; looks++) await stepOver(source, lookedUp(60, errorAt));
    expect(source).toMatchObject({ position: 9, buffered: 0, rests: true, readStop: { code: 'LOG_UNREADABLE' } });
    expect(source).toMatchObject({ isCorrupt: false, isFruitless: false });
    source.accept(await lookedUp(60, () => 0)(9), source.seeks);
    expect(source).toMatchObject({ position: 29, readStop: undefined, rests: false });
    expect(source.take(1)[0]).toMatchObject({ offset: 9 });
  });

  it('stands no more when the partition turns out to be at its end', async () => {
    const source = fruitless();
    for (let looks = 0; looks < 3; looks++) source.answerUnknown();
    expect(source.readStop).toMatchObject({ code: 'LOG_UNREADABLE' });
    const empty = { ...(await lookedUp(9, () => 2)(9)), errorCode: 0, lastStableOffset: '9' };
    source.accept(empty, source.seeks);
    expect(source.readStop).toBeUndefined();
  });

  it('is not told by a position that is not in the log any more: that is the documented stop', async () => {
    const source = fruitless();
    await stepOver(
      source,
      lookedUp(60, (offset) => (offset < 20 ? 1 : 0)),
    );
    expect(source).toMatchObject({ outOfRange: true, position: undefined, buffered: 0 });
  });
});

it('has patience with a checksum from when it is what stands in the way: what lies before it may be read long before', async () => {
  const damaged = new DamagedLog(40, 3, { batch: 4, at: 70, by: [0xff] });
  const source = new Source('t', 0, { isGapless: true });
  source.seek(9);
  const accept = async () => source.accept(await damaged.fetch(source.position!, 100_000), 1);
  await accept();
  expect(source).toMatchObject({ position: 12, buffered: 3 });
  for (let fetches = 0; fetches < 2; fetches++) await accept();
  expect(source).toMatchObject({ position: 12, buffered: 3 });
  await accept();
  expect(source.take(99)[3]).toMatchObject({ unreadable: { code: 'BATCH_CORRUPT', firstOffset: 12, lastOffset: 14 } });
});

it.each([
  ['after a seek', (source: Source) => source.seek(12)],
  ['after its broker could not tell whether it can read', (source: Source) => source.answerUnknown()],
])('has patience with a checksum anew %s', async (_name, begin) => {
  const damaged = new DamagedLog(40, 3, { batch: 4, at: 70, by: [0xff] });
  const source = new Source('t', 0, { isGapless: true });
  source.seek(12);
  for (let round = 0; round < 4; round++) {
    for (let fetches = 0; fetches < 2; fetches++) source.accept(await damaged.fetch(12, 100_000), source.seeks);
    expect(source).toMatchObject({ position: 12, buffered: 0 });
    begin(source);
  }
});

it('asks again for a batch that fails its checksum while it is patient, and reads what stands before it', async () => {
  const sound = new DamagedLog(40, 3, { batch: 0, at: 0, by: [] });
  const damaged = new DamagedLog(40, 3, { batch: 4, at: 70, by: [0xff] });
  const source = new Source('t', 0, { isGapless: true, timeoutMs: Number.POSITIVE_INFINITY });
  source.seek(9);
  for (let fetches = 0; fetches < 10; fetches++) source.accept(await damaged.fetch(source.position!, 100_000), 1);
  expect(source.position).toBe(12);
  expect(source.rests).toBe(true);
  source.accept(await sound.fetch(12, 1), 1);
  expect(source.take(99).map(({ offset, unreadable }) => [offset, unreadable])).toEqual(
    [9, 10, 11, 12, 13, 14].map((offset) => [offset, undefined]),
  );
});
