// Codec over a Confluent-compatible registry. Ids are looked up at the start; resolvers are cached per writer schema,
// since building one per message costs two hundred times the decoding.

import { once } from 'node:events';
import { SchemaRegistry } from '@kafkajs/confluent-schema-registry';
import avro, { type Type } from 'avsc';
import type { Codec, DecodeResult } from '../../ports/codec.ts';
import type { ErrorCode } from '../../ports/error-codes.ts';
import { CodedError } from '../../ports/fault.ts';
import { pause } from '../../ports/pause.ts';
import { avscOptions, recordType } from '../../schemas/avro-types.ts';
import { selfContained } from '../../schemas/load.ts';
import { TextRefused } from '../../schemas/strict-strings.ts';
import { contractOf, type TopicName, type TopicValues } from '../../topics/catalogue.ts';
import { fieldsOf, MISSING, registryCaller, saysMissing, uselessAnswer } from './call.ts';
import type { RegistryOptions } from './options.ts';
import { writeShortStringsFast } from './short-strings.ts';
import { Slab } from './slab.ts';
import { createWriterSchemas, registryAway, type Writer, type WrittenTopic } from './writer-schemas.ts';

const HEADER_BYTES = 5;
const REFERENCES_TIMEOUT_MS = 10_000;
/** Versions of a subject that are asked for at a start. */
const MAX_VERSIONS = 1_000;
const NONE: ReadonlyMap<number, Writer> = new Map();
/** Registry subject of a topic's values (TopicNameStrategy). */
export const subjectOf = (topic: string) => `${topic}-value`;

/** A codec over the registry at `url`. */
export function registryCodec(options: RegistryOptions): Codec {
  const now = options.now ?? Date.now;
  const client = new SchemaRegistry(
    { host: options.url, ...(options.auth ? { auth: options.auth } : {}) },
    { AVRO: avscOptions() as never },
  );
  const call = registryCaller(options, options.timeoutMs);
  const writers = createWriterSchemas({ find, call, now, sleep: options.sleep ?? pause });
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
      const id = await registered(name, schema);
      const type = recordType(contract.record);
      const readable = new Map<number, Writer>([[id, { read: (bytes) => type.fromBuffer(bytes) }]]);
      const external = contract.kind === 'intent';
      const topic = { id, type, external, readable, refused: new Map(), missedSince: new Map() };
      await loadOlderWriters(name, topic);
      topics.set(name, topic);
    }
  }

  /** The id of a schema under a topic's subject. */
  async function registered(name: string, schema: object): Promise<number> {
    const path = `/subjects/${encodeURIComponent(subjectOf(name))}`;
    const answer = await call('POST', path, { schema: JSON.stringify(schema) });
    const { id, error_code: said } = fieldsOf(answer);
    if (answer.status === 200 && isId(id)) return id;
    const refuse = (code: 'SCHEMA_NOT_REGISTERED' | 'SCHEMA_REFUSED', message: string) =>
      new CodedError(code, message, { faultClass: 'fatal', dependency: 'registry' });
    if (saysMissing(answer, MISSING.subject, MISSING.schema)) {
      const message = `the current schema of ${name} is not in the registry: run \`corridor schemas push\` first`;
      throw refuse('SCHEMA_NOT_REGISTERED', message);
    }
    if (answer.status === 422 && typeof said === 'number') {
      throw refuse('SCHEMA_REFUSED', `the registry does not take the schema of ${name} for Avro: is it one for Avro?`);
    }
    throw uselessAnswer(`POST ${path}`, answer);
  }

  /** Versions pushed before ours resolve without asking again; later ones are newer than this process. */
  async function loadOlderWriters(name: string, topic: WrittenTopic): Promise<void> {
    for (let version = 1; version <= MAX_VERSIONS; version++) {
      const path = `/subjects/${encodeURIComponent(subjectOf(name))}/versions/${version}`;
      const answer = await call('GET', path);
      if (saysMissing(answer, MISSING.subject, MISSING.version)) return;
      const { id } = fieldsOf(answer);
      if (answer.status !== 200 || !isId(id)) throw uselessAnswer(`GET ${path}`, answer);
      if (id === topic.id) return;
      const schema = await find(id);
      if (schema !== undefined && schema !== 'not-avro') topic.readable.set(id, writers.resolve(topic, id, schema));
    }
    const message = `the registry names more than ${MAX_VERSIONS} versions of ${subjectOf(name)}, and ours is not among them: check CORRIDOR_REGISTRY_URL`;
    throw new CodedError('REGISTRY_ENDLESS', message, { faultClass: 'fatal', dependency: 'registry' });
  }

  /** The schema of an id, or undefined when the registry says that it has none. */
  async function find(id: number): Promise<Type | 'not-avro' | undefined> {
    const path = `/schemas/ids/${id}`;
    const answer = await call('GET', path);
    if (saysMissing(answer, MISSING.schema)) return undefined;
    const { schema, schemaType = 'AVRO', references = [] } = fieldsOf(answer);
    if (answer.status !== 200 || typeof schema !== 'string') throw uselessAnswer(`GET ${path}`, answer);
    if (schemaType !== 'AVRO') return 'not-avro';
    if (!Array.isArray(references) || references.length > 0) return withReferences(id);
    return avroType(schema) ?? 'not-avro';
  }

  /** A schema made of others: the library asks for them. */
  async function withReferences(id: number): Promise<Type> {
    const late = AbortSignal.timeout(REFERENCES_TIMEOUT_MS);
    const tooLate = once(late, 'abort').then(() => Promise.reject(new Error('no answer in time')));
    return Promise.race([client.getSchema(id) as unknown as Promise<Type>, tooLate]).catch((error: unknown) => {
      throw registryAway(error);
    });
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

const isId = (id: unknown): id is number => Number.isInteger(id);

/** undefined: the registry holds it, and it is no Avro that can be read. */
function avroType(schema: string): Type | undefined {
  try {
    return avro.Type.forSchema(JSON.parse(schema), avscOptions() as never);
  } catch {
    return undefined;
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
