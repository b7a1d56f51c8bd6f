// What the queries need of stores.
import type { EventDocument } from '../../sinks/events/to-write.ts';
import type { TransferDocument } from '../../sinks/transfer-view/to-write.ts';

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
