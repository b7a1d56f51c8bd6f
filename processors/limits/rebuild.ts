// Limits recomputed from the log: a pure fold over the events that carry a reservation, in any order.

import type { LimitRule } from '../../domain/limits/limit-rules.ts';
import { countsUntil, isCounted } from '../../domain/limits/windows.ts';
import type {
  Envelope,
  Reservation,
  TransferCompleted,
  TransferHeld,
  TransferRejected,
  TransferReserved,
  TransferReturned,
} from '../../schemas/types.generated.ts';
import type { LedgerCounter, LedgerRecord, LedgerState, Settle, SettledUse } from './ports.ts';

/** The topics that the fold needs, with their values. */
export interface LedgerEvents {
  'transfer.reserved': TransferReserved;
  'transfer.held': TransferHeld;
  'transfer.rejected': TransferRejected;
  'transfer.completed': TransferCompleted;
  'transfer.returned': TransferReturned;
}
export type LedgerTopic = keyof LedgerEvents;
export const LEDGER_TOPICS: readonly LedgerTopic[] = [
  'transfer.reserved',
  'transfer.held',
  'transfer.rejected',
  'transfer.completed',
  'transfer.returned',
];

const STATE_OF: Readonly<Record<LedgerTopic, LedgerRecord['state']>> = {
  'transfer.reserved': 'open',
  'transfer.held': 'open',
  'transfer.rejected': 'released',
  'transfer.completed': 'committed',
  'transfer.returned': 'returned',
};

/** What is kept of a transfer: what its latest event said. */
export interface LedgerEntry extends LedgerRecord {
  readonly sequence: number;
  /** When the event happened, ms since 1970. */
  readonly at: number;
}

/** So long, in ms, what has ended and windows that are over are remembered for priced events that run late. */
const LATE_MS = 45 * 86_400_000;

/** Folds events into what the ledger must hold. The event with the highest sequence of a transfer decides. */
export class LedgerFold {
  readonly #latest = new Map<string, LedgerEntry>();
  readonly #freed: ReadonlySet<string>;
  readonly #maxHeld: number;
  #held = 0;
  #newestAt = 0;

  /**
   * @param rules in force: they say which limits a return frees
   * @param maxHeld transfers and uses in memory at most. For commands of people: a stage that gave up would count nothing at all
   */
  constructor(rules: readonly LimitRule[], maxHeld = Number.POSITIVE_INFINITY) {
    this.#freed = new Set(rules.filter((rule) => rule.freedByReturn).map((rule) => rule.ruleId));
    this.#maxHeld = maxHeld;
  }

  add<T extends LedgerTopic>(topic: T, value: LedgerEvents[T]): void {
    const settlement = settlementOf(topic, value, this.#freed);
    if (settlement === undefined) return;
    const { transferId, attempt, state, uses } = settlement;
    const { sequence, occurredAt: at } = value.envelope;
    this.restore({ transferId, sequence, attempt, state, uses, at });
  }

  /**
   * Takes what a snapshot kept of a transfer, before or after its events.
   * @throws RangeError when more is to be held than may be
   */
  restore(entry: LedgerEntry): void {
    const known = this.#latest.get(entry.transferId);
    if (known !== undefined && known.sequence >= entry.sequence) return;
    this.#held += known === undefined ? 1 + entry.uses.length : entry.uses.length - known.uses.length;
    if (this.#held > this.#maxHeld)
      throw new RangeError(`more than ${this.#maxHeld} transfers and uses are to be held`);
    this.#latest.set(entry.transferId, entry);
    this.#newestAt = Math.max(this.#newestAt, entry.at);
  }

  /** When the newest event of all happened, ms since 1970; 0: there is none. No clock of whoever asks makes it later. */
  get newestAt(): number {
    return this.#newestAt;
  }

  /** What the latest event of a transfer said; undefined: there is none. */
  find(transferId: string): LedgerEntry | undefined {
    return this.#latest.get(transferId);
  }

  /** What is known of every transfer. */
  transferEntries(): Iterable<LedgerEntry> {
    return this.#latest.values();
  }

  /**
   * What a snapshot must keep at `now` (ms since 1970): what is open, what counts in a window that is not over for good, also
   * not for a priced event that runs late, and ends that such an event has to find. Nothing else has a part in a counter that
   * matters.
   */
  *entries(now: number): Iterable<LedgerEntry> {
    for (const entry of this.#latest.values()) {
      const { state, at, uses } = entry;
      const isAlive =
        state !== 'released' && uses.some(({ window }) => isCounted(window) && countsUntil(window) > now - LATE_MS);
      if (state === 'open' || isAlive || at > now - LATE_MS) yield entry;
    }
  }

  get transfers(): number {
    return this.#latest.size;
  }

  /** What the ledger must hold. */
  state(): LedgerState {
    return { records: this.#latest.values(), counters: countersOf(this.#latest.values()) };
  }
}

/** What an event says of the ledger; undefined when nothing. `freed`: ids of the rules that a return frees. */
export function settlementOf<T extends LedgerTopic>(
  topic: T,
  value: LedgerEvents[T],
  freed: ReadonlySet<string>,
): Settle | undefined {
  const { envelope, reservation }: { envelope: Envelope; reservation: Reservation | null } = value;
  if (reservation === null && !leavesTombstone(topic, value)) return undefined;
  const { transferId, attempt } = envelope;
  return { kind: 'settle', transferId, attempt, state: STATE_OF[topic], uses: settledUses(reservation, freed) };
}

/** Rejected where a reservation was possible: a priced event that runs later must find the end. */
function leavesTombstone(topic: LedgerTopic, value: LedgerEvents[LedgerTopic]): boolean {
  return topic === 'transfer.rejected' && mayHoldReservation(value as TransferRejected);
}

/** Whether the transfer may have reached limits before it was rejected. */
export const mayHoldReservation = ({ stage, price }: TransferRejected): boolean =>
  stage !== 'INTAKE' && stage !== 'SCREENING' && price !== null;

/** The uses of a reservation with what a return does to them. */
export function settledUses(reservation: Reservation | null, freed: ReadonlySet<string>): readonly SettledUse[] {
  return (reservation?.uses ?? []).map((use) => ({
    ...use,
    freedByReturn: use.freedByReturn ?? freed.has(use.ruleId),
  }));
}

interface Counting {
  readonly ruleId: string;
  readonly subjectToken: string;
  readonly window: string;
  usedMinor: bigint;
  open: number;
  members?: Map<string, number>;
}

function countersOf(records: Iterable<LedgerRecord>): Iterable<LedgerCounter> {
  const counters = new Map<string, Counting>();
  for (const { state, uses } of records) {
    for (const { ruleId, subjectToken, window, reservedMinor, member, freedByReturn } of uses) {
      if (!isCounted(window)) continue;
      const key = `${ruleId}:${subjectToken}:${window}`;
      const counter: Counting = counters.get(key) ?? { ruleId, subjectToken, window, usedMinor: 0n, open: 0 };
      counters.set(key, counter);
      if (state === 'open') counter.open += 1;
      const counts = state === 'open' || state === 'committed' || (state === 'returned' && !freedByReturn);
      if (!counts) continue;
      if (member === null) {
        counter.usedMinor += reservedMinor;
        continue;
      }
      counter.members ??= new Map();
      counter.members.set(member, (counter.members.get(member) ?? 0) + 1);
      counter.usedMinor = BigInt(counter.members.size);
    }
  }
  return counters.values();
}
