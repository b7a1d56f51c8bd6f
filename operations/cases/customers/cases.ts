// Cases about known customers, decided once.
import type { KeyRing } from '../../../domain/seals/seal.ts';
import { CodedError } from '../../../ports/fault.ts';
import type { CustomerDecision } from '../../../screening/rescreening/customer-case.ts';
import type { SealedCustomerCase } from '../../../screening/rescreening/customer-seals.ts';
import { decideCustomer } from './decide.ts';
import type { DecidableCustomerCases } from './ports.ts';

/**
 * Decides an open case: one compare-and-set wins, and the other is told why it lost.
 * @throws DomainError and CodedError as `decideCustomer`; CodedError CASE_MOVED when the case was opened again meanwhile
 */
export async function decideCustomerCase(
  store: Pick<DecidableCustomerCases, 'find' | 'decide'>,
  caseId: string,
  asked: CustomerDecision,
  operators: KeyRing,
): Promise<SealedCustomerCase> {
  const { openingSeal, decision } = decideCustomer(caseId, await store.find(caseId), asked, operators);
  const decided = await store.decide(caseId, openingSeal, decision);
  if (decided) return decided;
  decideCustomer(caseId, await store.find(caseId), asked, operators);
  throw new CodedError('CASE_MOVED', `customer case ${caseId} was written meanwhile: look at it, then try again`);
}
