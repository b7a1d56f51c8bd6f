// What is read from headers and notes: a retry, a replay or a sealed event of which anything was changed is refused and
// becomes a dead letter of bounded size; its neighbours are received; a note is what it says or nothing.

import type { LogRecord, OutputRecord } from '../../ports/log.ts';
import { sealed, sealedRecovery } from '../../ports/seals.ts';
import { type InboundRecord, inboundReader } from '../../runtime/hosts/inbound-records.ts';
import { ProgressNote } from '../../runtime/progress/progress-notes.ts';
import {
  deadLetterRecord,
  type RecoveryTerms,
  retryRecord,
} from '../../runtime/retries-and-dead-letters/recovery-records.ts';
import type { Random } from '../../samples/random.ts';
import { formatCause, parseCause } from '../../topics/cause.ts';
import { HEADER, RECOVERY_HEADER } from '../../topics/headers.ts';
import { replayTopic } from '../../topics/recovery.ts';
import { deadLetterOf, sourceOf } from '../../verify/recovery-trail.ts';
import { accepted } from '../kit/events.ts';
import { memoryCodec } from '../kit/memory-codec.ts';
import { testRings } from '../kit/rings.ts';
import { must } from './must.ts';
import { mutate } from './mutate.ts';

const OWNER = 'screening';
const TOPIC = 'transfer.accepted';
const codec = memoryCodec();
const read = inboundReader({
  owner: OWNER,
  reads: [TOPIC, 'review.decided'],
  codec,
  chainPartitions: 1,
  rings: testRings,
  sealsRecovery: true,
});

const event = accepted({ transferId: 'transfer-0001', partitions: 1 });
const CAUSE = formatCause({ source: 'abcdefghijkl', partition: 3, offset: 77, nth: 2 });
const ORIGINAL = sealed(
  testRings,
  {
    topic: TOPIC,
    partition: 0,
    key: 'transfer-0001',
    value: codec.encode(TOPIC, event),
    headers: {
      [HEADER.eventId]: event.envelope.eventId,
      [HEADER.eventType]: 'TransferAccepted',
      [HEADER.originPosition]: 'transfer.requested:0:7',
      [HEADER.traceparent]: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
    },
  },
  CAUSE,
);

function standing({ topic, partition, key, value, headers }: OutputRecord, offset: number): LogRecord {
  const bytes = Object.entries(headers).map(([name, content]) => [name, Buffer.from(content as string)] as const);
  const at = { topic, partition, offset, timestamp: 1_790_000_000_000 };
  return { ...at, key: key === null ? null : Buffer.from(key as string), value, headers: Object.fromEntries(bytes) };
}

function recoveryTermsOf(inbound: InboundRecord): RecoveryTerms {
  const cause = { code: 'RATE_STALE', detail: 'not now' } as const;
  return {
    owner: OWNER,
    group: `corridor.${OWNER}`,
    inbound,
    partition: 0,
    cause,
    now: 1_790_000_001_000,
    attempts: 1,
  };
}
const [direct] = await read({ topic: TOPIC, partition: 0, records: [standing(ORIGINAL, 7)] });
const RETRY = retryRecord(recoveryTermsOf(direct!), 0, 1_790_000_005_000);
const RECORDS: readonly OutputRecord[] = [
  ORIGINAL,
  sealedRecovery(testRings, RETRY),
  sealedRecovery(testRings, {
    ...RETRY,
    topic: replayTopic(OWNER),
    headers: {
      ...RETRY.headers,
      [RECOVERY_HEADER.replayId]: 'replay-1',
      [RECOVERY_HEADER.replayCount]: '1',
      [RECOVERY_HEADER.replayedBy]: 'ann',
      [RECOVERY_HEADER.approvedBy]: 'bob',
    },
  }),
];

/** A header that the reader goes by, the key, or the value, is another one; or a foreign header is there. */
function changed(record: LogRecord, random: Random): { record: LogRecord; isForeign: boolean } {
  const names = Object.keys(record.headers);
  const name = random.pick(names);
  const { [name]: content, ...others } = record.headers;
  switch (random.below(6)) {
    case 0:
      return { record: { ...record, headers: others }, isForeign: name === HEADER.traceparent };
    case 1:
      return { record: { ...record, key: mutate(record.key!, random) }, isForeign: false };
    case 2:
      return { record: { ...record, value: mutate(record.value!, random) }, isForeign: false };
    case 3: {
      const foreign = { [`x-${random.below(9)}`]: Buffer.alloc(random.below(70_000), random.below(256)) };
      return { record: { ...record, headers: { ...record.headers, ...foreign } }, isForeign: true };
    }
    default: {
      const bytes = mutate(content!, random);
      const isForeign = name === HEADER.traceparent || bytes.equals(content!);
      return { record: { ...record, headers: { ...record.headers, [name]: bytes } }, isForeign };
    }
  }
}

/** Of an event that comes the straight way, only these are bound: the others are named by nobody. */
const BOUND: ReadonlySet<string> = new Set([HEADER.seal, HEADER.cause]);
const sameBytes = (one: Buffer | null | undefined, other: Buffer | null | undefined) =>
  one === other || (one != null && other != null && one.equals(other));
function isBoundChange(before: LogRecord, after: LogRecord): boolean {
  if (!sameBytes(before.key, after.key) || !sameBytes(before.value, after.value)) return true;
  return [...BOUND].some((name) => !sameBytes(before.headers[name], after.headers[name]));
}

const MAX_LETTER_HEADERS_BYTES = 16_384;

export async function headers(random: Random): Promise<void> {
  const record = random.pick(RECORDS);
  const good = standing(record, 20);
  const { record: spoilt, isForeign } = changed({ ...good, offset: 21 }, random);
  const records = [good, spoilt, { ...good, offset: 22 }];
  const inboundRecords = await read({ topic: record.topic, partition: 0, records });
  must(inboundRecords[0]!.refusal === undefined && inboundRecords[2]!.refusal === undefined, 'a neighbour is refused');
  const inbound = inboundRecords[1]!;
  const isDirect = record.topic === TOPIC;
  const isSame = sameBytes(good.key, spoilt.key) && sameBytes(good.value, spoilt.value);
  const isSameHeaders = Object.keys(good.headers).every((name) => sameBytes(good.headers[name], spoilt.headers[name]));
  const mustRefuse = isDirect ? isBoundChange(good, spoilt) : !isForeign && !(isSame && isSameHeaders);
  if (mustRefuse) must(inbound.received === undefined, 'what was changed is received');
  else must(inbound.received !== undefined, `a foreign header has it refused: ${inbound.refusal?.code}`);
  const letter = deadLetterRecord(recoveryTermsOf(inbound), 'unproven', 'stack');
  const size = Object.entries(letter.headers).reduce((sum, [name, text]) => sum + name.length + text.length, 0);
  must(size <= MAX_LETTER_HEADERS_BYTES, `a dead letter has ${size} bytes of headers`);
  const written = standing(sealedRecovery(testRings, letter), 1);
  const source = sourceOf(OWNER, written);
  must(source !== undefined, 'its dead letter does not say what it stands for');
  deadLetterOf(source, written, undefined);
}

const NOTE = [CAUSE, 'mnopqrstuvwx:0:9', 'mnopqrstuvwx:1:12345678.3'].join(' ');

export async function notes(random: Random): Promise<void> {
  const text = mutate(Buffer.from(random.below(2) === 0 ? NOTE : `${NOTE} `.repeat(60)), random).toString('latin1');
  const marks = ProgressNote.from(text);
  const note = marks.text();
  must(note.length <= 4_000, 'a note is too long for the broker');
  must(ProgressNote.from(note).text() === note, 'a note is read otherwise than it is written');
  const cause = parseCause(random.pick(text.split(' ')));
  if (cause === undefined) return;
  must(formatCause(parseCause(formatCause(cause))!) === formatCause(cause), 'a cause is read otherwise');
  // Of a source that is named twice, which we never write, the last word counts.
  const place = formatCause({ ...cause, offset: 0, nth: 0 }).slice(0, -1);
  if (text.split(place).length === 2) must(!marks.isNew(cause), 'what a note says was handled is new');
  marks.raise({ ...cause, offset: cause.offset + 1 });
  must(!ProgressNote.from(marks.text()).isNew(cause), 'what was raised was forgotten at once');
}
