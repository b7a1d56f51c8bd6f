// The audit log for programs of others: the bytes of every entry, every checkpoint as it was signed, and the proofs between
// them. What it says needs no belief in us: docs/audit.md shows how to check it.
import { HashTree, leafHash } from '../../domain/audit/merkle.ts';
import type { VerifyKey } from '../../domain/audit/signed-note.ts';
import type { Codec } from '../../ports/codec.ts';
import { CodedError } from '../../ports/fault.ts';
import type { LogReader, LogRecord } from '../../ports/log.ts';
import type { AuditEntry } from '../../schemas/types.generated.ts';
import { CHECKPOINTS, ENTRIES, LOG } from './names.ts';
import { checkpointOf, type SignedCheckpoint } from './state.ts';

/** A line of `entries.ndjson`. */
interface ExportedEntry {
  readonly index: number;
  /** The bytes that are hashed, in base64: the record as it stands in `audit.log`. */
  readonly leaf: string;
  /** The same, for people. */
  readonly entry: AuditEntry | undefined;
}

/** A line of `checkpoints.ndjson`. */
interface ExportedCheckpoint {
  /** The signed note. */
  readonly note: string;
  readonly size: number;
  /** Hashes in base64: shows that this tree begins with that of the line before. */
  readonly consistency: readonly string[];
}

/** A line of `proofs.ndjson`. */
interface ExportedProof {
  readonly index: number;
  /** Hashes in base64, up to the root of the newest checkpoint. */
  readonly path: readonly string[];
}

export interface ExportSources {
  /** With the topics of the audit log loaded. */
  readonly codec: Pick<Codec, 'decode'>;
  readonly reader: LogReader;
  readonly keys: readonly VerifyKey[];
}

/** Where the lines go, each of them awaited. */
export interface ExportSink {
  entry(line: ExportedEntry): Promise<void>;
  checkpoint(line: ExportedCheckpoint): Promise<void>;
  proof(line: ExportedProof): Promise<void>;
}

/**
 * Gives out entries, then checkpoints, then proofs. Memory: 64 bytes an entry.
 * @throws CodedError AUDIT_LOG_UNREADABLE when a record of the log cannot be read: verify tells more
 */
export async function exportAudit(
  { codec, reader, keys }: ExportSources,
  sink: ExportSink,
): Promise<SignedCheckpoint | undefined> {
  // First: every checkpoint that is read is over entries that are read afterwards.
  const checkpoints: SignedCheckpoint[] = [];
  await reader.read(await reader.offsets([CHECKPOINTS]), async ({ records }) => {
    for (const { value } of records) {
      const checkpoint = await checkpointOf(codec, keys, value);
      if (checkpoint !== undefined) checkpoints.push(checkpoint);
    }
  });
  const newest = checkpoints.at(-1);
  const tree = new HashTree();
  await reader.read(await reader.offsets([LOG]), async ({ records }) => {
    const signed = records.slice(0, Math.max(0, (newest?.size ?? 0) - tree.size));
    const leaves = signed.map(leafBytes);
    const decoded = await codec.decode(ENTRIES, leaves);
    for (const [place, leaf] of leaves.entries()) {
      const result = decoded[place]!;
      const entry = result.ok ? result.value : undefined;
      await sink.entry({ index: tree.size, leaf: leaf.toString('base64'), entry });
      tree.append(leafHash(leaf));
    }
  });
  if (newest !== undefined && tree.size < newest.size)
    throw unreadable(`it has ${tree.size} of ${newest.size} entries`);
  let before = 0;
  for (const { note, size } of checkpoints) {
    const consistency = size < before ? [] : tree.consistencyProof(before, size);
    await sink.checkpoint({ note, size, consistency: consistency.map(base64) });
    before = size;
  }
  for (let index = 0; index < tree.size; index++) {
    await sink.proof({ index, path: tree.inclusionProof(index, tree.size).map(base64) });
  }
  return newest;
}

const base64 = (hash: Buffer): string => hash.toString('base64');

function leafBytes({ value, unreadable: flaw, offset }: LogRecord): Buffer {
  if (flaw === undefined && value !== null) return value;
  throw unreadable(`the record at offset ${offset}`);
}

const unreadable = (what: string): CodedError =>
  new CodedError('AUDIT_LOG_UNREADABLE', `the audit log cannot be read whole: ${what}`);
