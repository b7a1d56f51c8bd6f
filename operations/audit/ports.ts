// The index of the audit log, for reading. It is a copy: what counts stands in the log.
import type { AuditEntry } from '../../schemas/types.generated.ts';
import type { IndexedLeaf } from './verify.ts';

/** An entry as the index has it. */
export interface IndexedEntry extends AuditEntry {
  /** Its place in the log, from 0. */
  readonly index: number;
  /** Its offset in `audit.log`. */
  readonly offset: number;
  readonly leafHash: Buffer;
}

/** What is looked for; everything that is given must hold. */
export interface AuditFilter {
  readonly subject?: string;
  readonly action?: string;
  readonly objectKind?: string;
  /** Found also where the entry has only a digest of it. */
  readonly objectId?: string;
  readonly outcome?: AuditEntry['outcome'];
  readonly requestId?: string;
  /** The entry with this id, and all that are part of it. */
  readonly act?: string;
  /** ms since 1970, by the clock of the program that wrote the entry */
  readonly since?: number;
  readonly until?: number;
}

/** How far the index is. */
export interface IndexStanding {
  /** Place of the entry that is indexed next: so many are. */
  readonly next: number;
  /** Offset in `audit.log` from which to read on. */
  readonly offset: number;
}

export interface AuditIndex {
  ensureIndexes(): Promise<void>;
  standing(): Promise<IndexStanding>;
  /** Writes entries, whatever is there already, and how far the index is with them. */
  write(entries: readonly IndexedEntry[], standing: IndexStanding): Promise<void>;
  /** Entries before a place, the latest first. */
  list(filter: AuditFilter, limit: number, before?: number): Promise<readonly IndexedEntry[]>;
  /** By place or by id. */
  find(which: number | string): Promise<IndexedEntry | undefined>;
  /** Every leaf in its order. */
  leaves(): AsyncIterable<IndexedLeaf>;
}
