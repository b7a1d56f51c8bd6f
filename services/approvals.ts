// Approvals with what each act needs to be shown and done.
import { listStore } from '../adapters/mongo/list-versions.ts';
import { replays } from '../adapters/mongo/replays.ts';
import { exceptionStore } from '../adapters/mongo/screening-exceptions.ts';
import type { Act } from '../operations/approvals/acts.ts';
import { type ActHandlers, describeContent } from '../operations/approvals/execute.ts';
import type { Approvals } from '../operations/approvals/ports.ts';
import { decisionHandler } from '../operations/cases/inbox/second-person.ts';
import { resumeHandler } from '../operations/control/controls.ts';
import { checkReplayWaits } from '../operations/dead-letters/replays/control.ts';
import { findReplay, summaryOf } from '../operations/dead-letters/replays/prepare.ts';
import { actOf, approvedHash } from '../operations/dead-letters/replays/replay.ts';
import { exceptionHandler } from '../operations/exceptions/second-person.ts';
import { activationHandler } from '../operations/lists/second-person.ts';
import { activatePolicyHandler } from '../operations/policies/activate.ts';
import { acceptJumpHandler } from '../operations/rates/jumps.ts';
import { type SkipContent, skipLines } from '../operations/skips/skip.ts';
import { CodedError } from '../ports/fault.ts';
import { hasRing, ringOf } from '../ports/seals.ts';
import { approvalStore } from './approval-store.ts';
import type { Connections } from './connections.ts';
import { controlLog } from './controls.ts';
import { openInbox } from './inbox.ts';
import { policyBook, policyLog } from './policies.ts';
import { rateLog } from './rates.ts';
import { activationPublisher } from './screening.ts';

export interface ApprovalDesk {
  readonly store: Approvals;
  readonly handlers: ActHandlers;
  close(): Promise<void>;
}

/** Everything that people who approve need, with indexes ensured. */
export async function openApprovals(connections: Connections): Promise<ApprovalDesk> {
  const db = await connections.db();
  const store = approvalStore(db);
  await store.ensureIndexes();
  const kept = replays(db);
  const { keys } = connections.config;
  const { deciding } = await openInbox(connections);
  const decision = decisionHandler(deciding, ringOf(keys, 'operators'));
  const resumption = resumeHandler(controlLog(connections));
  const exceptions = exceptionStore(db, { operators: ringOf(keys, 'operators') });
  const activation = async () => {
    const { publish, lastOf, close: end } = await activationPublisher(connections);
    return { lists: listStore(db, keys), publish, lastOf, close: end };
  };
  /** Of a replay, and of a discard, which is kept and run as one. */
  const replay: ActHandlers[Act] = {
    async describe({ _id, act, subject, hash }) {
      const found = await findReplay(kept, subject);
      if (actOf(found) === act && approvedHash(found) === hash) {
        return [summaryOf(found), `all of it: corridor dlq replays show ${subject}`];
      }
      throw new CodedError('EVIDENCE_CHANGED', `${_id} is not, or no longer, what was asked for: look at the replay`);
    },
    checkApprover: (approval) => checkReplayWaits(kept, approval),
  };
  // A payout is written under the executor's seal. Where its key is not, the executor does what was let through.
  const onPayouts: ActHandlers['payouts.resolve'] = hasRing(keys, 'executor')
    ? decision
    : { describe: decision.describe, checkApprover: decision.checkApprover! };
  const handlers: ActHandlers = {
    'exceptions.grant': exceptionHandler(exceptions, ringOf(keys, 'operators')),
    'lists.activate': activationHandler(activation),
    'control.resume': resumption,
    'provider.on': resumption,
    'cases.decide': decision,
    'payouts.resolve': onPayouts,
    'payouts.state': onPayouts,
    'dead-letters.replay': replay,
    'dead-letters.discard': replay,
    'policy.activate': activatePolicyHandler({ log: policyLog(connections), kinds: policyBook(connections.config) }),
    'rates.accept-jump': acceptJumpHandler(rateLog(connections)),
    'records.skip': { describe: describeContent<SkipContent>(skipLines) },
  };
  return { store, handlers, close: async () => undefined };
}

/** Whether the act is done right after it is let through, by the program that lets it through. */
export const isDoneAtOnce = ({ handlers }: ApprovalDesk, act: Act): boolean => handlers[act]?.execute !== undefined;
