// Proofs of the audit log, one at a time: that an entry is in the tree of the newest checkpoint, and that this tree begins with
// an earlier one. Made from the log in one pass, and checked against the checkpoint before they are told.
import {
  consistencyRanges,
  type HashRange,
  inclusionRanges,
  leafHash,
  RangeHashes,
  rootByInclusion,
} from '../../domain/audit/merkle.ts';
import { CodedError } from '../../ports/fault.ts';
import type { AuditEntry } from '../../schemas/types.generated.ts';
import { type AuditReading, findEntry } from './entries.ts';
import { ENTRIES, LOG } from './names.ts';
import { newestCheckpoint, type SignedCheckpoint } from './state.ts';

/** An entry as it stands in the log, and what shows that it is there. */
export interface Inclusion {
  readonly index: number;
  /** The bytes that are hashed: the record as it stands in `audit.log`. */
  readonly leaf: Buffer;
  readonly entry: AuditEntry;
  /** Hashes up to the root of the checkpoint. */
  readonly path: readonly Buffer[];
  readonly checkpoint: SignedCheckpoint;
}

/** What shows that the tree of the newest checkpoint begins with that of `from` entries. */
export interface Consistency {
  readonly from: number;
  readonly path: readonly Buffer[];
  readonly checkpoint: SignedCheckpoint;
}

type Sources = Pick<AuditReading, 'reader' | 'codec' | 'keys'>;

/** @throws CodedError CHECKPOINT_UNKNOWN while none is signed by a key that is known here */
export async function signedCheckpoint({ reader, codec, keys }: Sources): Promise<SignedCheckpoint> {
  const newest = await newestCheckpoint(reader, codec, keys);
  if (newest?.signed) return newest.signed;
  const why = newest ? 'the newest checkpoint is signed by no key that is known here' : 'there is no checkpoint yet';
  throw new CodedError('CHECKPOINT_UNKNOWN', why);
}

/**
 * @param which its place, or its id
 * @throws CodedError AUDIT_ENTRY_UNKNOWN, CHECKPOINT_UNKNOWN, AUDIT_LOG_UNREADABLE when the log does not lead to the root that
 *   was signed
 */
export async function inclusionOf(sources: AuditReading, which: string): Promise<Inclusion> {
  const { index } = await findEntry(sources, which);
  const checkpoint = await signedCheckpoint(sources);
  if (index >= checkpoint.size)
    throw new CodedError('AUDIT_ENTRY_UNKNOWN', `no checkpoint is over entry ${index} yet: ask again in some seconds`);
  const { path, leaf } = await passOver(sources, inclusionRanges(index, checkpoint.size), checkpoint.size, index);
  const root = leaf && path && rootByInclusion(leafHash(leaf), index, checkpoint.size, path);
  if (!leaf || !path || !root?.equals(checkpoint.root)) throw unreadable('it does not lead to the root that is signed');
  const [decoded] = await sources.codec.decode(ENTRIES, [leaf]);
  if (!decoded?.ok) throw unreadable(`entry ${index} does not decode`);
  return { index, leaf, entry: decoded.value, path, checkpoint };
}

/**
 * @param from entries of the earlier tree
 * @throws CodedError CHECKPOINT_UNKNOWN, AUDIT_LOG_UNREADABLE, OPTION_INVALID when the newest tree is smaller
 */
export async function consistencyWith(sources: Sources, from: number): Promise<Consistency> {
  const checkpoint = await signedCheckpoint(sources);
  if (!Number.isSafeInteger(from) || from < 0 || from > checkpoint.size)
    throw new CodedError('OPTION_INVALID', `the newest checkpoint is over ${checkpoint.size} entries`);
  const { path } = await passOver(sources, consistencyRanges(from, checkpoint.size), checkpoint.size);
  if (!path) throw unreadable('entries of it are missing');
  return { from, path, checkpoint };
}

/** Reads the log once, up to `size` entries. */
async function passOver(
  { reader }: Pick<Sources, 'reader'>,
  ranges: readonly HashRange[],
  size: number,
  wanted?: number,
): Promise<{ readonly path: readonly Buffer[] | undefined; readonly leaf: Buffer | undefined }> {
  const hashes = new RangeHashes(ranges);
  let [place, leaf]: [number, Buffer | undefined] = [0, undefined];
  await reader.read(ranges.length > 0 || wanted !== undefined ? await reader.offsets([LOG]) : [], ({ records }) => {
    for (const { value, unreadable: flaw } of records) {
      if (place >= size) return;
      if (flaw !== undefined || value === null) throw unreadable(`the record of entry ${place}`);
      hashes.take(place, leafHash(value));
      if (place === wanted) leaf = value;
      place += 1;
    }
  });
  return { path: hashes.hashes(), leaf };
}

const unreadable = (what: string): CodedError =>
  new CodedError('AUDIT_LOG_UNREADABLE', `the audit log cannot be read whole: ${what}`);
