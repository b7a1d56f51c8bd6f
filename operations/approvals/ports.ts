// What approvals need of their store.
import type { Approval, ApprovalState } from './approval.ts';

/** Every method throws a coded error when the store cannot be asked. */
export interface Approvals {
  /** @returns false: the id is taken */
  insert(approval: Approval): Promise<boolean>;
  find(id: string): Promise<Approval | undefined>;
  /** Latest first. */
  list(states: readonly ApprovalState[], limit: number): Promise<readonly Approval[]>;
  /**
   * Writes a decision if the approval still waits, for this hash, asked for by the same person, and has not expired at the
   * instant of the decision: one compare-and-set. @returns false: it does not
   */
  decide(
    approval: Approval,
    state: 'APPROVED' | 'REFUSED',
    decided: NonNullable<Approval['decided']>,
  ): Promise<boolean>;
  /** Ends one that is in one of these states. @returns false: it is in another */
  end(
    id: string,
    from: readonly ApprovalState[],
    to: ApprovalState,
    ended: NonNullable<Approval['ended']>,
  ): Promise<boolean>;
  /** Ends all that wait and have expired. @returns how many */
  expire(at: Date): Promise<number>;
}
