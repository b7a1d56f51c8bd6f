// A decision that two persons let through names their approval: it must be one that stands under both their seals, about just
// that hold, with just that hash, and between just those two. What nobody sealed is the finding of another check.
import { isReviewSealed } from '../../processors/holds.ts';
import type { ReviewDecided } from '../../schemas/types.generated.ts';
import type { Check, Run } from '../check.ts';
import type { ApprovedDecision } from '../ports.ts';
import { positionOf } from '../transfer.ts';

const NAME = 'decisions';
/** Approvals asked for at a time. */
const PAGE = 500;

interface Named extends Pick<ReviewDecided, 'holdId' | 'agreedBy' | 'glass'> {
  readonly approvalId: string;
  readonly approvalHash: string;
  readonly by: string;
  readonly position: string;
  readonly transferId: string;
}

/** A check of its own per run. */
export function decisions(): Check {
  const found: Named[] = [];
  return {
    name: NAME,
    proves:
      'Each decision on a hold that names an approval was let through by just that one, between just those persons.',
    skips: ({ approvedDecisions }) => (approvedDecisions ? undefined : 'no database was given'),
    record({ topic, value, record }, run) {
      if (topic !== 'review.decided' || value.approvalId === null) return;
      if (run.sources.keys && !isReviewSealed(run.sources.keys.operators, value)) return;
      const { holdId, agreedBy, glass, approvalId, approvalHash, command } = value;
      found.push({
        ...{ holdId, agreedBy, glass, approvalId, approvalHash: approvalHash ?? '', by: command.issuedBy },
        ...{ position: positionOf(topic, record.partition, record.offset), transferId: command.transferId },
      });
    },
    async end(run) {
      for (let at = 0; at < found.length; at += PAGE) await judge(found.slice(at, at + PAGE), run);
    },
  };
}

async function judge(some: readonly Named[], run: Run): Promise<void> {
  const approved = await run.sources.approvedDecisions!([...new Set(some.map(({ approvalId }) => approvalId))]);
  for (const each of some) {
    if (isBy(each, approved.get(each.approvalId))) continue;
    const { approvalId, position, transferId } = each;
    const detail = `the decision on hold ${each.holdId} names the approval ${approvalId}, which does not let it be`;
    run.findings.add(NAME, { code: 'DECISION_NOT_APPROVED', position, transferId, detail });
  }
}

function isBy({ holdId, approvalHash, by, agreedBy, glass }: Named, approved: ApprovedDecision | undefined): boolean {
  if (!approved || approved.subject !== holdId || approved.hash !== approvalHash || approved.askedBy !== by)
    return false;
  // Under a broken glass nobody agreed beside the one who asked.
  return glass === null ? approved.approvedBy === agreedBy : approved.glass === glass;
}
