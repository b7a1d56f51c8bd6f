// A dead letter as it is indexed: where it stands, why it is there, what it is about. No personal data: the record itself stays
// in the log, and who may look at it reads it there.
import type { IndexSpec } from '../idempotent-writes.ts';

/**
 * `PARKED`: nobody has done anything about it. `SELECTED`: a replay has taken it, and no other can. `SENT`: it was replayed.
 * `VERIFIED`: it was replayed, and the log says what it became. `REPLACED`: it failed again, as another letter.
 * `DISCARDED`: for good: two persons ended it, with a rejection where its transfer stood still for it.
 */
export const LETTER_STATES = ['PARKED', 'SELECTED', 'SENT', 'VERIFIED', 'REPLACED', 'DISCARDED'] as const;
export type LetterState = (typeof LETTER_STATES)[number];

/** Letters that wait for somebody. One that was sent does until it is known what became of it. */
export const OPEN_STATES: readonly LetterState[] = ['PARKED', 'SELECTED', 'SENT'];

/** A place in the log. */
export interface Place {
  readonly topicId: string;
  readonly partition: number;
  readonly offset: number;
}

export interface DeadLetterDocument {
  /** The `dlq-id` of a letter that its stage has sealed; of any other the place where it stands, topicId:partition:offset. */
  readonly _id: string;
  /** Whether the seal proves that the processor named below put it aside. Only such a letter is believed about a transfer. */
  readonly proven: boolean;
  /** `dlq-id` as its header has it; null where there is none. */
  readonly letterId: string | null;
  /** Processor or sink that put it aside: the one whose dead-letter topic it stands in. */
  readonly owner: string;
  readonly code: string;
  /** `dlq-class`. */
  readonly class: string;
  readonly detail: string;
  /** Where the code broke, for a letter of class `poison`; null: it did not. */
  readonly frame: string | null;
  /** Id of its group, and the cause that the group shares. */
  readonly group: string;
  readonly cause: string;
  /** Where the letter stands. */
  readonly place: Place;
  /** The record that failed; null where its headers do not tell. */
  readonly source: (Place & { readonly topic: string; readonly lastOffset: number | null }) | null;
  /** When the record failed first, and when it was put aside last. */
  readonly firstFailedAt: Date;
  readonly failedAt: Date;
  /** Failed tries. */
  readonly tries: number;
  readonly replayCount: number;
  /** The replay that brought it here again; null: none. */
  readonly replayId: string | null;
  readonly transferId: string | null;
  /** Of the event that failed, or that the command carries; null: unknown. */
  readonly sequence: number | null;
  /** Id of the corridor; null: unknown, or there is none between its currencies. */
  readonly corridor: string | null;
  /** What the producer instructed, in minor units of `currency`, priced or not; null: the record does not decode. */
  readonly amountMinor: bigint | null;
  readonly currency: string | null;
  /** Bytes of key and value. */
  readonly bytes: number;
  readonly state: LetterState;
  /** The replay that has selected or sent it; null: none has. */
  readonly takenBy: string | null;
  readonly stateAt: Date;
}

/** What two documents under one id must agree on: all but what changes, and where a copy of it stands. */
export function contentOf({
  state: _,
  takenBy: __,
  stateAt: ___,
  place: ____,
  failedAt: _____,
  ...content
}: DeadLetterDocument) {
  return content;
}

export const indexes: readonly IndexSpec[] = [
  {
    name: 'group_failedAt',
    keys: { group: 1, failedAt: -1, _id: 1 },
    servedQuery: 'the letters of one group, latest first (corridor dlq list --group), and their count',
  },
  {
    name: 'failedAt',
    keys: { failedAt: -1, _id: 1 },
    servedQuery: 'letters in any state, latest first, also of one owner, code or corridor (corridor dlq list)',
  },
  {
    name: 'state_failedAt',
    keys: { state: 1, failedAt: -1, _id: 1 },
    servedQuery: 'letters in one state, latest first',
  },
  { name: 'transferId', keys: { transferId: 1, failedAt: -1 }, servedQuery: 'the letters of one transfer' },
  {
    name: 'takenBy',
    keys: { takenBy: 1, _id: 1 },
    partialFilterExpression: { takenBy: { $type: 'string' } },
    servedQuery: 'the letters that a replay has taken',
  },
  {
    name: 'replayId',
    keys: { replayId: 1, failedAt: -1 },
    partialFilterExpression: { replayId: { $type: 'string' } },
    servedQuery: 'the letters that came of a replay',
  },
  {
    name: 'replayId_source',
    keys: { replayId: 1, 'source.offset': 1 },
    partialFilterExpression: { replayId: { $type: 'string' } },
    servedQuery: 'which letters of a replay failed again, by the records that they stand for',
  },
];

export const groupIndexes: readonly IndexSpec[] = [
  {
    name: 'touched',
    keys: { touched: 1 },
    partialFilterExpression: { touched: true },
    servedQuery: 'groups that are to be counted again',
  },
];
