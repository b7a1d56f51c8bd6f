// The one writer of the rates that are kept: fx.rates remembers the newest of a pair alone. Each rate that its feed has sealed and
// that is newer than the one before is one record; outputs and offset are one transaction.
//
// What could happen: somebody writes a true record again, or an older one, or sets the offset back. What stops it from being there
// twice: it is not newer than what was seen, nor one of those of that instant. What was seen is the input up to the offset, of which
// the log keeps the newest of each key, and what was written last. Who reads it counts a rate once by rateId all the same.

import { currencyOf } from '../../domain/money/currencies.ts';
import { deterministicId } from '../../domain/transfers/event-id.ts';
import type { Codec } from '../../ports/codec.ts';
import type { ErrorCode } from '../../ports/error-codes.ts';
import type { BatchResult, LogReader, LogRecord, RecordBatch } from '../../ports/log.ts';
import { recordMaker } from '../../ports/records.ts';
import { type Rings, sealFlaw } from '../../ports/seals.ts';
import { isRate } from '../../processors/fx-pricing/routes.ts';
import { analyticsConsumers, RATE_HISTORY } from '../../processors/topology.ts';
import type { FxRate, FxRateRecord } from '../../schemas/types.generated.ts';
import { CONTRACT_VERSION } from '../../topics/analytics-contract.ts';
import { fxRateHistory, fxRates } from '../../topics/boundary.ts';
import { grainNote, isOfTopic } from './grain-note.ts';

const RATES = fxRates.name;
const HISTORY = fxRateHistory.name;
/** Records of the history that are read at the start: some MiB. */
const LAST_WRITTEN = 50_000;
/** Rates of one key that could come again as news. A feed whose clock is ahead by more of them may have one there again. */
const MAX_IDS = 1_000;
const PAUSE_MS = 60_000;

export interface RateHistoryOptions {
  readonly codec: Codec;
  readonly rings: Rings;
  readonly reader: Pick<LogReader, 'offsets' | 'read'>;
  /** A record that is no rate, or that its feed has not sealed. */
  readonly onPassedOver: (record: LogRecord, code: ErrorCode) => void;
}

interface Seen {
  /** Of the newest, ms. */
  readonly order: number;
  /** When each rate was observed (ms), by rateId: those that are not older than the newest, the first seen first. */
  readonly ids: ReadonlyMap<string, number>;
}
type SeenByKey = Map<string, Seen>;

/** Makes the batches of fx.rates into transactions. Throws what the log or the registry throws, to be tried again. */
export function createRateHistory(options: RateHistoryOptions): (batch: RecordBatch) => Promise<BatchResult> {
  const { codec, rings } = options;
  const make = recordMaker({ owner: RATE_HISTORY, writes: analyticsConsumers[RATE_HISTORY].writes, codec, rings });
  let known: { readonly note: string; readonly newest: ReadonlyMap<string, Seen> } | undefined;

  return async (batch) => {
    const { records, topic, topicId = topic, note = '' } = batch;
    // An empty note: there was none, or somebody set the offset.
    if (note !== '' && !isOfTopic(note, topicId)) return ofAnotherTopic(note, topicId);
    // What this made last may not have been committed, or another process may have come between.
    const before = known?.note === note && note !== '' ? known.newest : await newestBefore(options, batch);
    const newest = new Map(before);
    const { rates, end, newer } = await read(options, records);
    const outputs = rates.flatMap(({ rate, record }) => {
      const isNews = take(newest, rate, record.timestamp);
      return isNews ? [make(HISTORY, recordOf(rate, record), { partition: 0, eventId: rateIdOf(rate) })] : [];
    });
    const after = end === undefined ? note : grainNote(topicId, end + 1);
    known = { note: after, newest };
    const then: BatchResult['then'] =
      newer === undefined ? { do: 'continue' } : { do: 'stop', code: 'NEWER_SCHEMA', detail: newer };
    return { doneThrough: end, outputs, ...(after === '' ? {} : { note: after }), then };
  };
}

const rateIdOf = ({ source, base, quote, rate, observedAt }: FxRate): string =>
  deterministicId(`fx.rate\n${source}\n${base}\n${quote}\n${observedAt}\n${rate}`);

/** Nothing is read from an offset that says nothing of this topic: what stands before it would be left out. */
function ofAnotherTopic(note: string, topicId: string): BatchResult {
  const whose = `the topic was deleted and made again (${topicId}), and the offset is of ${note.split(' ')[0]}`;
  const detail = `${whose}: stop its processes, and set it to the earliest (kafka-consumer-groups --reset-offsets)`;
  const then = { do: 'pause', forMs: PAUSE_MS, code: 'OFFSET_OF_ANOTHER_TOPIC', detail } as const;
  return { doneThrough: undefined, outputs: [], then };
}

/** The record that is kept of a rate. */
function recordOf(rate: FxRate, { timestamp }: LogRecord): FxRateRecord {
  return {
    ...rate,
    rateId: rateIdOf(rate),
    baseExponent: currencyOf(rate.base)?.exponent ?? null,
    quoteExponent: currencyOf(rate.quote)?.exponent ?? null,
    contractVersion: CONTRACT_VERSION,
    appendedAt: timestamp,
  };
}

/** @returns whether it is newer than the newest of its key, or another one of the same instant */
function take(newest: SeenByKey, rate: FxRate, appendedAt: number): boolean {
  const key = fxRates.keyOf(rate);
  const [rateId, order] = [rateIdOf(rate), fxRates.orderOf!(rate, appendedAt)];
  const last = newest.get(key);
  if (last !== undefined && (order < last.order || last.ids.has(rateId))) return false;
  // Of one that is dated ahead each copy has another order: what may come again goes by when it was observed.
  const still = [...(last?.ids ?? [])].filter(([, observedAt]) => observedAt >= order).slice(1 - MAX_IDS);
  newest.set(key, { order, ids: new Map([...still, [rateId, rate.observedAt]]) });
  return true;
}

/** The newest of each key before the batch: of the input, and of what was written. */
async function newestBefore(
  options: RateHistoryOptions,
  { partition, records }: RecordBatch,
): Promise<ReadonlyMap<string, Seen>> {
  const newest: SeenByKey = new Map();
  await lastWritten(options, newest);
  const [range] = await options.reader.offsets([RATES]);
  const to = records[0]!.offset;
  if (range === undefined || range.from >= to) return newest;
  await options.reader.read([{ topic: RATES, partition, from: range.from, to }], async (batch) => {
    const quiet = { ...options, onPassedOver: () => undefined };
    const { rates } = await read(quiet, batch.records);
    for (const { rate, record } of rates) take(newest, rate, record.timestamp);
  });
  return newest;
}

/** What the input has of a key may be garbage by now; what this wrote itself is not. */
async function lastWritten({ codec, rings, reader }: RateHistoryOptions, newest: SeenByKey): Promise<void> {
  const ranges = await reader.offsets([HISTORY]);
  const last = ranges.map((range) => ({ ...range, from: Math.max(range.from, range.to - LAST_WRITTEN) }));
  await reader.read(last, async ({ records }) => {
    const proven = records.filter(
      (record) => !record.unreadable && record.value !== null && sealFlaw(rings, HISTORY, record) === undefined,
    );
    const results = await codec.decode(
      HISTORY,
      proven.map(({ value }) => value),
    );
    for (const [place, result] of results.entries()) {
      if (!result.ok) continue;
      const { timestamp } = proven[place]!;
      take(newest, result.value, Math.min(result.value.appendedAt ?? timestamp, timestamp));
    }
  });
}

interface Read {
  readonly rates: readonly { readonly rate: FxRate; readonly record: LogRecord }[];
  /** Offset of the last record that is read or passed over; undefined: there is none. */
  readonly end: number | undefined;
  /** Why not all was read: a newer release wrote what follows. */
  readonly newer?: string;
}

/** Seals first: of what no feed sealed nothing is decoded. */
async function read(
  { codec, rings, onPassedOver }: Pick<RateHistoryOptions, 'codec' | 'rings' | 'onPassedOver'>,
  records: readonly LogRecord[],
): Promise<Read> {
  const flawOf = (record: LogRecord): ErrorCode | undefined =>
    record.unreadable?.code ?? (record.value === null ? undefined : sealFlaw(rings, RATES, record));
  const flaws = new Map(records.map((record) => [record, flawOf(record)]));
  const decodable = records.filter((record) => record.value !== null && flaws.get(record) === undefined);
  const decoded = await codec.decode(
    RATES,
    decodable.map(({ value }) => value),
  );
  const results = new Map(decodable.map((record, place) => [record, decoded[place]!]));
  const rates: { readonly rate: FxRate; readonly record: LogRecord }[] = [];
  let end: number | undefined;
  for (const record of records) {
    const result = results.get(record);
    if (result && !result.ok && result.kind === 'newer-schema') return { rates, end, newer: result.detail };
    const flaw = flaws.get(record) ?? (result && flawIn(result, record));
    if (flaw !== undefined) onPassedOver(record, flaw);
    else if (result?.ok) rates.push({ rate: result.value, record });
    end = record.unreadable?.lastOffset ?? record.offset;
  }
  return { rates, end };
}

/** Why what was decoded is not kept: nothing would be priced by it either. */
function flawIn(result: Awaited<ReturnType<Codec['decode']>>[number], record: LogRecord): ErrorCode | undefined {
  if (!result.ok) return result.code;
  const rate = result.value as unknown as FxRate;
  if (record.key?.toString('utf8') !== fxRates.keyOf(rate)) return 'KEY_MISMATCH';
  return isRate(rate) && rate.observedAt <= LAST_DAY_MS ? undefined : 'RATE_MALFORMED';
}

/** The end of the year 9999: later times are no timestamp for those who read the files. */
const LAST_DAY_MS = 253_402_300_799_999;
