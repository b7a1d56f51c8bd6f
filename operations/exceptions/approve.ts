// An exception is let through by a second person.
import type { KeyRing } from '../../domain/seals/seal.ts';
import { approvalOf, notWaiting } from './decide.ts';
import type { ApprovableExceptions } from './ports.ts';

/**
 * Lets it through. What is approved is what was found: the seal is over it.
 * @throws DomainError and CodedError as `approvalOf`
 */
export async function approveException(
  store: ApprovableExceptions,
  exceptionId: string,
  asked: { readonly by: string; readonly at: number },
  operators: KeyRing,
): Promise<void> {
  const found = await store.waiting(exceptionId, asked.at);
  const approved = approvalOf(exceptionId, found, asked, operators);
  if (!(await store.approve(exceptionId, approved))) throw notWaiting(exceptionId);
}
