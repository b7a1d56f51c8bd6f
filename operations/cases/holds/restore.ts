// A case that was changed or deleted in the database, as it was opened: from the held event in the log, under the stage's seal. Pure.
import { isOfTwo } from '../../../domain/people/two-persons.ts';
import type { KeyRing } from '../../../domain/seals/seal.ts';
import { CodedError } from '../../../ports/fault.ts';
import { contentHashOf } from '../../../processors/hold-content.ts';
import { type HoldKeys, isSealedAsHeld } from '../../../processors/holds.ts';
import type { NeedsTwo } from '../../../processors/second-person.ts';
import type { TransferHeld } from '../../../schemas/types.generated.ts';
import type { CaseDocument } from '../../../sinks/cases/case.ts';
import { alteredIn, isSealedIn } from '../../../sinks/cases/check.ts';
import { openCase } from '../../../sinks/cases/to-write.ts';

/** The held event of a hold among those that the log has; undefined: none of them is that of a stage. */
export const heldByStage = (
  { stages }: Pick<HoldKeys, 'stages'>,
  events: readonly TransferHeld[],
  holdId: string,
): TransferHeld | undefined =>
  events.find(
    (held) =>
      held.hold.holdId === holdId && isSealedAsHeld(stages, held) && contentHashOf(held) === held.hold.evidenceHash,
  );

export interface RestoreTerms {
  readonly operators: KeyRing;
  /** Which holds take two persons, as the stages look at it. */
  readonly needsTwo: NeedsTwo;
  /** A decision on this hold was honoured: there is nothing left to decide. */
  readonly isResumed: boolean;
}

/**
 * The case as it is to be written again, unless it is under way as it stands. A decision that a person made on just this
 * content is kept, and sent again: it is honoured once. One that the stage refuses, since it is of one person where two have
 * to agree, is kept by nobody: the case is open again, to be decided anew or to lapse.
 *
 * @param found what the database has under the id now
 * @throws CodedError CASE_WHOLE, HOLD_RESUMED
 */
export function restoredCase(
  found: CaseDocument | undefined,
  held: TransferHeld,
  { operators, needsTwo, isResumed }: RestoreTerms,
): CaseDocument {
  const { holdId } = held.hold;
  if (isResumed)
    throw new CodedError('HOLD_RESUMED', `hold ${holdId} was resumed: its case has nothing left to decide`);
  if (found && alteredIn(found).length === 0 && isUnderWay(found, operators)) {
    throw new CodedError(
      'CASE_WHOLE',
      `case ${holdId} is as it was opened, or its decision is being sent: \`corridor cases show ${holdId}\``,
    );
  }
  const opened = openCase(held);
  const decided = found && { ...opened, decision: found.decision ?? null };
  if (!decided || !isSealedIn(decided, operators) || isOfTooFew(decided, held, needsTwo)) return opened;
  return { ...decided, state: 'DECIDED', commandPending: true };
}

function isOfTooFew({ decision }: CaseDocument, held: TransferHeld, needsTwo: NeedsTwo): boolean {
  if (decision?.decision !== 'APPROVE') return false;
  return !isOfTwo({ ...decision, by: decision.decidedBy }) && needsTwo(held).length > 0;
}

/** Whether it waits for a person, or its decision for the relay. What merely looks decided goes on by nobody. */
const isUnderWay = (found: CaseDocument, operators: KeyRing): boolean => {
  if (found.commandPending === true) return found.state === 'DECIDED' && isSealedIn(found, operators);
  return found.state === 'OPEN' && (found.decision ?? null) === null;
};
