// What replays need of stores and of the log.

import type { Money } from '../../../domain/money/money.ts';
import type { DiscardReason } from '../../../domain/reasons.ts';
import type { PayoutPhase } from '../../../payouts/payout.ts';
import type { LogRecord, LogTransactions } from '../../../ports/log.ts';
import type { DeadLetterDocument } from '../../../sinks/dead-letters/letter.ts';
import type { TransferDocument } from '../../../sinks/transfer-view/to-write.ts';
import type { LetterFilter } from '../ports.ts';
import type { NeverAsked } from './holding.ts';
import type { Progress } from './next-step.ts';
import type { LetterEdit, Outcome, Prediction, ReplayDocument, ReplayItem, ReplayState, SkipReason } from './replay.ts';

/** Replays and their items. Every method throws a coded error when the store cannot be asked. */
export interface Replays {
  /** @returns false: the id is taken */
  insert(replay: ReplayDocument): Promise<boolean>;
  find(id: string): Promise<ReplayDocument | undefined>;
  /** Latest first. */
  list(states: readonly ReplayState[], limit: number): Promise<readonly ReplayDocument[]>;
  /** Selections of this person since then of which nobody was asked to let them through, `limit` at most. */
  neverAsked(askedBy: string, since: Date, limit: number): Promise<readonly NeverAsked[]>;
  /** Those that a runner has something to do for, the oldest first. */
  open(limit: number): Promise<readonly ReplayDocument[]>;
  /** Those that have ended while outcomes were open, and after this id; in the order of their ids. */
  watched(limit: number, after: string): Promise<readonly ReplayDocument[]>;
  /** Changes one that still has this version. @returns false: somebody else was first */
  change(replay: ReplayDocument, to: Partial<ReplayDocument>): Promise<boolean>;
  /**
   * Takes or renews the lease of a replay, where no other runner has it. `taken`: somebody else, or nobody, had it before, so
   * nothing is known of what was sent meanwhile. Undefined: another has it.
   */
  lease(id: string, runner: string, now: Date, until: Date): Promise<'taken' | 'renewed' | undefined>;
  items(
    id: string,
    filter: {
      readonly states?: readonly ReplayItem['state'][];
      readonly isOutcomeKnown?: boolean;
      /** Behind this turn. */
      readonly after?: number;
    },
    limit: number,
  ): Promise<readonly ReplayItem[]>;
  /** One letter of it; undefined: it has no such letter. */
  item(id: string, letterId: string): Promise<ReplayItem | undefined>;
  /** Sets what is edited of a letter that was not sent. */
  edit(item: string, edit: LetterEdit | null): Promise<void>;
  insertItems(items: readonly ReplayItem[]): Promise<void>;
  predict(predictions: readonly { readonly item: string; readonly prediction: Prediction }[]): Promise<void>;
  markSent(sent: readonly { readonly item: string; readonly sentBefore: number }[], at: Date): Promise<void>;
  /** Discarded, with nothing sent. */
  mark(items: readonly string[]): Promise<void>;
  skip(skipped: readonly { readonly item: string; readonly reason: SkipReason }[]): Promise<void>;
  settle(
    known: readonly { readonly item: string; readonly outcome: Outcome; readonly successor: string | null }[],
    at: Date,
  ): Promise<void>;
  /** All that were neither sent nor skipped. */
  release(id: string): Promise<void>;
  progress(id: string): Promise<Omit<Progress, 'newFailures'> & { readonly lastSentAt: Date | null }>;
  /** Letters by state, and by outcome. */
  counts(id: string): Promise<
    readonly {
      readonly state: string;
      readonly outcome: string | null;
      readonly reason: string | null;
      readonly letters: number;
    }[]
  >;
}

/** The letters of the index, as a replay takes and gives them back. */
export interface ReplayableLetters {
  /**
   * Takes parked letters of the filter, `limit` at most: no other replay can take them then. `isForDiscard`: also what bears no
   * seal, and what was replayed too often. @returns those that it has
   */
  take(
    filter: LetterFilter,
    replayId: string,
    limit: number,
    at: Date,
    isForDiscard: boolean,
  ): Promise<readonly DeadLetterDocument[]>;
  /** Letters that this replay has taken and not sent, or marked as discarded, by id. */
  taken(replayId: string, ids: readonly string[]): Promise<ReadonlySet<string>>;
  /** Moves letters of a replay on, by what became of them. */
  move(replayId: string, ids: readonly string[], to: DeadLetterDocument['state'], at: Date): Promise<void>;
  /** Gives back all letters that it has taken and not sent. */
  giveBack(replayId: string, at: Date): Promise<void>;
  /** Letters put aside since then in these groups, and those that this replay has brought again; counted up to `limit`. */
  newFailures(replayId: string, owner: string, groups: readonly string[], since: Date, limit: number): Promise<number>;
  /** Ids of the letters of this owner that came of the replay and stand for one of these records, by the position of the record. */
  successors(owner: string, replayId: string, sources: readonly string[]): Promise<ReadonlyMap<string, string>>;
}

/** What is known of the payout of a transfer. */
export interface PayoutNow {
  readonly phase: PayoutPhase;
  /** A case is open that says that money may have moved. */
  readonly isContested: boolean;
  /** It is as an executor wrote it. */
  readonly isProven: boolean;
}

/** Where transfers stand, by id; unknown ones are left out. */
export interface TransfersNow {
  /** Payouts of these transfers. */
  payouts(transferIds: readonly string[]): Promise<ReadonlyMap<string, PayoutNow>>;
  standing(transferIds: readonly string[]): Promise<ReadonlyMap<string, TransferDocument>>;
  /** What intake made of intents of these transfers, by their origin position: rejected or duplicated. */
  intents(
    transferIds: readonly string[],
    originPositions: readonly string[],
  ): Promise<ReadonlyMap<string, 'REJECTED' | 'DUPLICATE'>>;
}

export interface ReadLetters {
  /** By `partition/offset`; what is gone is left out. */
  readonly found: ReadonlyMap<string, LogRecord>;
  /** Places of what is there and did not fit: ask for them again. At least one was found then. */
  readonly left: ReadonlySet<string>;
}

/** The log, as replays use it. */
export interface ReplayLog {
  /** The records of letters, of the topic with this id; in bounded memory, so perhaps not all at once. */
  letters(owner: string, places: readonly ReplayItem['place'][]): Promise<ReadLetters>;
  /** Ends of the target's partitions. */
  targetEnds(owner: string): Promise<readonly { readonly partition: number; readonly offset: number }[]>;
  /** How far the owner has handled each partition of the target: the next offset. */
  handled(owner: string): Promise<readonly { readonly partition: number; readonly offset: number }[]>;
  /** Letters that this replay has sent, from these offsets on. */
  sent(
    owner: string,
    replayId: string,
    from: readonly { readonly partition: number; readonly offset: number }[],
  ): Promise<ReadonlySet<string>>;
  /** Takes over the right to send this replay: who had it can write no more, and what it had not committed is void. */
  takeOver(owner: string, replayId: string): Promise<LogTransactions>;
}

/** A letter as it would be sent. */
export interface TriedLetter {
  readonly record: LogRecord;
  readonly edit?: LetterEdit | null | undefined;
}

/** Predicts what letters would become, with today's code and data, and without any side effect. */
export interface DryRunner {
  predict(owner: string, letters: readonly TriedLetter[]): Promise<readonly Prediction[]>;
  /** What would become of them if they were discarded for this reason. */
  predictDiscards(owner: string, records: readonly LogRecord[], reason: DiscardReason): Promise<readonly Prediction[]>;
  /** What producers instructed in these letters, from the records that failed; null: it does not decode, or says nothing. */
  amounts(records: readonly LogRecord[]): Promise<readonly (Money | null)[]>;
  /** What predictions rest on now: build, lists, rules. */
  basis(): Promise<Readonly<Record<string, string>>>;
}
