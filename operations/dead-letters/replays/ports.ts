// What replays need of stores and of the log.
import type { LogRecord, LogTransactions } from '../../../ports/log.ts';
import type { DeadLetterDocument } from '../../../sinks/dead-letters/letter.ts';
import type { TransferDocument } from '../../../sinks/transfer-view/to-write.ts';
import type { LetterFilter } from '../ports.ts';
import type { Progress } from './next-step.ts';
import type { Outcome, Prediction, ReplayDocument, ReplayItem, ReplayState, SkipReason } from './replay.ts';

/** Replays and their items. Every method throws a coded error when the store cannot be asked. */
export interface Replays {
  /** @returns false: the id is taken */
  insert(replay: ReplayDocument): Promise<boolean>;
  find(id: string): Promise<ReplayDocument | undefined>;
  /** Latest first. */
  list(states: readonly ReplayState[], limit: number): Promise<readonly ReplayDocument[]>;
  /** Those that a runner has something to do for, the oldest first. */
  open(limit: number): Promise<readonly ReplayDocument[]>;
  /** Changes one that still has this version. @returns false: somebody else was first */
  change(replay: ReplayDocument, to: Partial<ReplayDocument>): Promise<boolean>;
  /**
   * Takes or renews the lease of a replay, where no other runner has it. `taken`: somebody else, or nobody, had it before, so
   * nothing is known of what was sent meanwhile. Undefined: another has it.
   */
  lease(id: string, runner: string, now: Date, until: Date): Promise<'taken' | 'renewed' | undefined>;
  items(
    id: string,
    filter: { readonly states?: readonly ReplayItem['state'][]; readonly isOutcomeKnown?: boolean },
    limit: number,
  ): Promise<readonly ReplayItem[]>;
  insertItems(items: readonly ReplayItem[]): Promise<void>;
  predict(predictions: readonly { readonly item: string; readonly prediction: Prediction }[]): Promise<void>;
  markSent(sent: readonly { readonly item: string; readonly sentBefore: number }[], at: Date): Promise<void>;
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
  /** Takes parked letters of the filter, `limit` at most: no other replay can take them then. @returns those that it has */
  take(filter: LetterFilter, replayId: string, limit: number, at: Date): Promise<readonly DeadLetterDocument[]>;
  /** Letters that this replay has taken, by id. */
  taken(replayId: string, ids: readonly string[]): Promise<ReadonlySet<string>>;
  /** Moves letters of a replay on, by what became of them. */
  move(replayId: string, ids: readonly string[], to: DeadLetterDocument['state'], at: Date): Promise<void>;
  /** Gives back all letters that it has taken and not sent. */
  giveBack(replayId: string, at: Date): Promise<void>;
  /** Letters put aside since then in these groups, and those that this replay has brought again. */
  newFailures(replayId: string, groups: readonly string[], since: Date): Promise<number>;
  /** Ids of the proven letters of this owner that came of the replay, by the position of their source. */
  successors(owner: string, replayId: string): Promise<ReadonlyMap<string, string>>;
}

/** Where transfers stand, by id; unknown ones are left out. */
export interface TransfersNow {
  standing(transferIds: readonly string[]): Promise<ReadonlyMap<string, TransferDocument>>;
  /** What intake made of intents of these transfers, by their origin position: rejected or duplicated. */
  intents(
    transferIds: readonly string[],
    originPositions: readonly string[],
  ): Promise<ReadonlyMap<string, 'REJECTED' | 'DUPLICATE'>>;
}

/** The log, as replays use it. */
export interface ReplayLog {
  /** The records of letters by `partition/offset`, of the topic with this id; what is gone is left out. */
  letters(owner: string, places: readonly ReplayItem['place'][]): Promise<ReadonlyMap<string, LogRecord>>;
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

/** Predicts what letters would become, with today's code and data, and without any side effect. */
export interface DryRunner {
  predict(owner: string, records: readonly LogRecord[]): Promise<readonly Prediction[]>;
  /** What predictions rest on now: build, lists, rules. */
  basis(): Promise<Readonly<Record<string, string>>>;
}
