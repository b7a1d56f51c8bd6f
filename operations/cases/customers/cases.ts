// Cases about known customers, decided once.
import type { KeyRing } from '../../../domain/seals/seal.ts';
import { CodedError } from '../../../ports/fault.ts';
import type { CustomerCaseState, CustomerDecision } from '../../../screening/rescreening/customer-case.ts';
import {
  type CustomerCaseFlaw,
  flawOfCustomerCase,
  type SealedCustomerCase,
} from '../../../screening/rescreening/customer-seals.ts';
import { decideCustomer } from './decide.ts';
import type { DecidableCustomerCases } from './ports.ts';

/** A case in a list, with what is wrong with its seals: one that bears none blocks, whatever it says. */
export interface CustomerCaseSummary {
  readonly found: SealedCustomerCase;
  readonly flaw: CustomerCaseFlaw | undefined;
}

/** Cases, the oldest first. */
export async function listCustomerCases(
  store: Pick<DecidableCustomerCases, 'list'>,
  filter: { readonly state?: CustomerCaseState; readonly limit: number },
  operators: KeyRing,
): Promise<readonly CustomerCaseSummary[]> {
  return (await store.list(filter)).map((found) => ({ found, flaw: flawOfCustomerCase(operators, found) }));
}

/**
 * Decides an open case: one compare-and-set wins, and the other is told why it lost.
 * @throws DomainError and CodedError as `decideCustomer`; CodedError CASE_MOVED when the case was opened again meanwhile
 */
export const decideCustomerCase = async (
  store: Pick<DecidableCustomerCases, 'find' | 'decide'>,
  caseId: string,
  asked: CustomerDecision,
  operators: KeyRing,
): Promise<SealedCustomerCase> => decideFoundCustomerCase(store, caseId, await store.find(caseId), asked, operators);

/** The same of a case that was read before, as it was then. */
export async function decideFoundCustomerCase(
  store: Pick<DecidableCustomerCases, 'find' | 'decide'>,
  caseId: string,
  found: SealedCustomerCase | undefined,
  asked: CustomerDecision,
  operators: KeyRing,
): Promise<SealedCustomerCase> {
  const { openingSeal, decision } = decideCustomer(caseId, found, asked, operators);
  const decided = await store.decide(caseId, openingSeal, decision);
  if (decided) return decided;
  decideCustomer(caseId, await store.find(caseId), asked, operators);
  throw new CodedError('CASE_MOVED', `customer case ${caseId} was written meanwhile: look at it, then try again`);
}
