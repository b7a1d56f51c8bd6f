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
  /** In the order of their names. `value` is null where it is no text, or is not shown: what others have written there. */
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
    headers: headersOf(record, sight),
    bytes: record.value?.length ?? 0,
    ...(await decodedOf(codec, known, record, sight)),
    raw: sight === 'full' && record.value ? record.value.toString('base64') : null,
  };
}

const OURS: ReadonlySet<string> = new Set([...Object.values(HEADER), ...Object.values(RECOVERY_HEADER)]);

function headersOf({ headers }: LogRecord, sight: Sight): LetterRecord['headers'] {
  return Object.keys(headers)
    .toSorted()
    .slice(0, MAX_HEADERS)
    .map((name) => {
      const text = sight === 'full' || OURS.has(name) ? headerText(headers, name) : undefined;
      return {
        name: safeText(name, MAX_HEADER_CHARACTERS),
        value: text === undefined ? null : safeText(text, MAX_HEADER_CHARACTERS),
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
