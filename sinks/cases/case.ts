// A held transfer as a case for a person. Decision and expiry compete for it by compare-and-set: one of them wins, once.
import type { SecondPerson } from '../../domain/people/two-persons.ts';
import type { Reason, Stage, TransferHeld } from '../../schemas/types.generated.ts';
import type { IndexSpec } from '../idempotent-writes.ts';

export type CaseState = 'OPEN' | 'DECIDED' | 'EXPIRED';

/** How a case ended, and by whom. `hold-expiry` decides what nobody decided in time. */
export interface CaseDecision extends SecondPerson {
  readonly decision: 'APPROVE' | 'REJECT';
  readonly decidedBy: string;
  readonly decidedAt: Date;
  readonly justification: string;
  /** Of the program through which a person decided; null for the lapse of a hold. */
  readonly seal: string | null;
}

/** The case, under the id of its hold. */
export interface CaseDocument {
  readonly _id: string;
  readonly transferId: string;
  readonly stage: Stage;
  readonly state: CaseState;
  readonly reasons: readonly Reason[];
  /** A decision is bound to it: what the operator saw must be what is held. */
  readonly evidenceHash: string;
  readonly openedAt: Date;
  readonly expiresAt: Date;
  readonly sourceCountry: string;
  readonly targetCountry: string;
  readonly instructedMinor: bigint;
  readonly instructedCurrency: string;
  /** The held event whole: what is decided on, and what the command carries back. */
  readonly held: TransferHeld;
  readonly decision: CaseDecision | null;
  /** True from the decision until its command is in the log. */
  readonly commandPending: boolean;
}

export const indexes: readonly IndexSpec[] = [
  {
    name: 'state_openedAt',
    keys: { state: 1, openedAt: 1 },
    servedQuery: 'the open cases, oldest first (corridor cases list)',
  },
  { name: 'transferId', keys: { transferId: 1, openedAt: 1 }, servedQuery: 'the cases of one transfer' },
  {
    name: 'commandPending',
    keys: { commandPending: 1 },
    partialFilterExpression: { commandPending: true },
    servedQuery: 'decisions whose command is not in the log yet (the relay)',
  },
  {
    name: 'open_expiresAt',
    keys: { expiresAt: 1 },
    partialFilterExpression: { state: 'OPEN' },
    servedQuery: 'open cases that have lapsed (the expiry sweep)',
  },
  {
    name: 'open_debtorToken',
    keys: { 'held.instruction.debtorToken': 1, openedAt: 1 },
    partialFilterExpression: { state: 'OPEN' },
    servedQuery: 'the open cases of one sender, oldest first (decisions of those that are alike)',
  },
];
