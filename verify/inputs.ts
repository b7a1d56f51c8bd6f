// Every input record and what became of it, by its place in the log: 17 bytes a record.
import type { OriginPosition } from '../domain/transfers/origin-position.ts';

/** Ends that an input can come to by intake. Dead letters and detours are counted by `Detours`. */
export type InputEnd = 'accepted' | 'rejected' | 'duplicated';
const BITS: Readonly<Record<InputEnd, number>> = { accepted: 1, rejected: 2, duplicated: 4 };
const TWICE = 8;

/** An input that an earlier run left without its end. */
export interface PendingInput {
  readonly partition: number;
  readonly offset: number;
  readonly bytes: number;
  readonly payload: number;
}

/** One partition's inputs from `from` on. */
class Column {
  readonly from: number;
  readonly ends: Uint8Array;
  /** Digest of the record's bytes; 0: there is no record (a marker, or an aborted one). */
  readonly bytes: Float64Array;
  /** Digest of the payload; 0: it does not decode. */
  readonly payload: Float64Array;

  constructor(from: number, to: number) {
    const size = Math.max(0, to - from);
    this.from = from;
    this.ends = new Uint8Array(size);
    this.bytes = new Float64Array(size);
    this.payload = new Float64Array(size);
  }
}

export type Known = 'present' | 'none' | 'before' | 'after' | 'foreign';

export class Inputs {
  readonly topic: string;
  readonly #topicIds: ReadonlySet<string>;
  readonly #columns = new Map<number, Column>();
  readonly #pending = new Map<string, PendingInput & { ends: number }>();

  /** @param topicIds ids under which origin positions may name the topic (its id, its name). */
  constructor(
    topic: string,
    topicIds: readonly string[],
    ranges: readonly { readonly partition: number; readonly from: number; readonly to: number }[],
    pending: readonly PendingInput[] = [],
  ) {
    this.topic = topic;
    this.#topicIds = new Set([topic, ...topicIds]);
    for (const { partition, from, to } of ranges) this.#columns.set(partition, new Column(from, to));
    for (const input of pending) this.#pending.set(`${input.partition}:${input.offset}`, { ...input, ends: 0 });
  }

  /** A record stands here. */
  add(partition: number, offset: number, bytes: number, payload: number): void {
    const column = this.#columns.get(partition)!;
    column.bytes[offset - column.from] = bytes;
    column.payload[offset - column.from] = payload;
  }

  /** Whether there is an input at a position, as far as this run can know. */
  known({ topicId, partition, offset }: OriginPosition): Known {
    if (!this.#topicIds.has(topicId)) return 'foreign';
    if (this.#pending.has(`${partition}:${offset}`)) return 'present';
    const column = this.#columns.get(partition);
    if (column === undefined) return 'none';
    if (offset < column.from) return 'before';
    if (offset >= column.from + column.bytes.length) return 'after';
    return column.bytes[offset - column.from] === 0 ? 'none' : 'present';
  }

  /** Digests of a present input. */
  digestsAt({ partition, offset }: OriginPosition): { readonly bytes: number; readonly payload: number } {
    const pending = this.#pending.get(`${partition}:${offset}`);
    if (pending) return pending;
    const column = this.#columns.get(partition)!;
    const at = offset - column.from;
    return { bytes: column.bytes[at]!, payload: column.payload[at]! };
  }

  /** A present input came to an end. @returns false when it had come to one before */
  end({ partition, offset }: OriginPosition, end: InputEnd): boolean {
    const pending = this.#pending.get(`${partition}:${offset}`);
    const column = this.#columns.get(partition);
    const before = pending ? pending.ends : column!.ends[offset - column!.from]!;
    const after = before | BITS[end] | (before === 0 ? 0 : TWICE);
    if (pending) pending.ends = after;
    else column!.ends[offset - column!.from] = after;
    return before === 0;
  }

  /** Every input, those left pending before first, with its end (undefined: none by intake). */
  *all(): Iterable<PendingInput & { readonly end: InputEnd | undefined }> {
    for (const input of this.#pending.values()) yield { ...input, end: nameOf(input.ends) };
    for (const [partition, column] of this.#columns) {
      for (let at = 0; at < column.bytes.length; at++) {
        const bytes = column.bytes[at]!;
        if (bytes === 0) continue;
        const end = nameOf(column.ends[at]!);
        yield { partition, offset: column.from + at, bytes, payload: column.payload[at]!, end };
      }
    }
  }
}

function nameOf(ends: number): InputEnd | undefined {
  if (ends & BITS.accepted) return 'accepted';
  if (ends & BITS.rejected) return 'rejected';
  return ends & BITS.duplicated ? 'duplicated' : undefined;
}
