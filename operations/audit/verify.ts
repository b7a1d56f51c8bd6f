// Verifies the audit log from its records alone: every checkpoint against the entries before it, every entry against its place
// and its seal, what programs wrote against what is in the log, and what somebody kept elsewhere against all of it.
import { isDeepStrictEqual } from 'node:util';
import type { Checkpoint } from '../../domain/audit/checkpoint.ts';
import { CompactRange, EMPTY_ROOT, leafHash } from '../../domain/audit/merkle.ts';
import type { VerifyKey } from '../../domain/audit/signed-note.ts';
import type { Codec } from '../../ports/codec.ts';
import type { LogReader, LogRecord, PartitionRange } from '../../ports/log.ts';
import { type Rings, sealFlaw } from '../../ports/seals.ts';
import type { AuditEntry } from '../../schemas/types.generated.ts';
import { entryFlaw } from './entry.ts';
import type { AuditFindingName } from './finding-codes.ts';
import { AUDIT_HEADER, CHECKPOINTS, ENTRIES, LOG, numberIn } from './names.ts';
import { checkpointOf, type SignedCheckpoint } from './state.ts';

export interface AuditFinding {
  readonly code: AuditFindingName;
  /** Place of the entry, or size of the checkpoint, that it is about. */
  readonly at: number;
  readonly detail: string;
}

export interface AuditReport {
  readonly entries: number;
  readonly checkpoints: number;
  /** The newest checkpoint that a known key has signed. */
  readonly newest: SignedCheckpoint | undefined;
  /** Written by programs and not in the log yet. */
  readonly waiting: number;
  /** All findings, by code. */
  readonly counts: Readonly<Partial<Record<AuditFindingName, number>>>;
  /** The first of each code. */
  readonly findings: readonly AuditFinding[];
  readonly isVerified: boolean;
}

/** What the index in MongoDB says of an entry. */
export interface IndexedLeaf {
  readonly index: number;
  readonly leafHash: Buffer;
  readonly entry: AuditEntry;
}

export interface AuditVerifySources {
  /** With the topics of the audit log loaded. */
  readonly codec: Codec;
  readonly reader: LogReader;
  readonly rings: Rings;
  /** Every public key that the log has had. */
  readonly keys: readonly VerifyKey[];
  /** Checkpoints that were kept elsewhere. */
  readonly kept?: readonly Checkpoint[];
  /** Offset in `audit.entries` up to which the sequencer has taken entries; undefined: not known. */
  readonly sequencedUpTo?: number | undefined;
  /** The index, in its order; it is compared where it is given. */
  readonly index?: AsyncIterable<IndexedLeaf>;
  readonly findingsPerCode?: number;
}

/** Reads all of the log once. Throws what the log and the registry throw: then nothing is said. */
export async function verifyAudit(sources: AuditVerifySources): Promise<AuditReport> {
  const found = new Findings(sources.findingsPerCode ?? 20);
  const { reader, kept = [] } = sources;
  // Entries first, the log last: what is in the first when it is read is in the second, unless it waits.
  const written = await writtenEntries(sources);
  const checkpoints = await readCheckpoints(sources, found);
  const [range] = await reader.offsets([LOG]);
  const log = new LogCheck(sources, found, checkpoints, written.due);
  if (range && range.from > 0) found.add('LOG_BEGINS_LATE', 0, `it begins at offset ${range.from}`);
  await log.read(range);
  const newest = checkpoints.at(-1);
  for (const one of kept) log.compareKept(one);
  for (const entryId of written.due) {
    found.add(
      'ENTRY_LEFT_OUT',
      0,
      `entry ${entryId} of audit.entries was passed by the sequencer, and is not in the log`,
    );
  }
  return {
    entries: log.size,
    checkpoints: checkpoints.length,
    newest,
    waiting: written.waiting,
    counts: found.counts,
    findings: found.list,
    isVerified: found.list.length === 0,
  };
}

/** Findings: all are counted, the first of each code are kept. */
class Findings {
  readonly list: AuditFinding[] = [];
  readonly counts: Partial<Record<AuditFindingName, number>> = {};
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  add(code: AuditFindingName, at: number, detail: string): void {
    const count = (this.counts[code] ?? 0) + 1;
    this.counts[code] = count;
    if (count <= this.#most) this.list.push({ code, at, detail });
  }
}

/** Ids of the entries that the sequencer has taken, as far as the topic still has them, and how many wait. */
async function writtenEntries({ reader, codec, rings, sequencedUpTo }: AuditVerifySources) {
  const due = new Set<string>();
  let waiting = 0;
  const ranges = await reader.offsets([ENTRIES]);
  await reader.read(ranges, async ({ records }) => {
    const sealed = records.filter((record) => !record.unreadable && sealFlaw(rings, ENTRIES, record) === undefined);
    const decoded = await codec.decode(
      ENTRIES,
      sealed.map(({ value }) => value),
    );
    sealed.forEach(({ offset, key }, place) => {
      const result = decoded[place];
      if (!result?.ok || result.value.entryId !== key?.toString() || entryFlaw(result.value) !== undefined) return;
      if (sequencedUpTo !== undefined && offset < sequencedUpTo) due.add(result.value.entryId);
      else waiting += 1;
    });
  });
  return { due, waiting };
}

/** The checkpoints that are signed, in their order; none that contradicts one before it. */
async function readCheckpoints(
  { reader, codec, keys }: AuditVerifySources,
  found: Findings,
): Promise<readonly SignedCheckpoint[]> {
  const good: SignedCheckpoint[] = [];
  const ranges = await reader.offsets([CHECKPOINTS]);
  for (const { from } of ranges) {
    if (from > 0) found.add('CHECKPOINTS_GONE', 0, `they begin at offset ${from}`);
  }
  await reader.read(ranges, async ({ records }) => {
    for (const { value, offset } of records) {
      const checkpoint = await checkpointOf(codec, keys, value);
      const before = good.at(-1);
      if (checkpoint === undefined) {
        found.add('CHECKPOINT_NOT_SIGNED', before?.size ?? 0, `the record at offset ${offset} of ${CHECKPOINTS}`);
        continue;
      }
      if (before !== undefined && isForked(before, checkpoint)) {
        found.add('CHECKPOINT_FORKED', checkpoint.size, `at offset ${offset}, after one over ${before.size} entries`);
        continue;
      }
      good.push(checkpoint);
    }
  });
  return good;
}

const isForked = (before: Checkpoint, after: Checkpoint): boolean =>
  after.size < before.size ||
  after.origin !== before.origin ||
  (after.size === before.size && !after.root.equals(before.root));

/** The entries one by one, in the order of the log. */
class LogCheck {
  readonly #sources: AuditVerifySources;
  readonly #found: Findings;
  readonly #checkpoints: readonly SignedCheckpoint[];
  readonly #due: Set<string>;
  readonly #range = CompactRange.empty();
  readonly #ids = new Set<string>();
  readonly #keptRoots = new Map<number, Buffer | undefined>();
  #next = 0;
  /** Entries under the last checkpoint that fits. */
  #fits = 0;
  #isLost = false;

  constructor(
    sources: AuditVerifySources,
    found: Findings,
    checkpoints: readonly SignedCheckpoint[],
    due: Set<string>,
  ) {
    [this.#sources, this.#found, this.#checkpoints, this.#due] = [sources, found, checkpoints, due];
    for (const { size } of sources.kept ?? []) this.#keptRoots.set(size, size === 0 ? EMPTY_ROOT : undefined);
    this.#passCheckpoints();
  }

  get size(): number {
    return this.#range.size;
  }

  async read(range: PartitionRange | undefined): Promise<void> {
    const index = this.#sources.index?.[Symbol.asyncIterator]();
    if (range && range.to > range.from) {
      await this.#sources.reader.read([range], async ({ records }) => {
        for (const record of records) await this.#take(record, index);
      });
    }
    if (index !== undefined) await this.#endIndex(index);
    this.#end();
  }

  compareKept({ size, root }: Checkpoint): void {
    const seen = this.#keptRoots.get(size);
    if (seen?.equals(root)) return;
    const why = seen === undefined ? `the log has ${this.size} entries` : 'the entries have another root';
    this.#found.add('KEPT_CHECKPOINT_DIFFERS', size, `kept over ${size} entries: ${why}`);
  }

  async #take(record: LogRecord, index: AsyncIterator<IndexedLeaf> | undefined): Promise<void> {
    const { key, value, headers, offset, unreadable } = record;
    const place = this.#range.size;
    if (unreadable !== undefined || value === null) {
      this.#found.add('ENTRY_UNREADABLE', place, `the record at offset ${offset} of ${LOG}`);
      return;
    }
    const said = numberIn(headers[AUDIT_HEADER.index]);
    if (said !== place)
      this.#found.add('ENTRY_MISPLACED', place, `it says ${said ?? 'nothing'}, and stands at ${place}`);
    const entryId = key?.toString() ?? '';
    if (this.#ids.has(entryId)) this.#found.add('ENTRY_REPEATED', place, `entry ${entryId}`);
    this.#ids.add(entryId);
    this.#due.delete(entryId);
    const flaw = sealFlaw(this.#sources.rings, ENTRIES, record);
    if (flaw !== undefined) this.#found.add('ENTRY_NOT_SEALED', place, `entry ${entryId}: ${flaw}`);
    const leaf = leafHash(value);
    if (index !== undefined) await this.#compareIndex(index, place, leaf, value);
    this.#range.append(leaf);
    if (this.#keptRoots.has(this.size)) this.#keptRoots.set(this.size, this.#range.root());
    this.#passCheckpoints();
  }

  /** Every checkpoint over as many entries as were read so far. */
  #passCheckpoints(): void {
    for (; this.#checkpoints[this.#next]?.size === this.size; this.#next++) {
      const { root } = this.#checkpoints[this.#next]!;
      if (root.equals(this.#range.root())) {
        this.#fits = this.size;
        continue;
      }
      // Every later root differs too: the first says where to look.
      if (this.#isLost) continue;
      this.#isLost = true;
      this.#found.add('LOG_DIFFERS', this.#fits, `between entry ${this.#fits} and entry ${this.size - 1}`);
    }
  }

  #end(): void {
    const newest = this.#checkpoints.at(-1);
    if (newest === undefined) {
      if (this.size > 0) this.#found.add('CHECKPOINTS_GONE', 0, `${this.size} entries, and no checkpoint`);
      return;
    }
    if (this.size < newest.size) {
      this.#found.add('LOG_CUT', this.size, `it has ${this.size} entries, the newest checkpoint ${newest.size}`);
    } else if (this.size > newest.size) {
      const more = this.size - newest.size;
      this.#found.add('ENTRY_UNSIGNED', newest.size, `${more} from entry ${newest.size} on`);
    }
  }

  async #compareIndex(index: AsyncIterator<IndexedLeaf>, place: number, leaf: Buffer, value: Buffer): Promise<void> {
    const { value: indexed, done } = await index.next();
    if (done) return;
    const isSame = indexed.index === place && indexed.leafHash.equals(leaf);
    const [decoded] = isSame ? await this.#sources.codec.decode(ENTRIES, [value]) : [];
    if (decoded?.ok && isDeepStrictEqual({ ...decoded.value }, indexed.entry)) return;
    this.#found.add('INDEX_DIFFERS', place, `the index has another entry here, or that of place ${indexed.index}`);
  }

  async #endIndex(index: AsyncIterator<IndexedLeaf>): Promise<void> {
    const { value, done } = await index.next();
    if (!done) this.#found.add('INDEX_DIFFERS', value.index, 'the index has entries that the log has not');
  }
}
