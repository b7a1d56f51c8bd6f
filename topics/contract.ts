// What a topic promises: its name, key, record, partitions and retention.

/** How a topic is used; decides what may write to it and how it is provisioned. */
export type TopicKind =
  | 'intent' // written by producers from outside, re-keyed by intake
  | 'transition' // one record per transition of a transfer, written by a chain stage inside a transaction
  | 'command' // asks the chain for something; has no sequence
  | 'outcome' // an end that is no transition of a transfer (rejected intents)
  | 'analytics' // flat, without personal data
  | 'claim' // says who may do a thing once: of a key the first record counts; read by those who write it
  | 'audit' // what was allowed, denied, shown and done; kept in order for auditors
  | 'table'; // compacted: the latest record per key is the state

/** Who makes the records of a topic: each has keys of its own, under which what it makes is sealed. */
export const ISSUERS = ['stages', 'operators', 'executor', 'feeds', 'audit', 'lifecycle'] as const;
export type Issuer = (typeof ISSUERS)[number];

/** What the records of a topic say of themselves. What is not stated for a topic follows from its kind. */
export interface RecordIdentity<V = unknown> {
  /** The id of an event or a command; undefined where records have none. */
  readonly idOf: (value: V) => string | undefined;
  /** The transfer that a record belongs to. */
  readonly transferIdOf: (value: V) => string | undefined;
  /** Where a record must stand, so that the order of its transfer is kept; undefined: anywhere. */
  readonly homePartitionOf: (value: V) => number | undefined;
  /** The event of the transfer in a record: the record itself, or what a command carries. */
  readonly eventOf: (value: V) => object | null | undefined;
}

/** The contract of one topic. `V` is the value after decoding with the current schema. */
export interface TopicContract<Name extends string = string, V = unknown> extends RecordIdentity<V> {
  readonly name: Name;
  readonly kind: TopicKind;
  readonly doc: string;
  /**
   * Under whose keys each record is sealed; a reader refuses one without such a seal. Null: anybody may have written it, so
   * nothing is done on its word alone (producers' intents, and the log of the audit, whose entries bear seals of their own).
   */
  readonly sealedBy: Issuer | null;
  /** Of a topic whose issuer has keys that speak for one name alone: the name that a record is of, by its key. */
  readonly speakerOf?: (key: string) => string;
  /** Short name of the Avro record in schemas/avro. */
  readonly record: string;
  /** Record key: the transferId on the chain. */
  readonly keyOf: (value: V) => string;
  /** `chain`: as many partitions as every other chain topic, so that partition p feeds partition p. */
  readonly partitions: 'chain' | number;
  /** `compact,delete`: the latest record of each key, for as long as records are kept. */
  readonly cleanup: 'delete' | 'compact' | 'compact,delete';
  /** A record that another of its key follows is kept for so long at least after that one came, ms. */
  readonly minCompactionLagMs?: number;
  /**
   * For a table whose records must not be forgotten: the broker keeps what another record of the same key followed, so that
   * nobody takes a value away by writing a copy or garbage under its key.
   */
  readonly keepsAll?: true;
  /**
   * For a table: which of two records of a key is the later one, whatever their order in the log. A copy of an earlier record
   * is passed over. `appendedAt`: when the broker took it, ms since 1970.
   */
  readonly orderOf?: (value: V, appendedAt: number) => number;
  /** For a table: of all records of a key the first one counts, and nothing takes it away. */
  readonly firstCounts?: true;
  /** Milliseconds that records are kept; null: for ever (or until compacted). */
  readonly retentionMs: number | null;
  /** Largest record, in bytes, that the broker takes. */
  readonly maxMessageBytes: number;
  /** `producer`: the broker keeps what it takes as it is packed, whatever its own setting says; absent: by that setting. */
  readonly compression?: 'producer';
}

/** A value bound for a topic: what `decide` returns. */
export type Emission<T extends TopicContract<string, never>> =
  T extends TopicContract<infer Name, infer V> ? { readonly to: Name; readonly value: V } : never;

export const DAY_MS = 86_400_000;
export const DEFAULT_MAX_MESSAGE_BYTES = 1_048_576;
/** Producers may send up to this much; a dead letter must fit with its headers. */
export const INTENT_MAX_MESSAGE_BYTES = 2 * 1_048_576;
/** Room for the headers that a dead letter adds to its record. */
export const DEAD_LETTER_HEADROOM_BYTES = 65_536;

/** What a stage is about to write may be anything: these read it before its schema has refused it. */
interface Enveloped {
  readonly envelope?: { readonly eventId: string; readonly transferId: string; readonly homePartition: number };
}
interface Commanding {
  readonly command?: { readonly commandId: string; readonly transferId: string; readonly homePartition: number };
}
interface Flat {
  readonly eventId: string;
  readonly transferId: string;
}

const nothing = () => undefined;
const NO_IDENTITY: RecordIdentity = {
  idOf: nothing,
  transferIdOf: nothing,
  homePartitionOf: nothing,
  eventOf: nothing,
};
const FLAT = {
  ...NO_IDENTITY,
  idOf: ({ eventId }: Flat) => eventId,
  transferIdOf: ({ transferId }: Flat) => transferId,
};
/** How the records of each kind are made; identity.test.ts holds it against the schemas. */
const IDENTITY_OF_KIND: Readonly<Record<TopicKind, RecordIdentity<never>>> = {
  intent: { ...FLAT, idOf: nothing },
  transition: {
    idOf: ({ envelope }: Enveloped) => envelope?.eventId,
    transferIdOf: ({ envelope }: Enveloped) => envelope?.transferId,
    homePartitionOf: ({ envelope }: Enveloped) => envelope?.homePartition,
    eventOf: (event: Enveloped) => event,
  },
  command: {
    ...NO_IDENTITY,
    idOf: ({ command }: Commanding) => command?.commandId,
    transferIdOf: ({ command }: Commanding) => command?.transferId,
    homePartitionOf: ({ command }: Commanding) => command?.homePartition,
  },
  outcome: FLAT,
  analytics: FLAT,
  claim: NO_IDENTITY,
  audit: NO_IDENTITY,
  table: NO_IDENTITY,
};

/**
 * What tells of transfers has a ring of its own: whoever shows it to people must be able to check it, and none of them may be
 * able to make an event of the chain.
 */
const SEALED_BY: Readonly<Record<TopicKind, Issuer | null>> = {
  intent: null,
  transition: 'stages',
  command: null,
  outcome: 'lifecycle',
  analytics: 'lifecycle',
  claim: null,
  audit: null,
  table: null,
};

type Options<V> = Pick<TopicContract<string, V>, 'doc' | 'record' | 'keyOf'> & Partial<TopicContract<string, V>>;

/** A contract with the defaults of its kind. */
export function topic<V>() {
  return <const Name extends string>(name: Name, kind: TopicKind, options: Options<V>): TopicContract<Name, V> => ({
    partitions: kind === 'table' || kind === 'claim' || kind === 'audit' ? 1 : 'chain',
    cleanup: kind === 'table' ? 'compact' : 'delete',
    retentionMs: kind === 'table' ? null : 30 * DAY_MS,
    maxMessageBytes: DEFAULT_MAX_MESSAGE_BYTES,
    sealedBy: SEALED_BY[kind],
    ...(IDENTITY_OF_KIND[kind] as RecordIdentity<V>),
    ...options,
    name,
    kind,
  });
}
