// A record that was skipped was let through by two persons: its dead letter names an approval for exactly that record. That its
// transfer has not been lost by it is what the other checks say of dead letters.
import { HEADER, headerText, RECOVERY_HEADER } from '../../topics/headers.ts';
import type { Check, Run } from '../check.ts';
import { positionOf } from '../transfer.ts';

const NAME = 'skips';
/** Approvals asked for at a time. */
const PAGE = 500;

interface Skipped {
  readonly approvalId: string;
  /** The record that was skipped, as its consumer names it: what the approval must be about. */
  readonly subject: string;
  readonly position: string;
  readonly transferId: string | undefined;
}

/** A check of its own per run. */
export function skips(): Check {
  const found: Skipped[] = [];
  return {
    name: NAME,
    proves: 'Each record that a consumer skipped was let through by two persons, for exactly that record.',
    recovery({ name, kind }, _source, record) {
      if (kind !== 'dlq') return;
      const { headers, partition, offset, key } = record;
      if (headerText(headers, RECOVERY_HEADER.deadLetterClass) !== 'skipped') return;
      found.push({
        approvalId: headerText(headers, RECOVERY_HEADER.skipId) ?? '',
        subject: headerText(headers, RECOVERY_HEADER.recoveryCause) ?? '',
        position: positionOf(name, partition, offset),
        transferId: headerText(headers, HEADER.eventType) === undefined ? undefined : key?.toString('utf8'),
      });
    },
    async end(run) {
      for (let at = 0; at < found.length; at += PAGE) await judge(found.slice(at, at + PAGE), run);
    },
  };
}

async function judge(some: readonly Skipped[], run: Run): Promise<void> {
  const approved = await run.sources.approvedSkips?.(some.map(({ approvalId }) => approvalId));
  for (const { approvalId, subject, position, transferId } of some) {
    const isApproved = approved === undefined ? approvalId !== '' : approved.get(approvalId) === subject;
    if (isApproved) continue;
    const detail = `the record ${subject} was skipped under the approval ${approvalId || 'none'}, which does not let it be`;
    run.findings.add(NAME, { code: 'SKIP_NOT_APPROVED', position, detail, ...(transferId ? { transferId } : {}) });
  }
}
