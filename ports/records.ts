// The one maker of records: keyed, encoded and sealed by their contract, with their headers.
import { type AnyContract, contractOf, type TopicName, type TopicValues } from '../topics/catalogue.ts';
import { HEADER } from '../topics/headers.ts';
import type { Codec } from './codec.ts';
import { CodedError } from './fault.ts';
import type { OutputRecord } from './log.ts';
import { type Rings, requireRings, sealFor } from './seals.ts';

export interface RecordMakerOptions<Name extends TopicName> {
  /** Who writes them. */
  readonly owner: string;
  /** All that it writes: it can make no record of another topic. */
  readonly writes: readonly { readonly name: Name }[];
  /** With these topics loaded before the first record is made. */
  readonly codec: Pick<Codec, 'encode'>;
  readonly rings: Rings;
}

/** What a record is made of beside its value. */
export interface RecordTerms {
  readonly partition: number;
  /** Of the event or command, where it has an id. */
  readonly eventId?: string;
  readonly originPosition?: string | undefined;
  readonly traceparent?: string | Buffer | undefined;
  /** The input that it is made from, as a sealed record names it; see topics/cause.ts. */
  readonly cause?: string;
}

/** Throws ROUTE_NOT_DECLARED for a topic that its owner does not declare, and what the codec throws. */
export type RecordMaker<Name extends TopicName = TopicName> = <Topic extends Name>(
  topic: Topic,
  value: TopicValues[Topic],
  terms: RecordTerms,
) => OutputRecord;

/** Makes the records of one writer. Throws CONFIG_INVALID when the process lacks keys to seal them with. */
export function recordMaker<Name extends TopicName>(options: RecordMakerOptions<Name>): RecordMaker<Name> {
  const { owner, writes, codec, rings } = options;
  const names = writes.map(({ name }) => name);
  requireRings(rings, names);
  const declared = new Map<string, AnyContract>(names.map((name) => [name, contractOf(name)!]));

  return (topic, value, terms) => {
    const contract = declared.get(topic);
    if (!contract) throw new CodedError('ROUTE_NOT_DECLARED', `${owner} does not declare that it writes ${topic}`);
    const key = contract.keyOf(value as never);
    const bytes = codec.encode(topic, value);
    const headers = headersOf(contract, terms);
    const seal = sealFor(rings, { topic, key, value: bytes }, terms.cause);
    if (seal !== undefined) {
      if (terms.cause) headers[HEADER.cause] = terms.cause;
      headers[HEADER.seal] = seal;
    }
    return { topic, partition: terms.partition, key, value: bytes, headers };
  };
}

function headersOf({ record }: AnyContract, { eventId, originPosition, traceparent }: RecordTerms) {
  const headers: Record<string, string | Buffer> = {};
  if (eventId !== undefined) {
    headers[HEADER.eventId] = eventId;
    headers[HEADER.eventType] = record;
  }
  if (originPosition !== undefined) headers[HEADER.originPosition] = originPosition;
  if (traceparent !== undefined) headers[HEADER.traceparent] = traceparent;
  return headers;
}
