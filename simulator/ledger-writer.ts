/** Appends to the provider's ledger. Whatever is waiting when the disk is free goes out in one write and one fsync. */
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import path from 'node:path';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { LedgerRecord } from './records.ts';

/** From the start of one write to the next at the least: under load, a batch is what comes in this time. */
const COMMIT_EVERY_MS = 4;
/** How often the file is checked for another writer. */
const CHECK_EVERY_MS = 1_000;
/** One sparse index entry for each group of this many records. */
const INDEX_EVERY = 4_096;

/** The ledger cannot be written, so nothing may be answered any more. */
export class LedgerWriteError extends Error {
  readonly code = 'LEDGER_UNWRITABLE';

  constructor(file: string, cause: unknown) {
    super(`${file} cannot be written: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = 'LedgerWriteError';
  }
}

export class LedgerWriter {
  readonly file: string;
  readonly #handle: FileHandle;
  readonly #onFailure: (error: LedgerWriteError) => void;
  #waiting: string[] = [];
  #lastSeq: number;
  #durableSeq: number;
  #bytes: number;
  #flushes = 0;
  #checkedAt = Number.NEGATIVE_INFINITY;
  #wroteAt = Number.NEGATIVE_INFINITY;
  #writing: Promise<void> | null = null;
  #failure: LedgerWriteError | null = null;
  /** Settled with the batch that is being written, and with the one that waits behind it. */
  #current = Promise.withResolvers<void>();
  #next = Promise.withResolvers<void>();
  /** Byte at which record `i * INDEX_EVERY + 1` starts. */
  readonly #index: number[];

  private constructor(file: string, handle: FileHandle, at: Position, onFailure: (error: LedgerWriteError) => void) {
    this.file = file;
    this.#handle = handle;
    this.#onFailure = onFailure;
    this.#lastSeq = at.lastSeq;
    this.#durableSeq = at.lastSeq;
    this.#bytes = at.bytes;
    this.#index = [...at.index];
  }

  /**
   * @param at where the whole records end, as found by reading the file; what is after it is cut off.
   * @param onFailure called once, when a write fails; nothing is written after that.
   */
  static async open(file: string, at: Position, onFailure: (error: LedgerWriteError) => void): Promise<LedgerWriter> {
    await mkdir(path.dirname(file), { recursive: true });
    const handle = await open(file, 'a');
    await handle.truncate(at.bytes);
    await handle.datasync();
    return new LedgerWriter(file, handle, at, onFailure);
  }

  get lastSeq(): number {
    return this.#lastSeq;
  }

  get stats(): { lastSeq: number; durableSeq: number; bytes: number; flushes: number } {
    return { lastSeq: this.#lastSeq, durableSeq: this.#durableSeq, bytes: this.#bytes, flushes: this.#flushes };
  }

  /** Queues a record, whose `seq` must be the next one. Await `durable` before anybody learns of it. */
  append(record: LedgerRecord): void {
    if (record.seq !== this.#lastSeq + 1) throw new Error(`ledger record ${record.seq} after ${this.#lastSeq}`);
    this.#lastSeq = record.seq;
    this.#waiting.push(`${JSON.stringify(record)}\n`);
    this.#writing ??= this.#write();
  }

  /** Resolves when everything appended so far is on disk. @throws LedgerWriteError when it cannot be. */
  async durable(): Promise<void> {
    if (this.#failure) throw this.#failure;
    if (this.#durableSeq >= this.#lastSeq) return;
    await (this.#waiting.length > 0 ? this.#next : this.#current).promise;
  }

  /** The byte from which to read to find all records after `seq`, and the `seq` of the record that starts there. */
  positionAfter(seq: number): { fromByte: number; firstSeq: number } {
    const entry = Math.min(Math.floor(Math.max(seq, 0) / INDEX_EVERY), this.#index.length - 1);
    return { fromByte: this.#index[entry] ?? 0, firstSeq: Math.max(entry, 0) * INDEX_EVERY + 1 };
  }

  /** Writes what is queued, then closes the file. */
  async close(): Promise<void> {
    await this.#writing;
    await this.#handle.close();
  }

  /** Drops what is queued, as a kill would. */
  async abandon(): Promise<void> {
    this.#waiting = [];
    this.#next.promise.catch(() => {});
    this.#next.reject(new LedgerWriteError(this.file, 'abandoned'));
    await this.#writing;
    await this.#handle.close();
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const restMs = this.#wroteAt + COMMIT_EVERY_MS - performance.now();
      // Even at rest, lets the requests that arrived together append first.
      await (restMs > 0 ? sleep(restMs) : nextTurn());
      this.#wroteAt = performance.now();
      const lines = this.#waiting;
      const upTo = this.#lastSeq;
      this.#waiting = [];
      this.#current = this.#next;
      this.#next = Promise.withResolvers<void>();
      try {
        await this.#writeBatch(lines, upTo);
        this.#current.resolve();
      } catch (error) {
        this.#failure = new LedgerWriteError(this.file, error);
        for (const batch of [this.#current, this.#next]) {
          batch.promise.catch(() => {});
          batch.reject(this.#failure);
        }
        this.#onFailure(this.#failure);
        return;
      }
    }
    this.#writing = null;
  }

  async #writeBatch(lines: readonly string[], upTo: number): Promise<void> {
    await this.#checkSoleWriter();
    const bytes = Buffer.from(lines.join(''));
    let written = 0;
    while (written < bytes.length) written += (await this.#handle.write(bytes, written)).bytesWritten;
    await this.#handle.datasync();
    this.#indexBatch(lines, upTo - lines.length + 1);
    this.#bytes += bytes.length;
    this.#durableSeq = upTo;
    this.#flushes++;
  }

  /** Two processes on one ledger would each pay for the other's submits: the second to notice stops. */
  async #checkSoleWriter(): Promise<void> {
    if (this.#wroteAt - this.#checkedAt < CHECK_EVERY_MS) return;
    this.#checkedAt = this.#wroteAt;
    const { size } = await this.#handle.stat();
    if (size !== this.#bytes) throw new Error(`it has ${size} bytes, not ${this.#bytes}: another process writes it`);
  }

  /** @param firstSeq of the first of `lines`, which starts at the end of what was on disk before. */
  #indexBatch(lines: readonly string[], firstSeq: number): void {
    const last = firstSeq + lines.length - 1;
    let seq = Math.ceil((firstSeq - 1) / INDEX_EVERY) * INDEX_EVERY + 1;
    let at = this.#bytes;
    for (let counted = 0; seq <= last; seq += INDEX_EVERY) {
      for (; counted < seq - firstSeq; counted++) at += Buffer.byteLength(lines[counted] ?? '');
      this.#index.push(at);
    }
  }
}

/** Where the whole records of a ledger file end. */
export interface Position {
  readonly lastSeq: number;
  readonly bytes: number;
  /** Byte at which each `INDEX_EVERY`-th record starts, from record 1 on. */
  readonly index: readonly number[];
}

/** Collects a `Position` while a ledger is read. */
export class PositionTracker {
  #lastSeq = 0;
  #bytes = 0;
  readonly #index: number[] = [];

  add(seq: number, start: number, end: number): void {
    if ((seq - 1) % INDEX_EVERY === 0) this.#index.push(start);
    this.#lastSeq = seq;
    this.#bytes = end;
  }

  get position(): Position {
    return { lastSeq: this.#lastSeq, bytes: this.#bytes, index: this.#index };
  }
}
