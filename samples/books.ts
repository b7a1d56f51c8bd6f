// Double-entry for a feed: what was put in, and what the topics say became of it. Nothing is derived by subtraction.
import type { TransferLifecycle, TransferState } from '../schemas/types.generated.ts';
import { ENDS, type End, type FedRecord } from './fed-record.ts';

export interface Mismatch {
  readonly account: string;
  readonly kinds: readonly string[];
  readonly expected: Partial<Record<End, number>>;
  readonly actual: Partial<Record<End, number>>;
  /** Last state on the lifecycle, for a transfer that is still under way. */
  readonly state: TransferState | undefined;
}

export interface Balance {
  readonly transfers: number;
  readonly byState: Readonly<Record<End, number>>;
  /** Inputs that reached another end than expected, or more ends than inputs. */
  readonly unexpected: number;
  /** Inputs that no topic accounts for yet. */
  readonly unaccounted: number;
  readonly mismatches: readonly Mismatch[];
}

interface Account {
  readonly expected: Map<End, number>;
  readonly kinds: string[];
  inputs: number;
  transfer: { state: TransferState; sequence: number } | undefined;
  rejected: number;
  duplicates: number;
  undecodable: number;
  completions: number;
}

const END_OF_STATE: Partial<Record<TransferState, End>> = {
  COMPLETED: 'COMPLETED',
  REJECTED: 'REJECTED',
  HELD: 'HELD',
  RETURNED: 'RETURNED',
  DEAD_LETTERED: 'DEAD_LETTERED',
};

const MAX_MISMATCHES_NAMED = 50;

/** Keeps the books of one feed. Feed it every record of the topics named by its methods, once. */
export class Books {
  readonly #accounts = new Map<string, Account>();
  #inputs = 0;
  #strangers = 0;

  /** An input was (or is about to be) published. */
  fed(record: FedRecord): void {
    const account = this.#accounts.get(record.account) ?? open();
    this.#accounts.set(record.account, account);
    account.inputs++;
    account.kinds.push(record.kind);
    account.expected.set(record.expected, (account.expected.get(record.expected) ?? 0) + 1);
    this.#inputs++;
  }

  /** A record of transfer.lifecycle. */
  lifecycle(record: TransferLifecycle): void {
    this.#with(record.transferId, (account) => {
      if (record.state === 'COMPLETED') account.completions++;
      const later = account.transfer === undefined || record.sequence >= account.transfer.sequence;
      if (later) account.transfer = { state: record.state, sequence: record.sequence };
    });
  }

  /** A record of intent.rejected. */
  intentRejected(transferId: string): void {
    this.#with(transferId, (account) => account.rejected++);
  }

  /** A record of intent.duplicated. */
  intentDuplicated(transferId: string): void {
    this.#with(transferId, (account) => account.duplicates++);
  }

  /** A dead letter of intake, by the key of its input. */
  undecodable(key: string): void {
    this.#with(key, (account) => account.undecodable++);
  }

  /** The first completion seen is what a person waits for. */
  get completed(): number {
    let total = 0;
    for (const { completions } of this.#accounts.values()) total += completions;
    return total;
  }

  /** Records of transfers that this feed did not put in (another feed on the same topics). */
  get strangers(): number {
    return this.#strangers;
  }

  balance(): Balance {
    const byState = Object.fromEntries(ENDS.map((end) => [end, 0])) as Record<End, number>;
    const mismatches: Mismatch[] = [];
    let unexpected = 0;
    let unaccounted = 0;
    for (const [name, account] of this.#accounts) {
      const actual = endsOf(account);
      let reached = 0;
      let asExpected = 0;
      for (const [end, count] of actual) {
        byState[end] += count;
        reached += count;
        asExpected += Math.min(count, account.expected.get(end) ?? 0);
      }
      unaccounted += Math.max(0, account.inputs - reached);
      unexpected += Math.max(reached, account.inputs) - asExpected;
      if (asExpected === account.inputs && reached === account.inputs) continue;
      if (mismatches.length < MAX_MISMATCHES_NAMED) mismatches.push(mismatch(name, account, actual));
    }
    return { transfers: this.#inputs, byState, unexpected, unaccounted, mismatches };
  }

  #with(name: string, change: (account: Account) => void): void {
    const account = this.#accounts.get(name);
    if (account === undefined) {
      this.#strangers++;
      return;
    }
    change(account);
  }
}

function open(): Account {
  return {
    expected: new Map(),
    kinds: [],
    inputs: 0,
    transfer: undefined,
    rejected: 0,
    duplicates: 0,
    undecodable: 0,
    completions: 0,
  };
}

function endsOf(account: Account): Map<End, number> {
  const ends = new Map<End, number>();
  const add = (end: End, count: number) => count > 0 && ends.set(end, (ends.get(end) ?? 0) + count);
  const end = account.transfer && END_OF_STATE[account.transfer.state];
  if (end) add(end, 1);
  add('INTENT_REJECTED', account.rejected);
  add('DUPLICATE', account.duplicates);
  add('UNDECODABLE', account.undecodable);
  return ends;
}

function mismatch(name: string, account: Account, actual: Map<End, number>): Mismatch {
  return {
    account: name,
    kinds: account.kinds,
    expected: Object.fromEntries(account.expected),
    actual: Object.fromEntries(actual),
    state: account.transfer?.state,
  };
}
