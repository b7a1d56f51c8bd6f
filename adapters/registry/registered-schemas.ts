// What the registry holds: the id of a schema under its subject, the versions of a subject, and the schema of an id.

import { once } from 'node:events';
import { SchemaRegistry } from '@kafkajs/confluent-schema-registry';
import avro, { type Type } from 'avsc';
import { CodedError } from '../../ports/fault.ts';
import { avscOptions } from '../../schemas/avro-types.ts';
import { type Call, fieldsOf, MISSING, saysMissing, uselessAnswer } from './call.ts';
import type { RegistryOptions } from './options.ts';
import { registryAway } from './writer-schemas.ts';

const REFERENCES_TIMEOUT_MS = 10_000;
/** Versions of a subject that are asked for at a start. */
const MAX_VERSIONS = 1_000;
/** Registry subject of a topic's values (TopicNameStrategy). */
export const subjectOf = (topic: string) => `${topic}-value`;

export interface RegisteredSchemas {
  /**
   * The id of a schema under a topic's subject.
   * @throws CodedError SCHEMA_NOT_REGISTERED, SCHEMA_REFUSED; transient in an outage
   */
  idOf(topic: string, schema: object): Promise<number>;
  /** Ids of the versions that were pushed before `ours`, oldest first. @throws CodedError REGISTRY_ENDLESS */
  before(topic: string, ours: number): AsyncGenerator<number>;
  /** The schema of an id, or undefined when the registry says that it has none. */
  find(id: number): Promise<Type | 'not-avro' | undefined>;
}

export function registeredSchemas(options: RegistryOptions, call: Call): RegisteredSchemas {
  const client = new SchemaRegistry(
    { host: options.url, ...(options.auth ? { auth: options.auth } : {}) },
    { AVRO: avscOptions() as never },
  );

  /** A schema made of others: the library asks for them. */
  async function withReferences(id: number): Promise<Type> {
    const late = AbortSignal.timeout(REFERENCES_TIMEOUT_MS);
    const tooLate = once(late, 'abort').then(() => Promise.reject(new Error('no answer in time')));
    return Promise.race([client.getSchema(id) as unknown as Promise<Type>, tooLate]).catch((error: unknown) => {
      throw registryAway(error);
    });
  }

  return {
    async idOf(topic, schema) {
      const path = `/subjects/${encodeURIComponent(subjectOf(topic))}`;
      const answer = await call('POST', path, { schema: JSON.stringify(schema) });
      const { id, error_code: said } = fieldsOf(answer);
      if (answer.status === 200 && isId(id)) return id;
      if (saysMissing(answer, MISSING.subject, MISSING.schema)) {
        const message = `the current schema of ${topic} is not in the registry: run \`corridor schemas push\` first`;
        throw refuse('SCHEMA_NOT_REGISTERED', message);
      }
      if (answer.status === 422 && typeof said === 'number') {
        const message = `the registry does not take the schema of ${topic} for Avro: is it one for Avro?`;
        throw refuse('SCHEMA_REFUSED', message);
      }
      throw uselessAnswer(`POST ${path}`, answer);
    },
    async *before(topic, ours) {
      for (let version = 1; version <= MAX_VERSIONS; version++) {
        const path = `/subjects/${encodeURIComponent(subjectOf(topic))}/versions/${version}`;
        const answer = await call('GET', path);
        if (saysMissing(answer, MISSING.subject, MISSING.version)) return;
        const { id } = fieldsOf(answer);
        if (answer.status !== 200 || !isId(id)) throw uselessAnswer(`GET ${path}`, answer);
        if (id === ours) return;
        yield id;
      }
      const message = `the registry names more than ${MAX_VERSIONS} versions of ${subjectOf(topic)}, and ours is not among them: check CORRIDOR_REGISTRY_URL`;
      throw refuse('REGISTRY_ENDLESS', message);
    },
    async find(id) {
      const path = `/schemas/ids/${id}`;
      const answer = await call('GET', path);
      if (saysMissing(answer, MISSING.schema)) return undefined;
      const { schema, schemaType = 'AVRO', references = [] } = fieldsOf(answer);
      if (answer.status !== 200 || typeof schema !== 'string') throw uselessAnswer(`GET ${path}`, answer);
      if (schemaType !== 'AVRO') return 'not-avro';
      if (!Array.isArray(references) || references.length > 0) return withReferences(id);
      return avroType(schema) ?? 'not-avro';
    },
  };
}

const refuse = (code: 'SCHEMA_NOT_REGISTERED' | 'SCHEMA_REFUSED' | 'REGISTRY_ENDLESS', message: string) =>
  new CodedError(code, message, { faultClass: 'fatal', dependency: 'registry' });

const isId = (id: unknown): id is number => Number.isInteger(id);

/** undefined: the registry holds it, and it is no Avro that can be read. */
function avroType(schema: string): Type | undefined {
  try {
    return avro.Type.forSchema(JSON.parse(schema), avscOptions() as never);
  } catch {
    return undefined;
  }
}
