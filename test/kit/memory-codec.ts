// Real Avro without a registry: the current schemas under fixed ids.

import type { Codec, DecodeResult } from '../../ports/codec.ts';
import type { ErrorCode } from '../../ports/error-codes.ts';
import { CodedError } from '../../ports/fault.ts';
import { recordType } from '../../schemas/avro-types.ts';
import { TextRefused } from '../../schemas/strict-strings.ts';
import { contractOf, contracts, type TopicName, type TopicValues } from '../../topics/catalogue.ts';

/** In an order that does not depend on how the modules were loaded: another process has the same ids. */
const NAMES = Object.values(contracts)
  .map((contract) => contract.name)
  .sort();

export interface MemoryCodec extends Codec {
  /** While true, decoding and loading fail as they do when the registry cannot be asked. */
  down: boolean;
  /** Schema ids that stand for schemas newer than this process. */
  readonly newerIds: Set<number>;
}

/** A codec in memory; ids are 1 plus the place of the topic in the catalogue. */
export function memoryCodec(): MemoryCodec {
  const newerIds = new Set<number>();
  const codec: MemoryCodec = {
    down: false,
    newerIds,
    async load() {
      if (codec.down) throw outage();
    },
    encode(topic, value) {
      const type = recordType(contractOf(topic)!.record);
      const paths: string[] = [];
      if (!type.isValid(value, { errorHook: (path) => paths.push(path.join('.')) })) {
        throw new CodedError('VALUE_REFUSED_BY_SCHEMA', `${topic}: ${paths.join(', ')} do not fit the schema`);
      }
      const head = Buffer.alloc(5);
      head.writeInt32BE(NAMES.indexOf(topic) + 1, 1);
      return Buffer.concat([head, type.toBuffer(value)]);
    },
    async decode<T extends TopicName>(topic: T, values: readonly (Buffer | null)[]) {
      if (codec.down) throw outage();
      return values.map((bytes) => decodeOne(topic, bytes, newerIds));
    },
  };
  return codec;
}

const outage = () =>
  new CodedError('REGISTRY_UNAVAILABLE', 'the registry does not answer', {
    faultClass: 'transient-dependency',
    dependency: 'registry',
  });

function decodeOne<T extends TopicName>(
  topic: T,
  bytes: Buffer | null,
  newerIds: ReadonlySet<number>,
): DecodeResult<TopicValues[T]> {
  const refuse = (kind: 'poison' | 'newer-schema', code: ErrorCode) =>
    ({ ok: false, kind, code, detail: code }) as const;
  if (bytes === null || bytes.length === 0) return refuse('poison', 'EMPTY_VALUE');
  if (bytes.length < 5 || bytes[0] !== 0) return refuse('poison', 'NOT_AVRO');
  const writerId = bytes.readInt32BE(1);
  if (newerIds.has(writerId)) return refuse('newer-schema', 'NEWER_SCHEMA');
  const contract = contractOf(topic)!;
  if (writerId !== NAMES.indexOf(topic) + 1) {
    return refuse('poison', 'UNKNOWN_SCHEMA_ID');
  }
  try {
    return { ok: true, value: recordType(contract.record).fromBuffer(bytes.subarray(5)) as TopicValues[T], writerId };
  } catch (error) {
    return refuse('poison', error instanceof TextRefused ? error.code : 'UNDECODABLE_AVRO');
  }
}
