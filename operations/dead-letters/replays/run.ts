// Runs replays: the server sends, never the one who asked. Killed at any point it goes on, and sends nothing twice:
//
// - Letters are sent in transactions of one writer, which whoever runs the replay takes over first. So when a runner begins,
//   what another had not committed is void, and what it had committed stands in the target topic, from where it is read.
// - What is stored beside it (an item is SENT) is only a copy of that, made after each commit and again at each beginning.
// - Should all of that fail, the processor decides each letter once: the replay that is handled first claims it.

import { formatOrigin } from '../../../domain/transfers/origin-position.ts';
import type { ErrorCode } from '../../../ports/error-codes.ts';
import { codeAndDetail, isOutage } from '../../../ports/fault.ts';
import type { LogTransactions } from '../../../ports/log.ts';
import { type Rings, ringOf } from '../../../ports/seals.ts';
import { isApproved } from '../../approvals/approval.ts';
import type { EntryLog } from '../../audit/entry-log.ts';
import { actsOnLetters } from './audited.ts';
import { checkDiscards } from './check-discards.ts';
import { checkLetters } from './check-letters.ts';
import { currentRate, endApproval } from './control.ts';
import { nextStep } from './next-step.ts';
import type { DryRunner } from './ports.ts';
import { dryRunReplay, findReplay, MAX_LETTERS, moved, type ReplayStores } from './prepare.ts';
import { replayRecord } from './record.ts';
import { actOf, approvedHash, changedBasis, type ReplayDocument, type ReplayItem, selectionHash } from './replay.ts';
import { SentLetters, type SentLettersOptions } from './sent-letters.ts';

const LEASE_MS = 20_000;
/** Letters of one transaction: those of a second at the highest rate, so that a look that takes long does not slow it down. */
const MAX_SENT_AT_ONCE = 1_000;
/** How long after its last letter a replay waits for transfers in flight, ms. */
const OUTCOME_TIMEOUT_MS = 24 * 3_600_000;
/** A selection that nobody has finished after so long never will be, ms. */
const FREEZING_MS = 15 * 60_000;
/** One that nobody has asked for gives its letters back after so long, ms: looking at letters keeps them from nobody for long. */
const FROZEN_MS = 30 * 60_000;

export interface RunnerOptions extends ReplayStores, SentLettersOptions {
  readonly dryRunner: DryRunner;
  readonly rings: Rings;
  /** Unique for each process. */
  readonly runner: string;
  /** Makes entries of the audit log, which are there with the letters that are sent, or not at all; absent: none is made. */
  readonly entries?: Pick<EntryLog, 'recordsOf' | 'note'>;
  /** Called around the commit of letters, where a process may die: tests end a runner there. */
  readonly onSend?: (when: 'before' | 'after') => Promise<void> | void;
  /** Called with each replay that changed its state. Never throws. */
  readonly onChange?: (replay: ReplayDocument, to: Partial<ReplayDocument>) => void;
}

interface Hold {
  readonly transactions: LogTransactions;
  /** What two persons have let through; undefined: nothing, it is only being ended. */
  readonly approved: Approved | undefined;
  /** Letters that the rate lets go. */
  allowance: number;
  allowedAt: number;
}

interface Approved {
  readonly hash: string;
  /** Letters with their places: an item that is not among them is not sent. */
  readonly letters: ReadonlySet<string>;
  readonly askedBy: string;
  readonly approvedBy: string;
}

/** A letter as it was approved: another place or another edit is another one. */
const letterKey = ({ letterId, place, edit }: Pick<ReplayItem, 'letterId' | 'place' | 'edit'>): string =>
  [letterId, formatOrigin(place), ...(edit ? [edit.text] : [])].join(' ');

export class ReplayRunner {
  readonly #options: RunnerOptions;
  readonly #held = new Map<string, Hold>();
  readonly #stopping = new AbortController();
  readonly #outcomes: SentLetters;
  #trial: Promise<void> | undefined;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#outcomes = new SentLetters(options);
  }

  /** Looks at every replay that is under way, and brings each on by one step. @returns whether any has more to do at once */
  async tick(): Promise<boolean> {
    const { replays, approvals, clock, onFault } = this.#options;
    const now = await approvals.clock(new Date(clock.now()));
    await approvals.expire(now);
    const open = await replays.open(100);
    let isBusy = false;
    for (const replay of open) {
      try {
        const lease = await this.#lease(replay._id);
        // Another may have sent since this process last did: what is held here is worth nothing.
        if (lease !== 'renewed') await this.#letGo(replay._id);
        if (lease) isBusy = (await this.#advance(replay, now)) || isBusy;
      } catch (error) {
        // Nothing is believed of what was under way: the writer is taken over anew, and what it had sent is read again.
        await this.#letGo(replay._id);
        const { code, detail } = codeAndDetail(error);
        onFault?.(replay._id, { code, detail });
      }
    }
    for (const id of this.#held.keys()) if (!open.some(({ _id }) => _id === id)) await this.#letGo(id);
    await this.#outcomes.watch();
    return isBusy;
  }

  #lease(id: string) {
    const { replays, clock, runner } = this.#options;
    const now = clock.now();
    return replays.lease(id, runner, new Date(now), new Date(now + LEASE_MS));
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#trial;
    for (const id of [...this.#held.keys()]) await this.#letGo(id);
  }

  async #advance(replay: ReplayDocument, now: Date): Promise<boolean> {
    switch (replay.state) {
      case 'FREEZING':
        return this.#giveUp(replay, now, FREEZING_MS, 'its selection was never finished');
      case 'FROZEN':
        this.#try(replay);
        return this.#giveUp(replay, now, FROZEN_MS, 'nobody asked a second person');
      case 'WAITING':
        return this.#begin(replay, now);
      case 'RUNNING':
        return this.#run(replay);
      case 'CANCELLED':
        return this.#release(replay);
      default:
        // Who goes on with it looks again whether it may.
        await this.#letGo(replay._id);
        await this.#outcomes.settle(replay);
        return false;
    }
  }

  /**
   * Tries what was selected over the API, whose process has no stages. One at a time and beside the rest: it takes long, and
   * sends nothing. Of two runners that do it, one writes what it found.
   */
  #try({ _id: id, dryRunWanted: wanted }: ReplayDocument): void {
    if (!wanted || this.#trial) return;
    this.#trial = this.#tryWanted(id)
      .catch(async (error: unknown) => {
        if (this.#stopping.signal.aborted) return;
        const { code, detail } = codeAndDetail(error);
        this.#options.onFault?.(id, { code, detail });
        await this.#endUntried(id, error);
      })
      .catch((error: unknown) => this.#options.onFault?.(id, codeAndDetail(error)))
      .finally(() => {
        this.#trial = undefined;
      });
  }

  /** What keeps a selection from being tried for good ends it, with the reason: whoever waits for it may select anew. */
  async #endUntried(id: string, error: unknown): Promise<void> {
    const { code, detail } = codeAndDetail(error);
    if (isOutage(error) || code === 'REPLAY_MOVED' || code === 'REPLAY_UNKNOWN') return;
    const replay = await findReplay(this.#options.replays, id);
    if (replay.state === 'FROZEN') await this.#halt(replay, 'CANCELLED', code, `it could not be tried: ${detail}`);
  }

  /** What was read before the last trial ended may still say that it is wanted: it is asked anew. */
  async #tryWanted(id: string): Promise<void> {
    const { replays, transfers, dryRunner: runner, rings, clock } = this.#options;
    const { dryRunWanted: wanted } = await findReplay(replays, id);
    if (!wanted) return;
    const asked = { id, by: wanted.by, at: new Date(clock.now()) };
    await dryRunReplay(this.#options, { runner, transfers, rings, signal: this.#stopping.signal }, asked);
  }

  /** Letters must not stay taken because the program of whoever took them has died. */
  async #giveUp(replay: ReplayDocument, now: Date, afterMs: number, why: string): Promise<boolean> {
    if (now.getTime() - replay.createdAt.getTime() < afterMs) return false;
    await this.#halt(replay, 'CANCELLED', 'REPLAY_NOT_FROZEN', why);
    return true;
  }

  /** Begins what a second person has let through, as long as that holds. */
  async #begin(replay: ReplayDocument, now: Date): Promise<boolean> {
    const { approvals, replays, clock, log } = this.#options;
    const approval = replay.approvalId === null ? undefined : await approvals.find(replay.approvalId);
    if (!approval || approval.state === 'WAITING') return false;
    if (approval.state !== 'APPROVED') {
      await this.#halt(replay, 'CANCELLED', 'APPROVAL_REFUSED', `its approval is ${approval.state}`);
      return true;
    }
    if (!(await this.#approved(replay))) return true;
    if (!(await approvals.begin(approval._id, now))) {
      await this.#halt(replay, 'CANCELLED', 'APPROVAL_EXPIRED', 'it was not begun in time, or was withdrawn');
      return true;
    }
    const targetFrom = await log.targetEnds(replay.owner);
    const to = { state: 'RUNNING', startedAt: new Date(clock.now()), targetFrom } as const;
    if (await replays.change(replay, to)) this.#options.onChange?.(replay, to);
    return true;
  }

  /** What two persons have let through, looked at whenever this process begins to send; undefined: it was halted. */
  async #approved(replay: ReplayDocument): Promise<Approved | undefined> {
    const { approvals, replays, rings, dryRunner } = this.#options;
    const approval = replay.approvalId === null ? undefined : await approvals.find(replay.approvalId);
    const { _id: subject, owner } = replay;
    const items = await replays.items(subject, {}, MAX_LETTERS + 1);
    const hash = approvedHash(replay);
    const isCounted = items.length === replay.letters;
    const isWhole = replay.dryRun !== null && isCounted && selectionHash(owner, items) === replay.selectionHash;
    const wanted = { act: actOf(replay), subject, hash };
    if (!approval || !isWhole || !isApproved(ringOf(rings, 'operators'), approval, wanted)) {
      const detail = 'what stands here is not what two persons let through';
      await this.#halt(replay, 'CANCELLED', 'APPROVAL_VOID', detail);
      return undefined;
    }
    const others = changedBasis(replay.dryRun!.basis, await dryRunner.basis());
    if (others !== undefined) {
      await this.#halt(replay, 'CANCELLED', 'APPROVAL_VOID', others);
      return undefined;
    }
    const letters = new Set(items.map(letterKey));
    return { hash, letters, askedBy: approval.askedBy, approvedBy: approval.decided!.by };
  }

  async #run(replay: ReplayDocument): Promise<boolean> {
    const { replays, letters, clock } = this.#options;
    const hold = await this.#hold(replay);
    if (!hold) return true;
    await this.#outcomes.settle(replay);
    const progress = await replays.progress(replay._id);
    // What is discarded is not expected to be mended.
    const newFailures = replay.discard
      ? 0
      : await letters.newFailures(replay._id, replay.owner, replay.groups, replay.startedAt!, MAX_LETTERS);
    this.#earn(hold, currentRate(replay));
    const isTimedOut = this.#isTimedOut(progress.lastSentAt);
    const step = nextStep(replay.terms, { ...progress, newFailures }, hold.allowance, isTimedOut);
    switch (step.do) {
      case 'send':
        await this.#send(replay, hold, Math.min(step.letters, MAX_SENT_AT_ONCE));
        return true;
      case 'stop':
        await this.#halt(replay, 'STOPPED', step.code, step.detail);
        return false;
      case 'end': {
        // What was skipped.
        await letters.giveBack(replay._id, new Date(clock.now()));
        const isWatched = progress.known < progress.sent;
        const to = { state: 'ENDED', endedAt: new Date(clock.now()), isWatched } as const;
        await this.#tellApproval(replay, 'EXECUTED', { detail: 'every letter was sent or skipped' });
        if (await replays.change(replay, to)) this.#options.onChange?.(replay, to);
        return false;
      }
      default:
        return step.for === 'rate';
    }
  }

  #isTimedOut(lastSentAt: Date | null): boolean {
    return lastSentAt !== null && this.#options.clock.now() - lastSentAt.getTime() > OUTCOME_TIMEOUT_MS;
  }

  #earn(hold: Hold, rate: number): void {
    const now = this.#options.clock.now();
    hold.allowance = Math.min(rate, hold.allowance + (Math.max(0, now - hold.allowedAt) * rate) / 1_000);
    hold.allowedAt = now;
  }

  /** The writer of an approved replay, from now on; undefined: it is not what was approved, and was halted. */
  async #hold(replay: ReplayDocument): Promise<Hold | undefined> {
    const known = this.#held.get(replay._id);
    if (known?.approved) return known;
    const approved = await this.#approved(replay);
    return approved && this.#takeOver(replay, approved);
  }

  /** Nobody else can send it from here on, and what was sent is read from the target and noted. */
  async #takeOver(replay: ReplayDocument, approved: Approved | undefined): Promise<Hold> {
    const { log, clock, replays } = this.#options;
    await this.#letGo(replay._id);
    const transactions = await log.takeOver(replay.owner, replay._id);
    const hold = { transactions, approved, allowance: 1, allowedAt: clock.now() };
    this.#held.set(replay._id, hold);
    const sent = await log.sent(replay.owner, replay._id, replay.targetFrom ?? []);
    const open = await replays.items(replay._id, { states: ['SELECTED'] }, MAX_LETTERS);
    await this.#noteSent(
      replay,
      open.filter(({ letterId }) => sent.has(letterId)),
    );
    // All of that may have taken long.
    if ((await this.#lease(replay._id)) !== 'renewed') throw moved(replay, 'another runner has taken it over');
    return hold;
  }

  async #send(replay: ReplayDocument, hold: Hold, count: number): Promise<void> {
    const { replays, letters, log, transfers, rings, onSend } = this.#options;
    const { approved } = hold;
    if (!approved || approvedHash(replay) !== approved.hash) {
      await this.#halt(replay, 'CANCELLED', 'APPROVAL_VOID', 'it was changed since two persons let it through');
      return;
    }
    const next = await replays.items(replay._id, { states: ['SELECTED'] }, count);
    const items = next.filter((item) => approved.letters.has(letterKey(item)));
    const strange = next.filter((item) => !approved.letters.has(letterKey(item)));
    const sources = { letters, log, transfers, rings };
    const { good, marked, skipped } = replay.discard
      ? await checkDiscards(items, replay, sources)
      : await checkLetters(items, replay, sources);
    const by = {
      ...{ owner: replay.owner, replayId: replay._id, discard: replay.discard?.reason },
      ...{ replayedBy: approved.askedBy, approvedBy: approved.approvedBy },
    };
    // Whoever has paused or cancelled it meanwhile is heard before the next letters go.
    if ((await replays.find(replay._id))?.state !== 'RUNNING') return;
    await onSend?.('before');
    const acts = (some: readonly Pick<ReplayItem, 'letterId'>[]) => actsOnLetters(replay, approved.hash, some);
    const entries = this.#options.entries?.recordsOf(acts(good.map(({ item }) => item))) ?? [];
    await hold.transactions.commit([
      ...good.map(({ item, record }) => replayRecord(record, by, rings, item)),
      ...entries,
    ]);
    await onSend?.('after');
    hold.allowance -= good.length;
    await this.#noteSent(
      replay,
      good.map(({ item }) => item),
    );
    await this.#mark(replay, marked);
    if (marked.length > 0) this.#options.entries?.note(acts(marked));
    // Behind the commit: who was taken over has noted nothing.
    const unapproved = strange.map(({ _id }) => ({ item: _id, reason: 'LETTER_NOT_TAKEN' as const }));
    await replays.skip([...skipped, ...unapproved]);
  }

  /** The letters first: dies it in between, they are marked again, and none is given back. */
  async #mark({ _id }: ReplayDocument, items: readonly ReplayItem[]): Promise<void> {
    if (items.length === 0) return;
    const { replays, letters, clock } = this.#options;
    const ids = items.map(({ letterId }) => letterId);
    await letters.move(_id, ids, 'DISCARDED', new Date(clock.now()));
    await replays.mark(items.map((item) => item._id));
  }

  async #noteSent({ _id, owner }: ReplayDocument, items: readonly ReplayItem[]): Promise<void> {
    if (items.length === 0) return;
    const { replays, letters, log, clock } = this.#options;
    const ends = new Map((await log.targetEnds(owner)).map(({ partition, offset }) => [partition, offset]));
    const at = new Date(clock.now());
    const sent = items.map(({ _id: item, place }) => ({ item, sentBefore: ends.get(place.partition) ?? 0 }));
    // The letters first: dies it in between, both are noted again, and no letter that was sent is ever given back.
    await letters.move(
      _id,
      items.map(({ letterId }) => letterId),
      'SENT',
      at,
    );
    await replays.markSent(sent, at);
  }

  /** Gives back what was not sent. First nobody else may send any more, and all that was sent is known. */
  async #release(replay: ReplayDocument): Promise<boolean> {
    const { approvals, replays, letters, clock } = this.#options;
    // Of who cancelled it and died, or of an approval that came after.
    await endApproval(approvals, replay, new Date(clock.now()));
    if (replay.startedAt !== null) {
      await this.#takeOver(replay, undefined);
      await this.#outcomes.settle(replay);
    }
    await replays.release(replay._id);
    await letters.giveBack(replay._id, new Date(clock.now()));
    // Who was freezing it may still be taking letters.
    const isFreezing = replay.letters === 0 && clock.now() - replay.createdAt.getTime() < 2 * FREEZING_MS;
    const { left, sent, known, lastSentAt } = await replays.progress(replay._id);
    const isOver = left === 0 && (known >= sent || this.#isTimedOut(lastSentAt));
    const to = { endedAt: new Date(clock.now()), isWatched: known < sent };
    if (isOver && !isFreezing) await replays.change(replay, to);
    return false;
  }

  async #halt(replay: ReplayDocument, state: 'STOPPED' | 'CANCELLED', code: ErrorCode, detail: string): Promise<void> {
    const at = new Date(this.#options.clock.now());
    const to = { state, halted: { code, detail, by: 'corridor', at } };
    await this.#tellApproval(replay, 'FAILED', { code, detail });
    if (await this.#options.replays.change(replay, to)) this.#options.onChange?.(replay, to);
  }

  /** What became of the act; before the replay is changed, so that who dies in between tells it again. */
  async #tellApproval(
    { approvalId }: ReplayDocument,
    to: 'EXECUTED' | 'FAILED',
    ended: { readonly code?: ErrorCode; readonly detail: string },
  ): Promise<void> {
    if (approvalId === null) return;
    const { approvals, clock } = this.#options;
    await approvals.end(approvalId, ['APPROVED'], to, { at: new Date(clock.now()), ...ended });
  }

  async #letGo(id: string): Promise<void> {
    const hold = this.#held.get(id);
    this.#held.delete(id);
    await hold?.transactions.close();
  }
}
