// What a person may do to a replay that was asked for: pause, resume, slow down, cancel. None of it needs a second person,
// since none of it sends more than was approved.
import { personName } from '../../../domain/people/identities.ts';
import { CodedError } from '../../../ports/fault.ts';
import type { Approval } from '../../approvals/approval.ts';
import { withdrawApproval } from '../../approvals/approvals.ts';
import { changed, findReplay, moved, type ReplayStores } from './prepare.ts';
import type { ReplayDocument, ReplayState } from './replay.ts';

interface Act {
  readonly id: string;
  readonly by: string;
  readonly at: Date;
}

/** Has the runner try a frozen replay, again where it was tried. @throws CodedError REPLAY_UNKNOWN, REPLAY_MOVED */
export async function wantDryRun(
  { replays }: Pick<ReplayStores, 'replays'>,
  { id, by }: Pick<Act, 'id' | 'by'>,
): Promise<void> {
  const replay = await inState(replays, id, ['FROZEN'], 'only a frozen replay can be tried');
  await changed(replays, replay, { dryRun: null, dryRunWanted: { by: personName(by) } });
}

/** Nothing more is sent until it is resumed. @throws CodedError REPLAY_UNKNOWN, REPLAY_MOVED */
export async function pauseReplay({ replays }: Pick<ReplayStores, 'replays'>, { id, by, at }: Act): Promise<void> {
  const replay = await inState(replays, id, ['RUNNING'], 'only what runs can be paused');
  const halted: ReplayDocument['halted'] = {
    code: 'REPLAY_PAUSED',
    detail: 'paused by a person',
    by: personName(by),
    at,
  };
  await changed(replays, replay, { state: 'PAUSED', halted });
}

/**
 * Goes on with what was paused. What stopped by itself does not go on: cancel it and replay the rest, so that somebody
 * looks at it again.
 * @throws CodedError REPLAY_UNKNOWN, REPLAY_MOVED
 */
export async function resumeReplay({ replays }: Pick<ReplayStores, 'replays'>, { id }: Pick<Act, 'id'>): Promise<void> {
  const replay = await inState(replays, id, ['PAUSED'], 'only what is paused can be resumed');
  await changed(replays, replay, { state: 'RUNNING', halted: null });
}

/**
 * Slows a replay down. A higher rate is another replay, with another approval.
 * @throws CodedError REPLAY_UNKNOWN, REPLAY_MOVED, RATE_NOT_LOWER
 */
export async function slowReplay(
  { replays }: Pick<ReplayStores, 'replays'>,
  { id, ratePerSecond }: Pick<Act, 'id'> & { readonly ratePerSecond: number },
): Promise<void> {
  const replay = await inState(replays, id, ['RUNNING', 'PAUSED'], 'it does not run');
  if (!(Number.isInteger(ratePerSecond) && ratePerSecond >= 1 && ratePerSecond <= currentRate(replay))) {
    const detail = `a rate may only be lowered, from ${currentRate(replay)} a second: cancel ${id} and ask for the rest anew`;
    throw new CodedError('RATE_NOT_LOWER', detail);
  }
  await changed(replays, replay, { slowedTo: ratePerSecond });
}

export const currentRate = ({ terms, slowedTo }: ReplayDocument): number =>
  Math.min(terms.ratePerSecond, slowedTo ?? terms.ratePerSecond);

/**
 * Takes back what was asked for; only who asked may. Whoever runs replays gives its letters back.
 * @throws CodedError REPLAY_UNKNOWN, REPLAY_MOVED, APPROVAL_UNKNOWN, APPROVAL_MOVED, MAKER_ONLY
 */
export async function withdrawReplay(
  { replays, approvals }: Pick<ReplayStores, 'replays' | 'approvals'>,
  { id, by, at }: Act,
): Promise<void> {
  const replay = await inState(
    replays,
    id,
    ['WAITING'],
    'only what waits for a second person, or to be begun, can be withdrawn',
  );
  await withdrawApproval(approvals, replay.approvalId ?? id, by, at);
}

/** Not what is being frozen: who does that would go on taking letters. */
const CANCELLABLE: readonly ReplayState[] = ['FROZEN', 'WAITING', 'RUNNING', 'PAUSED', 'STOPPED'];

/**
 * Ends a replay for good: what was not sent is parked again, what was sent goes its way. The state first: a runner that is
 * about to send finds it before it does, and gives nothing back that it has sent. Then its approval: one that waits is let
 * through by nobody any more. Who dies in between leaves that to the runner, and `checkReplayWaits` refuses it meanwhile.
 * @throws CodedError REPLAY_UNKNOWN, REPLAY_MOVED
 */
export async function cancelReplay(
  { replays, approvals }: Pick<ReplayStores, 'replays' | 'approvals'>,
  { id, by, at }: Act,
  why = 'cancelled by a person',
): Promise<void> {
  const replay = await inState(replays, id, CANCELLABLE, 'it has ended');
  const halted: ReplayDocument['halted'] = { code: 'REPLAY_CANCELLED', detail: why, by: personName(by), at };
  await changed(replays, replay, { state: 'CANCELLED', halted });
  await endApproval(approvals, replay, at);
}

const CANCELLED = { code: 'REPLAY_CANCELLED', detail: 'the replay was cancelled' } as const;

/** Of a replay that is cancelled: what waits or was not begun is WITHDRAWN, what was begun has FAILED. Again is the same. */
export async function endApproval(
  approvals: ReplayStores['approvals'],
  { approvalId }: Pick<ReplayDocument, 'approvalId'>,
  at: Date,
): Promise<void> {
  if (approvalId === null) return;
  const ended = { at, ...CANCELLED };
  if (await approvals.end(approvalId, ['WAITING', 'APPROVED'], 'WITHDRAWN', ended)) return;
  await approvals.end(approvalId, ['APPROVED'], 'FAILED', ended);
}

/**
 * Whether the replay still waits for this approval: one that was cancelled, or of which another question was asked, is let
 * through by nobody.
 * @throws CodedError REPLAY_UNKNOWN, REPLAY_MOVED
 */
export async function checkReplayWaits(
  replays: Pick<ReplayStores['replays'], 'find'>,
  { _id, subject, state }: Pick<Approval, '_id' | 'subject' | 'state'>,
): Promise<void> {
  // One that somebody has decided already is refused as that, wherever its replay is by then.
  if (state !== 'WAITING') return;
  const replay = await findReplay(replays, subject);
  if (replay.state === 'WAITING' && replay.approvalId === _id) return;
  throw moved(replay, `it does not wait for ${_id}: ask anew, or refuse it`);
}

async function inState(
  replays: ReplayStores['replays'],
  id: string,
  states: readonly ReplayState[],
  why: string,
): Promise<ReplayDocument> {
  const replay = await findReplay(replays, id);
  if (states.includes(replay.state)) return replay;
  throw moved(replay, why);
}
