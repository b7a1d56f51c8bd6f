// From what a store counted to what the host needs to know of each record.
import type { WriteReport } from './contract.ts';
import type { WriteCounts } from './idempotent-writes.ts';

/**
 * The report of a batch. A document whose id is taken by other content is an alarm: its record goes to the dead letters
 * (ID_CONFLICT), where a person sees it, and the stored document stays as it is.
 * @param places records that conflict with an earlier one of the batch, and were not written
 */
export function toReport<R>(
  batch: readonly R[],
  counts: WriteCounts,
  idOf: (record: R) => string,
  places: ReadonlySet<number> = new Set(),
): WriteReport {
  const conflicting = new Set(counts.conflicting);
  const failed = batch.flatMap((record, index) => {
    const id = idOf(record);
    if (!conflicting.has(id) && !places.has(index)) return [];
    const detail = `${id} is stored with other content: the same id must never stand for two things`;
    return [{ index, disposition: { kind: 'dead-letter' as const, cause: { code: 'ID_CONFLICT' as const, detail } } }];
  });
  return { written: counts.written, stale: batch.length - counts.written - failed.length, failed };
}
