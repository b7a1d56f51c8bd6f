// What the queries need of stores.
import type { Payout, PayoutPhase } from '../../payouts/payout.ts';
import type { EventDocument } from '../../sinks/events/to-write.ts';
import type { TransferDocument } from '../../sinks/transfer-view/to-write.ts';
import type { PagePlace } from './page-cursor.ts';

export interface TransferEvents {
  /** The stored events of a transfer, in order. @throws CodedError when the store cannot be asked */
  of(transferId: string): Promise<readonly EventDocument[]>;
}

/** Which transfers are asked for; what is absent restricts nothing. */
export interface TransferFilter {
  readonly state?: string;
  readonly currencies?: { readonly source: string; readonly target: string };
  /** Instructed by this producer. */
  readonly producer?: string;
  /** Nothing has happened to them since this instant. */
  readonly olderThan?: Date;
}

/** A place in the list of transfers, which is latest first. */
export interface TransferPosition {
  readonly updatedAt: Date;
  readonly transferId: string;
}

export interface TransferViews {
  /** The transfer as it stands. @throws CodedError when the store cannot be asked */
  find(transferId: string): Promise<TransferDocument | undefined>;
  /** Transfers latest first, those after a place alone, at most `limit`. @throws CodedError when the store cannot be asked */
  list(
    filter: TransferFilter,
    after: TransferPosition | undefined,
    limit: number,
  ): Promise<readonly TransferDocument[]>;
}

/** What the transfers of one currency come to, of those that a filter leaves. */
export interface CurrencyTotal {
  /** Source currency of those that are priced, currency that was instructed of the others; empty: the view does not know it. */
  readonly currency: string;
  readonly transfers: number;
  /** Debits of those that are priced, and what was instructed of the others, minor units. */
  readonly minor: bigint;
  /** Transfers of which the view knows no amount: never priced, and written before it had what was instructed. */
  readonly withoutAmount: number;
}

export interface TransferTotals {
  /**
   * Sums over the transfers of a filter, the latest `limit` of them, and whether there are more.
   * @throws CodedError when the store cannot be asked, or takes too long
   */
  totals(
    filter: TransferFilter,
    limit: number,
  ): Promise<{ readonly byCurrency: readonly CurrencyTotal[]; readonly isCut: boolean }>;
}

/** A payout in a list. */
export interface ListedPayout {
  readonly payoutId: string;
  readonly changedAt: Date;
  /** Undefined: it is not what an executor has written, so nothing of it is believed. */
  readonly payout: Payout | undefined;
}

export interface PayoutLists {
  /** Payouts in one phase, the longest unchanged first, those after a place alone. @throws CodedError as above */
  inPhase(phase: PayoutPhase, after: PagePlace | undefined, limit: number): Promise<readonly ListedPayout[]>;
}
