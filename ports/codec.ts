// Values to bytes and back, by topic contract and registry (adapters/registry implements it).

import type { TopicName, TopicValues } from '../topics/catalogue.ts';
import type { ErrorCode } from './error-codes.ts';

export type DecodeResult<V> =
  | { readonly ok: true; readonly value: V /** Registry id of the writer's schema. */; readonly writerId: number }
  /**
   * `poison`: these bytes will never decode (EMPTY_VALUE, NOT_AVRO, UNDECODABLE_AVRO, INVALID_UTF8, UNKNOWN_SCHEMA_ID on an
   * intent, UNRESOLVABLE_SCHEMA).
   * `newer-schema`: an internal topic was written with a schema that the registry knows and this process does not: deploy
   * downstream first.
   */
  | { readonly ok: false; readonly kind: 'poison' | 'newer-schema'; readonly code: ErrorCode; readonly detail: string };

export interface Codec {
  /** Looks up the ids of the current schemas of these topics; a schema that was never pushed is a coded error. */
  load(topics: readonly TopicName[]): Promise<void>;
  /** Confluent wire format: 0, schema id (4 bytes), Avro. Only for topics loaded. Throws on a value the schema refuses. */
  encode<T extends TopicName>(topic: T, value: TopicValues[T]): Buffer;
  /**
   * Decodes a batch with resolvers cached per writer schema; asks the registry only for ids not met before.
   * Rejects with REGISTRY_UNAVAILABLE when it cannot be asked, with REGISTRY_INCOMPLETE when it does not know what it
   * must, or may only lag; never calls an outage poison.
   */
  decode<T extends TopicName>(
    topic: T,
    values: readonly (Buffer | null)[],
  ): Promise<readonly DecodeResult<TopicValues[T]>[]>;
}
