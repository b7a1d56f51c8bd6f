// Records for analysts, as files: each committed record in one row of one file, however often the export dies and is begun again.
//
// What could happen: it dies between the files of a chunk and its line in the manifest. What stops a row from being there twice:
// the manifest alone says how far the export has come; what begins behind that is taken away before anything is written.
// What could happen: two run at once. What stops it: whoever calls this holds the lock of the folder.
import type { Codec } from '../../ports/codec.ts';
import { CodedError } from '../../ports/fault.ts';
import type { LogReader, LogRecord, PartitionRange, RecordBatch } from '../../ports/log.ts';
import { hasRing, type Rings, sealFlaw } from '../../ports/seals.ts';
import { GRAINS, type Grain } from '../../topics/analytics-contract.ts';
import { contractOf, type TopicName } from '../../topics/catalogue.ts';
import type { ExportedChunk, ExportFolder, ExportFormat, ExportHeader } from './ports.ts';
import { type Column, columnsOf, Rows } from './table.ts';

/** Rows that are held in memory before they become files, and bytes of their records: a row may be as large as a record. */
const CHUNK_ROWS = 20_000;
const CHUNK_BYTES = 64 * 1_048_576;

export interface ExportSources {
  readonly reader: Pick<LogReader, 'offsets' | 'offsetsSince' | 'read'>;
  readonly codec: Pick<Codec, 'decode'>;
  /** With the ring of what tells of transfers each record is checked; without it none is, and the manifest says so. */
  readonly rings: Rings;
  readonly topicIds: ReadonlyMap<string, string>;
}

export interface ExportOptions {
  readonly format: ExportFormat;
  /** Records that were appended at this time (ms) or later; of a folder that has some already, nothing. */
  readonly from?: number | undefined;
  /** Records that were appended before this time, ms. */
  readonly to?: number | undefined;
  /** Goes on although records between what is there and the start of the log are gone. */
  readonly skipGap?: boolean | undefined;
  readonly chunkRows?: number | undefined;
  readonly onProgress?: ((done: number, ofRecords: number) => void) | undefined;
}

/** What was added of one partition. */
export interface ExportedPartition {
  readonly topic: string;
  readonly partition: number;
  readonly rows: number;
  readonly files: number;
  readonly unproven: number | null;
  readonly unreadable: number;
  /** The first offset that is not in the files. */
  readonly next: number;
}

/**
 * Exports what is in the log and not yet in the folder, of every topic for analysts.
 * @throws CodedError EXPORT_OF_ANOTHER, EXPORT_BUSY, EXPORT_GAP, EXPORT_NOT_WRITTEN, NEWER_SCHEMA, and what the log throws
 */
export async function exportAnalytics(
  sources: ExportSources,
  folder: ExportFolder,
  options: ExportOptions,
): Promise<readonly ExportedPartition[]> {
  const topics = EXPORTED.map(({ topic }) => topic as TopicName);
  const { reader } = sources;
  const ends = await reader.offsets(topics);
  const starts = options.from === undefined ? ends : await reader.offsetsSince(topics, options.from);
  const stops = options.to === undefined ? undefined : await reader.offsetsSince(topics, options.to);
  const plan: { readonly grain: Grain; readonly range: PartitionRange; readonly logStart: number }[] = [];
  for (const { topic, partition, from: logStart, to: end } of ends) {
    const of = (ranges: readonly PartitionRange[] | undefined) =>
      ranges?.find((range) => range.topic === topic && range.partition === partition)?.from;
    const range = { topic, partition, from: of(starts) ?? logStart, to: Math.min(end, of(stops) ?? end) };
    plan.push({ grain: GRAINS.find((grain) => grain.topic === topic)!, range, logStart });
  }
  const ofRecords = plan.reduce((sum, { range }) => sum + Math.max(0, range.to - range.from), 0);
  let done = 0;
  const exported: ExportedPartition[] = [];
  for (const { grain, range, logStart } of plan) {
    const one = new PartitionExport(sources, folder, grain, range, options);
    const onRecords = (records: number) => {
      done += records;
      options.onProgress?.(done, ofRecords);
    };
    exported.push(await one.run(logStart, onRecords));
  }
  return exported;
}

/** What is derived from another grain by a query is not kept twice. */
export const EXPORTED = GRAINS.filter(({ isDerived }) => !isDerived);

class PartitionExport {
  readonly #sources: ExportSources;
  readonly #folder: ExportFolder;
  readonly #range: PartitionRange;
  readonly #options: ExportOptions;
  readonly #header: ExportHeader;
  readonly #columns: readonly Column[];
  readonly #isChecked: boolean;
  #buckets = new Map<string, Rows>();
  #hour = { number: Number.NaN, text: '' };
  #rows = 0;
  #bytes = 0;
  #unproven = 0;
  #unreadable = 0;
  #total = { rows: 0, files: 0, unproven: 0, unreadable: 0 };

  constructor(
    sources: ExportSources,
    folder: ExportFolder,
    { topic, record }: Grain,
    range: PartitionRange,
    options: ExportOptions,
  ) {
    this.#sources = sources;
    this.#folder = folder;
    this.#range = range;
    this.#options = options;
    const topicId = sources.topicIds.get(topic) ?? topic;
    const { format } = options;
    this.#header = { form: 1, topic: topic as TopicName, topicId, partition: range.partition, format };
    this.#columns = columnsOf(record);
    const issuer = contractOf(topic)!.sealedBy;
    this.#isChecked = issuer !== null && hasRing(sources.rings, issuer);
  }

  async run(logStart: number, onRecords: (records: number) => void): Promise<ExportedPartition> {
    const { topic, partition } = this.#header;
    let from = await this.#begin(logStart);
    const { to } = this.#range;
    const chunkRows = this.#options.chunkRows ?? CHUNK_ROWS;
    if (from < to) {
      await this.#sources.reader.read([{ topic, partition, from, to }], async (batch) => {
        await this.#take(batch, from);
        onRecords(batch.records.length);
        if (this.#rows < chunkRows && this.#bytes < CHUNK_BYTES) return;
        const { offset, unreadable } = batch.records.at(-1)!;
        from = await this.#flush(from, (unreadable?.lastOffset ?? offset) + 1);
      });
      if (from < to) from = await this.#flush(from, to);
    }
    const { rows, files, unproven, unreadable } = this.#total;
    return { topic, partition, rows, files, unproven: this.#isChecked ? unproven : null, unreadable, next: from };
  }

  /** Where to go on. What was begun behind that and never finished is taken away. */
  async #begin(logStart: number): Promise<number> {
    const { topic, topicId, partition, format } = this.#header;
    const manifest = await this.#folder.manifest(topic, partition);
    if (manifest === undefined) {
      // Without a chunk all that is there is taken away, now or when it dies here: none of it counts.
      await this.#folder.begin(this.#header);
      await this.#folder.removeFrom(this.#header, 0);
      return this.#range.from;
    }
    const { header, chunks } = manifest;
    if (header.topicId !== topicId || header.format !== format || header.topic !== topic) {
      const detail = `the folder holds ${header.format} of ${header.topic} ${header.topicId}, not ${format} of ${topicId}`;
      throw new CodedError('EXPORT_OF_ANOTHER', detail);
    }
    const next = chunks.at(-1)?.to ?? this.#range.from;
    if (chunks.length > 0 && next < logStart && !this.#options.skipGap) {
      const detail = `${topic}/${partition}: records ${next} to ${logStart - 1} are no longer in the log`;
      throw new CodedError('EXPORT_GAP', detail);
    }
    await this.#folder.removeFrom(this.#header, chunks.length === 0 ? 0 : next);
    return Math.max(next, logStart);
  }

  async #take({ records }: RecordBatch, from: number): Promise<void> {
    const { topic } = this.#header;
    const believed = records.filter((record) => this.#isBelieved(record));
    const values = await this.#sources.codec.decode(
      topic,
      believed.map(({ value }) => value),
    );
    for (const [at, result] of values.entries()) {
      const record = believed[at]!;
      if (record.offset < from) continue;
      if (!result.ok && result.kind === 'newer-schema') throw new CodedError('NEWER_SCHEMA', result.detail);
      if (!result.ok) {
        this.#unreadable += 1;
        continue;
      }
      const value = result.value as unknown as Readonly<Record<string, unknown>>;
      this.#bucketOf(value, record).add(value, record);
      this.#rows += 1;
      this.#bytes += record.value?.length ?? 0;
    }
  }

  #isBelieved(record: LogRecord): boolean {
    if (record.unreadable) {
      this.#unreadable += 1;
      return false;
    }
    if (!this.#isChecked || sealFlaw(this.#sources.rings, this.#header.topic, record) === undefined) return true;
    this.#unproven += 1;
    return false;
  }

  #bucketOf({ corridorId }: Readonly<Record<string, unknown>>, { timestamp }: LogRecord): Rows {
    const corridor = typeof corridorId === 'string' && FOLDER_NAME.test(corridorId) ? corridorId : NO_CORRIDOR;
    const place = `${this.#hourOf(timestamp)}/corridor=${corridor}`;
    const known = this.#buckets.get(place);
    if (known) return known;
    const rows = new Rows(this.#columns);
    this.#buckets.set(place, rows);
    return rows;
  }

  /** Records come in the order of their hours, nearly. */
  #hourOf(timestamp: number): string {
    const hour = Math.floor(timestamp / HOUR_MS);
    if (hour === this.#hour.number) return this.#hour.text;
    const text = new Date(timestamp).toISOString();
    this.#hour = { number: hour, text: `date=${text.slice(0, 10)}/hour=${text.slice(11, 13)}` };
    return this.#hour.text;
  }

  /** The files first, then the line that makes them count. @returns where to go on */
  async #flush(from: number, to: number): Promise<number> {
    const files: { readonly name: string; readonly rows: number }[] = [];
    for (const [place, rows] of this.#buckets) {
      const wanted = exportFileName(this.#header, place, from);
      const name = await this.#folder.write(this.#header, wanted, this.#columns, rows.table);
      files.push({ name, rows: rows.length });
    }
    const unproven = this.#isChecked ? this.#unproven : null;
    const chunk: ExportedChunk = { from, to, files, unproven, unreadable: this.#unreadable };
    await this.#folder.add(this.#header, chunk);
    this.#total = {
      rows: this.#total.rows + this.#rows,
      files: this.#total.files + files.length,
      unproven: this.#total.unproven + this.#unproven,
      unreadable: this.#total.unreadable + this.#unreadable,
    };
    this.#buckets = new Map();
    this.#rows = 0;
    this.#bytes = 0;
    this.#unproven = 0;
    this.#unreadable = 0;
    return to;
  }
}

const HOUR_MS = 3_600_000;
const FOLDER_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
/** Of records that name none: refused intents of no corridor, and records of before the field. */
const NO_CORRIDOR = '_none';

/** A file of a chunk: one a place (hour and corridor), named by partition and first offset of its chunk. */
export const exportFileName = ({ topic, partition, format }: ExportHeader, place: string, chunkFrom: number): string =>
  `${topic}/${place}/p${partition}-${chunkFrom}.${format}`;
