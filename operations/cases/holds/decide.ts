// Decisions on held transfers: what is known of a case and what is asked give a decision or a refusal. Pure.
//
// A decision is sealed when it is made: text in a database is no decision.
import { HOLD_EXPIRY, justificationText, personName } from '../../../domain/people/identities.ts';
import { type SecondPerson, secondPersonOf } from '../../../domain/people/two-persons.ts';
import type { KeyRing } from '../../../domain/seals/seal.ts';
import { CodedError } from '../../../ports/fault.ts';
import { sealDecision } from '../../../processors/holds.ts';
import type { CaseDecision, CaseDocument } from '../../../sinks/cases/case.ts';
import { alteredIn, isSealedIn } from '../../../sinks/cases/check.ts';

/** What a person asks for. */
export interface HoldVerdict extends SecondPerson {
  readonly holdId: string;
  /** Of the case as the person saw it. */
  readonly evidenceHash: string;
  readonly decision: 'APPROVE' | 'REJECT';
  readonly by: string;
  readonly reason: string;
  readonly at: Date;
}

/**
 * The decision on an open case whose evidence is what the person saw.
 *
 * @param found the case as the store has it
 * @throws DomainError PERSON_INVALID, JUSTIFICATION_INVALID
 * @throws CodedError CASE_UNKNOWN, CASE_ALTERED, CASE_NOT_OPEN, EVIDENCE_CHANGED, HOLD_LAPSED
 */
export function decideHold(
  found: CaseDocument | undefined,
  { holdId, evidenceHash, decision, by, reason, at, ...second }: HoldVerdict,
  operators: KeyRing,
): CaseDecision {
  const said = { decision, decidedBy: by, decidedAt: at, justification: reason, ...secondPersonOf(second) };
  const sealed = sealedDecision(operators, { holdId, evidenceHash }, said);
  const whole = wholeCase(holdId, found);
  if (whole.state !== 'OPEN') {
    const as = whole.decision ? `${whole.decision.decision} by ${whole.decision.decidedBy}` : whole.state;
    throw new CodedError('CASE_NOT_OPEN', `case ${holdId} is already decided: ${as}`);
  }
  if (whole.evidenceHash !== evidenceHash) {
    throw new CodedError(
      'EVIDENCE_CHANGED',
      `case ${holdId} holds other evidence (${whole.evidenceHash}) than was decided on (${evidenceHash}): look at it again`,
    );
  }
  if (whole.expiresAt <= at) {
    throw new CodedError(
      'HOLD_LAPSED',
      `case ${holdId} lapsed at ${whole.expiresAt.toISOString()}: it is too late to decide it`,
    );
  }
  return sealed;
}

/** The case, which must be there and be what the sink wrote. @throws CodedError CASE_UNKNOWN, CASE_ALTERED */
export function wholeCase(holdId: string, found: CaseDocument | undefined): CaseDocument {
  if (!found) throw new CodedError('CASE_UNKNOWN', `there is no case ${holdId}: see \`corridor cases list\``);
  checkWhole(found);
  return found;
}

/**
 * The decision on the hold with this evidence, under the seal of the program through which it is made.
 *
 * @throws DomainError PERSON_INVALID or JUSTIFICATION_INVALID
 */
export function sealedDecision(
  operators: KeyRing,
  { holdId, evidenceHash }: { readonly holdId: string; readonly evidenceHash: string },
  decided: Omit<CaseDecision, 'seal'>,
): CaseDecision {
  const { decision, decidedAt } = decided;
  const given = secondPersonOf(decided);
  const second = { ...given, ...(given.agreedBy !== undefined && { agreedBy: personName(given.agreedBy) }) };
  const decidedBy = personName(decided.decidedBy);
  const justification = justificationText(decided.justification);
  const said = { decision, decidedBy, justification, ...second };
  const bound = { holdId, evidenceHash, decidedAt: decidedAt.getTime(), ...said };
  return { ...said, decidedAt, seal: sealDecision(operators, bound) };
}

/** How a case ends that nobody decided in time. It needs no seal: every stage looks at its own clock. */
export const lapseAt = (decidedAt: Date): CaseDecision => ({
  decision: 'REJECT',
  decidedBy: HOLD_EXPIRY,
  decidedAt,
  justification: 'Nobody decided before the hold lapsed.',
  seal: null,
});

/** @throws CodedError CASE_ALTERED, which says what to do */
function checkWhole(found: CaseDocument): void {
  const altered = alteredIn(found);
  if (altered.length === 0) return;
  throw new CodedError(
    'CASE_ALTERED',
    `case ${found._id} was changed in the database (${altered.join(', ')}): it is not what is held, so it can be neither ` +
      'shown nor decided; find out who wrote to the collection, then have it written again (corridor cases restore)',
  );
}

/**
 * Whether the command of a case may go to the log: the case is whole, and a person decided it through a program with a
 * key of operators, or the hold has lapsed.
 *
 * @param now ms since 1970
 * @throws CodedError CASE_ALTERED, DECISION_NOT_SEALED or HOLD_NOT_EXPIRED
 */
export function checkDecided(found: CaseDocument, operators: KeyRing, now: number): void {
  checkWhole(found);
  const { _id: holdId, decision: decided, held } = found;
  if (decided === null) {
    throw new CodedError('DECISION_NOT_SEALED', `case ${holdId} counts as decided, and holds no decision`);
  }
  const { decision, decidedBy } = decided;
  if (decidedBy === HOLD_EXPIRY) {
    if (decision === 'REJECT' && held.hold.expiresAt < now) return;
    throw new CodedError('HOLD_NOT_EXPIRED', `case ${holdId} counts as lapsed, and its hold has not lapsed`);
  }
  if (isSealedIn(found, operators)) return;
  throw new CodedError(
    'DECISION_NOT_SEALED',
    `the decision in case ${holdId} was not made through a program for operators, or was changed since`,
  );
}
