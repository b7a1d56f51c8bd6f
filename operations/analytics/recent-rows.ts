// Which row is the latest of its transfer, for rows that may come behind a later one. Transitions come in their order; a mark
// (a letter that was put aside) may come when its transfer has long gone on, and must not stand for it then. Nor must a copy of
// an older row that somebody wrote again: it comes long after it was made.
import { laterOf } from '../../domain/transfers/row-order.ts';
import type { Codec } from '../../ports/codec.ts';
import type { LogReader, LogRecord } from '../../ports/log.ts';
import { type Rings, sealFlaw } from '../../ports/seals.ts';
import type { TransferLifecycle } from '../../schemas/types.generated.ts';
import { transferLifecycle } from '../../topics/boundary.ts';

const LIFECYCLE = transferLifecycle.name;
/** Transfers that one partition remembers: some megabytes in all. */
const REMEMBERED = 20_000;
/** How far the clock of a stage may be ahead of the broker's, ms: what is looked for is not before it. */
const CLOCKS_MS = 3_600_000;

/** What the broker took so long after it was made is no row of a stage at work, ms: a stage commits within seconds. */
const LATE_MS = 300_000;

/** Whether it may be a copy of a row. */
export const isLate = ({ occurredAt }: TransferLifecycle, { timestamp }: Pick<LogRecord, 'timestamp'>): boolean =>
  timestamp - occurredAt > LATE_MS;

export const isMark = ({ state }: Pick<TransferLifecycle, 'state'>): boolean => state === 'DEAD_LETTERED';

/** The latest rows of the last transfers of one partition, as of a note beside its offset. */
export class RecentRows {
  /** What stands beside the offset that these rows lead up to: whoever is handed in another one knows nothing. */
  readonly note: string;
  readonly #rows: Map<string, TransferLifecycle>;

  constructor(note: string, rows: Map<string, TransferLifecycle> = new Map()) {
    this.note = note;
    this.#rows = rows;
  }

  get(transferId: string): TransferLifecycle | undefined {
    return this.#rows.get(transferId);
  }

  /** The same with these rows, under the note that is committed with them. */
  after(note: string, rows: Iterable<TransferLifecycle>): RecentRows {
    for (const row of rows) {
      this.#rows.delete(row.transferId);
      this.#rows.set(row.transferId, row);
      if (this.#rows.size > REMEMBERED) this.#rows.delete(this.#rows.keys().next().value!);
    }
    return new RecentRows(note, this.#rows);
  }
}

export interface LookBack {
  readonly reader: Pick<LogReader, 'offsetsSince' | 'read'>;
  readonly codec: Pick<Codec, 'decode'>;
  readonly rings: Rings;
}

/**
 * The latest row before `end` of the transfer of each of these, from the log itself: since the state that a mark is of was taken,
 * or since a row that may be a copy was made. Rare: of transfers that nobody here remembers. One read for all of a batch.
 */
export async function lookBack(
  { reader, codec, rings }: LookBack,
  doubtful: readonly TransferLifecycle[],
  partition: number,
  end: number,
): Promise<ReadonlyMap<string, TransferLifecycle>> {
  const found = new Map<string, TransferLifecycle>();
  if (doubtful.length === 0) return found;
  const wanted = new Set(doubtful.map(({ transferId }) => transferId));
  const since = Math.min(...doubtful.map(madeSince)) - CLOCKS_MS;
  const ranges = await reader.offsetsSince([LIFECYCLE], Math.max(0, since));
  const from = ranges.find((range) => range.partition === partition)?.from ?? 0;
  if (from >= end) return found;
  await reader.read([{ topic: LIFECYCLE, partition, from, to: end }], async ({ records }) => {
    const theirs = records.filter(
      (record) =>
        !record.unreadable &&
        wanted.has(record.key?.toString('utf8') ?? '') &&
        sealFlaw(rings, LIFECYCLE, record) === undefined,
    );
    const decoded = await codec.decode(
      LIFECYCLE,
      theirs.map(({ value }) => value),
    );
    for (const result of decoded) {
      if (result.ok) found.set(result.value.transferId, laterOf(found.get(result.value.transferId), result.value));
    }
  });
  return found;
}

/** A row that is later than this one is not older than that, ms. */
const madeSince = (row: TransferLifecycle): number => (isMark(row) ? (row.previousOccurredAt ?? 0) : row.occurredAt);
