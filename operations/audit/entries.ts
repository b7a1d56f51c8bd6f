// Reading the audit log as people do: pages of it, one entry with what proves it.
import { openedNote, type VerifyKey } from '../../domain/audit/signed-note.ts';
import { safeText } from '../../domain/text/text.ts';
import type { Codec } from '../../ports/codec.ts';
import { CodedError } from '../../ports/fault.ts';
import type { LogReader } from '../../ports/log.ts';
import type { AuditFilter, AuditIndex, IndexedEntry } from './ports.ts';
import { newestCheckpoint } from './state.ts';

const MAX_ENTRIES = 500;

export interface AuditPage {
  readonly entries: readonly IndexedEntry[];
  /** Ask on before this place; undefined: this is the last page. */
  readonly before: number | undefined;
  /** Whether the index has all that is signed. */
  readonly complete: boolean;
  /** Why it is not complete. */
  readonly reason: string | undefined;
}

export interface AuditReading {
  readonly index: Pick<AuditIndex, 'standing' | 'list' | 'find'>;
  readonly reader: LogReader;
  /** With the topics of the audit log loaded. */
  readonly codec: Pick<Codec, 'decode'>;
  readonly keys: readonly VerifyKey[];
}

/** A page of entries, the latest first. `limit`: 1 to 500. */
export async function listEntries(
  { index, reader, codec, keys }: AuditReading,
  filter: AuditFilter,
  limit: number,
  before?: number,
): Promise<AuditPage> {
  const most = Math.min(Math.max(1, Math.trunc(limit)), MAX_ENTRIES);
  const newest = await newestCheckpoint(reader, codec, keys);
  const { next } = await index.standing();
  const found = await index.list(filter, most + 1, before);
  const entries = found.slice(0, most);
  const reason = incompleteness(newest, next);
  return {
    entries,
    before: found.length > most ? entries.at(-1)?.index : undefined,
    complete: reason === undefined,
    reason,
  };
}

function incompleteness(newest: Awaited<ReturnType<typeof newestCheckpoint>>, next: number): string | undefined {
  if (newest === undefined) return next === 0 ? undefined : 'the index has entries, and no checkpoint is signed';
  if (newest.signed === undefined) return 'the newest checkpoint is signed by no key that is known here';
  if (next < newest.signed.size) return `the index has ${next} of ${newest.signed.size} entries`;
  return undefined;
}

/** @throws CodedError AUDIT_ENTRY_UNKNOWN */
export async function findEntry({ index }: Pick<AuditReading, 'index'>, which: string): Promise<IndexedEntry> {
  const place = /^\d{1,15}$/.test(which) ? Number(which) : which;
  const found = await index.find(place);
  if (found) return found;
  throw new CodedError('AUDIT_ENTRY_UNKNOWN', `there is no entry ${safeText(which, 60)} in the index`);
}

/** The text of a checkpoint that somebody kept. @throws CodedError CHECKPOINT_INVALID unless a known key has signed it */
export function keptNote(note: string, keys: readonly VerifyKey[]): string {
  const text = openedNote(note, keys);
  if (text !== undefined) return text;
  throw new CodedError('CHECKPOINT_INVALID', 'this is no checkpoint that one of the public keys has signed');
}
