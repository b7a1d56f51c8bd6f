// The life of each transfer along the state machine.
import { brokenTransition, type ReachedState } from '../../domain/transfers/transfer-states.ts';
import type { Check, Run } from '../check.ts';
import { digest } from '../digest.ts';
import { type EventFact, positionOf, type Transfer } from '../transfer.ts';

const NAME = 'path';

export const path: Check = {
  name: NAME,
  proves:
    'The events of each transfer form a legal path of the state machine, with a sequence that rises by one; no id stands for two contents, nothing was written twice, and each event names its cause.',
  transfer(transfer, run) {
    for (const event of transfer.events) if (event.seen > 1 || event.conflict) repeated(transfer, event, run);
    walk(transfer, run);
  },
};

function walk(transfer: Transfer, run: Run): void {
  const events = transfer.events.filter(({ seen }) => seen > 0);
  let previous: EventFact | undefined;
  for (const event of events) {
    if (transfer.verifiedThrough > 0 && previous === undefined) {
      if (event.sequence < transfer.verifiedThrough) {
        early(transfer, event, run);
        return;
      }
      previous = event;
      continue;
    }
    const fault = brokenTransition(previous && reachedState(previous), reachedState(event));
    if (fault !== undefined) {
      illegal(transfer, previous, event, fault, run);
      return;
    }
    if (previous !== undefined && !isCaused(transfer, previous, event)) {
      const position = positionOf(event.topic, transfer.partition, event.offset);
      const detail = `${event.topic} ${event.sequence} names a cause that is neither the event before it nor a command`;
      run.findings.add(NAME, { code: 'CAUSE_WRONG', transferId: transfer.id, position, detail });
    }
    previous = event;
  }
}

/** By the event before it, or by a command about this transfer. */
function isCaused({ updates, reviews }: Transfer, previous: EventFact, { causation }: EventFact): boolean {
  if (causation === previous.id) return true;
  return [...updates, ...reviews].some(({ commandId }) => digest(commandId) === causation);
}

const reachedState = ({ state, stage, sequence, attempt }: EventFact): ReachedState => ({
  state,
  stage: stage!,
  sequence,
  attempt,
});

function illegal(transfer: Transfer, previous: EventFact | undefined, event: EventFact, fault: string, run: Run): void {
  const { id, partition } = transfer;
  const position = positionOf(event.topic, partition, event.offset);
  const finding = { code: 'ILLEGAL_PATH' as const, transferId: id, position, detail: fault };
  // Two events of one sequence are a fork whatever comes later; a gap may be closed right after the cut.
  if (previous !== undefined && event.sequence <= previous.sequence) run.findings.add(NAME, finding);
  else run.findings.defer(NAME, finding, { subject: id });
}

function early(transfer: Transfer, event: EventFact, run: Run): void {
  run.findings.add(NAME, {
    code: 'EVENT_BEFORE_CHECKPOINT',
    transferId: transfer.id,
    position: positionOf(event.topic, transfer.partition, event.offset),
    detail: `sequence ${event.sequence} came again after ${transfer.verifiedThrough} had been verified`,
  });
}

function repeated(transfer: Transfer, event: EventFact, run: Run): void {
  const { id, partition } = transfer;
  const position = positionOf(event.topic, partition, event.offset);
  if (event.conflict) {
    const detail = `${event.seen} records have the id of ${event.topic} ${event.sequence}, with other contents`;
    run.findings.add(NAME, { code: 'EVENT_ID_CONFLICT', transferId: id, position, detail });
    return;
  }
  const detail = `${event.topic} ${event.sequence} is in the log ${event.seen} times`;
  run.findings.add(NAME, { code: 'EVENT_REPEATED', transferId: id, position, detail });
}
