// Codec over a Confluent-compatible registry. Ids are looked up at the start; resolvers are cached per writer schema,
// since building one per message costs two hundred times the decoding.

import type { Type } from 'avsc';
import type { Codec, DecodeResult } from '../../ports/codec.ts';
import type { ErrorCode } from '../../ports/error-codes.ts';
import { CodedError } from '../../ports/fault.ts';
import { pause } from '../../ports/pause.ts';
import { recordType } from '../../schemas/avro-types.ts';
import { selfContained } from '../../schemas/load.ts';
import { TextRefused } from '../../schemas/strict-strings.ts';
import { contractOf, type TopicName, type TopicValues } from '../../topics/catalogue.ts';
import { registryCaller } from './call.ts';
import type { RegistryOptions } from './options.ts';
import { registeredSchemas } from './registered-schemas.ts';
import { writeShortStringsFast } from './short-strings.ts';
import { Slab } from './slab.ts';
import { createWriterSchemas, type Writer, type WrittenTopic } from './writer-schemas.ts';

const HEADER_BYTES = 5;
const NONE: ReadonlyMap<number, Writer> = new Map();

/** A codec over the registry at `url`. */
export function registryCodec(options: RegistryOptions): Codec {
  const now = options.now ?? Date.now;
  const call = registryCaller(options, options.timeoutMs);
  const registered = registeredSchemas(options, call);
  const writers = createWriterSchemas({ find: registered.find, call, now, sleep: options.sleep ?? pause });
  const topics = new Map<string, WrittenTopic>();
  const slab = new Slab(HEADER_BYTES);
  if (options.shippedStrings !== true) writeShortStringsFast();

  const loaded = (topic: string): WrittenTopic => {
    const entry = topics.get(topic);
    if (entry) return entry;
    throw new CodedError('TOPIC_NOT_LOADED', `codec.load() was not called for ${topic}`, { faultClass: 'fatal' });
  };

  async function load(names: readonly TopicName[]): Promise<void> {
    for (const name of names) {
      if (topics.has(name)) continue;
      const contract = contractOf(name)!;
      const schema = selfContained(`corridor.${contract.record}`);
      const id = await registered.idOf(name, schema);
      const type = recordType(contract.record);
      const readable = new Map<number, Writer>([[id, { read: (bytes) => type.fromBuffer(bytes) }]]);
      const external = contract.kind === 'intent';
      const topic = { id, type, external, readable, refused: new Map(), missedSince: new Map() };
      // Versions pushed before ours resolve without asking again; later ones are newer than this process.
      for await (const older of registered.before(name, id)) {
        const writer = await registered.find(older);
        if (writer !== undefined && writer !== 'not-avro') readable.set(older, writers.resolve(topic, older, writer));
      }
      topics.set(name, topic);
    }
  }

  return {
    load,
    encode(name, value) {
      const topic = loaded(name);
      if (!topic.type.isValid(value)) throw invalidValue(name, topic.type, value);
      const bytes = slab.encode(topic.type, value);
      if (bytes === undefined) {
        throw new CodedError('ENCODE_FAILED', `a record of ${name} has no stable size`, { faultClass: 'poison' });
      }
      bytes[0] = 0;
      bytes.writeInt32BE(topic.id, 1);
      return bytes;
    },
    async decode<T extends TopicName>(name: T, values: readonly (Buffer | null)[]) {
      const topic = loaded(name);
      const strange = new Set<number>();
      for (const bytes of values) {
        if (bytes === null || bytes.length < HEADER_BYTES || bytes[0] !== 0) continue;
        const id = bytes.readInt32BE(1);
        if (!topic.readable.has(id)) strange.add(id);
      }
      const learnt = strange.size === 0 ? NONE : await writers.of(topic, strange);
      return values.map((bytes) => decodeOne(topic, bytes, learnt) as DecodeResult<TopicValues[T]>);
    },
  };
}

function decodeOne(
  topic: WrittenTopic,
  bytes: Buffer | null,
  learnt: ReadonlyMap<number, Writer>,
): DecodeResult<unknown> {
  if (bytes === null || bytes.length === 0) return poison('EMPTY_VALUE', 'the record has no value');
  if (bytes.length < HEADER_BYTES || bytes[0] !== 0) return poison('NOT_AVRO', 'not in the Confluent wire format');
  const writerId = bytes.readInt32BE(1);
  const reader = topic.readable.get(writerId) ?? learnt.get(writerId)!;
  if ('refuse' in reader) return { ok: false, ...reader.refuse };
  try {
    return { ok: true, value: reader.read(bytes.subarray(HEADER_BYTES)), writerId };
  } catch (error) {
    if (error instanceof TextRefused) return poison(error.code, `${error.message}, by schema ${writerId}`);
    return poison('UNDECODABLE_AVRO', `not the bytes of schema ${writerId}: ${(error as Error).message}`);
  }
}

const poison = (code: ErrorCode, detail: string): DecodeResult<never> => ({ ok: false, kind: 'poison', code, detail });

function invalidValue(topic: string, type: Type, value: unknown): CodedError {
  const paths: string[] = [];
  type.isValid(value, { errorHook: (path) => paths.push(path.join('.')) });
  return new CodedError(
    'VALUE_REFUSED_BY_SCHEMA',
    `${topic}: ${[...new Set(paths)].join(', ')} do not fit the schema`,
    {
      faultClass: 'poison',
    },
  );
}
