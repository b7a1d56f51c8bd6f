// From a selection to a question for a second person: take letters, freeze them, predict what they become, ask.

import { personName } from '../../../domain/people/identities.ts';
import { DISCARD_REASONS, type DiscardReason, isDiscardReason } from '../../../domain/reasons.ts';
import type { KeyRing } from '../../../domain/seals/seal.ts';
import { formatOrigin } from '../../../domain/transfers/origin-position.ts';
import { CodedError } from '../../../ports/fault.ts';
import type { LogRecord } from '../../../ports/log.ts';
import { ringOf } from '../../../ports/seals.ts';
import type { DeadLetterDocument } from '../../../sinks/dead-letters/letter.ts';
import type { Approval } from '../../approvals/approval.ts';
import { askForApproval, reasonOf } from '../../approvals/approvals.ts';
import type { Approvals } from '../../approvals/ports.ts';
import type { LetterFilter } from '../ports.ts';
import { MAX_REPLAYS } from './check-letters.ts';
import { checkHolding, HOLDING_WINDOW_MS, MAX_SELECTIONS } from './holding.ts';
import type { ReplayableLetters, ReplayLog, Replays } from './ports.ts';
import { predictDiscards, predictLetters, type Trial } from './predict.ts';
import {
  actOf,
  approvedHash,
  type DryRun,
  type MoneyOfSelection,
  type ReplayDocument,
  type ReplayItem,
  type ReplayTerms,
  selectionHash,
} from './replay.ts';
import { isTrialSealed, trialSeal } from './trial-seal.ts';

/** Letters of one replay. */
export const MAX_LETTERS = 20_000;
export const MAX_RATE_PER_SECOND = 1_000;
export const DEFAULT_TERMS: ReplayTerms = { ratePerSecond: 50, canary: 25, maxFailureRatio: 0.02 };
const DRY_RUN_LETTERS = 200;

export interface ReplayStores {
  readonly replays: Replays;
  readonly letters: ReplayableLetters;
  readonly approvals: Approvals;
  readonly log: ReplayLog;
}

export interface Freezing {
  readonly id: string;
  readonly owner: string;
  readonly filter: LetterFilter;
  readonly terms: ReplayTerms;
  /** Ends them for good, with this reason for their producers. */
  readonly discard?: DiscardReason;
  readonly by: string;
  readonly reason: string;
  readonly at: Date;
  /** Of who asks for it: where theirs is a program without stages, the runner tries it. */
  readonly dryRunBy?: 'runner';
  /** Hash of what is asked for, where a key says which question it is. */
  readonly request?: string;
}

/**
 * Takes the parked letters of a filter, and freezes them as a replay. Dies it in between, the replay stays FREEZING and is
 * cancelled later, which gives its letters back.
 * @throws DomainError PERSON_INVALID
 * @throws CodedError REASON_MISSING, REPLAY_TERMS_INVALID, DISCARD_REASON_INVALID, REPLAY_EMPTY, SELECTIONS_HELD; REPLAY_MOVED when the id is
 * taken
 */
export async function freezeReplay(
  { replays, letters, approvals }: Pick<ReplayStores, 'replays' | 'letters' | 'approvals'>,
  freezing: Freezing,
): Promise<ReplayDocument> {
  const { id, owner, terms, request, dryRunBy } = freezing;
  // By the clock by which it is given up.
  const at = await approvals.clock(freezing.at);
  const askedBy = personName(freezing.by);
  const since = new Date(at.getTime() - HOLDING_WINDOW_MS);
  checkHolding(await replays.neverAsked(askedBy, since, MAX_SELECTIONS), at, askedBy);
  checkTerms(terms);
  checkReason(freezing.discard);
  const empty: ReplayDocument = {
    _id: id,
    state: 'FREEZING',
    version: 1,
    askedBy,
    createdAt: at,
    reason: reasonOf(freezing.reason),
    owner,
    discard: freezing.discard === undefined ? null : { reason: freezing.discard },
    groups: [],
    ...{ letters: 0, money: [], withoutAmount: 0, oldestAt: null },
    terms,
    slowedTo: null,
    selectionHash: selectionHash(owner, []),
    ...{ dryRun: null, approvalId: null, approvedHash: null, startedAt: null, targetFrom: null },
    ...{ halted: null, endedAt: null, isWatched: false, lease: null },
    dryRunWanted: dryRunBy === 'runner' ? { by: personName(freezing.by) } : null,
    ...(request === undefined ? {} : { request }),
  };
  if (!(await replays.insert(empty))) throw moved(await findReplay(replays, id), 'its id is taken');
  const filter: LetterFilter = { ...freezing.filter, owner, states: ['PARKED'] };
  const taken = await letters.take(filter, id, MAX_LETTERS, at, empty.discard !== null);
  if (taken.length === 0) {
    const halted: ReplayDocument['halted'] = {
      code: 'REPLAY_EMPTY',
      detail: 'no letter could be taken',
      by: empty.askedBy,
      at,
    };
    await replays.change(empty, { state: 'CANCELLED', halted, endedAt: at });
    throw new CodedError(
      'REPLAY_EMPTY',
      `no letter of ${owner} can be taken by this filter: they are taken${empty.discard ? '' : `, were replayed ${MAX_REPLAYS} times, or bear no seal`}`,
    );
  }
  const items = itemsOf(id, taken);
  await replays.insertItems(items);
  const frozen: Partial<ReplayDocument> = {
    state: 'FROZEN',
    groups: [...new Set(taken.map(({ group }) => group))].toSorted(),
    letters: items.length,
    money: moneyOf(taken),
    withoutAmount: taken.filter(({ currency }) => currency === null).length,
    oldestAt: new Date(Math.min(...taken.map(({ failedAt }) => failedAt.getTime()))),
    selectionHash: selectionHash(owner, items),
  };
  try {
    await changed(replays, empty, frozen);
  } catch (error) {
    // Given up meanwhile, because it took too long: nobody else would give these letters back.
    await replays.release(id);
    await letters.giveBack(id, at);
    throw error;
  }
  return { ...empty, ...frozen, version: 2 };
}

/** In the order in which they stand in the log, over all partitions: what is read together stands together. */
function itemsOf(replayId: string, taken: readonly DeadLetterDocument[]): readonly ReplayItem[] {
  const inOrder = taken.toSorted((a, b) => a.place.offset - b.place.offset || a.place.partition - b.place.partition);
  return inOrder.map(({ _id: letterId, place, transferId, source, sequence, replayCount }, turn) => ({
    _id: `${replayId}/${letterId}`,
    ...{ replayId, letterId, turn, place, transferId, sequence, replayCount },
    source: source && formatOrigin(source),
    sourceTopic: source?.topic ?? null,
    state: 'SELECTED',
    ...{ prediction: null, skipped: null, sentAt: null, sentBefore: null },
    ...{ outcome: null, outcomeAt: null, successor: null },
  }));
}

/** Sums by currency. */
class MoneyTally {
  readonly #money = new Map<string, MoneyOfSelection>();

  add(currency: string, amount: bigint): void {
    const known = this.#money.get(currency) ?? { currency, minor: 0n, letters: 0 };
    this.#money.set(currency, { currency, minor: known.minor + amount, letters: known.letters + 1 });
  }

  get all(): readonly MoneyOfSelection[] {
    return [...this.#money.values()].toSorted((a, b) => (a.currency < b.currency ? -1 : 1));
  }

  /** Letters that are counted. */
  get letters(): number {
    return [...this.#money.values()].reduce((sum, { letters }) => sum + letters, 0);
  }
}

function moneyOf(letters: readonly DeadLetterDocument[]): readonly MoneyOfSelection[] {
  const money = new MoneyTally();
  for (const { currency, amountMinor } of letters) {
    if (currency !== null && amountMinor !== null) money.add(currency, amountMinor);
  }
  return money.all;
}

function checkReason(reason: string | undefined): void {
  if (reason === undefined || isDiscardReason(reason)) return;
  throw new CodedError('DISCARD_REASON_INVALID', `letters are discarded for one of ${DISCARD_REASONS.join(', ')}`);
}

function checkTerms({ ratePerSecond, canary, maxFailureRatio }: ReplayTerms): void {
  const isRate = Number.isInteger(ratePerSecond) && ratePerSecond >= 1 && ratePerSecond <= MAX_RATE_PER_SECOND;
  const isCanary = Number.isInteger(canary) && canary >= 1 && canary <= MAX_LETTERS;
  const isRatio = maxFailureRatio >= 0 && maxFailureRatio <= 0.5;
  if (isRate && isCanary && isRatio) return;
  throw new CodedError(
    'REPLAY_TERMS_INVALID',
    `a rate is 1 to ${MAX_RATE_PER_SECOND} letters a second, a canary at least 1 letter, a ratio of failures 0 to 0.5`,
  );
}

/**
 * Predicts what each letter would become, with today's code and data, and stores it under a seal, with the money that is in the
 * letters as their records say. Nothing else is changed.
 *
 * What could happen: somebody changes the sums or the prediction in the database before anybody asks, and two persons let
 * through what they were told. What stops it: both are made here of the log, and asked for under this seal alone.
 * @throws CodedError REPLAY_UNKNOWN, REPLAY_MOVED
 */
export async function dryRunReplay(
  { replays, log }: Pick<ReplayStores, 'replays' | 'log'>,
  tried: Trial,
  { id, by, at }: { readonly id: string; readonly by: string; readonly at: Date },
): Promise<ReplayDocument> {
  const replay = await findReplay(replays, id);
  if (replay.state !== 'FROZEN') throw moved(replay, 'only a frozen replay can be tried');
  const basis = await tried.runner.basis();
  const items = await replays.items(id, {}, MAX_LETTERS);
  // Somebody is editing one of them at this moment: what is tried must be what is asked for.
  if (selectionHash(replay.owner, items) !== replay.selectionHash) throw moved(replay, 'its letters are being edited');
  const counts = new Map<string, DryRun['histogram'][number]>();
  const money = new MoneyTally();
  const onRecords = async (records: readonly LogRecord[]) => {
    for (const amount of await tried.runner.amounts(records)) if (amount) money.add(amount.currency, amount.minor);
  };
  const trial: Trial = { ...tried, onRecords };
  for (let from = 0; from < items.length; from += DRY_RUN_LETTERS) {
    tried.signal?.throwIfAborted();
    const some = items.slice(from, from + DRY_RUN_LETTERS);
    const predictions = replay.discard
      ? await predictDiscards(some, replay.owner, replay.discard.reason, log, trial)
      : await predictLetters(some, replay.owner, log, trial);
    await replays.predict(some.map(({ _id }, i) => ({ item: _id, prediction: predictions[i]! })));
    for (const { kind, code } of predictions) {
      const key = `${kind} ${code}`;
      counts.set(key, { kind, code, letters: (counts.get(key)?.letters ?? 0) + 1 });
    }
  }
  const histogram = [...counts.values()].toSorted((a, b) => b.letters - a.letters || (a.kind < b.kind ? -1 : 1));
  const sums = { money: money.all, withoutAmount: items.length - money.letters };
  const found = { at, by: personName(by), histogram, basis };
  const seal = trialSeal(ringOf(tried.rings, 'operators'), { ...replay, ...sums }, found);
  const dryRun: DryRun = { ...found, seal };
  await changed(replays, replay, { ...sums, dryRun, dryRunWanted: null });
  return { ...replay, ...sums, dryRun, dryRunWanted: null, version: replay.version + 1 };
}

/**
 * Asks a second person. What is approved is bound to the letters, the terms, the prediction and what it rests on.
 * @throws CodedError REPLAY_UNKNOWN, REPLAY_MOVED, DRY_RUN_MISSING, REPLAY_EMPTY when none of them may be discarded
 */
export async function askForReplay(
  { replays, approvals }: Pick<ReplayStores, 'replays' | 'approvals'>,
  { id, at }: { readonly id: string; readonly at: Date },
  operators: KeyRing,
): Promise<Approval> {
  const replay = await findReplay(replays, id);
  if (replay.state !== 'FROZEN') throw moved(replay, 'it cannot be asked for');
  if (!replay.dryRun)
    throw new CodedError('DRY_RUN_MISSING', `try ${id} first: who approves must see what it would do`);
  if (!isTrialSealed(operators, replay)) {
    const why = 'its money or its prediction are not what a program of operators has found';
    throw new CodedError('DRY_RUN_MISSING', `try ${id} again: ${why}`);
  }
  if (replay.dryRun.histogram.every(({ kind }) => kind === 'REFUSED')) {
    const why = replay.dryRun.histogram.map(({ code, letters }) => `${letters} ${code}`).join(', ');
    throw new CodedError('REPLAY_EMPTY', `none of these letters may be discarded: ${why}`);
  }
  const hash = approvedHash(replay);
  const approval = await askForApproval(
    approvals,
    {
      // Of one hash there is one question, however often it is asked.
      id: `${id}.${hash.slice(0, 12)}`,
      act: actOf(replay),
      subject: id,
      hash,
      summary: summaryOf(replay),
      by: replay.askedBy,
      reason: replay.reason,
      at,
    },
    operators,
  );
  await changed(replays, replay, { state: 'WAITING', approvalId: approval._id, approvedHash: hash });
  return approval;
}

/** What would be done, in one sentence with numbers. */
export function summaryOf({
  letters,
  owner,
  edited,
  money,
  withoutAmount,
  terms,
  dryRun,
  discard,
}: ReplayDocument): string {
  const sums = money.map(({ currency, minor, letters: count }) => `${minor} minor units of ${currency} in ${count}`);
  if (withoutAmount > 0) sums.push(`${withoutAmount} of unknown amount`);
  const expected = dryRun?.histogram.map(
    ({ kind, code, letters: count }) => `${count} ${kind}${code ? ` ${code}` : ''}`,
  );
  return [
    `${discard ? `end for good, for the reason ${discard.reason},` : 'replay'} ${letters} dead letters of ${owner}${edited ? `, ${edited} of them edited` : ''} (${sums.join(', ')})`,
    `${terms.ratePerSecond} a second after a canary of ${terms.canary}`,
    `expected: ${expected?.join(', ') ?? 'not tried'}`,
  ].join('; ');
}

/** @throws CodedError REPLAY_UNKNOWN */
export async function findReplay(replays: Pick<Replays, 'find'>, id: string): Promise<ReplayDocument> {
  const found = await replays.find(id);
  if (found) return found;
  throw new CodedError('REPLAY_UNKNOWN', `there is no replay ${id.slice(0, 100)}`);
}

export async function changed(replays: Replays, replay: ReplayDocument, to: Partial<ReplayDocument>): Promise<void> {
  if (await replays.change(replay, to)) return;
  throw moved(await findReplay(replays, replay._id), 'somebody else was first');
}

export const moved = ({ _id, state }: ReplayDocument, why: string): CodedError =>
  new CodedError('REPLAY_MOVED', `replay ${_id} is ${state}: ${why}`);
