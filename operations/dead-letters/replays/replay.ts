// A replay of dead letters as it is stored: a frozen selection, what was predicted, who let it through, how far it has come.
import { hash } from 'node:crypto';
import type { DiscardReason } from '../../../domain/reasons.ts';
import type { ErrorCode } from '../../../ports/error-codes.ts';
import type { Place } from '../../../sinks/dead-letters/letter.ts';
import type { Act } from '../../approvals/acts.ts';

/**
 * `FREEZING`: letters are being taken. `FROZEN`: they are, and no other replay can. `WAITING`: for a second person, or to be
 * begun. `STOPPED`: it stopped by itself; a person looks. `ENDED`, `CANCELLED`: for good.
 */
export const REPLAY_STATES = [
  'FREEZING',
  'FROZEN',
  'WAITING',
  'RUNNING',
  'PAUSED',
  'STOPPED',
  'ENDED',
  'CANCELLED',
] as const;
export type ReplayState = (typeof REPLAY_STATES)[number];

/**
 * What a letter is expected to become, by a dry run. `GOES_ON`: to the provider, as far as can be known. `ENDED`: nothing is
 * left to be done. `UNKNOWN`: its owner cannot be tried without a side effect. `REFUSED`: it is skipped, since it may not be
 * discarded.
 */
export const PREDICTIONS = [
  'UNKNOWN',
  'GOES_ON',
  'REJECTED',
  'HELD',
  'WAITS',
  'DEAD_AGAIN',
  'ENDED',
  'MOVED_ON',
  'UNREADABLE',
  'REFUSED',
] as const;
export type PredictionKind = (typeof PREDICTIONS)[number];
export interface Prediction {
  readonly kind: PredictionKind;
  /** Code of the reason, where there is one: ours, or an ISO 20022 reason. */
  readonly code: string | null;
}

/**
 * What a letter became, as the log says; none while its transfer is in flight. `HANDLED`: its processor has come past it and
 * put nothing aside, where no transfer's state could say more.
 */
export const OUTCOMES = ['COMPLETED', 'REJECTED', 'RETURNED', 'HELD', 'DUPLICATE', 'HANDLED', 'DEAD_AGAIN'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/**
 * `RELEASED`: the replay was cancelled before it was sent; it is parked again. `MARKED`: it was discarded, and nothing had to be
 * sent for it.
 */
export type ItemState = 'SELECTED' | 'SENT' | 'MARKED' | 'SKIPPED' | 'RELEASED';

/** Why a letter is not sent after all. */
export type SkipReason =
  | 'LETTER_NOT_TAKEN'
  | 'LETTER_GONE'
  | 'LETTER_FORGED'
  | 'LETTER_UNPROVEN'
  | 'MAY_BE_PAID'
  | 'STILL_NEEDED'
  | 'REPLAYED_TOO_OFTEN'
  | 'TRANSFER_ENDED'
  | 'TRANSFER_MOVED_ON';

/** What is changed of a letter before its stage decides it again. */
export interface LetterEdit {
  /** As `editText` makes it. */
  readonly text: string;
  readonly by: string;
  readonly at: Date;
}

export interface ReplayItem {
  /** `<replay id>/<letter id>`. */
  readonly _id: string;
  readonly replayId: string;
  readonly letterId: string;
  /** Its turn, from 0. */
  readonly turn: number;
  /** Where the letter stands. */
  readonly place: Place;
  readonly transferId: string | null;
  /** topicId:partition:offset of the record that failed; null: its headers do not tell. */
  readonly source: string | null;
  readonly sourceTopic: string | null;
  /** Sequence of the event that failed; null: unknown. */
  readonly sequence: number | null;
  readonly replayCount: number;
  readonly state: ItemState;
  readonly prediction: Prediction | null;
  /** Absent or null: it is decided as it is. */
  readonly edit?: LetterEdit | null;
  /** Why it was skipped; null: it was not. */
  readonly skipped: SkipReason | null;
  readonly sentAt: Date | null;
  /** End of its partition of the target, seen after it was sent: it stands before this offset. */
  readonly sentBefore: number | null;
  readonly outcome: Outcome | null;
  readonly outcomeAt: Date | null;
  /** The dead letter that it became again. */
  readonly successor: string | null;
}

/** How a replay is run. */
export interface ReplayTerms {
  /** Letters a second, 1 to 1,000. */
  readonly ratePerSecond: number;
  /** So many are sent first, and have to end well before any other is. */
  readonly canary: number;
  /** Share of new failures, of what was sent, past which it stops by itself; 0 to 1. */
  readonly maxFailureRatio: number;
}

export interface MoneyOfSelection {
  readonly currency: string;
  readonly minor: bigint;
  readonly letters: number;
}

export interface ReplayDocument {
  readonly _id: string;
  readonly state: ReplayState;
  /** Rises with each write of the state. */
  readonly version: number;
  readonly askedBy: string;
  readonly createdAt: Date;
  readonly reason: string;
  /** Its letters are ended for good, with this reason for their producers; null: they are decided again. */
  readonly discard: { readonly reason: DiscardReason } | null;
  /** Whose letters: the target is `<owner>.replay`, and cannot be chosen. */
  readonly owner: string;
  /** Groups of the selection: their new failures count. */
  readonly groups: readonly string[];
  readonly letters: number;
  /** From the index of letters when they were taken; from their records in the log once it was tried. */
  readonly money: readonly MoneyOfSelection[];
  readonly withoutAmount: number;
  readonly oldestAt: Date | null;
  readonly terms: ReplayTerms;
  /** A lower rate than that of the terms, set while it runs; null: none. */
  readonly slowedTo: number | null;
  /** Hash of the letters, each with its place and its edit, in the order of their ids. */
  readonly selectionHash: string;
  /** So many of them are edited; absent: none. */
  readonly edited?: number;
  readonly dryRun: DryRun | null;
  /** Who asked for a dry run by the runner, since their own program has no stages; null: nobody, or it is done. */
  readonly dryRunWanted?: { readonly by: string } | null;
  /** Hash of what was asked for when it was selected, where it was asked for under a key. */
  readonly request?: string;
  readonly approvalId: string | null;
  /** What two persons have let through: over selection, terms and dry run. */
  readonly approvedHash: string | null;
  /** First sending; null: nothing was sent. */
  readonly startedAt: Date | null;
  /** End of each partition of the target before the first sending: what stands behind it may be of this replay. */
  readonly targetFrom: readonly { readonly partition: number; readonly offset: number }[] | null;
  /** Why it was stopped, paused or cancelled, and by whom. */
  readonly halted: { readonly code: ErrorCode; readonly detail: string; readonly by: string; readonly at: Date } | null;
  readonly endedAt: Date | null;
  /** It has ended, and what became of some letters was not known yet: it goes on being looked for. */
  readonly isWatched: boolean;
  /** Who runs it, until when; null: nobody. */
  readonly lease: { readonly runner: string; readonly until: Date } | null;
}

export interface DryRun {
  readonly at: Date;
  readonly by: string;
  readonly histogram: readonly {
    readonly kind: PredictionKind;
    readonly code: string | null;
    readonly letters: number;
  }[];
  /** Names and versions of all that the prediction rests on: build, lists, rules. Another one voids the approval. */
  readonly basis: Readonly<Record<string, string>>;
  /** See `trialSeal`. Absent: of before, or somebody else wrote it. */
  readonly seal?: string;
}

const sha256 = (lines: readonly string[]): string => hash('sha256', lines.join('\n'), 'hex');

/** Over the letters, where they stand, and what is edited of them; a `dlq-id` and the seal of the letter bind its content. */
export function selectionHash(
  owner: string,
  items: readonly Pick<ReplayItem, 'letterId' | 'place' | 'edit'>[],
): string {
  const lines = items.map(({ letterId, place, edit }) => {
    const line = `${letterId} ${place.topicId}:${place.partition}:${place.offset}`;
    return edit ? `${line} ${sha256([edit.text])}` : line;
  });
  return sha256([owner, ...lines.toSorted()]);
}

/** Over all that is approved, and all that who approves is shown: letters, money, terms, what was predicted, on what basis. */
export function approvedHash(replay: ReplayDocument): string {
  const { _id, owner, selectionHash: selection, terms, dryRun, askedBy, reason, letters: count, money } = replay;
  const { ratePerSecond, canary, maxFailureRatio } = terms;
  return sha256([
    ...[_id, owner, selection, String(ratePerSecond), String(canary), String(maxFailureRatio)],
    ...[askedBy, JSON.stringify(reason), String(count), String(replay.withoutAmount), ...replay.groups],
    ...money.map(({ currency, minor, letters }) => `${currency} ${minor} ${letters}`),
    ...(dryRun ? dryRun.histogram.map(({ kind, code, letters }) => `${kind} ${code ?? '-'} ${letters}`) : ['none']),
    ...(dryRun ? basisLines(dryRun.basis) : []),
    ...(replay.discard ? [`discard=${replay.discard.reason}`] : []),
    ...(replay.edited ? [`edited=${replay.edited}`] : []),
  ]);
}

/** What two persons have to let through. */
export const actOf = ({ discard }: Pick<ReplayDocument, 'discard'>): Act =>
  discard ? 'dead-letters.discard' : 'dead-letters.replay';

const basisLines = (basis: DryRun['basis']) =>
  Object.entries(basis)
    .map(([name, version]) => `${name}=${version}`)
    .toSorted();

/** What each part of the basis is, for people; one that is not here bears its own name. */
const PARTS: Readonly<Record<string, string>> = {
  build: 'the build',
  lists: 'the lists in force',
  rules: 'the rules (corridors, limits, what a transfer must say)',
};
const MAX_SAID = 80;

/** What of the basis is another one now, with what it was and is, and what to do; undefined: nothing. */
export function changedBasis(then: DryRun['basis'], now: DryRun['basis']): string | undefined {
  const names = [...new Set([...Object.keys(then), ...Object.keys(now)])].toSorted();
  const changes = names
    .filter((name) => then[name] !== now[name])
    .map((name) => {
      const [before, after] = differing(then[name], now[name]);
      return `${PARTS[name] ?? name} changed from ${before} to ${after}`;
    });
  if (changes.length === 0) return undefined;
  return `since it was tried ${changes.join('; ')}. Select the letters again, try them and ask anew`;
}

/** The words in which the two differ: of many list versions those that are others. */
function differing(before = '', after = ''): readonly [string, string] {
  const [old, now] = [before.split(' '), after.split(' ')];
  const only = (own: readonly string[], others: readonly string[]) =>
    own
      .filter((word) => !others.includes(word))
      .join(' ')
      .slice(0, MAX_SAID) || 'none';
  return [only(old, now), only(now, old)];
}
