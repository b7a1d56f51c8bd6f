// A person's decision on a case, sealed when it is made: text in a database is no decision. Pure.
import { justificationText, personName } from '../../domain/identities.ts';
import type { KeyRing } from '../../domain/seal.ts';
import { sealDecision } from '../../processors/holds.ts';
import type { CaseDecision } from './case.ts';

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
  const decidedBy = personName(decided.decidedBy);
  const justification = justificationText(decided.justification);
  const bound = { holdId, evidenceHash, decision, decidedBy, decidedAt: decidedAt.getTime(), justification };
  return { decision, decidedBy, decidedAt, justification, seal: sealDecision(operators, bound) };
}
