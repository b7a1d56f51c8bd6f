// What an export needs from outside: a folder in which files appear as a whole or not at all.
import type { TopicName } from '../../topics/catalogue.ts';
import type { Column, Table } from './table.ts';

export const EXPORT_FORMATS = ['parquet', 'csv', 'ndjson'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** What the files of one partition are made from, and how: another is another export. */
export interface ExportHeader {
  readonly form: 1;
  readonly topic: TopicName;
  /** The broker's id of it; its name where it gives none. */
  readonly topicId: string;
  readonly partition: number;
  readonly format: ExportFormat;
}

/** Records [from, to) of the partition are in these files, and in no other. */
export interface ExportedChunk {
  readonly from: number;
  readonly to: number;
  readonly files: readonly { readonly name: string; readonly rows: number }[];
  /** Records that bear no seal of whoever may write them; null: nobody looked, for want of the key. */
  readonly unproven: number | null;
  /** Records that nobody can read. */
  readonly unreadable: number;
}

/** The manifest of one partition: its header, and a chunk for each step, without a gap between them. */
export interface ExportManifest {
  readonly header: ExportHeader;
  readonly chunks: readonly ExportedChunk[];
}

/**
 * All methods throw CodedError EXPORT_NOT_WRITTEN when the folder cannot be used, and EXPORT_BUSY when another export has taken
 * it over. In the order of an export: the manifest, or its beginning; then what is to be taken away, files, and chunks.
 */
export interface ExportFolder {
  /** The manifest of a partition, without a last line that was never finished; undefined: there is none. */
  manifest(topic: TopicName, partition: number): Promise<ExportManifest | undefined>;
  /** Begins a manifest. */
  begin(header: ExportHeader): Promise<void>;
  /** Adds a chunk to it, durably: from then on its files count. */
  add(header: ExportHeader, chunk: ExportedChunk): Promise<void>;
  /**
   * Writes a file, durably, as a whole or not at all; one of this name is replaced.
   * @returns the name under which it is stored
   */
  write(header: ExportHeader, name: string, columns: readonly Column[], table: Table): Promise<string>;
  /** Takes away the files of this partition that count for nothing: those of chunks that begin at `from` or behind it. */
  removeFrom(header: ExportHeader, from: number): Promise<void>;
}
