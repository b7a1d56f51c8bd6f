// What is carried from stage to stage: nobody may change on the way what is paid, to whom, or at which price.

import type { Check, Run } from '../check.ts';
import { digest } from '../digest.ts';
import type { FindingCode } from '../finding-codes.ts';
import { carrierOf } from '../topics.ts';
import { type EventFact, positionOf, type Transfer } from '../transfer.ts';

const NAME = 'carried';

export const unchanged: Check = {
  name: NAME,
  proves:
    'Instruction, parties, screening evidence, price, reservation and its approval of a transfer are the same in every event from the stage that set them, but for what operators edited of a dead letter and a look that dispatch adds, an approval is one that a person decided, and settlement states the payout as it was published.',
  transfer(transfer, run) {
    let before: EventFact | undefined;
    let screening = 0;
    let looks: readonly number[] | undefined;
    let price = 0;
    let reservation = 0;
    let approval = 0;
    for (const event of transfer.events) {
      if (event.seen === 0 || event.stale) continue;
      if (before === undefined) {
        ({ screening, looks, price, reservation, approval } = event);
        before = event;
        continue;
      }
      if (event.instruction !== before.instruction) changed(transfer, event, 'INSTRUCTION_CHANGED', run);
      if (event.parties !== before.parties && !isEdited(transfer, before, event, run))
        changed(transfer, event, 'PARTIES_CHANGED', run);
      // A decision adds to what was found and changes nothing of it. (0: of a checkpoint that does not know it.)
      if (before.evidence && event.evidence && event.evidence !== before.evidence) {
        changed(transfer, event, 'EVIDENCE_CHANGED', run);
      }
      // Dispatch looks again where another list is in force: it adds to what was found, and to nothing else.
      if (event.stage === 'SCREENING' || addsToLooks(event, looks)) {
        screening = event.screening;
        looks = event.looks;
      } else if (event.screening !== screening) changed(transfer, event, 'EVIDENCE_CHANGED', run);
      if (event.state === 'PRICED') price = event.price;
      else if (event.price !== 0 && event.price !== price) changed(transfer, event, 'PRICE_CHANGED', run);
      const reserves = before.state === 'PRICED' && event.stage === 'LIMITS' && event.state !== 'REJECTED';
      if (reserves) reservation = event.reservation;
      else if (event.reservation !== 0 && event.reservation !== reservation) {
        changed(transfer, event, 'RESERVATION_CHANGED', run);
      }
      if (approves(before, event)) {
        if (!isDecided(transfer, event)) undecided(transfer, event, run);
        approval = event.approval;
      } else if (reserves && event.approval === 0) {
        // Nothing is exceeded at this price, or a person is asked again.
        approval = 0;
      } else if (event.approval !== approval && (event.reservation !== 0 || event.state === 'PRICED')) {
        changed(transfer, event, 'APPROVAL_CHANGED', run);
      }
      const update = transfer.updates.find(({ commandId }) => digest(commandId) === event.causation);
      if (update?.payout && event.payout !== 0 && event.payout !== update.payout) {
        changed(transfer, event, 'PAYOUT_CHANGED', run);
      }
      before = event;
    }
  },
};

/** The record before was put aside, and its stage has decided it as operators edited it. */
function isEdited({ partition }: Transfer, before: EventFact, event: EventFact, { trail }: Run): boolean {
  const source = { owner: carrierOf(before.topic) ?? '', topic: before.topic, partition, offset: before.offset };
  return trail.isEdited(source, { before: before.parties, after: event.parties });
}

/** Nothing that was looked at is another, and whatever else it says comes from later looks. (Undefined: of a checkpoint.) */
function addsToLooks({ stage, looks }: EventFact, before: readonly number[] | undefined): boolean {
  if (stage !== 'PAYOUT_DISPATCH' || looks === undefined || looks.length === 1) return false;
  return before === undefined || before.every((look, index) => looks[index] === look);
}

/** Limits resumes what a person approved. */
const approves = (before: EventFact, event: EventFact): boolean =>
  before.state === 'HELD' && event.state === 'RESERVED' && event.stage === 'LIMITS';

/** The approval is of this debit, and names a hold of this transfer that a person decided to release. */
function isDecided({ reviews }: Transfer, { approval, approvedHold, approvesDebit }: EventFact): boolean {
  if (approval === 0 || !approvesDebit) return false;
  return reviews.some(
    ({ valid, decision, stage, holdId }) =>
      valid && decision === 'APPROVE' && stage === 'LIMITS' && digest(holdId) === approvedHold,
  );
}

function undecided({ id, partition }: Transfer, event: EventFact, run: Run): void {
  const position = positionOf(event.topic, partition, event.offset);
  const detail = `${event.topic} ${event.sequence} resumes a hold of limits without the approval that was decided`;
  run.findings.add(NAME, { code: 'APPROVAL_UNDECIDED', transferId: id, position, detail });
}

function changed({ id, partition }: Transfer, event: EventFact, code: FindingCode, run: Run): void {
  const position = positionOf(event.topic, partition, event.offset);
  const detail = `${event.topic} ${event.sequence} does not carry what the events before it do`;
  run.findings.add(NAME, { code, transferId: id, position, detail });
}
