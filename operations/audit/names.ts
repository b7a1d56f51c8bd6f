// The topics of the audit log, and what its records bear.
import { auditCheckpoints, auditEntries, auditLog } from '../../topics/boundary.ts';

export const ENTRIES = auditEntries.name;
export const LOG = auditLog.name;
export const CHECKPOINTS = auditCheckpoints.name;

/** Headers of records of `audit.log`, beside the seal of whoever wrote the entry. */
export const AUDIT_HEADER = {
  /** Place of the entry, from 0. The order of the records says it too; a header that differs tells of a change. */
  index: 'audit-index',
  /** Where it stood in `audit.entries`: its offset. Absent: the sequencer wrote it. */
  offset: 'audit-offset',
} as const;

const INDEX = /^(0|[1-9][0-9]{0,15})$/;

/** A number in a header; undefined for anything else. */
export function numberIn(header: Buffer | undefined): number | undefined {
  const text = header?.toString('latin1') ?? '';
  const number = Number(text);
  return INDEX.test(text) && Number.isSafeInteger(number) ? number : undefined;
}
