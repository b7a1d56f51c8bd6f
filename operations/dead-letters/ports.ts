// What operations on dead letters need of stores.
import type { DeadLetterDocument, LetterState } from '../../sinks/dead-letters/letter.ts';

/** What the letters of one corridor and currency add to a group. */
export interface GroupPart {
  readonly proven: boolean;
  readonly corridor: string | null;
  /** Null: of letters whose amount is unknown. */
  readonly currency: string | null;
  readonly letters: number;
  readonly amountMinor: bigint;
  readonly firstFailedAt: Date;
  readonly lastFailedAt: Date;
  /** When the longest waiting letter was put aside. */
  readonly oldestAt: Date;
}

/** Minutes of a group that are counted one by one. */
export const MAX_GROUP_MINUTES = 1_440;

/** A group as it was counted last. */
export interface CountedGroup {
  readonly group: string;
  readonly owner: string;
  readonly code: string;
  readonly class: string;
  readonly cause: string;
  /** Of its open letters; empty when none is open. */
  readonly parts: readonly GroupPart[];
  /** How many open letters were put aside in each minute (its start), latest first; the latest MAX_GROUP_MINUTES that have any. */
  readonly minutes: readonly { readonly at: Date; readonly letters: number }[];
  readonly countedAt: Date;
  /** False: letters have come or changed since. */
  readonly isCurrent: boolean;
  readonly note: GroupNote | undefined;
}

/** What people have written on a group. */
export interface GroupNote {
  readonly group: string;
  readonly note: string | null;
  /** Who looks after it. */
  readonly assignee: string | null;
  /** Id or address of an incident in another system. */
  readonly incident: string | null;
  readonly by: string;
  readonly at: Date;
  /** Counts the writes, from 1: a write names the one that it follows. */
  readonly version: number;
}

export interface LetterFilter {
  /** These alone; at most 1,000. */
  readonly ids?: readonly string[];
  readonly states?: readonly LetterState[];
  readonly group?: string;
  readonly owner?: string;
  readonly code?: string;
  readonly corridor?: string;
  readonly transferId?: string;
  /** Put aside at this instant or later. */
  readonly since?: Date;
}

/** Where a page ends: the next one begins behind it. */
export interface LetterCursor {
  readonly failedAt: Date;
  readonly id: string;
}

/** Every method throws a coded error when the store cannot be asked. */
export interface DeadLetters {
  /** Groups that were counted and have open letters; how many were never counted yet; and whether there are more than these. */
  groups(): Promise<{
    readonly counted: readonly CountedGroup[];
    readonly uncounted: number;
    readonly isCut: boolean;
  }>;
  /** Latest first; `limit` at most. */
  list(filter: LetterFilter, limit: number, after?: LetterCursor): Promise<readonly DeadLetterDocument[]>;
  find(id: string): Promise<DeadLetterDocument | undefined>;
  noteOf(group: string): Promise<GroupNote | undefined>;
  /** Writes a note if the stored one has the version before it. @returns false: somebody else was first */
  annotate(note: GroupNote): Promise<boolean>;
}
