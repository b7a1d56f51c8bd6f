// The books of a run, with what the judge asks of them.
import { Books } from '../../samples/books.ts';
import type { End, FedRecord } from '../../samples/fed-record.ts';
import type { TransferLifecycle } from '../../schemas/types.generated.ts';

/** Ends that a transfer comes to; the others are of inputs that became none. */
const TRANSFER_ENDS: readonly End[] = ['COMPLETED', 'REJECTED', 'HELD', 'RETURNED', 'DEAD_LETTERED'];

const IS_END: ReadonlySet<string> = new Set(TRANSFER_ENDS);

export class ChaosBooks extends Books {
  readonly #ends = new Map<string, End>();
  readonly #ended = new Set<string>();

  override fed(record: FedRecord): void {
    super.fed(record);
    if (TRANSFER_ENDS.includes(record.expected)) this.#ends.set(record.account, record.expected);
  }

  override lifecycle(record: TransferLifecycle): void {
    super.lifecycle(record);
    if (IS_END.has(record.state)) this.#ended.add(record.transferId);
  }

  /** Whether the log says that this transfer has come to an end, or waits for a person. */
  hasEnded(transferId: string): boolean {
    return this.#ended.has(transferId);
  }

  /** The end that a transfer is to come to; undefined when none of this name was fed. */
  endOf(transferId: string): End | undefined {
    return this.#ends.get(transferId);
  }

  /** Transfers that the provider must have paid, with their ends. */
  *paidEnds(): Iterable<readonly [string, End]> {
    for (const [id, end] of this.#ends) if (end === 'COMPLETED' || end === 'RETURNED') yield [id, end];
  }
}
