/** Everything the provider knows: payouts by key, the clock that moves them, and the ledger every change goes to first. */
import { type Answer, type Command, decide, type Terms } from './decide.ts';
import { DueQueue } from './due-queue.ts';
import { readLedgerLines } from './ledger.ts';
import { type LedgerWriteError, LedgerWriter, PositionTracker } from './ledger-writer.ts';
import { evolve, nextDueAt, type Payout } from './payout.ts';
import type { LedgerRecord } from './records.ts';

/** Due payouts are settled in steps of this, so that one timer serves many. */
const TIMER_STEP_MS = 5;
/** Payouts settled before requests get their turn again. */
const SETTLED_AT_ONCE = 500;
const MAX_TIMER_MS = 0x7fff_ffff;

export interface BookOptions {
  readonly ledgerFile: string;
  readonly duplicateProtection: boolean;
  readonly delayMs: number;
  readonly returnDelayMs: number;
  /** Called with each record as it is made, before it is on disk. */
  readonly onRecord: (record: LedgerRecord, payout: Payout | undefined) => void;
  readonly onFailure: (error: LedgerWriteError) => void;
}

export class Book {
  readonly #options: BookOptions;
  readonly #payouts = new Map<string, Payout>();
  readonly #due = new DueQueue();
  readonly #counts = new Map<string, number>();
  #writer: LedgerWriter | undefined;
  #clock = 0;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  #closed = false;

  private constructor(options: BookOptions) {
    this.#options = options;
  }

  /**
   * Replays the ledger, cuts off an unfinished last line, and goes on from there.
   *
   * @throws LedgerError when the ledger is damaged.
   */
  static async open(options: BookOptions): Promise<Book> {
    const book = new Book(options);
    const tracker = new PositionTracker();
    for await (const { record, start, end } of readLedgerLines(options.ledgerFile)) {
      tracker.add(record.seq, start, end);
      const payout = evolve(book.#payouts.get(record.key), record);
      if (payout) book.#payouts.set(record.key, payout);
      book.#count(record);
      book.#clock = record.at;
    }
    book.#writer = await LedgerWriter.open(options.ledgerFile, tracker.position, options.onFailure);
    for (const payout of book.#payouts.values()) book.#schedule(payout);
    return book;
  }

  get writer(): LedgerWriter {
    if (!this.#writer) throw new Error('the ledger is not open');
    return this.#writer;
  }

  /** Records in the ledger by kind, submits and cancels by outcome as well. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  get payouts(): ReadonlyMap<string, Payout> {
    return this.#payouts;
  }

  /** Milliseconds since the epoch. Never falls, also over a restart, so that what has expired stays expired. */
  now(): number {
    this.#clock = Math.max(this.#clock, Date.now());
    return this.#clock;
  }

  /** Lets `command` take effect. Nobody may learn of the answer before `writer.durable()`. */
  handle(key: string, command: Command): Answer {
    const { duplicateProtection, delayMs, returnDelayMs } = this.#options;
    const terms: Terms = { now: this.now(), duplicateProtection, delayMs, returnDelayMs };
    const before = this.#payouts.get(key);
    const { records, payout, answer } = decide(before, key, command, terms);
    if (payout) this.#payouts.set(key, payout);
    for (const body of records) {
      const record: LedgerRecord = { seq: this.writer.lastSeq + 1, ...body };
      this.writer.append(record);
      this.#count(record);
      this.#options.onRecord(record, payout);
    }
    if (payout && nextDueAt(payout) !== nextDueAt(before)) this.#schedule(payout);
    return answer;
  }

  /** Stops the clock and closes the ledger; `abandon` drops what is not on disk yet, as a kill would. */
  async close(how: 'flush' | 'abandon'): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await (how === 'flush' ? this.writer.close() : this.writer.abandon());
  }

  #schedule(payout: Payout): void {
    const at = nextDueAt(payout);
    if (at === null) return;
    this.#due.push(at, payout.key);
    this.#setTimer();
  }

  #setTimer(): void {
    const at = this.#due.nextAt;
    if (at === null || at >= this.#timerAt || this.#closed) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    const wait = Math.min(Math.max(at - Date.now(), TIMER_STEP_MS), MAX_TIMER_MS);
    this.#timer = setTimeout(() => this.#settleDue(), wait);
  }

  #settleDue(): void {
    this.#timerAt = Number.POSITIVE_INFINITY;
    const now = this.now();
    for (let settled = 0; settled < SETTLED_AT_ONCE; settled++) {
      const key = this.#due.popDue(now);
      if (key === null) break;
      this.handle(key, { type: 'tick' });
    }
    this.#setTimer();
  }

  #count(record: LedgerRecord): void {
    const hasOutcome = record.kind === 'submit' || record.kind === 'cancel';
    const names = hasOutcome ? [record.kind, `${record.kind}.${record.outcome}`] : [record.kind];
    if ('fault' in record && record.fault) names.push(`fault.${record.fault.kind}`, 'faults');
    for (const name of names) this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }
}
