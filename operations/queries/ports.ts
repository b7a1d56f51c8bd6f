// What the queries need of stores.
import type { EventDocument } from '../../sinks/events/to-write.ts';

export interface TransferEvents {
  /** The stored events of a transfer, in order. @throws CodedError when the store cannot be asked */
  of(transferId: string): Promise<readonly EventDocument[]>;
}
