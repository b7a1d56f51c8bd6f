// The record of a dead letter as the log has it: headers, the decoded view where it decodes, and its bytes for who may see them.
import { safeText } from '../../domain/text/text.ts';
import type { Codec } from '../../ports/codec.ts';
import { CodedError } from '../../ports/fault.ts';
import type { LogRecord } from '../../ports/log.ts';
import type { DeadLetterDocument } from '../../sinks/dead-letters/letter.ts';
import { contractOf, type TopicName } from '../../topics/catalogue.ts';
import { HEADER, headerText, RECOVERY_HEADER } from '../../topics/headers.ts';
import { maskedRecord, type ShownValue } from '../access/masked-record.ts';
import type { Sight } from '../access/masking.ts';
import type { ReplayLog } from './replays/ports.ts';

export interface LetterRecord {
  /** The topic by which it is decoded, as its header has it; null: it has none that is known. */
  readonly topic: string | null;
  /** In the order of their names. `value` is null where it is no text, or is not shown: others may have written it. */
  readonly headers: readonly { readonly name: string; readonly value: string | null }[];
  /** Bytes of the value; 0: it has none. */
  readonly bytes: number;
  /** Null: `topic` is, or it does not decode, and `flaw` says why. */
  readonly decoded: ShownValue;
  readonly flaw: { readonly code: string; readonly detail: string } | null;
  /** The value in Base64, where it is shown as it is; null: it is not, or there is none. */
  readonly raw: string | null;
}

export interface LetterReading {
  readonly log: Pick<ReplayLog, 'letters'>;
  readonly codec: Pick<Codec, 'load' | 'decode'>;
}

const MAX_HEADERS = 100;
const MAX_HEADER_CHARACTERS = 1_000;

/** @throws CodedError LETTER_GONE, LETTER_FORGED, and what log and registry say when they cannot be read */
export async function recordOfLetter(
  { log, codec }: LetterReading,
  { owner, place, letterId }: Pick<DeadLetterDocument, 'owner' | 'place' | 'letterId'>,
  sight: Sight,
): Promise<LetterRecord> {
  const { found } = await log.letters(owner, [place]);
  const record = found.get(`${place.partition}/${place.offset}`);
  if (!record) throw new CodedError('LETTER_GONE', 'the log has not kept this letter');
  if ((headerText(record.headers, RECOVERY_HEADER.deadLetterId) ?? null) !== letterId)
    throw new CodedError('LETTER_FORGED', 'where the index says that it stands is another letter');
  const topic = headerText(record.headers, RECOVERY_HEADER.sourceTopic);
  const known = topic !== undefined && contractOf(topic) ? (topic as TopicName) : null;
  return {
    topic: known,
    headers: headersOf(record, letterId, sight),
    bytes: record.value?.length ?? 0,
    ...(await decodedOf(codec, known, record, sight)),
    raw: sight === 'full' && record.value ? record.value.toString('base64') : null,
  };
}

const NUMBER = /^-?\d{1,15}$/;
const CODE = /^[A-Z][A-Z0-9_]{0,63}$/;
const CLASS = /^[a-z]+(-[a-z]+)*$/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const HASH = /^[0-9a-f]{64}$/;
const TOPIC_ID = /^[A-Za-z0-9_-]{22}$/;
const POSITION = /^[A-Za-z0-9_.-]{1,100}:\d{1,6}:\d{1,15}$/;
const TRACE = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/**
 * What names nobody, whoever wrote it: a name of ours is no proof, since some headers are kept from the source and anybody who
 * writes to the topic may write any. Neither who acted, nor texts, nor edits are among them: the index shows what is proven.
 */
const FORM_OF: ReadonlyMap<string, RegExp> = new Map<string, RegExp>([
  ...[RECOVERY_HEADER.sourcePartition, RECOVERY_HEADER.sourceOffset, RECOVERY_HEADER.sourceLastOffset].map(as(NUMBER)),
  ...[RECOVERY_HEADER.sourceTimestamp, RECOVERY_HEADER.firstFailedAt, RECOVERY_HEADER.retryDueAt].map(as(NUMBER)),
  ...[RECOVERY_HEADER.attempts, RECOVERY_HEADER.waitedMs, RECOVERY_HEADER.replayCount].map(as(NUMBER)),
  ...[RECOVERY_HEADER.claimedPartition, RECOVERY_HEADER.claimedOffset, RECOVERY_HEADER.claimedTimestamp].map(
    as(NUMBER),
  ),
  ...[RECOVERY_HEADER.bytesLength].map(as(NUMBER)),
  ...[RECOVERY_HEADER.deadLetterCode, RECOVERY_HEADER.retryCode, RECOVERY_HEADER.discardReason].map(as(CODE)),
  ...[RECOVERY_HEADER.deadLetterClass].map(as(CLASS)),
  ...[HEADER.eventId, RECOVERY_HEADER.replayId, RECOVERY_HEADER.skipId].map(as(UUID)),
  ...[RECOVERY_HEADER.bytesHash].map(as(HASH)),
  ...[RECOVERY_HEADER.sourceTopicId, RECOVERY_HEADER.claimedTopicId].map(as(TOPIC_ID)),
  ...[HEADER.originPosition, RECOVERY_HEADER.deadLetterPosition].map(as(POSITION)),
  ...[HEADER.traceparent].map(as(TRACE)),
]);

function as(form: RegExp): (name: string) => readonly [string, RegExp] {
  return (name) => [name, form];
}

/** Those whose value the rest of the letter has proven, or the catalogue knows. */
const isKnown = (name: string, text: string, letterId: string | null): boolean => {
  if (name === RECOVERY_HEADER.deadLetterId) return text === letterId;
  if (name === RECOVERY_HEADER.sourceTopic || name === RECOVERY_HEADER.claimedTopic)
    return contractOf(text) !== undefined;
  return FORM_OF.get(name)?.test(text) ?? false;
};

function headersOf({ headers }: LogRecord, letterId: string | null, sight: Sight): LetterRecord['headers'] {
  return Object.keys(headers)
    .toSorted()
    .slice(0, MAX_HEADERS)
    .map((name) => {
      const text = headerText(headers, name);
      const isShown = text !== undefined && (sight === 'full' || isKnown(name, text, letterId));
      return {
        name: safeText(name, MAX_HEADER_CHARACTERS),
        value: isShown ? safeText(text, MAX_HEADER_CHARACTERS) : null,
      };
    });
}

async function decodedOf(
  codec: LetterReading['codec'],
  topic: TopicName | null,
  { value }: LogRecord,
  sight: Sight,
): Promise<Pick<LetterRecord, 'decoded' | 'flaw'>> {
  if (topic === null) return { decoded: null, flaw: null };
  await codec.load([topic]);
  const [read] = await codec.decode(topic, [value]);
  if (read?.ok) return { decoded: maskedRecord(read.value, sight), flaw: null };
  return { decoded: null, flaw: { code: read?.code ?? 'EMPTY_VALUE', detail: safeText(read?.detail ?? '') } };
}
