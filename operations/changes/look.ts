// What those who watch are told the changes of: one bounded query for each kind.

import { APPROVAL_STATES } from '../approvals/approval.ts';
import type { Approvals } from '../approvals/ports.ts';
import { payoutCaseId } from '../cases/inbox/briefs.ts';
import type { InboxSources } from '../cases/inbox/ports.ts';
import type { DeadLetters } from '../dead-letters/ports.ts';
import type { Replays } from '../dead-letters/replays/ports.ts';
import { REPLAY_STATES } from '../dead-letters/replays/replay.ts';
import type { Snapshot } from './changes.ts';

export interface WatchedStores {
  readonly replays: Pick<Replays, 'list' | 'counts'>;
  readonly approvals: Pick<Approvals, 'list'>;
  readonly letters: Pick<DeadLetters, 'groups'>;
  readonly inbox: Pick<InboxSources, 'holds' | 'payouts' | 'customers' | 'assignments'>;
}

/** Of each kind, the latest. */
const MAX_OF_KIND = 200;
const MAX_CASES = 1_000;

/** @param now ms since 1970 */
export async function lookAt({ replays, approvals, letters, inbox }: WatchedStores, now: number): Promise<Snapshot> {
  const [sent, asked, { counted }, holds, payouts, customers, assigned] = await Promise.all([
    replays.list(REPLAY_STATES, MAX_OF_KIND),
    approvals.list(APPROVAL_STATES, MAX_OF_KIND),
    letters.groups(),
    inbox.holds.briefs(MAX_CASES),
    inbox.payouts.briefs(MAX_CASES),
    inbox.customers.list({ state: 'OPEN', limit: MAX_CASES }),
    inbox.assignments.current(now, 3 * MAX_CASES),
  ]);
  const moving = sent.filter(({ state }) => state === 'RUNNING');
  const counts = new Map(
    await Promise.all(moving.map(async ({ _id }) => [_id, JSON.stringify(await replays.counts(_id))] as const)),
  );
  const by = new Map(assigned.map(({ caseId, person }) => [caseId, person]));
  const open = (id: string) => [id, by.get(id) ?? ''] as const;
  return {
    replay: new Map(sent.map(({ _id, version }) => [_id, `${version} ${counts.get(_id) ?? ''}`])),
    approval: new Map(asked.map(({ _id, state, begunAt }) => [_id, `${state} ${begunAt ? 'begun' : ''}`])),
    'letter-group': new Map(
      counted.map(({ group, countedAt, isCurrent, note }) => [
        group,
        `${countedAt.getTime()} ${isCurrent} ${note?.version ?? 0}`,
      ]),
    ),
    case: new Map([
      ...holds.map(({ holdId }) => open(holdId)),
      ...payouts.flatMap(({ payoutId, cases }) =>
        (cases ?? []).flatMap(({ closedAt }, at) => (closedAt === null ? [open(payoutCaseId(payoutId, at + 1))] : [])),
      ),
      ...customers.map(({ caseId }) => open(caseId)),
    ]),
  };
}
