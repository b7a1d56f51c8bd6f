// Decided cases as commands to the stage that holds the transfer, and the end of holds that nobody decided.
import { deterministicId } from '../../../domain/transfers/event-id.ts';
import type { OutputRecord } from '../../../ports/log.ts';
import { type RecordMakerOptions, recordMaker } from '../../../ports/records.ts';
import { ringOf } from '../../../ports/seals.ts';
import type { CaseDocument } from '../../../sinks/cases/case.ts';
import { reviewDecided } from '../../../topics/boundary.ts';
import { toCommand } from './command.ts';
import { checkDecided, lapseAt } from './decide.ts';
import type { HoldOutbox } from './ports.ts';

/**
 * Makes the records of decided cases, one each, at `now` (ms since 1970). The same case gives the same command however
 * often it is published. What nobody decided does not leave the database: it throws what `checkDecided` throws.
 * @throws CodedError CONFIG_INVALID without the keys of operators
 */
export function commandMaker({ codec, rings }: Pick<RecordMakerOptions<'review.decided'>, 'codec' | 'rings'>) {
  const make = recordMaker({ owner: 'case-relay', writes: [reviewDecided], codec, rings });
  const operators = ringOf(rings, 'operators');
  return (cases: readonly CaseDocument[], now: number): readonly OutputRecord[] =>
    cases.map((decided) => {
      checkDecided(decided, operators, now);
      const command = toCommand(decided, deterministicId(`review.decided\n${decided._id}`));
      return make(reviewDecided.name, command, {
        partition: command.command.homePartition,
        eventId: command.command.commandId,
        originPosition: decided.held.instruction.originPosition,
      });
    });
}

/**
 * Rejects the open cases that have lapsed by the clock of the store and by our own: one that runs ahead ends no hold, since a
 * hold that is ended can't be decided any more. Returns how many. A decision made meanwhile stays.
 * @param own what the clock of the process says
 */
export async function expireHolds(store: Pick<HoldOutbox, 'clock' | 'expire'>, own: Date): Promise<number> {
  const theirs = await store.clock(own);
  return store.expire(lapseAt(theirs < own ? theirs : own));
}
