// No transfer is lost on its way: whoever was to carry it on has done so, has not got to it, or has put it aside.

import { processorOf } from '../../processors/lifecycle.ts';
import type { PayoutStatus } from '../../schemas/types.generated.ts';
import type { Check, Run } from '../check.ts';
import { carrierOf } from '../topics.ts';
import { type EventFact, lastEvent, positionOf, type Transfer, type UpdateFact } from '../transfer.ts';

const NAME = 'progress';

/** Statuses that settlement makes a transition of. */
const SETTLES: ReadonlySet<PayoutStatus> = new Set(['PAID', 'FAILED', 'RETURNED', 'EXPIRED']);
const CARRIERS = new Map<string, string | undefined>();

export const progress: Check = {
  name: NAME,
  proves:
    'Each transfer has ended, waits for a person, is dead-lettered, or is still to be handled: none has stopped on its way.',
  transfer(transfer, run) {
    const last = lastEvent(transfer);
    if (last === undefined) return;
    const where = standingOf(transfer, last, run);
    run.byState.set(where, (run.byState.get(where) ?? 0) + 1);
  },
};

/** Where the log leaves a transfer: a state of the state machine, or DEAD_LETTERED. */
function standingOf(transfer: Transfer, last: EventFact, run: Run): string {
  const update = unsettled(transfer, last);
  if (update !== undefined) {
    const settling = carriedOn(transfer, 'settlement', 'payout.updated', update.offset, run);
    if (settling === 'lost')
      lost(transfer, last, 'settlement', `payout version ${update.version} (${update.status})`, run);
    if (settling === 'dead-lettered') return 'DEAD_LETTERED';
    return last.state;
  }
  if (last.state === 'HELD') return heldStanding(transfer, last, run);
  const carrier = cachedCarrier(last.topic);
  if (carrier === undefined) return last.state;
  const next = carriedOn(transfer, carrier, last.topic, last.offset, run);
  if (next === 'dead-lettered') return 'DEAD_LETTERED';
  // What the executor has taken is in its own record: see payouts.
  if (next === 'lost' && carrier !== 'payout-executor')
    lost(transfer, last, carrier, `${last.topic} ${last.sequence}`, run);
  return last.state;
}

function heldStanding(transfer: Transfer, last: EventFact, run: Run): string {
  const hold = transfer.holds.find(({ sequence }) => sequence === last.sequence);
  const review = transfer.reviews.find(({ holdId, valid }) => valid && holdId === hold?.holdId);
  if (review === undefined) return 'HELD';
  const owner = processorOf(review.stage);
  const next = carriedOn(transfer, owner, 'review.decided', review.offset, run);
  if (next === 'lost') lost(transfer, last, owner, `the decision on hold ${review.holdId}`, run);
  return next === 'dead-lettered' ? 'DEAD_LETTERED' : 'HELD';
}

/** The last version of the payout, if it must lead to a transition that is not there. */
function unsettled({ updates, events }: Transfer, last: EventFact): UpdateFact | undefined {
  const settling = updates.filter(({ status }) => SETTLES.has(status));
  const newest = settling.reduce<UpdateFact | undefined>((a, b) => (a && a.version > b.version ? a : b), undefined);
  if (newest === undefined) return undefined;
  const settledThrough = events.filter(({ stage, seen }) => seen > 0 && stage === 'SETTLEMENT').length;
  const due = settling.filter(({ version }) => version <= newest.version).length;
  if (last.state === 'DISPATCHED' && newest.attempt >= last.attempt) return newest;
  // The money came back, and the transfer still counts as paid.
  return last.state === 'COMPLETED' && newest.status === 'RETURNED' && settledThrough < due ? newest : undefined;
}

type Carried = 'not-handled' | 'waiting' | 'dead-lettered' | 'lost';

function carriedOn({ partition }: Transfer, owner: string, topic: string, offset: number, run: Run): Carried {
  if (!run.cut.isHandled(owner, topic, partition, offset)) return 'not-handled';
  const source = { owner, topic, partition, offset };
  if (run.trail.isWaiting(source)) return 'waiting';
  return run.trail.isDeadLettered(source) ? 'dead-lettered' : 'lost';
}

function lost({ id, partition }: Transfer, last: EventFact, owner: string, what: string, run: Run): void {
  const position = positionOf(last.topic, partition, last.offset);
  const detail = `${owner} has handled ${what}, and nothing came of it (last state ${last.state})`;
  run.findings.defer(NAME, { code: 'TRANSFER_LOST', transferId: id, position, detail }, { subject: id });
}

function cachedCarrier(topic: string): string | undefined {
  if (!CARRIERS.has(topic)) CARRIERS.set(topic, carrierOf(topic));
  return CARRIERS.get(topic);
}
