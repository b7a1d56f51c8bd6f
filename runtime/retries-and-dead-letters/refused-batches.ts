// When the broker refuses a transaction for what is in it (too large, invalid), no exception says which record is to
// blame: smaller and smaller parts of the batch are tried, until the guilty record is alone.
import type { ErrorCode } from '../../ports/error-codes.ts';
import type { RecordBatch } from '../../ports/log.ts';

const REFUSED: ReadonlySet<string> = new Set(['RECORD_TOO_LARGE', 'RECORD_INVALID']);

/** What to do with a batch that was refused before. */
export interface SmallerBatch {
  /** Handle only this many of its records. */
  readonly records: number;
  /** Set when the first record was refused alone: the code that its dead letter gets. */
  readonly guilty?: ErrorCode;
}

export class RefusedBatches {
  /** What was tried last, by input partition. */
  readonly #tried = new Map<string, { readonly offset: number; readonly records: number }>();

  /** Undefined: the batch was not refused; handle all of it. */
  of({ topic, partition, records, failed }: RecordBatch): SmallerBatch | undefined {
    const key = `${topic}/${partition}`;
    if (failed === undefined || !REFUSED.has(failed.code)) {
      this.#tried.delete(key);
      return undefined;
    }
    const { offset } = records[0]!;
    const last = this.#tried.get(key);
    const tried = last?.offset === offset ? last.records : records.length;
    const next = Math.ceil(tried / 2);
    this.#tried.set(key, { offset, records: next });
    return tried > 1 ? { records: next } : { records: 1, guilty: failed.code };
  }
}
