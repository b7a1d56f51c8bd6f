// What the sequencer goes on from. It stands beside its offset, in the transaction of the entries that it follows; whoever can
// set offsets could set it, so it is believed only when the newest signed checkpoint says the same.

import { type Checkpoint, checkpointIn } from '../../domain/audit/checkpoint.ts';
import { CompactRange } from '../../domain/audit/merkle.ts';
import { openedNote, type VerifyKey } from '../../domain/audit/signed-note.ts';
import type { Codec } from '../../ports/codec.ts';
import { CodedError } from '../../ports/fault.ts';
import type { LogReader, LogRecord } from '../../ports/log.ts';
import { AUDIT_HEADER, CHECKPOINTS, LOG, numberIn } from './names.ts';

const VERSION = 'a1';
/** Entries whose ids are remembered: whoever writes an entry again does so within seconds. */
export const REMEMBERED = 10_000;

/** Fits 4,000 bytes for any number of entries: at most 53 hashes. `topicId`: of `audit.entries`. */
export const stateText = (topicId: string, range: CompactRange): string =>
  `${VERSION}:${topicId}:${range.size}:${range.bytes().toString('base64url')}`;

/** @returns undefined for what no sequencer has written beside an offset of this topic */
export function stateIn(topicId: string, text: string): CompactRange | undefined {
  const [version, topic, size = '', hashes, more] = text.split(':');
  if (version !== VERSION || topic !== topicId || hashes === undefined || more !== undefined) return undefined;
  const count = numberIn(Buffer.from(size));
  return count === undefined ? undefined : CompactRange.of(count, Buffer.from(hashes, 'base64url'));
}

/** The records of the last `count` of a topic with one partition, in order; fewer where there are no more. */
export async function lastRecords(reader: LogReader, topic: string, count: number): Promise<readonly LogRecord[]> {
  const [range] = await reader.offsets([topic]);
  if (range === undefined) return [];
  // Transactions leave offsets without a record: more are read until there are enough.
  for (let back = 2 * count; ; back *= 4) {
    const from = Math.max(range.from, range.to - back);
    const records: LogRecord[] = [];
    if (range.to > from) {
      await reader.read([{ ...range, from }], (batch) => {
        records.push(...batch.records);
      });
    }
    if (records.length >= count || from === range.from) return records.slice(-count);
  }
}

/** A checkpoint with the note that bears it. */
export interface SignedCheckpoint extends Checkpoint {
  readonly note: string;
}

/** The checkpoint in a record, when one of these keys has signed it. */
export async function checkpointOf(
  codec: Pick<Codec, 'decode'>,
  keys: readonly VerifyKey[],
  value: Buffer | null,
): Promise<SignedCheckpoint | undefined> {
  const [decoded] = await codec.decode(CHECKPOINTS, [value]);
  if (!decoded?.ok) return undefined;
  const { note } = decoded.value;
  const text = openedNote(note, keys);
  const checkpoint = text === undefined ? undefined : checkpointIn(text);
  return checkpoint && { ...checkpoint, note };
}

/** The newest record of the checkpoints; undefined while there is none. `signed` is undefined when no key has signed it. */
export async function newestCheckpoint(
  reader: LogReader,
  codec: Pick<Codec, 'decode'>,
  keys: readonly VerifyKey[],
): Promise<{ readonly signed: SignedCheckpoint | undefined } | undefined> {
  const [last] = await lastRecords(reader, CHECKPOINTS, 1);
  return last && { signed: await checkpointOf(codec, keys, last.value) };
}

export interface TakenOver {
  readonly range: CompactRange;
  /** Ids of the last entries, the oldest first. */
  readonly recent: readonly string[];
}

interface TakeOverComponents {
  readonly reader: LogReader;
  readonly codec: Pick<Codec, 'decode'>;
  readonly keys: readonly VerifyKey[];
}

/**
 * Where the log stands, by the note beside the offset and by the log itself.
 * @throws CodedError AUDIT_STATE_DIFFERS (fatal) when they do not agree: nothing is signed on top of that
 */
export async function takenOver(
  { reader, codec, keys }: TakeOverComponents,
  topicId: string,
  note: string,
): Promise<TakenOver> {
  const range = note === '' ? CompactRange.empty() : stateIn(topicId, note);
  if (range === undefined) throw differs('what stands beside the offset is no state for this topic of entries');
  const newest = await newestCheckpoint(reader, codec, keys);
  if (newest && newest.signed === undefined)
    throw differs(`the newest checkpoint is signed by none of the keys that are known: ${keys.map(({ id }) => id)}`);
  const signed = newest?.signed;
  const recent = await lastRecords(reader, LOG, REMEMBERED);
  const last = recent.at(-1);
  const end = last === undefined ? 0 : (numberIn(last.headers[AUDIT_HEADER.index]) ?? -1) + 1;
  const stands = `${range.size} entries beside the offset, ${signed?.size ?? 0} in the newest checkpoint, ${end} in the log`;
  if ((signed?.size ?? 0) !== range.size || end !== range.size) throw differs(stands);
  if (signed && !signed.root.equals(range.root())) throw differs(`${stands}, under another root`);
  return { range, recent: recent.map(({ key }) => key?.toString() ?? '') };
}

const differs = (why: string): CodedError =>
  new CodedError('AUDIT_STATE_DIFFERS', `the audit log is not as it was left: ${why}`, { faultClass: 'fatal' });
