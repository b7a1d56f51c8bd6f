// The one writer of what analysts read beside the rows themselves: the latest row of each transfer, the movements of money,
// and until when all of it is complete. Outputs and offset are one transaction, so that each movement is there once, and the
// latest row is that of all rows up to the offset, whenever this dies and whoever runs beside it.
//
// It reads the rows alone, never a retry of one: a row that came again later would stand over a newer one. So what cannot be
// read is passed over and told; `corridor verify` finds it too.
import { movementsOf } from '../../domain/money/movements.ts';
import { laterOf } from '../../domain/transfers/row-order.ts';
import { type Clock, systemClock } from '../../ports/clock.ts';
import type { Codec } from '../../ports/codec.ts';
import type { ErrorCode } from '../../ports/error-codes.ts';
import type { BatchResult, LogRecord, OutputRecord, RecordBatch } from '../../ports/log.ts';
import { type RecordMaker, recordMaker } from '../../ports/records.ts';
import { sealFlaw } from '../../ports/seals.ts';
import { ANALYTICS, analyticsConsumers } from '../../processors/topology.ts';
import type { TransferLifecycle, TransferMoney } from '../../schemas/types.generated.ts';
import { CONTRACT_VERSION } from '../../topics/analytics-contract.ts';
import { analyticsWatermark, transferLifecycle, transferMoney, transferState } from '../../topics/boundary.ts';
import { grainNote } from './grain-note.ts';
import { isLate, isMark, type LookBack, lookBack, RecentRows } from './recent-rows.ts';

const LIFECYCLE = transferLifecycle.name;
/** One claim a partition in so long, ms. */
const CLAIM_EVERY_MS = 1_000;

export type Make = RecordMaker<'transfer.state' | 'transfer.money' | 'analytics.watermark'>;

/** What became of a batch. */
export interface Taken {
  readonly rows: number;
  /** From when the broker took its oldest row to when it was handled, ms. */
  readonly ageMs: number;
}

export interface GrainsOptions extends LookBack {
  readonly codec: Codec;
  /** How far clocks of brokers may be apart, ms. */
  readonly toleranceMs: number;
  /** Until when a partition was claimed to be complete, ms; undefined: nobody has. */
  readonly claimedUntil: (topicId: string, partition: number) => number | undefined;
  readonly clock?: Clock;
  /** A row that is passed over. */
  readonly onPassedOver: (record: LogRecord, code: ErrorCode, detail: string) => void;
  /** A row that came although its time was claimed to be complete. */
  readonly onOvertaken: (record: LogRecord, claimedUntil: number) => void;
  /** Called before the batch is committed. */
  readonly onTaken?: (taken: Taken) => void;
}

/** Makes the records of the grains. Throws CONFIG_INVALID without the keys of what tells of transfers. */
export const grainMaker = ({ codec, rings }: Pick<GrainsOptions, 'codec' | 'rings'>): Make =>
  recordMaker({ owner: ANALYTICS, writes: analyticsConsumers[ANALYTICS].writes, codec, rings });

/** Makes the batches of a partition into transactions. Throws what the log or the registry throws, to be tried again. */
export function createGrains(options: GrainsOptions): (batch: RecordBatch) => Promise<BatchResult> {
  const { clock = systemClock } = options;
  const make = grainMaker(options);
  const recent = new Map<number, RecentRows>();
  /** Our clock at the last claim of each partition, ms. */
  const claimedAt = new Map<number, number>();

  return async (batch) => {
    const { note = '', partition, records, topic, topicId = topic } = batch;
    const { rows, end, unread } = await read(options, batch);
    const known = recent.get(partition);
    // What this made last may not have been committed, or another may have come between.
    const before = known?.note === note ? known : new RecentRows(note);
    const { latest, found } = await latestOf(options, before, rows, batch);
    const outputs = [
      ...latest.map((row) => make(transferState.name, row, { partition, eventId: row.eventId })),
      ...rows.flatMap(({ row }) => moneyOf(make, row, partition)),
    ];
    for (const { record } of rows) {
      const claimed = options.claimedUntil(topicId, partition);
      if (claimed !== undefined && record.timestamp <= claimed) options.onOvertaken(record, claimed);
    }
    const now = clock.now();
    const last = end === undefined ? undefined : records.findLast(({ offset }) => offset <= end);
    if (last !== undefined && now - (claimedAt.get(partition) ?? 0) >= CLAIM_EVERY_MS) {
      const completeUntil = last.timestamp - options.toleranceMs;
      const value = { topic: LIFECYCLE, topicId, partition, completeUntil, offset: end! + 1, claimedAt: now };
      if (completeUntil > (options.claimedUntil(topicId, partition) ?? 0)) {
        outputs.push(make(analyticsWatermark.name, value, { partition: 0 }));
        claimedAt.set(partition, now);
      }
    }
    if (rows.length > 0) options.onTaken?.({ rows: rows.length, ageMs: now - rows[0]!.record.timestamp });
    const after = end === undefined ? note : grainNote(topicId, end + 1);
    recent.set(partition, before.after(after, [...found, ...latest]));
    const then: BatchResult['then'] = unread === undefined ? { do: 'continue' } : { do: 'stop', ...unread };
    return { doneThrough: end, outputs, ...(after === '' ? {} : { note: after }), then };
  };
}

interface Row {
  readonly row: TransferLifecycle;
  readonly record: LogRecord;
}

interface Read {
  readonly rows: readonly Row[];
  /** Offset of the last record that is read or passed over; undefined: there is none. */
  readonly end: number | undefined;
  /** Set when a row was written by a newer release. */
  readonly unread?: { readonly code: 'NEWER_SCHEMA'; readonly detail: string };
}

/** Seals first: of what nobody sealed nothing is decoded, so that it cannot have the registry asked. */
async function read({ codec, rings, onPassedOver }: GrainsOptions, { records }: RecordBatch): Promise<Read> {
  const flaws = new Map(records.map((record) => [record, flawOf(record)]));
  const decodable = records.filter((record) => flaws.get(record) === undefined);
  const decoded = await codec.decode(
    LIFECYCLE,
    decodable.map(({ value }) => value),
  );
  const results = new Map(decodable.map((record, place) => [record, decoded[place]!]));
  const rows: Row[] = [];
  let end: number | undefined;
  for (const record of records) {
    const result = results.get(record);
    if (result && !result.ok && result.kind === 'newer-schema') {
      return { rows, end, unread: { code: 'NEWER_SCHEMA', detail: result.detail } };
    }
    if (result === undefined) onPassedOver(record, flaws.get(record)!, 'nothing is read of it');
    else if (!result.ok) onPassedOver(record, result.code, result.detail);
    else if (record.key?.toString('utf8') !== result.value.transferId)
      onPassedOver(record, 'KEY_MISMATCH', 'its key is not its transfer');
    else rows.push({ row: result.value, record });
    end = record.unreadable?.lastOffset ?? record.offset;
  }
  return { rows, end };

  function flawOf(record: LogRecord): ErrorCode | undefined {
    return record.unreadable?.code ?? sealFlaw(rings, LIFECYCLE, record);
  }
}

/** The rows that are the latest of their transfers, one a transfer; and those that were found in the log, to be remembered. */
async function latestOf(
  options: GrainsOptions,
  before: RecentRows,
  rows: readonly Row[],
  { partition, records }: RecordBatch,
): Promise<{ readonly latest: readonly TransferLifecycle[]; readonly found: readonly TransferLifecycle[] }> {
  const latest = new Map<string, TransferLifecycle>();
  const moved = new Set<string>();
  for (const { row, record } of rows) {
    latest.set(row.transferId, laterOf(latest.get(row.transferId), row));
    // Transitions come in their order, and soon: none before is higher. A copy of one comes late.
    if (!isMark(row) && !isLate(row, record)) moved.add(row.transferId);
  }
  const doubtful = [...latest.values()].filter(({ transferId }) => !moved.has(transferId));
  const forgotten = doubtful.filter(({ transferId }) => before.get(transferId) === undefined);
  const found = await lookBack(options, forgotten, partition, records[0]!.offset);
  const overtaken = (row: TransferLifecycle) => {
    const known = before.get(row.transferId) ?? found.get(row.transferId);
    return known !== undefined && known.eventId !== row.eventId && laterOf(known, row) === known;
  };
  // Also of a transition that is there again: a copy of an older row.
  return { latest: [...latest.values()].filter((row) => !overtaken(row)), found: [...found.values()] };
}

function moneyOf(make: Make, row: TransferLifecycle, partition: number): readonly OutputRecord[] {
  return moneyRecordsOf(row).map((value) => make(transferMoney.name, value, { partition, eventId: value.movementId }));
}

/** The records of transfer.money that a row gives. Pure. */
export function moneyRecordsOf(row: TransferLifecycle): readonly TransferMoney[] {
  const { eventId, transferId, sequence, state, corridorId, producerId, occurredAt } = row;
  const common = { eventId, transferId, sequence, state, corridorId, producerId, occurredAt };
  return movementsOf(row).map((movement) => ({ ...common, ...movement, contractVersion: CONTRACT_VERSION }));
}
