// The books of a run, with what the judge asks of them.
import { type Balance, Books } from '../../samples/books.ts';
import type { End, FedRecord } from '../../samples/fed-record.ts';
import type { TransferLifecycle, TransferState } from '../../schemas/types.generated.ts';

/** Ends that a transfer comes to; the others are of inputs that became none. */
const TRANSFER_ENDS: readonly End[] = ['COMPLETED', 'REJECTED', 'HELD', 'RETURNED', 'DEAD_LETTERED'];

const IS_END: ReadonlySet<string> = new Set(TRANSFER_ENDS);

export class ChaosBooks extends Books {
  readonly #ends = new Map<string, End>();
  readonly #ended = new Set<string>();
  /** Two of which one has the end of the other; nobody knows which. */
  readonly #pairs: (readonly [string, string])[] = [];
  readonly #states = new Map<string, TransferState>();
  /** Until when something is paid at the price of their quote, ms since 1970; and those whose price was over before. */
  readonly #until = new Map<string, number>();
  readonly #tooLate = new Set<string>();

  override fed(record: FedRecord): void {
    super.fed(record);
    if (TRANSFER_ENDS.includes(record.expected)) this.#ends.set(record.account, record.expected);
  }

  override lifecycle(record: TransferLifecycle): void {
    super.lifecycle(record);
    if (this.#pairs.some((pair) => pair.includes(record.transferId))) this.#states.set(record.transferId, record.state);
    if (isTooLate(record, this.#until.get(record.transferId))) this.#tooLate.add(record.transferId);
    if (IS_END.has(record.state)) this.#ended.add(record.transferId);
  }

  /** Of these two one completes and one is rejected: say so before they are fed, as if it were the first that completes. */
  oneOf(first: string, second: string): void {
    this.#pairs.push([first, second]);
  }

  /** This one completes, or is rejected once its price is over, after it was priced: from `until` on, ms since 1970. */
  holdsUntil(transferId: string, until: number): void {
    this.#until.set(transferId, until);
  }

  /** What came the other way round in a pair is as expected, and what was priced and too late. */
  override balance(): Balance {
    const balance = super.balance();
    const other = this.#otherwise();
    if (other.size === 0) return balance;
    const mismatches = balance.mismatches.filter(({ account }) => !other.has(account));
    return { ...balance, unexpected: balance.unexpected - other.size, mismatches };
  }

  /** Those that came to the other of their two ends. */
  #otherwise(): ReadonlySet<string> {
    const [won, lost] = ['COMPLETED', 'REJECTED'];
    const swapped = this.#pairs.filter(([a, b]) => this.#states.get(a) === lost && this.#states.get(b) === won).flat();
    return new Set([...swapped, ...this.#tooLate]);
  }

  /** Whether the log says that this transfer has come to an end, or waits for a person. */
  hasEnded(transferId: string): boolean {
    return this.#ended.has(transferId);
  }

  /** The end that a transfer is to come to; undefined when none of this name was fed. */
  endOf(transferId: string): End | undefined {
    if (!this.#otherwise().has(transferId)) return this.#ends.get(transferId);
    return this.#ends.get(transferId) === 'COMPLETED' ? 'REJECTED' : 'COMPLETED';
  }

  /** Transfers that the provider must have paid, with their ends. */
  *paidEnds(): Iterable<readonly [string, End]> {
    for (const [id, end] of this.#allEnds()) if (end === 'COMPLETED' || end === 'RETURNED') yield [id, end];
  }

  *#allEnds(): Iterable<readonly [string, End]> {
    for (const id of this.#ends.keys()) yield [id, this.endOf(id)!];
  }
}

/** It had the price of its quote, and was not paid while that held. */
const isTooLate = (record: TransferLifecycle, until = Number.POSITIVE_INFINITY): boolean =>
  record.state === 'REJECTED' &&
  record.reasonCodes.join() === 'QEXP' &&
  record.creditMinor !== null &&
  record.occurredAt >= until;
