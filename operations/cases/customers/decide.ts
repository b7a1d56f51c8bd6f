// Decisions on cases about known customers. Pure.
import { justificationText, personName } from '../../../domain/people/identities.ts';
import { secondPersonOf } from '../../../domain/people/two-persons.ts';
import type { KeyRing } from '../../../domain/seals/seal.ts';
import { CodedError } from '../../../ports/fault.ts';
import type { CustomerDecision } from '../../../screening/rescreening/customer-case.ts';
import {
  flawOfCustomerCase,
  type SealedCustomerCase,
  sealDecided,
} from '../../../screening/rescreening/customer-seals.ts';

const WHAT_TO_DO =
  'find out who wrote to the collection, delete the case and `screening_progress`; the rescreener opens it again if it stands';

/** The decision on an open case, and the seal of the case that it is bound to. */
export interface SealedCustomerDecision {
  readonly openingSeal: string;
  readonly decision: CustomerDecision & { readonly seal: string };
}

/**
 * The decision on an open case that is as it was opened, sealed over what the person saw.
 * @throws DomainError PERSON_INVALID, JUSTIFICATION_INVALID
 * @throws CodedError CASE_UNKNOWN, CASE_NOT_OPEN, CUSTOMER_CASE_NOT_SEALED, CUSTOMER_DECISION_NOT_SEALED
 */
export function decideCustomer(
  caseId: string,
  found: SealedCustomerCase | undefined,
  asked: CustomerDecision,
  operators: KeyRing,
): SealedCustomerDecision {
  const { agreedBy } = secondPersonOf(asked);
  const decision = {
    ...{ ...asked, by: personName(asked.by), reason: justificationText(asked.reason) },
    ...(agreedBy !== undefined && { agreedBy: personName(agreedBy) }),
  };
  if (!found) throw new CodedError('CASE_UNKNOWN', `there is no customer case ${caseId}`);
  if (found.state !== 'OPEN') {
    throw new CodedError('CASE_NOT_OPEN', `customer case ${caseId} is ${found.state} by ${found.decision?.by ?? '-'}`);
  }
  const flaw = flawOfCustomerCase(operators, found);
  if (flaw) throw new CodedError(flaw, `customer case ${caseId} was changed in the database: ${WHAT_TO_DO}`);
  const openingSeal = found.seal ?? '';
  return { openingSeal, decision: { ...decision, seal: sealDecided(operators, openingSeal, decision) } };
}
