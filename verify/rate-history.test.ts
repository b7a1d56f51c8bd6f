// The kept rates against the published ones: what the writer makes is never found, and each thing that is wrong is.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRateHistory } from '../operations/analytics/rate-history.ts';
import type { LogRecord } from '../ports/log.ts';
import { type Rings, sealed } from '../ports/seals.ts';
import { RATE_HISTORY } from '../processors/topology.ts';
import type { FxRate, FxRateRecord } from '../schemas/types.generated.ts';
import { fxRate } from '../test/kit/builders.ts';
import { ManualClock } from '../test/kit/manual-clock.ts';
import { memoryCodec } from '../test/kit/memory-codec.ts';
import { MemoryLog } from '../test/kit/memory-log.ts';
import { testRings } from '../test/kit/rings.ts';
import { fxRateHistory, fxRates } from '../topics/boundary.ts';
import type { FixedLog } from './testing/fixed-log.ts';
import { History } from './testing/history.ts';
import { AT_ONCE } from './testing/plant.ts';
import { verify } from './verify.ts';

const [RATES, HISTORY] = [fxRates.name, fxRateHistory.name];
const codec = memoryCodec();
const NOW = Date.now();
const MINUTE_MS = 60_000;
/** Past the time for which compaction leaves a rate that a newer one followed. */
const LONG_AGO = NOW - 24 * 60 * MINUTE_MS;

const rate = (text: string, minute: number, over: Partial<FxRate> = {}): FxRate =>
  fxRate({ rate: text, observedAt: LONG_AGO + minute * MINUTE_MS, ...over });

interface Written {
  readonly rates: readonly LogRecord[];
  readonly rows: readonly LogRecord[];
}

/** What the writer makes of these, each a minute after the one before. */
async function written(rates: readonly FxRate[], startedAt = LONG_AGO + MINUTE_MS): Promise<Written> {
  const clock = new ManualClock(startedAt);
  const log = new MemoryLog({ partitions: 1, clock, manual: true });
  for (const each of rates) {
    const record = {
      topic: RATES,
      partition: 0,
      key: fxRates.keyOf(each),
      value: codec.encode(RATES, each),
      headers: {},
    };
    log.append([sealed(testRings, record)]);
    clock.advance(MINUTE_MS);
  }
  const handler = createRateHistory({ codec, rings: testRings, reader: log.reader(), onPassedOver: () => undefined });
  const consumer = await log.consume({
    ...{ name: RATE_HISTORY, topics: [RATES], delivery: 'exactly-once', maxBatchRecords: 3, lingerMs: 0, handler },
    onFault: () => undefined,
  });
  while (await consumer.step());
  expect(consumer.failure).toBeUndefined();
  return { rates: log.all(RATES), rows: log.all(HISTORY) };
}

const decodedOf = async <T>(record: LogRecord): Promise<T> => {
  const [result] = await codec.decode(record.topic as typeof HISTORY, [record.value]);
  if (!result?.ok) throw new Error('it does not decode');
  return result.value as T;
};

/** The row, as its writer would have sealed it, with something changed. */
async function changed(record: LogRecord, over: Partial<FxRateRecord>, place: Partial<LogRecord> = {}) {
  const value = { ...(await decodedOf<FxRateRecord>(record)), ...over };
  const made = sealed(testRings, {
    ...{
      topic: HISTORY,
      partition: 0,
      key: fxRateHistory.keyOf(value),
      value: codec.encode(HISTORY, value),
      headers: {},
    },
  });
  const headers = Object.fromEntries(Object.entries(made.headers).map(([name, text]) => [name, Buffer.from(text)]));
  return { ...record, key: Buffer.from(String(made.key)), value: made.value, headers, ...place };
}

interface Wishes {
  readonly handled?: number;
  readonly later?: (fixed: FixedLog) => void;
  readonly rings?: Rings;
}

async function found({ rates, rows }: Written, { handled, later, rings = testRings }: Wishes = {}) {
  const sources = new History().sources();
  for (const record of [...rates, ...rows]) sources.fixed.put(record);
  sources.fixed.commit(RATE_HISTORY, RATES, 0, handled ?? sources.fixed.end(RATES, 0));
  later?.(sources.fixed);
  const { findings } = await verify({ ...sources, rings }, AT_ONCE);
  return findings.filter(({ check }) => check === 'rate-history').map(({ code, position }) => `${code} ${position}`);
}

const THREE = [rate('0.85', 0), rate('0.86', 1), rate('0.87', 2)];
const without = (records: readonly LogRecord[], ...places: readonly number[]) =>
  records.filter((_, place) => !places.includes(place));
const placeOf = ({ topic, offset }: LogRecord) => `${topic}/0/${offset}`;

describe('rows that the writer made', () => {
  it('are in agreement, whatever feeds wrote: copies, older ones, ones that are dated ahead, several of an instant', async () => {
    const any = fc.record({
      source: fc.constantFrom('ecb', 'house'),
      text: fc.constantFrom('0.85', '0.86', '0.87'),
      minute: fc.integer({ min: -3, max: 30 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(any, { minLength: 1, maxLength: 12 }),
        fc.nat(),
        fc.boolean(),
        async (all, from, isNow) => {
          const base = isNow ? NOW - LONG_AGO - 60 * MINUTE_MS : 0;
          const published = all.map(({ source, text, minute }) => rate(text, minute + base / MINUTE_MS, { source }));
          const { rates, rows } = await written(published, LONG_AGO + base + MINUTE_MS);
          expect(await found({ rates, rows })).toEqual([]);
          // As compaction may leave it: the last of each key, and whatever follows some place.
          const last = new Map(rates.map((record) => [String(record.key), record]));
          const keeps = isNow ? 0 : from % (rates.length + 1);
          const left = rates.filter((record, place) => place >= keeps || last.get(String(record.key)) === record);
          expect(await found({ rates: left, rows })).toEqual([]);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('are not missed where the writer has not come yet, or never ran, nor where nobody can tell', async () => {
    const { rates, rows } = await written(THREE);
    expect(await found({ rates, rows: without(rows, 2) }, { handled: rates[2]!.offset })).toEqual([]);
    expect(await found({ rates, rows: [] }, { handled: 0 })).toEqual([]);
    const { feeds: _, ...others } = testRings;
    expect(await found({ rates, rows: [] }, { rings: others })).toEqual([]);
  });

  it('may be older than what retention left', async () => {
    const { rates, rows } = await written(THREE);
    const trim = (fixed: FixedLog) => fixed.trim(HISTORY, 0, rows[1]!.offset);
    expect(await found({ rates, rows }, { later: trim })).toEqual([]);
  });
});

describe('what is found', () => {
  it('a rate that stands, and has no row', async () => {
    const { rates, rows } = await written(THREE);
    for (const place of [0, 1, 2]) {
      expect(await found({ rates, rows: without(rows, place) })).toEqual([
        `RATE_ROW_MISSING ${placeOf(rates[place]!)}`,
      ]);
    }
    expect(await found({ rates: rates.slice(2), rows: without(rows, 2) })).toEqual([
      `RATE_ROW_MISSING ${placeOf(rates[2]!)}`,
    ]);
  });

  it('a row that is there again, or behind a newer one', async () => {
    const { rates, rows } = await written(THREE);
    const end = rows.at(-1)!.offset + 1;
    for (const place of [0, 2]) {
      const again = { ...rows[place]!, offset: end };
      expect(await found({ rates, rows: [...rows, again] })).toEqual([`RATE_ROW_REPEATED ${HISTORY}/0/${end}`]);
      // Also where its rate is gone.
      expect(await found({ rates: rates.slice(2), rows: [...rows, again] })).toEqual([
        `RATE_ROW_REPEATED ${HISTORY}/0/${end}`,
      ]);
    }
  });

  it('a row that says something else than its rate, which still stands', async () => {
    const { rates, rows } = await written(THREE);
    for (const over of [{ publishedAt: 5 }, { rawHash: 'ab' }, { appendedAt: rows[1]!.timestamp - 1 }]) {
      const wrong = await changed(rows[1]!, over.appendedAt ? { appendedAt: rates[1]!.timestamp + 1 } : over);
      expect(await found({ rates, rows: [rows[0]!, wrong, rows[2]!] })).toEqual([`RATE_ROW_DIFFERS ${placeOf(wrong)}`]);
    }
    // Of one that is gone nobody knows.
    const other = await changed(rows[0]!, { publishedAt: 5 });
    expect(await found({ rates: rates.slice(1), rows: [other, ...rows.slice(1)] })).toEqual([]);
  });

  it('a row that nobody can have published', async () => {
    const { rates, rows } = await written(THREE);
    const end = { offset: rows.at(-1)!.offset + 1 };
    const last = rows.at(-1)!;
    for (const over of [{ rate: '0.99' }, { baseExponent: 7 }, { quote: 'USD' }, { rate: '0' }]) {
      const wrong = await changed(last, over, end);
      expect(await found({ rates, rows: [...rows, wrong] })).toEqual([`RATE_ROW_UNFOUNDED ${placeOf(wrong)}`]);
    }
  });

  it('a row of a rate that would still stand', async () => {
    const start = NOW - 60 * MINUTE_MS;
    const minutes = (start - LONG_AGO) / MINUTE_MS;
    const { rates, rows } = await written([rate('0.85', minutes), rate('0.86', minutes + 1)], start + MINUTE_MS);
    expect(await found({ rates, rows })).toEqual([]);
    expect(await found({ rates: without(rates, 1), rows })).toEqual([`RATE_ROW_UNFOUNDED ${placeOf(rows[1]!)}`]);
  });

  it('a row that its writer has not sealed, or that does not decode', async () => {
    const { rates, rows } = await written(THREE);
    const bare = { ...rows[2]!, headers: {}, offset: rows[2]!.offset + 1 };
    expect(await found({ rates, rows: [...rows, bare] })).toEqual([`SEAL_MISSING ${placeOf(bare)}`]);
  });
});
