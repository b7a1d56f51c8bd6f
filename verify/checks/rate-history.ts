// The kept rates against the rates that their feeds published. fx.rates is compacted: of a rate that is there no more only what its
// row says of itself can be held against it. Both are read when everything else is; the newest of both, so that memory is bounded.
import { currencyOf } from '../../domain/money/currencies.ts';
import { deterministicId } from '../../domain/transfers/event-id.ts';
import type { LogRecord, PartitionRange } from '../../ports/log.ts';
import { pause } from '../../ports/pause.ts';
import { hasRing, type Rings, type SealCode, sealFlaw } from '../../ports/seals.ts';
import { isRate } from '../../processors/fx-pricing/routes.ts';
import { RATE_HISTORY } from '../../processors/topology.ts';
import type { FxRate, FxRateRecord } from '../../schemas/types.generated.ts';
import { fxRateHistory, fxRates } from '../../topics/boundary.ts';
import type { TopicName } from '../../topics/catalogue.ts';
import type { Check, Run } from '../check.ts';
import { canonical, digest } from '../digest.ts';
import type { FindingCode } from '../finding-codes.ts';
import { positionOf } from '../transfer.ts';
import { PairRows } from './pair-rows.ts';

const NAME = 'rate-history';
const RATES = fxRates.name;
const HISTORY = fxRateHistory.name;
/** Offsets of fx.rates that are read, the newest: some 100 MB. */
const MAX_RATES = 200_000;
/** Offsets of the history that are read, the newest: none is kept. */
const MAX_ROWS = 1_000_000;
/** For so long a rate stands for certain after a newer one came; an hour less than compaction waits, ms. */
const STANDS_MS = (fxRates.minCompactionLagMs ?? 0) - 3_600_000;
/** What was committed with an offset may come into sight a little after it, ms. */
const IN_SIGHT_MS = 1_000;
/** The end of the year 9999: nothing is kept of later times. */
const LAST_DAY_MS = 253_402_300_799_999;

/** Records of one rate that stand: the same may have been written again. */
interface PublishedRate {
  readonly key: string;
  readonly observedAt: number;
  /** When the broker took the first of them, ms, and where it stands. */
  readonly appendedAt: number;
  readonly offset: number;
  /** Its writer has passed it, and had to take it. */
  isDue: boolean;
  hasRow: boolean;
  /** The newest of its pair that had a row before it; undefined: none. */
  newestBefore: number | undefined;
  /** Digests of what their rows have to say, with and without when they were appended. */
  readonly contents: Set<number>;
}

interface Read {
  readonly standing: ReadonlyMap<string, PublishedRate>;
  /** Append time of the first rate that was read. */
  readonly since: number;
}

const orderOf = (observedAt: number, appendedAt: number): number => Math.min(observedAt, appendedAt);
const rateIdOf = ({ source, base, quote, rate, observedAt }: FxRate): string =>
  deterministicId(`fx.rate\n${source}\n${base}\n${quote}\n${observedAt}\n${rate}`);
const contentOf = ({ source, base, quote, rate, ...rest }: FxRate, appendedAt: number | null): number => {
  const { observedAt, publishedAt, rawHash } = rest;
  return digest(canonical([source, base, quote, rate, observedAt, publishedAt, rawHash, appendedAt]));
};

const hasKeys = (rings: Rings): boolean => hasRing(rings, 'feeds') && hasRing(rings, 'lifecycle');

export function rateHistory(): Check {
  return {
    name: NAME,
    proves:
      'Each rate that its feed sealed and that still stands has its row once, as it was published, unless a newer one was kept before it; and no row is of a rate that nobody published.',
    skips: ({ rings }) =>
      rings === undefined || hasKeys(rings) ? undefined : 'no keys of feeds and of what analysts read',
    async end(run) {
      // Where the writer never ran there is nothing to compare.
      if (!run.cut.isHandled(RATE_HISTORY, RATES, 0, 0)) return;
      // The rows first: then the rate of each is there too.
      const rows = await newest(run, HISTORY, MAX_ROWS);
      const read = await standingRates(run, await newest(run, RATES, MAX_RATES));
      const judged = new Rows(run, read, rows);
      await eachOf(run, [rows], judged.add);
      if (judged.missing().length > 0) {
        await pause(IN_SIGHT_MS);
        const { to } = await newest(run, HISTORY, MAX_ROWS);
        await eachOf(run, [{ ...rows, from: rows.to, to }], judged.add);
      }
      for (const [rateId, { key, offset }] of judged.missing()) {
        const detail = `${key}: the rate ${rateId} was passed by its writer, and has no row`;
        run.findings.add(NAME, { code: 'RATE_ROW_MISSING', position: positionOf(RATES, 0, offset), detail });
      }
    },
  };
}

async function newest({ sources }: Run, topic: string, most: number): Promise<PartitionRange & { isWhole: boolean }> {
  const ranges = await sources.log.reader().offsets([topic]);
  const range = ranges.find(({ partition }) => partition === 0) ?? { topic, partition: 0, from: 0, to: 0 };
  const from = Math.max(range.from, range.to - most);
  return { ...range, from, isWhole: from === 0 };
}

interface Found<T> {
  readonly value: T;
  readonly record: LogRecord;
  /** Its seal names a key that is not at hand: it may be true. */
  readonly isUnsure: boolean;
}

/** Each record that decodes and whose seal is not a wrong one. Of rows the others are findings; nobody goes by such a rate. */
async function eachOf<T>(run: Run, ranges: readonly PartitionRange[], each: (found: Found<T>) => void): Promise<void> {
  const { log, codec, rings } = run.sources;
  await log.reader().read(ranges, async ({ topic, records }) => {
    const isRows = topic === HISTORY;
    const flaws = new Map(records.map((record) => [record, flawOf(record, rings)]));
    const believed = records.filter((record) => {
      const flaw = flaws.get(record);
      if (isRows && flaw) doubtful(run, record, flaw);
      return record.value !== null && (!flaw || (flaw === 'SEAL_KEY_UNKNOWN' && !isRows));
    });
    const results = await codec.decode(
      topic as TopicName,
      believed.map(({ value }) => value),
    );
    for (const [place, result] of results.entries()) {
      const record = believed[place]!;
      if (result.ok) each({ value: result.value as T, record, isUnsure: flaws.get(record) === 'SEAL_KEY_UNKNOWN' });
      else if (isRows) doubtful(run, record, 'RECORD_UNREADABLE');
    }
  });
}

function flawOf(record: LogRecord, rings: Rings | undefined): SealCode | 'RECORD_UNREADABLE' | undefined {
  if (record.unreadable) return 'RECORD_UNREADABLE';
  return record.value === null || rings === undefined ? undefined : sealFlaw(rings, record.topic, record);
}

function doubtful({ findings }: Run, record: LogRecord, code: SealCode | 'RECORD_UNREADABLE'): void {
  const offset = record.unreadable?.firstOffset ?? record.offset;
  const detail = code === 'RECORD_UNREADABLE' ? 'the row does not decode' : 'nothing proves that its writer kept it';
  findings.add(NAME, { code, position: positionOf(record.topic, record.partition, offset), detail });
}

async function standingRates(run: Run, range: PartitionRange): Promise<Read> {
  const standing = new Map<string, PublishedRate>();
  let since = Number.POSITIVE_INFINITY;
  await eachOf<FxRate>(run, [range], ({ value, record, isUnsure }) => {
    const { offset, timestamp } = record;
    since = Math.min(since, timestamp);
    const key = fxRates.keyOf(value);
    if (record.key?.toString('utf8') !== key || !isRate(value) || value.observedAt > LAST_DAY_MS) return;
    const rateId = rateIdOf(value);
    const known = standing.get(rateId) ?? {
      ...{ key, observedAt: value.observedAt, appendedAt: timestamp, offset },
      ...{ isDue: false, hasRow: false, newestBefore: undefined, contents: new Set<number>() },
    };
    standing.set(rateId, known);
    known.contents.add(contentOf(value, timestamp)).add(contentOf(value, null));
    known.isDue ||= !isUnsure && run.cut.isHandled(RATE_HISTORY, RATES, 0, offset);
  });
  return { standing, since };
}

/** Goes over the rows in the order of the log. */
class Rows {
  readonly #run: Run;
  readonly #read: Read;
  readonly #isWhole: boolean;
  readonly #byKey = new Map<string, PairRows<PublishedRate>>();
  #since = Number.POSITIVE_INFINITY;

  constructor(run: Run, read: Read, { isWhole }: { readonly isWhole: boolean }) {
    this.#run = run;
    this.#read = read;
    this.#isWhole = isWhole;
    for (const each of read.standing.values()) this.#of(each.key).await(each);
  }

  readonly add = ({ value, record }: Found<FxRateRecord>): void => {
    const { rateId, observedAt } = value;
    const appendedAt = Math.min(value.appendedAt ?? record.timestamp, record.timestamp);
    this.#since = Math.min(this.#since, appendedAt);
    const say = (code: FindingCode, detail: string) =>
      this.#run.findings.add(NAME, { code, position: positionOf(HISTORY, 0, record.offset), detail });
    const unfounded = this.#unfounded(value, record);
    if (unfounded !== undefined) {
      say('RATE_ROW_UNFOUNDED', `the rate ${rateId}: ${unfounded}`);
      return;
    }
    const rate = this.#read.standing.get(rateId);
    if (rate) {
      rate.hasRow = true;
      // One of before may be gone, where the same was written again.
      const isOfGone = appendedAt < rate.appendedAt;
      if (!isOfGone && !rate.contents.has(contentOf(value, value.appendedAt)))
        say('RATE_ROW_DIFFERS', `the rate ${rateId} says something else than what its feed published`);
    }
    const row = { id: rateId, order: orderOf(observedAt, appendedAt), observedAt, appendedAt };
    if (!this.#of(fxRates.keyOf(value)).add(row))
      say('RATE_ROW_REPEATED', `the rate ${rateId} is not newer than the row before it of its pair and source`);
  };

  /** Rates that have no row and had to have one. */
  missing(): readonly (readonly [rateId: string, rate: PublishedRate])[] {
    const since = this.#isWhole ? Number.NEGATIVE_INFINITY : this.#since;
    for (const rows of this.#byKey.values()) rows.close();
    return [...this.#read.standing].filter(([, { isDue, hasRow, appendedAt, observedAt, newestBefore }]) => {
      if (!isDue || hasRow || appendedAt < since) return false;
      return newestBefore === undefined || newestBefore <= orderOf(observedAt, appendedAt);
    });
  }

  #of(key: string): PairRows<PublishedRate> {
    const known = this.#byKey.get(key) ?? new PairRows<PublishedRate>();
    this.#byKey.set(key, known);
    return known;
  }

  /** Why nobody can have published what the row says; undefined: somebody may have. */
  #unfounded(row: FxRateRecord, { key, timestamp }: LogRecord): string | undefined {
    const { rateId, base, quote, baseExponent, quoteExponent, appendedAt } = row;
    if (key?.toString('utf8') !== fxRates.keyOf(row)) return 'it stands under the key of another pair or source';
    if (!isRate(row) || rateId !== rateIdOf(row)) return 'its id is not that of what it says';
    const isOf = (exponent: number | null, code: string) =>
      exponent === null || exponent === currencyOf(code)?.exponent;
    if (!isOf(baseExponent, base) || !isOf(quoteExponent, quote)) return 'its currency has other decimals';
    if (appendedAt === null || this.#read.standing.has(rateId)) return undefined;
    if (appendedAt > timestamp) return 'it says that the broker took the rate after its row';
    const stands = appendedAt >= this.#read.since && appendedAt > this.#run.cut.takenAt - STANDS_MS;
    return stands ? 'its rate would still stand, and no feed published it' : undefined;
  }
}
