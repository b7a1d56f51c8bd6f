// What the inbox needs of stores. Each question is one round trip for all cases, bounded, and served by an index.
import type { CorridorBook } from '../../../domain/corridors/corridors.ts';
import type { Money } from '../../../domain/money/money.ts';
import type { KeyRing } from '../../../domain/seals/seal.ts';
import type { Payout, PayoutCase } from '../../../payouts/payout.ts';
import type { RequestCodec } from '../../../payouts/ports.ts';
import type { Stage } from '../../../schemas/types.generated.ts';
import type { CaseDocument } from '../../../sinks/cases/case.ts';
import type { Assignments } from '../assignments/ports.ts';
import type { DecidableCustomerCases } from '../customers/ports.ts';
import type { HoldCases } from '../holds/ports.ts';
import type { PayoutsWithCases } from '../payouts/ports.ts';

/** A hold case without what is held: as the database says, which nobody has checked. Of another shape: zeros and blanks. */
export type HoldBrief = Pick<CaseDocument, 'transferId' | 'stage'> & {
  readonly holdId: string;
  readonly reasonCodes: readonly string[];
  readonly amount: Money;
  readonly sourceCurrency: string;
  readonly targetCurrency: string;
  /** ms since 1970 */
  readonly openedAt: number;
  readonly expiresAt: number;
};

export interface OpenHolds {
  /** Open cases, the oldest first. */
  briefs(limit: number): Promise<readonly HoldBrief[]>;
  /** The cases with these ids, whole, in any order. */
  load(holdIds: readonly string[]): Promise<readonly CaseDocument[]>;
  /** Open cases of transfers between the same sender and beneficiary, held by the same stage: whole, the oldest first. */
  between(parties: SameParties, limit: number): Promise<readonly CaseDocument[]>;
}

export interface SameParties {
  readonly stage: Stage;
  readonly debtorToken: string;
  readonly creditorToken: string;
}

/** The cases of a payout; undefined in place of those of a document of another shape. */
export interface PayoutBrief {
  readonly payoutId: string;
  readonly cases: readonly PayoutCase[] | undefined;
}

export interface OpenPayouts {
  /** Payouts with an open case, the oldest case first. */
  briefs(limit: number): Promise<readonly PayoutBrief[]>;
  /** The payouts with these ids, whole; without those of another shape. */
  load(payoutIds: readonly string[]): Promise<readonly Payout[]>;
  /** How many payouts have an unknown outcome and no open case; counts to `limit` at the most. */
  unknownWithoutCase(limit: number): Promise<number>;
}

/** What the transfer view says of a transfer. */
export interface TransferFacts {
  readonly transferId: string;
  readonly sourceCurrency: string;
  readonly targetCurrency: string;
  /** Once priced. */
  readonly debitMinor: bigint | null;
}

export interface KnownTransfers {
  of(transferIds: readonly string[]): Promise<readonly TransferFacts[]>;
}

export interface InboxSources {
  readonly holds: OpenHolds & Pick<HoldCases, 'find'>;
  readonly payouts: OpenPayouts & Pick<PayoutsWithCases, 'load'>;
  readonly customers: Pick<DecidableCustomerCases, 'list' | 'find'>;
  readonly transfers: KnownTransfers;
  readonly assignments: Pick<Assignments, 'current'>;
  /** Opens the request of a payout, which names the parties. */
  readonly requests: Pick<RequestCodec, 'decode'>;
  readonly corridors: CorridorBook;
  /** Of operators: tells customers' cases that nobody sealed. */
  readonly operators: KeyRing;
}
