// The form of a fixture: files of one folder, each a list of lines. Bytes are base64.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { CommittedOffset, PartitionRange } from '../../ports/log.ts';

/** A key of Redis: a string or a hash. */
export interface DumpedKey {
  readonly key: string;
  readonly value: string | Readonly<Record<string, string>>;
  /** -1: it stays. */
  readonly ttlMs: number;
}

export interface DumpedRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: Readonly<Record<string, string>>;
}

export interface DumpedTopic {
  readonly name: string;
  readonly partitions: number;
  readonly topicId?: string;
}

export type DumpedOffset = CommittedOffset & { readonly group: string };

export interface DumpedLog {
  readonly app: string;
  readonly topics: readonly DumpedTopic[];
  readonly ranges: readonly PartitionRange[];
  readonly committed: readonly DumpedOffset[];
  readonly records: readonly DumpedRecord[];
}

/** A schema under the id that the records bear; those of `schemas/released` are named, others are given. */
export interface DumpedSchema {
  readonly subject: string;
  readonly id: number;
  readonly released?: string;
  readonly schema?: unknown;
}

/** When a fixture was made, and by what. */
export interface About {
  readonly version: string;
  /** ms; nothing in it is younger. */
  readonly madeAt: number;
}

/** The parts of a fixture, and the files that hold them. */
export const FILES = {
  about: 'about.ndjson',
  redis: 'redis-limits.ndjson',
  topics: 'log-topics.ndjson',
  records: 'log-records.ndjson',
  schemas: 'schemas.ndjson',
  checkpoint: 'checkpoint.ndjson',
  provider: 'provider-ledger.ndjson',
} as const;

/** Holds a file of documents for each collection. */
export const COLLECTIONS_FOLDER = 'mongo';

/** The lines of a file of the fixture. */
export const linesOf = (folder: string, file: string): readonly string[] =>
  readFileSync(path.join(folder, file), 'utf8').split('\n').filter(Boolean);

/** The same, each line as JSON. */
export const rowsOf = <T>(folder: string, file: string): readonly T[] =>
  linesOf(folder, file).map((line) => JSON.parse(line) as T);
