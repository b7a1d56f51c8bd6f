// The provider's ledger by transfer, in columns: about 110 bytes a transfer.
import type { ProviderLedger, ProviderRecord } from './ports.ts';

/** What the provider says of one transfer. */
export interface Paid {
  readonly executions: number;
  readonly returns: number;
  readonly executedMinor: bigint;
  readonly returnedMinor: bigint;
  /** Of what moved; undefined when nothing did, MIXED when in several. */
  readonly currency: string | undefined;
  /** Number of the attempt that was executed last, from its key; 0 when none was or the key has no number. */
  readonly attempt: number;
  /** An idempotency key of this transfer was received more than once. */
  readonly keyRepeated: boolean;
  /** Bit n, from 1 to 30: attempt n was received; absent in older checkpoints. */
  readonly received?: number;
}

export const MIXED = 'MIXED';

const FIRST_SIZE = 1_024;
/** Highest attempt whose receipt is kept. */
const MAX_RECEIVED = 30;
/** Some key was received more than once. */
const TWICE = 1 << 31;

export class ProviderBooks {
  readonly #index = new Map<string, number>();
  readonly #currencies: string[] = [];
  #executions = new Uint8Array(FIRST_SIZE);
  #returns = new Uint8Array(FIRST_SIZE);
  #executed = new BigInt64Array(FIRST_SIZE);
  #returned = new BigInt64Array(FIRST_SIZE);
  /** Place in `#currencies` plus one; 0 for none. */
  #currency = new Uint8Array(FIRST_SIZE);
  #attempt = new Uint16Array(FIRST_SIZE);
  /** Bit n: attempt n was received; bit 31: one of them twice. */
  #received = new Int32Array(FIRST_SIZE);
  #matched = new Uint8Array(FIRST_SIZE);
  lastSeq = 0;
  executions = 0;
  returns = 0;

  /** Reads a ledger to its end. */
  async read(ledger: ProviderLedger, after: number, onProgress?: (records: number) => void): Promise<void> {
    this.lastSeq = after;
    let records = 0;
    for await (const record of ledger.read(after)) {
      this.add(record);
      if (++records % 10_000 === 0) onProgress?.(records);
    }
  }

  add({ seq, kind, key, transferId, amount }: ProviderRecord): void {
    this.lastSeq = Math.max(this.lastSeq, seq);
    const at = this.#place(transferId ?? transferOfKey(key));
    const attempt = attemptOfKey(key);
    if (kind === 'submit') {
      this.#receive(at, attempt);
      return;
    }
    if (kind === 'execution') {
      this.executions++;
      if (this.#executions[at]! < 255) this.#executions[at]!++;
      this.#executed[at]! += amount?.minor ?? 0n;
      this.#attempt[at] = attempt;
    } else {
      this.returns++;
      if (this.#returns[at]! < 255) this.#returns[at]!++;
      this.#returned[at]! += amount?.minor ?? 0n;
    }
    if (amount !== null) this.#currency[at] = this.#mixed(this.#currency[at]!, amount.currency);
  }

  /** Takes in what a checkpoint knows of a transfer. */
  restore(transferId: string, paid: Paid): void {
    const at = this.#place(transferId);
    this.#executions[at]! += paid.executions;
    this.#returns[at]! += paid.returns;
    this.#executed[at]! += paid.executedMinor;
    this.#returned[at]! += paid.returnedMinor;
    this.#attempt[at] ||= paid.attempt;
    const received = paid.received ?? 0;
    // A key that was received before the checkpoint and again after it.
    if ((this.#received[at]! & received) !== 0) this.#received[at]! |= TWICE;
    this.#received[at]! |= received;
    if (paid.currency !== undefined) this.#currency[at] = this.#mixed(this.#currency[at]!, paid.currency);
  }

  /** What the provider says of a transfer that the log knows. */
  match(transferId: string): Paid | undefined {
    const at = this.#index.get(transferId);
    if (at === undefined) return undefined;
    this.#matched[at] = 1;
    return this.#paid(at);
  }

  /** Numbers of the attempts of a transfer that were received, rising; those above 30 are not told. */
  receivedOf(transferId: string): readonly number[] {
    const at = this.#index.get(transferId);
    if (at === undefined) return [];
    const bits = this.#received[at]!;
    const numbers: number[] = [];
    for (let number = 1; number <= MAX_RECEIVED; number++) if ((bits & (1 << number)) !== 0) numbers.push(number);
    return numbers;
  }

  /** Transfers that money moved for and that `match` was never asked for. */
  *orphans(): Iterable<readonly [string, Paid]> {
    for (const [transferId, at] of this.#index) {
      if (this.#matched[at] === 0 && (this.#executions[at]! > 0 || this.#returns[at]! > 0)) {
        yield [transferId, this.#paid(at)];
      }
    }
  }

  #paid(at: number): Paid {
    return {
      executions: this.#executions[at]!,
      returns: this.#returns[at]!,
      executedMinor: this.#executed[at]!,
      returnedMinor: this.#returned[at]!,
      currency: this.#currencies[this.#currency[at]! - 1],
      attempt: this.#attempt[at]!,
      keyRepeated: this.#received[at]! < 0,
      received: this.#received[at]! & ~TWICE,
    };
  }

  #place(transferId: string): number {
    const known = this.#index.get(transferId);
    if (known !== undefined) return known;
    const at = this.#index.size;
    if (at === this.#matched.length) this.#grow();
    this.#index.set(transferId, at);
    return at;
  }

  #receive(at: number, attempt: number): void {
    if (attempt < 1 || attempt > MAX_RECEIVED) return;
    const bit = 1 << attempt;
    const twice = (this.#received[at]! & bit) !== 0;
    this.#received[at]! |= twice ? bit | TWICE : bit;
  }

  #mixed(known: number, currency: string): number {
    const place = this.#currencyPlace(currency);
    return known === 0 || known === place ? place : this.#currencyPlace(MIXED);
  }

  #currencyPlace(currency: string): number {
    const known = this.#currencies.indexOf(currency);
    return known >= 0 ? known + 1 : this.#currencies.push(currency);
  }

  #grow(): void {
    const size = this.#matched.length * 2;
    this.#executions = grown(this.#executions, new Uint8Array(size));
    this.#returns = grown(this.#returns, new Uint8Array(size));
    this.#executed = grown(this.#executed, new BigInt64Array(size));
    this.#returned = grown(this.#returned, new BigInt64Array(size));
    this.#currency = grown(this.#currency, new Uint8Array(size));
    this.#attempt = grown(this.#attempt, new Uint16Array(size));
    this.#received = grown(this.#received, new Int32Array(size));
    this.#matched = grown(this.#matched, new Uint8Array(size));
  }
}

/** transferId:attempt. Transfer ids hold no colon. */
function transferOfKey(key: string): string {
  const colon = key.lastIndexOf(':');
  return colon < 0 ? key : key.slice(0, colon);
}

function attemptOfKey(key: string): number {
  const number = Number(key.slice(key.lastIndexOf(':') + 1));
  return Number.isInteger(number) && number > 0 && number < 65_536 ? number : 0;
}

export function grown<A extends { set(from: A): void }>(from: A, to: A): A {
  to.set(from);
  return to;
}
