// Records of the recovery topics, by the record they stand for: waiting for another try, replayed, or dead-lettered.
import { type OriginPosition, parseOrigin } from '../domain/transfers/origin-position.ts';
import type { LogRecord } from '../ports/log.ts';
import { type Cause, parseCause } from '../topics/cause.ts';
import { letterOfReplay, type ReplayedLetter } from '../topics/dead-letter-id.ts';
import { headerInteger, headerText, RECOVERY_HEADER } from '../topics/headers.ts';
import { deadLetterTopic, type RecoveryKind } from '../topics/recovery.ts';
import { digest } from './digest.ts';
import type { EditFact } from './edits.ts';

/** Where the record first stood, and whose it is. */
export interface SourcePosition {
  readonly owner: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Of a batch that could not be read: its last offset. */
  readonly lastOffset?: number;
  /** Id of a topic of that name that is there no more; absent: it is the one that there is. */
  readonly earlier?: string;
}

/** A dead letter, as far as its headers tell. */
export interface DeadLetter extends SourcePosition {
  /** Id of the source topic; its name where the record does not tell. */
  readonly topicId: string;
  readonly id: string;
  readonly code: string;
  readonly replayCount: number;
  /** Where the record itself stood, when the letter is not the one of its source. */
  readonly letterAt: OriginPosition | undefined;
  /** The record that was put aside, as the cause of the letter; undefined: it does not say. */
  readonly putAside: Cause | undefined;
  /** Nothing proves what it was, or it was handled before: it stands for itself alone. */
  readonly isAlone: boolean;
  /** The record's key: its transfer, where it has one. */
  readonly key: string | undefined;
  /** Digest of the record's bytes, 1 for none; undefined when they were too many to be kept. */
  readonly bytes: number | undefined;
  /** The transfer that it stops, and whose lifecycle must say so. */
  readonly stops: string | undefined;
  /** Where it stands in the dead-letter topic. */
  readonly at: { readonly partition: number; readonly offset: number };
}

export interface StoredTrail {
  readonly source: SourcePosition;
  readonly dead: readonly string[];
  /** Dead letters of copies of it. */
  readonly copies?: readonly string[];
  /** Dead letters that were replayed; in older checkpoints how many. */
  readonly replayed?: readonly string[];
  readonly replays?: number;
  readonly waits: readonly Wait[];
  /** What operators have edited of it; absent: nothing. */
  readonly edits?: readonly EditFact[];
}

interface Wait {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

interface Trail {
  readonly source: SourcePosition;
  readonly dead: Set<string>;
  readonly copies: Set<string>;
  readonly replayed: Set<string>;
  waits: Wait[];
  edits: readonly EditFact[];
}

export type IsOfTopic = (topic: string, topicId: string) => boolean;
export type IsHandled = (owner: string, topic: string, partition: number, offset: number) => boolean;

export class RecoveryTrail {
  /** Dead letters of batches, by owner, topic and partition. */
  readonly #batches = new Map<string, Trail[]>();
  readonly #trails = new Map<string, Trail>();
  readonly #isHandled: IsHandled;
  readonly #isOfTopic: IsOfTopic;

  constructor(isHandled: IsHandled, isOfTopic: IsOfTopic, before: Iterable<StoredTrail> = []) {
    this.#isHandled = isHandled;
    this.#isOfTopic = isOfTopic;
    for (const {
      source,
      dead,
      copies = [],
      replays = 0,
      replayed = dead.slice(0, replays),
      waits,
      edits = [],
    } of before) {
      const open = waits.filter(({ topic, partition, offset }) => !isHandled(source.owner, topic, partition, offset));
      const sets = { dead: new Set(dead), copies: new Set(copies), replayed: new Set(replayed) };
      this.#keep({ source, ...sets, waits: open, edits });
    }
  }

  /**
   * A record of a recovery topic.
   * @param edit what it bears of an edit
   * @returns undefined when its headers do not name its source
   */
  add(owner: string, kind: RecoveryKind, record: LogRecord, edit?: EditFact): SourcePosition | undefined {
    const named = sourceOf(owner, record);
    if (named === undefined) return undefined;
    const topicId = topicIdOf(record, named);
    const source = this.#isOfTopic(named.topic, topicId) ? named : { ...named, earlier: topicId };
    const trail = this.#trail(source);
    if (kind === 'dlq') {
      const id = headerText(record.headers, RECOVERY_HEADER.deadLetterId) ?? `${record.partition}:${record.offset}`;
      if (isOfCopy(record)) trail.copies.add(id);
      else trail.dead.add(id);
      return source;
    }
    if (edit && !isAmong(trail.edits, edit)) trail.edits = [...trail.edits, edit];
    const letter = kind === 'replay' ? replayedLetter(named, record) : undefined;
    if (letter !== undefined) trail.replayed.add(letter.id).add(letter.claimed);
    const { topic, partition, offset } = record;
    if (!this.#isHandled(owner, topic, partition, offset)) trail.waits.push({ topic, partition, offset });
    return source;
  }

  /** Whether operators had its consumer decide it with this change. */
  isEdited(source: SourcePosition, edit: EditFact): boolean {
    return isAmong(this.#trails.get(keyOf(source))?.edits ?? [], edit);
  }

  /** Waits for another try. */
  isWaiting(source: SourcePosition): boolean {
    return (this.#trails.get(keyOf(source))?.waits.length ?? 0) > 0;
  }

  /** Dead letters of the record that were not replayed since; those of its copies are no end of it. */
  openDeadLetters(source: SourcePosition): number {
    const trail = this.#trails.get(keyOf(source));
    const own = trail ? openOf(trail.dead, trail.replayed) : 0;
    return own > 0 ? own : this.#batchesOf(source);
  }

  /** Whether the record, or at least a copy of it, is a dead letter that was not replayed since. */
  isDeadLettered(source: SourcePosition): boolean {
    const trail = this.#trails.get(keyOf(source));
    return this.openDeadLetters(source) > 0 || (trail !== undefined && openOf(trail.copies, trail.replayed) > 0);
  }

  /** Dead letters of a batch that holds the record, other than at its beginning. */
  #batchesOf({ offset, ...place }: SourcePosition): number {
    const batches = this.#batches.get(placeKey(place)) ?? [];
    return batches.filter(({ source }) => source.offset < offset && offset <= source.lastOffset!).length;
  }

  /** What the next run has to know: records that wait, or that may still be replayed. */
  *open(): Iterable<StoredTrail> {
    for (const { source, dead, copies, replayed, waits, edits } of this.#trails.values()) {
      if (waits.length === 0 && openOf(dead, replayed) + openOf(copies, replayed) === 0) continue;
      const some = edits.length > 0 ? { edits } : {};
      yield { source, dead: [...dead], copies: [...copies], replayed: [...replayed], waits, ...some };
    }
  }

  #trail(source: SourcePosition): Trail {
    const key = keyOf(source);
    const known = this.#trails.get(key);
    if (known !== undefined) return known;
    return this.#keep({ source, dead: new Set(), copies: new Set(), replayed: new Set(), waits: [], edits: [] });
  }

  #keep(trail: Trail): Trail {
    const { source } = trail;
    this.#trails.set(keyOf(source), trail);
    if (source.lastOffset === undefined) return trail;
    const place = placeKey(source);
    this.#batches.set(place, [...(this.#batches.get(place) ?? []), trail]);
    return trail;
  }
}

const isAmong = (edits: readonly EditFact[], { before, after }: EditFact): boolean =>
  edits.some((each) => each.before === before && each.after === after);

/** How many of these dead letters were not replayed. */
function openOf(letters: ReadonlySet<string>, replayed: ReadonlySet<string>): number {
  let open = 0;
  for (const id of letters) if (!replayed.has(id)) open++;
  return open;
}

type Place = Pick<SourcePosition, 'owner' | 'topic' | 'partition' | 'earlier'>;
const placeKey = ({ owner, topic, partition, earlier = '' }: Place) => `${owner}/${topic}/${partition}/${earlier}`;
const keyOf = (source: SourcePosition) => `${placeKey(source)}/${source.offset}`;

const topicIdOf = ({ headers }: LogRecord, { topic }: SourcePosition) =>
  headerText(headers, RECOVERY_HEADER.sourceTopicId) ?? topic;

/** The dead letter that a record of a replay topic has decided again; undefined: it names none, and changes nothing. */
export function replayedLetter(named: SourcePosition, record: LogRecord): ReplayedLetter | undefined {
  const { owner, partition, offset } = named;
  const replayCount = headerInteger(record.headers, RECOVERY_HEADER.replayCount) ?? 0;
  const source = { topicId: topicIdOf(record, named), partition, offset, replayCount };
  return letterOfReplay(record.headers, { owner, source });
}

/** Where a record of a recovery topic first stood; undefined when its headers do not tell. */
export function sourceOf(owner: string, { headers }: LogRecord): SourcePosition | undefined {
  const topic = headerText(headers, RECOVERY_HEADER.sourceTopic);
  const partition = headerInteger(headers, RECOVERY_HEADER.sourcePartition);
  const offset = headerInteger(headers, RECOVERY_HEADER.sourceOffset);
  if (topic === undefined || partition === undefined || offset === undefined) return undefined;
  const lastOffset = headerInteger(headers, RECOVERY_HEADER.sourceLastOffset);
  return { owner, topic, partition, offset, ...(lastOffset === undefined ? {} : { lastOffset }) };
}

/** A dead letter as its headers describe it. */
export function deadLetterOf(source: SourcePosition, record: LogRecord, stops: string | undefined): DeadLetter {
  const { headers, key, partition, offset } = record;
  return {
    ...source,
    topicId: topicIdOf(record, source),
    bytes: headers[RECOVERY_HEADER.bytesHash] === undefined ? digest(record.value ?? '') : undefined,
    stops,
    id: headerText(headers, RECOVERY_HEADER.deadLetterId) ?? '',
    code: headerText(headers, RECOVERY_HEADER.deadLetterCode) ?? '',
    replayCount: headerInteger(headers, RECOVERY_HEADER.replayCount) ?? 0,
    letterAt: parseOrigin(headerText(headers, RECOVERY_HEADER.deadLetterPosition) ?? ''),
    putAside: parseCause(headerText(headers, RECOVERY_HEADER.recoveryCause) ?? ''),
    isAlone: isAlone(record),
    key: key?.toString('utf8'),
    at: { partition, offset },
  };
}

/** Dead letters of these classes stop no transfer: a forgery is not a record of it, a repeat was handled before. */
const ALONE: ReadonlySet<string | undefined> = new Set(['unproven', 'repeated']);

export const isAlone = ({ headers }: LogRecord): boolean =>
  ALONE.has(headerText(headers, RECOVERY_HEADER.deadLetterClass));

const isOfCopy = (record: LogRecord): boolean =>
  isAlone(record) && record.headers[RECOVERY_HEADER.deadLetterPosition] !== undefined;

/** Text of the place of a dead letter. */
export const placeOf = ({ owner, at }: DeadLetter) => `${deadLetterTopic(owner)}/${at.partition}/${at.offset}`;
