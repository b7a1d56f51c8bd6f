// Ids, keys and places of single records.

import {
  eventIdOf,
  holdIdOf,
  intentDuplicationId,
  intentRejectionId,
  positionIdOf,
} from '../../domain/transfers/event-id.ts';
import { STATE_OF_TOPIC } from '../../domain/transfers/transfer-states.ts';
import { commandIdOf } from '../../payouts/payout-updated.ts';
import type { Envelope, Instruction } from '../../schemas/types.generated.ts';
import { HEADER, headerText } from '../../topics/headers.ts';
import type { Check } from '../check.ts';
import type { FindingCode } from '../finding-codes.ts';
import { type AnySeen, positionOf } from '../transfer.ts';

const NAME = 'identity';

interface Expected {
  readonly transferId: string;
  readonly id: string;
  readonly rightId: string;
  /** Undefined: the record has none. */
  readonly home?: number;
  readonly origin?: string;
}

export const identity: Check = {
  name: NAME,
  proves:
    'Every event id is the UUIDv5 of its topic, transfer, attempt and sequence, and every record stands under its key on its home partition.',
  record(seen, run) {
    const expected = expectedOf(seen);
    if (expected === undefined) return;
    const { record, topic } = seen;
    const { transferId, id, rightId, home, origin } = expected;
    const wrong = (code: FindingCode, detail: string) =>
      run.findings.add(NAME, {
        code,
        transferId,
        position: positionOf(topic, record.partition, record.offset),
        detail,
      });
    if (id !== rightId) wrong('EVENT_ID_WRONG', `its id is ${id}, but ${rightId} follows from its content`);
    if (record.key?.toString('utf8') !== transferId) wrong('KEY_WRONG', 'its key is not its transfer');
    const headerId = headerText(record.headers, HEADER.eventId);
    if (headerId !== id) wrong('HEADER_WRONG', `its event-id header says ${headerId ?? 'nothing'}`);
    if (home !== undefined && home !== record.partition) {
      wrong('PARTITION_WRONG', `its home partition is ${home}, and it stands on ${record.partition}`);
    }
    const headerOrigin = headerText(record.headers, HEADER.originPosition);
    if (origin !== undefined && headerOrigin !== origin) {
      wrong('HEADER_WRONG', `its origin-position header says ${headerOrigin ?? 'nothing'}, the instruction ${origin}`);
    }
    inner(seen, wrong);
  },
};

function expectedOf({ topic, value }: AnySeen): Expected | undefined {
  switch (topic) {
    case 'intent.rejected':
      return outcome(value.transferId, value.eventId, intentRejectionId(value.originPosition), value.originPosition);
    case 'intent.duplicated':
      return outcome(value.transferId, value.eventId, intentDuplicationId(value.originPosition), value.originPosition);
    case 'payout.updated': {
      const { commandId, transferId, homePartition } = value.command;
      return { transferId, id: commandId, rightId: commandIdOf(transferId, value.payout.version), home: homePartition };
    }
    case 'review.decided': {
      const { commandId, transferId, homePartition } = value.command;
      return { transferId, id: commandId, rightId: commandId, home: homePartition };
    }
    case 'transfer.lifecycle': {
      // Its id must be that of the event (see lifecycle), a mark's follows from its dead letter (see dead-letters).
      const { transferId, eventId } = value;
      return { transferId, id: eventId, rightId: eventId };
    }
    case 'fx.position': {
      const { transferId, eventId, attempt, change } = value;
      return { transferId, id: eventId, rightId: positionIdOf(transferId, attempt, change === 'OPENED') };
    }
    default:
      return topic in STATE_OF_TOPIC ? transition(topic, value as Transition) : undefined;
  }
}

interface Transition {
  readonly envelope: Envelope;
  readonly instruction: Instruction;
}

function transition(topic: string, { envelope, instruction }: Transition): Expected {
  const { transferId, eventId, attempt, sequence, homePartition } = envelope;
  const rightId = eventIdOf(topic, transferId, attempt, sequence);
  return { transferId, id: eventId, rightId, home: homePartition, origin: instruction.originPosition };
}

const outcome = (transferId: string, id: string, rightId: string, origin: string): Expected => ({
  transferId,
  id,
  rightId,
  origin,
});

/** Ids inside a record that follow from others in it. */
function inner({ topic, value }: AnySeen, wrong: (code: FindingCode, detail: string) => void): void {
  if (topic === 'payout.updated') {
    const { payout, command } = value;
    if (payout.payoutId !== command.transferId)
      wrong('PAYOUT_ID_WRONG', `its payout is ${payout.payoutId}, but a payout has the id of its transfer`);
  }
  if (topic === 'transfer.accepted' && value.envelope.causationId !== value.instruction.originPosition)
    wrong('CAUSE_WRONG', `it names ${value.envelope.causationId} as its cause, and not the intent that it accepts`);
  if (topic !== 'transfer.held') return;
  const { envelope, hold } = value;
  const right = holdIdOf(envelope.transferId, envelope.sequence);
  if (hold.holdId !== right)
    wrong('HOLD_ID_WRONG', `its hold is ${hold.holdId}, but ${right} follows from its content`);
}
