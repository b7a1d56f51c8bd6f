// What the use-cases of customers' cases need of a store.
import type { CustomerCaseState } from '../../../screening/rescreening/customer-case.ts';
import type { SealedCustomerCase } from '../../../screening/rescreening/customer-seals.ts';

/** Cases about known customers. Every method throws a coded error when the store cannot be asked. */
export interface DecidableCustomerCases {
  /** The oldest first. */
  list(filter: { readonly state?: CustomerCaseState; readonly limit: number }): Promise<readonly SealedCustomerCase[]>;
  find(caseId: string): Promise<SealedCustomerCase | undefined>;
  /**
   * Writes the decision if the case is open under this seal.
   * @returns the decided case; undefined: the case was not so, and nothing was written
   */
  decide(
    caseId: string,
    seal: string,
    decision: NonNullable<SealedCustomerCase['decision']>,
  ): Promise<SealedCustomerCase | undefined>;
}
