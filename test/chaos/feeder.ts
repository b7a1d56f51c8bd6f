// Publishes the records of a run, and keeps the independent ledger of what was fed.
import { createHash } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log, LogWriter, OutputRecord } from '../../ports/log.ts';
import type { Books } from '../../samples/books.ts';
import type { End } from '../../samples/fed-record.ts';
import { homePartition } from '../../topics/home-partition.ts';
import { type ChaosRecord, isMalformed } from './feed.ts';
import { type ForeignProducer, isForeign } from './members/foreign-batches.ts';
import { untilItWorks } from './until-it-works.ts';

export const INTENTS = 'transfer.requested';
/** A slice of a burst, ms. */
const SLICE_MS = 100;
const RETRY_MS = 500;

export interface FeederOptions {
  readonly log: Log;
  readonly records: Iterator<ChaosRecord>;
  readonly books: Books;
  readonly chainPartitions: number;
  /** The ledger: one JSON line a record, written before it is sent. */
  readonly ledgerFile: string;
  /** Headers of what our own writer sends. */
  readonly headersOf?: (record: ChaosRecord) => Readonly<Record<string, string>>;
  /** Packs and sends some of them; absent: our own writer sends all. */
  readonly foreign?: ForeignProducer;
}

/** Records by key and bytes: how often each was fed, or stands in the log. */
export type Multiset = Map<string, number>;
export const identityOf = (key: string, value: Buffer | null): string => {
  const hash = createHash('sha256').update(value === null ? 'null' : 'value');
  if (value) hash.update(value);
  return `${key} ${hash.digest('hex').slice(0, 24)}`;
};
export const add = (set: Multiset, id: string, count = 1) => set.set(id, (set.get(id) ?? 0) + count);

export class Feeder {
  /** What was fed to the topic that there is, each record as often as it was. */
  fed: Multiset = new Map();
  readonly counts: Record<string, number> = {};
  readonly kinds = new Set<string>();
  readonly #ends = new Map<string, End[]>();
  /** Batches whose fate was unknown, so that the log was asked. */
  asked = 0;
  readonly #options: FeederOptions;
  readonly #ledger: number;
  #writer: LogWriter | undefined;
  /** Bursts come one after another. */
  #turn: Promise<void> = Promise.resolve();

  constructor(options: FeederOptions) {
    this.#options = options;
    this.#ledger = openSync(options.ledgerFile, 'a');
  }

  /** Publishes the next `count` records over `overMs`; resolves when all are in the log. */
  burst(count: number, overMs: number): Promise<void> {
    this.#turn = this.#turn.then(() => this.#burst(count, overMs));
    return this.#turn;
  }

  /** Publishes these beside the bursts. */
  insert(records: readonly ChaosRecord[]): Promise<void> {
    this.#turn = this.#turn.then(async () => {
      for (const record of records) this.#enter(record);
      await this.#surely(records, (missing) => this.#write(missing));
    });
    return this.#turn;
  }

  /** Which ends these bytes were fed with so far. */
  endsOf(id: string): readonly End[] {
    return this.#ends.get(id) ?? [];
  }

  /** Has the topic made again while nothing is fed. @returns what was fed to the one before */
  async betweenTopics(makeAnew: () => Promise<void>): Promise<Multiset> {
    await this.#turn;
    await this.#writer?.close();
    this.#writer = undefined;
    await makeAnew();
    const before = this.fed;
    this.fed = new Map();
    return before;
  }

  async close(): Promise<void> {
    await this.#turn;
    await this.#writer?.close();
    closeSync(this.#ledger);
  }

  async #burst(count: number, overMs: number): Promise<void> {
    const began = performance.now();
    const { foreign } = this.#options;
    const packed: ChaosRecord[] = [];
    for (let sent = 0; sent < count; ) {
      const due = Math.ceil((count * Math.min(overMs, performance.now() - began + SLICE_MS)) / overMs);
      const batch: ChaosRecord[] = [];
      while (sent + batch.length < Math.min(due, count)) batch.push(this.#next());
      sent += batch.length;
      if (foreign) packed.push(...batch.filter(isForeign));
      await this.#surely(foreign ? batch.filter((record) => !isForeign(record)) : batch, (missing) =>
        this.#write(missing),
      );
      await sleep(SLICE_MS);
    }
    // Together at the end, so that a batch holds more than one record.
    if (foreign) await this.#surely(packed, (missing) => foreign.send(missing));
    this.counts['foreign'] = (this.counts['foreign'] ?? 0) + packed.length;
  }

  #next(): ChaosRecord {
    const record = this.#options.records.next().value as ChaosRecord;
    this.#enter(record);
    return record;
  }

  #enter(record: ChaosRecord): void {
    const { books } = this.#options;
    const { key, value, account, expected, kind, late } = record;
    const id = identityOf(key, value);
    this.#ends.set(id, [...this.endsOf(id), expected]);
    const line = { at: Date.now(), id, account, expected, kind, late };
    writeSync(this.#ledger, `${JSON.stringify(line)}\n`);
    books.fed(record);
    this.#count('inputs');
    if (kind === 'duplicate') this.#count('duplicates');
    if (late) this.#count('outOfOrder');
    if (expected === 'UNDECODABLE') this.#count('undecodable');
    if (isMalformed(record)) {
      this.#count('malformed');
      this.kinds.add(kind);
    }
    if (!['DUPLICATE', 'INTENT_REJECTED', 'UNDECODABLE'].includes(expected)) this.#count('transfers');
  }

  #count(name: string): void {
    this.counts[name] = (this.counts[name] ?? 0) + 1;
  }

  /** Publishes each record exactly once: where the answer was lost, the log says what is missing. */
  async #surely(
    batch: readonly ChaosRecord[],
    send: (records: readonly ChaosRecord[]) => Promise<void>,
  ): Promise<void> {
    let missing = batch;
    while (missing.length > 0) {
      try {
        await send(missing);
        break;
      } catch {
        this.asked++;
        await sleep(RETRY_MS);
        await this.#writer?.close().catch(() => undefined);
        this.#writer = undefined;
        missing = await this.#notInLog(batch);
      }
    }
    for (const { key, value } of batch) add(this.fed, identityOf(key, value));
  }

  async #write(records: readonly ChaosRecord[]): Promise<void> {
    this.#writer ??= await this.#options.log.writer('chaos-feed');
    for (const record of records) {
      // One at a time when large: a megabyte fills a request.
      if ((record.value?.length ?? 0) > 500_000) await this.#writer.send([this.#output(record)]);
    }
    const small = records.filter(({ value }) => (value?.length ?? 0) <= 500_000);
    if (small.length > 0) await this.#writer.send(small.map((record) => this.#output(record)));
  }

  #output(record: ChaosRecord): OutputRecord {
    const { chainPartitions, headersOf } = this.#options;
    const { key, value } = record;
    return {
      topic: INTENTS,
      partition: homePartition(key, chainPartitions),
      key,
      value,
      headers: headersOf?.(record) ?? {},
    };
  }

  async #notInLog(batch: readonly ChaosRecord[]): Promise<readonly ChaosRecord[]> {
    const there = await untilItWorks(() => readIntents(this.#options.log));
    for (const [id, count] of this.fed) add(there, id, -count);
    return batch.filter(({ key, value }) => {
      const id = identityOf(key, value);
      const count = there.get(id) ?? 0;
      if (count <= 0) return true;
      there.set(id, count - 1);
      return false;
    });
  }
}

/** Every intent that stands in the log. */
export async function readIntents(log: Log): Promise<Multiset> {
  const found: Multiset = new Map();
  const reader = log.reader();
  await reader.read(await reader.offsets([INTENTS]), ({ records }) => {
    for (const { key, value, unreadable } of records) {
      // What stands for a batch that nobody can read was not fed as records.
      if (!unreadable) add(found, identityOf(key?.toString() ?? '', value));
    }
  });
  return found;
}
