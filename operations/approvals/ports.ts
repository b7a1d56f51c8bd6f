// What approvals need of their store.
import type { Approval, ApprovalState } from './approval.ts';

/** Every method throws a coded error when the store cannot be asked. */
export interface Approvals {
  /**
   * What time it is for everybody who asks, decides and does: the clock of the store. A process whose own clock is a day ahead or
   * behind would end what others asked for, or ask for what is over at once.
   * @param own what the caller's clock says, for a store that has none
   */
  clock(own: Date): Promise<Date>;
  /** @returns false: the id is taken */
  insert(approval: Approval): Promise<boolean>;
  find(id: string): Promise<Approval | undefined>;
  /** Latest first. */
  list(states: readonly ApprovalState[], limit: number): Promise<readonly Approval[]>;
  /** What was let through under this broken glass, latest first; as the store has it. */
  underGlass(glass: string, limit: number): Promise<readonly Approval[]>;
  /**
   * Writes a decision if the approval still waits, for this hash, asked for by the same person, and has not expired at the
   * instant of the decision: one compare-and-set. @returns false: it does not
   */
  decide(
    approval: Approval,
    state: 'APPROVED' | 'REFUSED',
    decided: NonNullable<Approval['decided']>,
  ): Promise<boolean>;
  /**
   * Notes that what was approved is being done now: it is APPROVED, and was begun before, or has not expired. Again is the
   * same. @returns false: it is not
   */
  begin(id: string, at: Date): Promise<boolean>;
  /**
   * Ends one that is in one of these states. WITHDRAWN only if the act has not begun. @returns false: it is not so
   */
  end(
    id: string,
    from: readonly ApprovalState[],
    to: ApprovalState,
    ended: NonNullable<Approval['ended']>,
  ): Promise<boolean>;
  /** Ends all that have expired, and wait or were approved and not begun. @returns how many */
  expire(at: Date): Promise<number>;
}

/** A glass that was broken, and may be acted under until its end, by the clock of the store. */
export interface OpenGlass {
  readonly id: string;
  readonly by: string;
  readonly until: Date;
}
