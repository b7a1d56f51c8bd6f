// Follows the log while brokers come and go: enters ends into the books, and repeats some commands late.
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Codec } from '../../ports/codec.ts';
import type { Log, LogRecord, LogWriter, RecordBatch } from '../../ports/log.ts';
import { type Rings, sealFlaw } from '../../ports/seals.ts';
import type { Books } from '../../samples/books.ts';
import type { TransferLifecycle } from '../../schemas/types.generated.ts';
import { CONSUMER_NAMES } from '../../services/process-parts/part-selection.ts';
import { headerInteger, headerText, RECOVERY_HEADER } from '../../topics/headers.ts';
import { deadLetterTopic } from '../../topics/recovery.ts';
import type { BadBatch } from './members/bad-batches.ts';
import { FORGERY } from './members/forgeries.ts';
import type { ForgedLetter } from './members/forgery-check.ts';
import type { LateIntents } from './members/late-schema.ts';

const OUTCOMES = ['transfer.lifecycle', 'intent.rejected', 'intent.duplicated'] as const;
/** Commands come at least once, and in any order: the relays that write them may die between writing and noting it. */
const COMMANDS = ['payout.updated', 'review.decided'];
const DEAD_LETTERS = CONSUMER_NAMES.map(deadLetterTopic);
const LOOK_EVERY_MS = 700;
/** Share of the commands that are repeated, and how late at most, ms. */
const REPEATED = 0.05;
const REPEATED_WITHIN_MS = 15_000;
/** Dead letters kept by name; all are counted. */
const KEPT = 200;

export interface DeadLetter {
  readonly topic: string;
  readonly key: string;
  readonly code: string;
  readonly detail: string;
}

export interface TailOptions {
  readonly log: Log;
  readonly codec: Codec;
  readonly books: Books;
  /** With that of lifecycle: what does not bear its seal tells of nothing. */
  readonly rings: Rings;
  /** Dead letters that the operator replays are given to it, and are no end. */
  readonly late?: LateIntents;
}

export class Tail {
  /** Monotonic ms of the last record. */
  movedAt = performance.now();
  /** Dead letters of intake by the key of their input are in the books; these are all others. */
  readonly deadLetters: DeadLetter[] = [];
  deadLettersElsewhere = 0;
  undecodable = 0;
  /** Of batches that nobody can read. */
  readonly batchLetters: BadBatch[] = [];
  /** Of what was forged. */
  readonly forgedLetters: ForgedLetter[] = [];
  repeated = 0;
  readonly #options: TailOptions;
  readonly #positions = new Map<string, number>();
  readonly #repeats: { readonly at: number; readonly record: LogRecord }[] = [];
  #writer: LogWriter | undefined;
  #repeating = true;
  #stopped = false;
  #running: Promise<void> = Promise.resolve();

  constructor(options: TailOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    await this.#options.codec.load(OUTCOMES);
    this.#running = this.#run();
  }

  /** No command is repeated from now on. */
  stopRepeating(): void {
    this.#repeating = false;
    this.#repeats.length = 0;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
    // What was written since the last look.
    await this.#look();
    await this.#writer?.close().catch(() => undefined);
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      try {
        await this.#look();
        await this.#repeatDue();
      } catch {
        // The brokers are away; what was read stays read.
      }
      await sleep(LOOK_EVERY_MS);
    }
  }

  async #look(): Promise<void> {
    const reader = this.#options.log.reader();
    const ranges = (await reader.offsets([...OUTCOMES, ...COMMANDS, ...DEAD_LETTERS])).map((range) => {
      return { ...range, from: this.#positions.get(`${range.topic}/${range.partition}`) ?? 0 };
    });
    await reader.read(
      ranges.filter(({ from, to }) => from < to),
      async (batch) => {
        await this.#take(batch);
        this.#positions.set(`${batch.topic}/${batch.partition}`, batch.records.at(-1)!.offset + 1);
      },
    );
    // Ranges end in markers as often as in records.
    for (const { topic, partition, to } of ranges) this.#positions.set(`${topic}/${partition}`, to);
  }

  async #take({ topic, records }: RecordBatch): Promise<void> {
    const { books, codec, rings } = this.#options;
    this.movedAt = performance.now();
    if (COMMANDS.includes(topic)) return this.#mayRepeat(records);
    if (DEAD_LETTERS.includes(topic)) {
      for (const record of records) this.#letter(record);
      return;
    }
    const name = topic as (typeof OUTCOMES)[number];
    for (const result of await codec.decode(
      name,
      records.filter((record) => !sealFlaw(rings, name, record)).map(({ value }) => value),
    )) {
      if (!result.ok) throw new Error(`${topic}: ${result.detail}`);
      const value = result.value as TransferLifecycle;
      if (name === 'intent.rejected') books.intentRejected(value.transferId);
      else if (name === 'intent.duplicated') books.intentDuplicated(value.transferId);
      else books.lifecycle(value);
    }
  }

  #letter(record: LogRecord): void {
    const { topic, partition, offset, headers } = record;
    const header = (name: string) => headerText(headers, name) ?? '';
    const key = record.key?.toString() ?? '';
    const code = header(RECOVERY_HEADER.deadLetterCode);
    const forgery = header(FORGERY);
    if (forgery !== '') {
      const owner = topic.slice(0, -'.dlq'.length);
      this.forgedLetters.push({ id: forgery, owner, code, position: `${topic}/${partition}/${offset}` });
      return;
    }
    const lastOffset = headerInteger(headers, RECOVERY_HEADER.sourceLastOffset);
    if (lastOffset !== undefined) {
      this.batchLetters.push({
        topic: header(RECOVERY_HEADER.sourceTopic),
        partition: headerInteger(headers, RECOVERY_HEADER.sourcePartition) ?? -1,
        firstOffset: headerInteger(headers, RECOVERY_HEADER.sourceOffset) ?? -1,
        lastOffset,
        code,
      });
      return;
    }
    if (topic === deadLetterTopic('intake')) {
      if (this.#options.late?.keep(record)) return;
      this.undecodable++;
      this.#options.books.undecodable(key);
      return;
    }
    this.deadLettersElsewhere++;
    if (this.deadLetters.length >= KEPT) return;
    this.deadLetters.push({ topic, key, code, detail: header(RECOVERY_HEADER.deadLetterDetail) });
  }

  #mayRepeat(records: readonly LogRecord[]): void {
    if (!this.#repeating) return;
    for (const record of records) {
      if (record.headers[FORGERY] !== undefined) continue;
      // Chosen by what it is and where it stands: a repeat stands elsewhere, so that it is not repeated for ever.
      const draw = createHash('sha256').update(`${record.topic}/${record.partition}/${record.offset}`).digest();
      if (draw.readUInt32BE() / 2 ** 32 >= REPEATED) continue;
      const after = (draw.readUInt32BE(4) / 2 ** 32) * REPEATED_WITHIN_MS;
      this.#repeats.push({ at: performance.now() + after, record });
    }
  }

  async #repeatDue(): Promise<void> {
    const now = performance.now();
    const due = this.#repeats.filter(({ at }) => at <= now);
    if (due.length === 0) return;
    this.#writer ??= await this.#options.log.writer('chaos-repeats');
    const outputs = due.map(({ record }) => ({
      topic: record.topic,
      partition: record.partition,
      key: record.key,
      value: record.value,
      headers: Object.fromEntries(
        Object.entries(record.headers).flatMap(([k, v]) => (v === undefined ? [] : [[k, v]])),
      ),
    }));
    for (const one of due) this.#repeats.splice(this.#repeats.indexOf(one), 1);
    await this.#writer.send(outputs);
    this.repeated += due.length;
  }
}
