// From a record of a dead-letter topic to its entry in the index. Pure, and it fails on nothing: whatever stands there is
// indexed as far as it can be read.

import { safeText } from '../../domain/text/text.ts';
import { formatOrigin } from '../../domain/transfers/origin-position.ts';
import type { LogRecord } from '../../ports/log.ts';
import { eventIn } from '../../processors/lifecycle.ts';
import { headerInteger, headerText, RECOVERY_HEADER } from '../../topics/headers.ts';
import { transferIdOf } from '../../topics/identity.ts';
import { frameOf, groupIdOf, normalisedCause } from './cause.ts';
import type { DeadLetterDocument } from './letter.ts';

const MAX_ID = 200;
const MAX_CODE = 60;
/** The largest instant that a Date holds, ms. */
const MAX_TIME_MS = 8.64e15;

/** A record of a dead-letter topic, with what is known of it beside its bytes. */
export interface ReadLetter {
  readonly record: LogRecord;
  /** Id of the dead-letter topic. */
  readonly topicId: string;
  readonly owner: string;
  /** Whether the seal of its stage is on it. */
  readonly proven: boolean;
  /** The value by the contract of its source topic; undefined: it does not decode, or nothing proves what it is. */
  readonly value: unknown;
}

/** The id of the corridor between two currencies; undefined: there is none. */
export type CorridorOf = (sourceCurrency: string, targetCurrency: string) => string | undefined;

/** @returns one document per letter, each id once: the first one counts */
export function toWrite(letters: readonly ReadLetter[], corridorOf: CorridorOf): readonly DeadLetterDocument[] {
  const documents = new Map<string, DeadLetterDocument>();
  for (const letter of letters) {
    const document = documentOf(letter, corridorOf);
    if (!documents.has(document._id)) documents.set(document._id, document);
  }
  return [...documents.values()];
}

function documentOf(letter: ReadLetter, corridorOf: CorridorOf): DeadLetterDocument {
  const { record, topicId, owner, proven } = letter;
  const { headers, partition, offset, timestamp } = record;
  const text = (name: string, most = MAX_ID) => {
    const found = headerText(headers, name);
    return found === undefined || found === '' ? null : safeText(found, most);
  };
  const place = { topicId, partition, offset };
  const letterId = text(RECOVERY_HEADER.deadLetterId);
  const code = text(RECOVERY_HEADER.deadLetterCode, MAX_CODE) ?? 'UNKNOWN';
  const detail = text(RECOVERY_HEADER.deadLetterDetail, 300) ?? '';
  const frame = frameOf(headerText(headers, RECOVERY_HEADER.deadLetterStack) ?? '') ?? null;
  const cause = frame ?? normalisedCause(detail);
  return {
    _id: proven && letterId !== null ? letterId : formatOrigin(place),
    proven,
    letterId,
    owner,
    code,
    class: text(RECOVERY_HEADER.deadLetterClass, MAX_CODE) ?? 'unknown',
    detail,
    frame,
    group: groupIdOf({ owner, code, cause }),
    cause,
    place,
    source: sourceOf(record),
    firstFailedAt: instant(headerInteger(headers, RECOVERY_HEADER.firstFailedAt), timestamp),
    failedAt: instant(timestamp, 0),
    tries: Math.max(0, headerInteger(headers, RECOVERY_HEADER.attempts) ?? 0),
    replayCount: Math.max(0, headerInteger(headers, RECOVERY_HEADER.replayCount) ?? 0),
    replayId: text(RECOVERY_HEADER.replayId),
    ...subjectOf(letter, corridorOf),
    bytes:
      (record.key?.length ?? 0) + (record.value?.length ?? headerInteger(headers, RECOVERY_HEADER.bytesLength) ?? 0),
    state: 'PARKED',
    takenBy: null,
    stateAt: instant(timestamp, 0),
  };
}

/** The transfer and its money: of what is decoded, and of the key where a stage has sealed it. */
function subjectOf({ record, proven, value }: ReadLetter, corridorOf: CorridorOf) {
  const unknown = { sequence: null, corridor: null, amountMinor: null, currency: null };
  if (!proven) return { transferId: null, ...unknown };
  if (value === undefined) {
    const key = record.key === null ? undefined : safeText(record.key.toString('utf8'), MAX_ID);
    return { transferId: key || null, ...unknown };
  }
  const topic = headerText(record.headers, RECOVERY_HEADER.sourceTopic) ?? '';
  const instructed = eventIn(topic, value)?.instruction ?? (value as Partial<Instructed>);
  const { instructedAmount: amount, sourceCurrency = '', targetCurrency = '' } = instructed;
  return {
    transferId: safeText(transferIdOf(topic, value) ?? '', MAX_ID) || null,
    sequence: eventIn(topic, value)?.envelope.sequence ?? null,
    corridor: corridorOf(sourceCurrency, targetCurrency) ?? null,
    amountMinor: amount?.minor ?? null,
    currency: amount === undefined ? null : safeText(amount.currency, 3),
  };
}

interface Instructed {
  readonly instructedAmount: { readonly minor: bigint; readonly currency: string };
  readonly sourceCurrency: string;
  readonly targetCurrency: string;
}

function sourceOf({ headers }: LogRecord): DeadLetterDocument['source'] {
  const topic = headerText(headers, RECOVERY_HEADER.sourceTopic);
  const partition = headerInteger(headers, RECOVERY_HEADER.sourcePartition);
  const offset = headerInteger(headers, RECOVERY_HEADER.sourceOffset);
  if (topic === undefined || partition === undefined || offset === undefined) return null;
  return {
    topic: safeText(topic, MAX_ID),
    topicId: safeText(headerText(headers, RECOVERY_HEADER.sourceTopicId) ?? topic, MAX_ID),
    partition,
    offset,
    lastOffset: headerInteger(headers, RECOVERY_HEADER.sourceLastOffset) ?? null,
  };
}

function instant(ms: number | undefined, otherwise: number): Date {
  return new Date(ms === undefined || Math.abs(ms) > MAX_TIME_MS ? otherwise : ms);
}
