// What a writer's schema id stands for. Ids that the registry does not know are the record's trouble only when the
// registry is whole: one that is loading, lags, or was restored empty must not condemn a good record.

import type { Resolver, Type } from 'avsc';
import type { ErrorCode } from '../../ports/error-codes.ts';
import { CodedError, dependencyDown } from '../../ports/fault.ts';
import type { Call } from './call.ts';

/** An id that the registry did not know is asked for again after this long, ms. */
const UNKNOWN_ID_TTL_MS = 10_000;
/** On topics of our own an id must have been unknown for this long: the registry that was asked may lag. */
export const CONFIRM_UNKNOWN_MS = 3_000;
/** Ids refused that are remembered for a topic: a flood of them must not fill the memory. */
const MAX_REFUSED = 2_000;
const ASKED_AT_ONCE = 8;

export interface Refusal {
  readonly kind: 'poison' | 'newer-schema';
  readonly code: ErrorCode;
  readonly detail: string;
}
/** How to read a writer's bytes, or why not. */
export type Writer = { readonly read: (bytes: Buffer) => unknown } | { readonly refuse: Refusal };

/** The writers of one topic. */
export interface WrittenTopic {
  /** Id of the current schema. */
  readonly id: number;
  readonly type: Type;
  /** Newer writers are resolved on intents only: elsewhere re-encoding would drop what a newer stage added. */
  readonly external: boolean;
  readonly readable: Map<number, Writer>;
  /** Ids refused, until when; oldest first. */
  readonly refused: Map<number, { readonly writer: Writer; readonly until: number }>;
  /** Ids that the registry did not know, since when. */
  readonly missedSince: Map<number, number>;
}

export interface WriterSchemasOptions {
  /** The schema of an id, or undefined where there is none. Rejects with REGISTRY_UNAVAILABLE in an outage. */
  readonly find: (id: number) => Promise<Type | 'not-avro' | undefined>;
  /** Never answered from a cache. */
  readonly call: Call;
  /** ms since 1970 */
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

export interface WriterSchemas {
  /** Writers of all these ids. Rejects with a transient fault when the registry cannot say. */
  of(topic: WrittenTopic, ids: ReadonlySet<number>): Promise<ReadonlyMap<number, Writer>>;
  /** The way to read what an older or external writer wrote. */
  resolve(topic: WrittenTopic, id: number, writer: Type): Writer;
}

export function createWriterSchemas({ find, call, now, sleep }: WriterSchemasOptions): WriterSchemas {
  const { remembered, remember, missedFor } = writerMemory(now);

  /** Throws REGISTRY_INCOMPLETE when the registry is not whole: that an id is missing says nothing then. */
  async function assertWhole(topic: WrittenTopic): Promise<void> {
    const own = await call('GET', `/schemas/ids/${topic.id}`);
    if (own.status === 200 && recordNameIn(own.body) === topic.type.name) return;
    throw incomplete(
      `the registry does not know schema ${topic.id}, the current one of ${topic.type.name}: it is loading, or what it held is lost`,
    );
  }

  /** Adds the writers that the registry knows. @returns the ids that it does not */
  async function ask(topic: WrittenTopic, ids: readonly number[], writers: Map<number, Writer>): Promise<number[]> {
    const missing: number[] = [];
    await atOnce(ids, async (id) => {
      const schema = await find(id);
      if (schema === undefined) {
        missing.push(id);
        return;
      }
      topic.missedSince.delete(id);
      writers.set(id, remember(topic, id, found(topic, id, schema)));
    });
    return missing;
  }

  return {
    resolve,
    async of(topic, ids) {
      const writers = new Map<number, Writer>();
      const asked: number[] = [];
      for (const id of ids) {
        const known = remembered(topic, id);
        if (known) writers.set(id, known);
        else if (id <= 0) writers.set(id, unknown(id));
        else asked.push(id);
      }
      for (let missing = asked; missing.length > 0; ) {
        missing = await ask(topic, missing, writers);
        if (missing.length === 0) break;
        await assertWhole(topic);
        const waitMs = topic.external ? 0 : CONFIRM_UNKNOWN_MS - Math.min(...missing.map((id) => missedFor(topic, id)));
        if (waitMs > 0) {
          // The registry may lag: whoever reads waits here, and the id is asked for again.
          await sleep(waitMs);
          continue;
        }
        for (const id of missing) writers.set(id, remember(topic, id, unknown(id)));
        break;
      }
      return writers;
    },
  };
}

function resolve(topic: WrittenTopic, id: number, writer: Type): Writer {
  try {
    const resolver: Resolver = topic.type.createResolver(writer);
    return { read: (bytes) => topic.type.fromBuffer(bytes, resolver) };
  } catch (error) {
    const detail = `schema ${id} cannot be read as ${topic.type.name}: ${(error as Error).message}`;
    return refuse(topic.external ? 'poison' : 'newer-schema', 'UNRESOLVABLE_SCHEMA', detail);
  }
}

/** Of an id that the registry knows. */
function found(topic: WrittenTopic, id: number, schema: Type | 'not-avro'): Writer {
  const foreign = refuse('poison', 'FOREIGN_SCHEMA', `schema ${id} is not one of ${topic.type.name}`);
  if (schema === 'not-avro') return foreign;
  if (topic.external) return resolve(topic, id, schema);
  if (schema.name !== topic.type.name) return foreign;
  const detail = `schema ${id} was registered after this process started: deploy the readers of this topic first`;
  return refuse('newer-schema', 'NEWER_SCHEMA', detail);
}

/** What is known of ids, for a while: readable ones for ever, refused and missing ones until they are asked for again. */
function writerMemory(now: () => number) {
  return { remembered, remember, missedFor };

  function remembered(topic: WrittenTopic, id: number): Writer | undefined {
    const readable = topic.readable.get(id);
    if (readable) return readable;
    const refused = topic.refused.get(id);
    return refused && refused.until > now() ? refused.writer : undefined;
  }

  function remember(topic: WrittenTopic, id: number, writer: Writer): Writer {
    if ('read' in writer) {
      topic.readable.set(id, writer);
      return writer;
    }
    topic.refused.delete(id);
    topic.refused.set(id, { writer, until: now() + UNKNOWN_ID_TTL_MS });
    dropOldest(topic.refused);
    return writer;
  }

  /** For how long the registry has not known the id, ms. */
  function missedFor(topic: WrittenTopic, id: number): number {
    const since = topic.missedSince.get(id) ?? now();
    topic.missedSince.set(id, since);
    dropOldest(topic.missedSince);
    return now() - since;
  }
}

const refuse = (kind: Refusal['kind'], code: ErrorCode, detail: string): Writer => ({ refuse: { kind, code, detail } });
const unknown = (id: number) => refuse('poison', 'UNKNOWN_SCHEMA_ID', `the registry does not know schema ${id}`);
const incomplete = (detail: string) =>
  new CodedError('REGISTRY_INCOMPLETE', detail, { faultClass: 'transient-dependency', dependency: 'registry' });

function dropOldest(map: Map<number, unknown>): void {
  if (map.size > MAX_REFUSED) map.delete(map.keys().next().value!);
}

/** Full name of the record in the registry's answer; undefined where it holds none. */
function recordNameIn(body: unknown): string | undefined {
  try {
    const { name, namespace } = JSON.parse((body as { schema: string }).schema) as { name: string; namespace?: string };
    return name.includes('.') || namespace === undefined ? name : `${namespace}.${name}`;
  } catch {
    return undefined;
  }
}

/** Runs `work` on all items, a few at a time; rejects with the first fault. */
async function atOnce<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(ASKED_AT_ONCE, items.length) }, worker));
}

export const registryAway = (error: unknown) => dependencyDown('registry', 'REGISTRY_UNAVAILABLE', error);
