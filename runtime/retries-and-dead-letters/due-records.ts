// Which records of a retry tier are due.

import type { LogRecord, RecordBatch } from '../../ports/log.ts';
import { headerInteger, RECOVERY_HEADER } from '../../topics/headers.ts';
import { RETRY_TIERS, retryTopic } from '../../topics/recovery.ts';

export interface Due {
  readonly due: readonly LogRecord[];
  /** When the first that is not due will be, wall clock, ms; undefined: all are due. */
  readonly wakeAt: number | undefined;
}

/** Of a batch: the records at its head that are due. Those of a retry tier wait in order of their time; others are due. */
export function dueRecordsOf(owner: string): (batch: RecordBatch, now: number) => Due {
  const retryDelays = new Map(RETRY_TIERS.map(({ delayMs }, tier) => [retryTopic(owner, tier), delayMs]));

  return ({ topic, records }, now) => {
    const delayMs = retryDelays.get(topic);
    if (delayMs === undefined) return { due: records, wakeAt: undefined };
    const dueAt = (record: LogRecord) =>
      // No header can hold up a tier for longer than its delay.
      Math.min(headerInteger(record.headers, RECOVERY_HEADER.retryDueAt) ?? 0, record.timestamp + delayMs);
    const first = records.findIndex((record) => dueAt(record) > now);
    if (first === -1) return { due: records, wakeAt: undefined };
    return { due: records.slice(0, first), wakeAt: dueAt(records[first]!) };
  };
}
