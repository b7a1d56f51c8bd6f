// Codec over a Confluent-compatible registry. Ids are looked up at the start; resolvers are cached per writer schema,
// since building one per message costs two hundred times the decoding.
import { SchemaRegistry } from '@kafkajs/confluent-schema-registry';
import type { Resolver, Type } from 'avsc';
import type { Codec, DecodeResult } from '../../runtime/ports/codec.ts';
import { CodedError, dependencyDown } from '../../runtime/ports/fault.ts';
import { avscOptions, recordType } from '../../schemas/avro-types.ts';
import { selfContained } from '../../schemas/load.ts';
import { TextRefused } from '../../schemas/strict-strings.ts';
import { contractOf, type TopicName, type TopicValues } from '../../topics/catalogue.ts';
import { writeShortStringsFast } from './short-strings.ts';

const HEADER_BYTES = 5;
/** Records are encoded one after another into a slab of this size; one that does not fit begins a new slab. */
const SLAB_BYTES = 262_144;
/** An id that the registry did not know is asked for again after this long. */
const UNKNOWN_ID_TTL_MS = 10_000;

/** Registry subject of a topic's values (TopicNameStrategy). */
export const subjectOf = (topic: string) => `${topic}-value`;

export interface RegistryOptions {
  readonly url: string;
  readonly auth?: { readonly username: string; readonly password: string };
  readonly now?: () => number;
  /** Strings are written as avsc does it, not the faster way. */
  readonly shippedStrings?: boolean;
}

type Known = { readonly read: (bytes: Buffer) => unknown } | { readonly refuse: Refusal; readonly until: number };
interface Refusal {
  readonly kind: 'poison' | 'newer-schema';
  readonly code: string;
  readonly detail: string;
}

interface LoadedTopic {
  readonly id: number;
  readonly type: Type;
  /** Newer writers are resolved on intents only: elsewhere re-encoding would drop what a newer stage added. */
  readonly external: boolean;
  readonly writers: Map<number, Known>;
}

/** A codec over the registry at `url`. */
export function registryCodec(options: RegistryOptions): Codec {
  const now = options.now ?? Date.now;
  const client = new SchemaRegistry(
    { host: options.url, ...(options.auth ? { auth: options.auth } : {}) },
    { AVRO: avscOptions() as never },
  );
  const topics = new Map<string, LoadedTopic>();
  let slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
  let used = 0;
  if (options.shippedStrings !== true) writeShortStringsFast();

  const loaded = (topic: string): LoadedTopic => {
    const entry = topics.get(topic);
    if (entry) return entry;
    throw new CodedError('TOPIC_NOT_LOADED', `codec.load() was not called for ${topic}`, { faultClass: 'fatal' });
  };

  async function load(names: readonly TopicName[]): Promise<void> {
    for (const name of names) {
      if (topics.has(name)) continue;
      const contract = contractOf(name)!;
      const schema = selfContained(`corridor.${contract.record}`);
      const id = await client.getRegistryIdBySchema(subjectOf(name), schema as never).catch((error: unknown) => {
        if (isMissing(error)) {
          throw new CodedError(
            'SCHEMA_NOT_REGISTERED',
            `the current schema of ${name} is not in the registry: run \`corridor schemas push\` first`,
            { faultClass: 'fatal', dependency: 'registry' },
          );
        }
        throw dependencyDown('registry', 'REGISTRY_UNAVAILABLE', error);
      });
      const type = recordType(contract.record);
      const writers = new Map<number, Known>([[id, { read: (bytes) => type.fromBuffer(bytes) }]]);
      topics.set(name, { id, type, external: contract.kind === 'intent', writers });
      await loadOlderWriters(name, topics.get(name)!);
    }
  }

  /** Versions pushed before ours resolve without asking again; later ones are newer than this process. */
  async function loadOlderWriters(name: string, topic: LoadedTopic): Promise<void> {
    for (let version = 1; ; version++) {
      const id = await client.getRegistryId(subjectOf(name), version).catch((error: unknown) => {
        if (isMissing(error)) return undefined;
        throw dependencyDown('registry', 'REGISTRY_UNAVAILABLE', error);
      });
      if (id === undefined || id === topic.id) return;
      topic.writers.set(id, await resolve(topic, id));
    }
  }

  async function resolve(topic: LoadedTopic, id: number): Promise<Known> {
    const writer = await client.getSchema(id).catch((error: unknown) => {
      if (isMissing(error)) return undefined;
      throw dependencyDown('registry', 'REGISTRY_UNAVAILABLE', error);
    });
    if (!writer) {
      const detail = `the registry does not know schema ${id}`;
      return refuse(topic.external ? 'poison' : 'newer-schema', 'UNKNOWN_SCHEMA_ID', detail, now() + UNKNOWN_ID_TTL_MS);
    }
    try {
      const resolver: Resolver = topic.type.createResolver(writer as unknown as Type);
      return { read: (bytes) => topic.type.fromBuffer(bytes, resolver) };
    } catch (error) {
      const detail = `schema ${id} cannot be read as ${topic.type.name}: ${(error as Error).message}`;
      return refuse(
        topic.external ? 'poison' : 'newer-schema',
        'UNRESOLVABLE_SCHEMA',
        detail,
        Number.POSITIVE_INFINITY,
      );
    }
  }

  /** The way to read a writer's bytes; undefined when the registry must be asked. */
  function known(topic: LoadedTopic, id: number): Known | undefined {
    const entry = topic.writers.get(id);
    return entry && 'refuse' in entry && entry.until <= now() ? undefined : entry;
  }

  async function learn(topic: LoadedTopic, id: number): Promise<void> {
    if (topic.external) {
      topic.writers.set(id, await resolve(topic, id));
      return;
    }
    const exists = await resolve(topic, id);
    if ('refuse' in exists) {
      topic.writers.set(id, exists);
      return;
    }
    const detail = `schema ${id} was registered after this process started: deploy the readers of this topic first`;
    topic.writers.set(id, refuse('newer-schema', 'NEWER_SCHEMA', detail, now() + UNKNOWN_ID_TTL_MS));
  }

  function decodeOne(topic: LoadedTopic, bytes: Buffer | null): DecodeResult<unknown> {
    if (bytes === null || bytes.length === 0) return poison('EMPTY_VALUE', 'the record has no value');
    if (bytes.length < HEADER_BYTES || bytes[0] !== 0) return poison('NOT_AVRO', 'not in the Confluent wire format');
    const writerId = bytes.readInt32BE(1);
    const reader = known(topic, writerId)!;
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
      // A negative end says how many bytes are missing.
      let end = used + HEADER_BYTES < slab.length ? topic.type.encode(value, slab, used + HEADER_BYTES) : -HEADER_BYTES;
      if (end < 0) {
        const size = slab.length - used - end;
        slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, size));
        used = 0;
        end = topic.type.encode(value, slab, HEADER_BYTES);
      }
      if (end < 0)
        throw new CodedError('ENCODE_FAILED', `a record of ${name} has no stable size`, { faultClass: 'poison' });
      const bytes = slab.subarray(used, end);
      bytes[0] = 0;
      bytes.writeInt32BE(topic.id, 1);
      used = end;
      return bytes;
    },
    async decode<T extends TopicName>(name: T, values: readonly (Buffer | null)[]) {
      const topic = loaded(name);
      for (const bytes of values) {
        if (bytes === null || bytes.length < HEADER_BYTES || bytes[0] !== 0) continue;
        const id = bytes.readInt32BE(1);
        if (!known(topic, id)) await learn(topic, id);
      }
      return values.map((bytes) => decodeOne(topic, bytes) as DecodeResult<TopicValues[T]>);
    },
  };
}

const poison = (code: string, detail: string): DecodeResult<never> => ({ ok: false, kind: 'poison', code, detail });

const refuse = (kind: Refusal['kind'], code: string, detail: string, until: number): Known => ({
  refuse: { kind, code, detail },
  until,
});

/** Only a 404 says that something is not there; everything else is an outage (a refused connection comes as a 400). */
function isMissing(error: unknown): boolean {
  return typeof error === 'object' && error !== null && (error as { status?: number }).status === 404;
}

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
