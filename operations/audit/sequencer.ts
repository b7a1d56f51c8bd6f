// The one sequencer of the audit log: takes what programs wrote, in the order of the log, gives each entry its place in the
// tree, and signs a checkpoint over it. Entries, checkpoint, state and offset are one transaction of one owner: whenever it
// dies, or another runs beside it, each entry is in the log once, and every checkpoint says what the log holds.
import { type Checkpoint, checkpointText } from '../../domain/audit/checkpoint.ts';
import { type CompactRange, leafHash } from '../../domain/audit/merkle.ts';
import { type SigningKey, signedNote, type VerifyKey } from '../../domain/audit/signed-note.ts';
import { deterministicId } from '../../domain/transfers/event-id.ts';
import { type Clock, systemClock } from '../../ports/clock.ts';
import type { Codec } from '../../ports/codec.ts';
import type { ErrorCode } from '../../ports/error-codes.ts';
import { CodedError } from '../../ports/fault.ts';
import type { BatchResult, LogReader, LogRecord, OutputRecord, RecordBatch } from '../../ports/log.ts';
import { recordMaker } from '../../ports/records.ts';
import { type Rings, sealFlaw } from '../../ports/seals.ts';
import { AUDIT_SEQUENCER as SEQUENCER } from '../../processors/topology.ts';
import { auditCheckpoints, auditEntries } from '../../topics/boundary.ts';
import { HEADER } from '../../topics/headers.ts';
import { entryFlaw, entryOf } from './entry.ts';
import { AUDIT_HEADER, CHECKPOINTS, ENTRIES, LOG } from './names.ts';
import { REMEMBERED, stateText, takenOver } from './state.ts';

/** Why a record of `audit.entries` is no entry. */
type Refusal = Extract<
  ErrorCode,
  'SEAL_MISSING' | 'SEAL_WRONG' | 'SEAL_KEY_UNKNOWN' | 'AUDIT_ENTRY_INVALID' | 'AUDIT_ENTRY_UNREADABLE'
>;

/** What became of a batch. */
export interface Sequenced {
  readonly entries: number;
  /** Entries that are in the log already. */
  readonly repeated: number;
  readonly refused: ReadonlyMap<Refusal, number>;
  readonly checkpoint: Checkpoint | undefined;
}

export interface SequencerOptions {
  /** With the topics of the audit log loaded. */
  readonly codec: Codec;
  readonly rings: Rings;
  readonly reader: LogReader;
  /** Every checkpoint is signed under each; their common name is the origin of the log. Never empty. */
  readonly signingKeys: readonly SigningKey[];
  /** Keys that may have signed the checkpoint that is gone on from. */
  readonly publicKeys: readonly VerifyKey[];
  readonly clock?: Clock;
  /** Called before the batch is committed. */
  readonly onSequenced?: (what: Sequenced) => void;
}

interface ReachedState {
  /** Beside the offset that it follows. */
  readonly note: string;
  readonly range: CompactRange;
  readonly recent: RecentIds;
}

/** Makes the batches of one partition into transactions. Throws what the log or the registry throws, to be tried again. */
export function createSequencer(options: SequencerOptions): (batch: RecordBatch) => Promise<BatchResult> {
  const { codec, reader, rings, signingKeys, publicKeys, clock = systemClock, onSequenced } = options;
  const keys = [...signingKeys.map(({ verifies }) => verifies), ...publicKeys];
  const make = recordMaker({ owner: SEQUENCER, writes: [auditEntries, auditCheckpoints], codec, rings });
  let standing: ReachedState | undefined;

  /** What this sequencer made last may not have been committed, or another may have come between. */
  async function standingAt(topicId: string, note: string): Promise<ReachedState> {
    if (standing?.note === note) return standing;
    const { range, recent } = await takenOver({ reader, codec, keys }, topicId, note);
    return { note, range, recent: new RecentIds(recent) };
  }

  return async (batch) => {
    const { note = '', records, topic, topicId = topic } = batch;
    const before = await standingAt(topicId, note);
    const { taken, refused, unread } = await sorted(codec, rings, batch);
    const refusals = [...refused].map(([code, count]) =>
      make(ENTRIES, refusalEntry(code, count, batch, clock.now()), ANY),
    );
    const { outputs, range, fresh, repeated } = appended(before, taken, refusals);
    const entries = outputs.length;
    const checkpoint = entries === 0 ? undefined : checkpointOver(range, signingKeys);
    const signed = checkpoint && signedNote(checkpointText(checkpoint), signingKeys);
    const all = signed === undefined ? outputs : [...outputs, make(CHECKPOINTS, { note: signed }, ANY)];
    const after = entries === 0 ? note : stateText(topicId, range);
    // Only now: had anything been thrown, the batch would come again under the same note.
    for (const entryId of fresh) before.recent.add(entryId);
    standing = { note: after, range, recent: before.recent };
    onSequenced?.({ entries, repeated, refused, checkpoint });
    const then: BatchResult['then'] =
      unread === undefined
        ? { do: 'continue' }
        : { do: 'pause', forMs: NEWER_WAIT_MS, code: 'NEWER_SCHEMA', detail: unread.detail };
    const doneThrough = unread === undefined ? records.at(-1)!.offset : unread.before;
    return { doneThrough, outputs: all, ...(after === '' ? {} : { note: after }), then };
  };
}

const ANY = { partition: 0 } as const;
const NEWER_WAIT_MS = 5_000;

const checkpointOver = (range: CompactRange, [key]: readonly SigningKey[]): Checkpoint => ({
  origin: key!.verifies.name,
  size: range.size,
  root: range.root(),
});

/** The sequencer's own entry about what it refused, one a batch and code. */
function refusalEntry(code: Refusal, count: number, batch: RecordBatch, now: number) {
  const { topic, topicId = topic, records } = batch;
  const first = `${topicId}:${records[0]!.offset}`;
  return entryOf(
    {
      who: { subject: SEQUENCER, roles: [], credential: 'SYSTEM' },
      action: 'audit.refuse',
      on: { kind: 'entries', id: first, isKnown: true },
      outcome: 'DENIED',
      reasonCode: code,
      count,
    },
    { entryId: deterministicId(`audit.refuse\n${first}\n${code}`), at: now, program: SEQUENCER },
  );
}

/** The records of the log that follow what stands; nothing that stands is changed. */
function appended({ range: before, recent }: ReachedState, taken: readonly Taken[], refusals: readonly OutputRecord[]) {
  const range = before.clone();
  const fresh = new Set<string>();
  const outputs: OutputRecord[] = [];
  let repeated = 0;
  const append = (entryId: string, value: Buffer, headers: OutputRecord['headers']) => {
    outputs.push(placed(entryId, value, headers, range.size));
    range.append(leafHash(value));
    fresh.add(entryId);
  };
  for (const { entryId, value, headers, offset } of taken) {
    if (recent.has(entryId) || fresh.has(entryId)) repeated += 1;
    else append(entryId, value, { [HEADER.seal]: headers[HEADER.seal] ?? '', [AUDIT_HEADER.offset]: String(offset) });
  }
  for (const { key, value, headers } of refusals) append(String(key), value!, headers);
  return { outputs, range, fresh, repeated };
}

/** The record of the log: the bytes as their writer sealed them. */
const placed = (entryId: string, value: Buffer, headers: OutputRecord['headers'], index: number): OutputRecord => ({
  topic: LOG,
  partition: 0,
  key: entryId,
  value,
  headers: { ...headers, [AUDIT_HEADER.index]: String(index) },
});

interface Taken {
  readonly entryId: string;
  readonly value: Buffer;
  readonly headers: LogRecord['headers'];
  readonly offset: number;
}

interface Unread {
  /** Offset of the last record before it; undefined: it is the first. */
  readonly before: number | undefined;
  readonly detail: string;
}

interface Sorted {
  readonly taken: readonly Taken[];
  readonly refused: ReadonlyMap<Refusal, number>;
  /** Set when a record was written by a newer release: those before it are done. */
  readonly unread: Unread | undefined;
}

/** Seals first: of what nobody sealed nothing is decoded, so that it cannot have the registry asked. */
async function sorted(codec: Codec, rings: Rings, { records }: RecordBatch): Promise<Sorted> {
  const taken: Taken[] = [];
  const refused = new Map<Refusal, number>();
  const refuse = (code: Refusal) => refused.set(code, (refused.get(code) ?? 0) + 1);
  const decodable = records.filter((record) => !record.unreadable && sealFlaw(rings, ENTRIES, record) === undefined);
  const decoded = await codec.decode(
    ENTRIES,
    decodable.map(({ value }) => value),
  );
  const results = new Map(decodable.map((record, place) => [record, decoded[place]!]));
  let before: number | undefined;
  for (const record of records) {
    const { value, headers, offset, key } = record;
    const result = results.get(record);
    if (result !== undefined && !result.ok && result.kind === 'newer-schema') {
      return { taken, refused, unread: { before, detail: result.detail } };
    }
    if (result === undefined) refuse(record.unreadable ? 'AUDIT_ENTRY_UNREADABLE' : sealFlaw(rings, ENTRIES, record)!);
    else if (!result.ok) refuse('AUDIT_ENTRY_UNREADABLE');
    else if (entryFlaw(result.value) !== undefined || key?.toString() !== result.value.entryId)
      refuse('AUDIT_ENTRY_INVALID');
    else taken.push({ entryId: result.value.entryId, value: value!, headers, offset });
    before = offset;
  }
  return { taken, refused, unread: undefined };
}

/** Ids of the last entries: bounded, the oldest goes first. */
class RecentIds {
  readonly #ids: Set<string>;

  constructor(ids: Iterable<string>) {
    this.#ids = new Set(ids);
  }

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  add(id: string): void {
    this.#ids.add(id);
    if (this.#ids.size > REMEMBERED) this.#ids.delete(this.#ids.values().next().value!);
  }
}

/** @throws CodedError CONFIG_INVALID (fatal) when there is no key to sign with */
export function requireSigningKeys(keys: readonly SigningKey[] | undefined): readonly SigningKey[] {
  if (keys !== undefined && keys.length > 0) return keys;
  throw new CodedError('CONFIG_INVALID', 'CORRIDOR_AUDIT_SIGNING_KEYS is not set: the sequencer signs checkpoints', {
    faultClass: 'fatal',
  });
}
