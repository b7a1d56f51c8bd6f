// Which transfers the next run has to know, and what it has to know of them.
import type { Run } from './check.ts';
import { lastEvent, type Transfer } from './transfer.ts';

/** Money may come back this long after it was paid; a later return is reported as an orphan. */
const RETURN_WINDOW_MS = 10 * 86_400_000;

/** Whether something about the transfer may still come, or could not be compared in this run. */
export function staysOpen(transfer: Transfer, run: Run): boolean {
  const last = lastEvent(transfer);
  if (last === undefined) return true;
  if (last.state === 'COMPLETED') return last.at + RETURN_WINDOW_MS > run.cut.takenAt;
  if (last.state !== 'REJECTED' && last.state !== 'RETURNED') return true;
  const { view, ledger, partition, id } = transfer;
  if (run.findings.isDeferred(id) || completeThrough(transfer) < last.sequence) return true;
  if (view && !run.cut.isHandled('sink-transfer-view', 'transfer.lifecycle', partition, view.offset)) return true;
  return ledger !== undefined && !run.cut.isHandled('limits', ledger.topic, partition, ledger.offset);
}

/** The transfer as the next run starts from it: of its verified events only the last. */
export function trimmed(transfer: Transfer): Transfer {
  const verifiedThrough = completeThrough(transfer);
  const events = transfer.events.filter(({ sequence }) => sequence >= verifiedThrough);
  return { ...transfer, events, verifiedThrough, counted: transfer.ledger, marks: [], reservedOver: 0 };
}

/** A transfer of a checkpoint that was written with other schemas: a field more makes every digest another one. */
export function ofOtherSchemas(transfer: Transfer): Transfer {
  return {
    ...transfer,
    events: transfer.events.map((event) => ({ ...event, stale: true })),
    updates: transfer.updates.map((update) => ({ ...update, payout: 0 })),
  };
}

/** The highest sequence up to which chain, lifecycle and positions are there. */
function completeThrough({ events, verifiedThrough }: Transfer): number {
  let through = verifiedThrough;
  for (const { sequence, seen, lifecycleRecords, position, positionRecords = 0 } of events) {
    if (sequence <= through) continue;
    if (sequence !== through + 1 || seen === 0 || lifecycleRecords !== seen) break;
    if (position > 0 && positionRecords !== seen) break;
    through = sequence;
  }
  return through;
}
