// What is sealed of a customer's case: when it is opened, all that a person will see; when it is decided, that and the decision.
import { secondPersonContent } from '../../domain/people/two-persons.ts';
import { isSealed, type KeyRing, sealOf } from '../../domain/seals/seal.ts';
import { recordContentOf } from '../../schemas/record-content.ts';
import type { CustomerCase, CustomerDecision } from './customer-case.ts';

type Opened = Omit<CustomerCase, 'state' | 'decision'>;

const openedContent = (opened: Opened): readonly string[] => [
  'opened',
  opened.caseId,
  opened.token,
  opened.source,
  opened.entityId,
  opened.entityHash,
  opened.versionId,
  opened.transferId,
  String(opened.openedAt),
  recordContentOf('ScreeningCandidate', opened.candidate),
];

function decidedContent(openingSeal: string, decision: CustomerDecision): readonly string[] {
  const { state, by, reason, at } = decision;
  return ['decided', openingSeal, state, by, reason, String(at), ...secondPersonContent(decision)];
}

/** The seal of a case as it is opened. */
export const sealOpened = (operators: KeyRing, opened: Opened): string =>
  sealOf(operators, 'customer', openedContent(opened));

/** The seal of a decision, over the seal of the case as the person saw it. */
export const sealDecided = (operators: KeyRing, openingSeal: string, decision: CustomerDecision): string =>
  sealOf(operators, 'customer', decidedContent(openingSeal, decision));

/** A case as it is stored, with its seals. */
export interface SealedCustomerCase extends CustomerCase {
  readonly seal?: string;
  readonly decision: (CustomerDecision & { readonly seal?: string }) | null;
}

export type CustomerCaseFlaw = 'CUSTOMER_CASE_NOT_SEALED' | 'CUSTOMER_DECISION_NOT_SEALED';

/** Why a stored case is not what the program wrote that opened it, or decided it; undefined: it is. Never throws. */
export function flawOfCustomerCase(operators: KeyRing, found: SealedCustomerCase): CustomerCaseFlaw | undefined {
  try {
    if (!isSealed(operators, 'customer', openedContent(found), found.seal)) return 'CUSTOMER_CASE_NOT_SEALED';
    const { state, decision } = found;
    if (decision === null) return state === 'OPEN' ? undefined : 'CUSTOMER_DECISION_NOT_SEALED';
    const parts = decidedContent(found.seal ?? '', decision);
    const isDecided = decision.state === state && isSealed(operators, 'customer', parts, decision.seal);
    return isDecided ? undefined : 'CUSTOMER_DECISION_NOT_SEALED';
  } catch {
    // Of another shape than any that was ever written.
    return 'CUSTOMER_CASE_NOT_SEALED';
  }
}
