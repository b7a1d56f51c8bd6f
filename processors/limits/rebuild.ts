// Limits recomputed from the log: a pure fold over the events that carry a reservation, in any order.

import type { LimitRule } from '../../domain/limits/limit-rules.ts';
import { isCounted } from '../../domain/limits/windows.ts';
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

interface Latest extends LedgerRecord {
  readonly sequence: number;
}

/** Folds events into what the ledger must hold. The event with the highest sequence of a transfer decides. */
export class LedgerFold {
  readonly #latest = new Map<string, Latest>();
  readonly #freed: ReadonlySet<string>;

  /** `rules` in force: they say which limits a return frees. */
  constructor(rules: readonly LimitRule[]) {
    this.#freed = new Set(rules.filter((rule) => rule.freedByReturn).map((rule) => rule.ruleId));
  }

  add<T extends LedgerTopic>(topic: T, value: LedgerEvents[T]): void {
    const settlement = settlementOf(topic, value, this.#freed);
    if (settlement === undefined) return;
    const { transferId, attempt, state, uses } = settlement;
    const { sequence } = value.envelope;
    const known = this.#latest.get(transferId);
    if (known !== undefined && known.sequence >= sequence) return;
    this.#latest.set(transferId, { transferId, sequence, attempt, state, uses });
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
