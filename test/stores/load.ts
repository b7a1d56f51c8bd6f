// A fixture put into stores: documents and the limits ledger as they were written, the log in memory under the offsets, topic
// ids and schema ids that it had. Other servers do not give the same ids, and seals are over bytes that bear them.
import { type Dirent, readdirSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import type { Redis } from 'ioredis';
import { BSON, type Db } from 'mongodb';
import type { Log, LogReader, LogRecord, OutputRecord, RecordBatch } from '../../ports/log.ts';
import { releasedVersions } from '../../schemas/compatibility.ts';
import { selfContained } from '../../schemas/load.ts';
import { contracts } from '../../topics/catalogue.ts';
import {
  type About,
  COLLECTIONS_FOLDER,
  type DumpedKey,
  type DumpedLog,
  type DumpedRecord,
  type DumpedSchema,
  FILES,
  linesOf,
  rowsOf,
} from './form.ts';

const HERE = import.meta.dirname;

/** The folder of the last release: the highest version. */
export function lastRelease(): string {
  const isFolder = (entry: Dirent) => entry.isDirectory();
  const versions = readdirSync(HERE, { withFileTypes: true }).filter(isFolder);
  const byNumber = (a: Dirent, b: Dirent) => a.name.localeCompare(b.name, 'en', { numeric: true });
  return path.join(HERE, versions.sort(byNumber).at(-1)!.name);
}

export const aboutOf = (folder: string): About => rowsOf<About>(folder, FILES.about)[0]!;

/** Fills a database. @returns how many documents went into each collection */
export async function loadMongo(folder: string, db: Db): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  for (const file of readdirSync(path.join(folder, COLLECTIONS_FOLDER)).sort()) {
    const lines = linesOf(folder, path.join(COLLECTIONS_FOLDER, file));
    const documents = lines.map((line) => BSON.EJSON.parse(line, { relaxed: false }) as BSON.Document);
    const name = path.basename(file, '.ndjson');
    if (documents.length > 0) await db.collection(name).insertMany(documents);
    counts.set(name, documents.length);
  }
  return counts;
}

/**
 * Writes the limits ledger under another namespace. Its marker names the run of the server that it was in force in: it is
 * given this one's, as if it were still the same.
 */
export async function loadRedis(
  folder: string,
  redis: Redis,
  { from, namespace }: { readonly from: string; readonly namespace: string },
): Promise<void> {
  const runId = /^run_id:(\w+)/m.exec(await redis.info('server'))![1]!;
  for (const { key, value, ttlMs } of rowsOf<DumpedKey>(folder, FILES.redis)) {
    const name = `${namespace}${key.slice(from.length)}`;
    if (typeof value !== 'string') await redis.hset(name, { ...value });
    else await redis.set(name, key === `${from}:generation` ? value.replace(/^\w+/, runId) : value);
    if (ttlMs >= 0) await redis.pexpire(name, ttlMs);
  }
}

const bytesOf = (text: string | null) => (text === null ? null : Buffer.from(text, 'base64'));

function recordOf({ key, value, headers, ...place }: DumpedRecord): LogRecord {
  const bytes = Object.entries(headers).map(([name, text]) => [name, Buffer.from(text, 'base64')]);
  return { ...place, key: bytesOf(key), value: bytesOf(value), headers: Object.fromEntries(bytes) };
}

/** The log of a fixture. It can be read, described and written to; nobody consumes from it. */
export class RecordedLog {
  readonly #dumped: Omit<DumpedLog, 'records'>;
  readonly #records: LogRecord[];
  readonly #listeners = new Set<(batch: RecordBatch) => void>();

  constructor(folder: string) {
    this.#dumped = rowsOf<Omit<DumpedLog, 'records'>>(folder, FILES.topics)[0]!;
    this.#records = rowsOf<DumpedRecord>(folder, FILES.records).map(recordOf);
  }

  get app(): string {
    return this.#dumped.app;
  }

  /** As the ports ask for it. */
  get log(): Log {
    return this as unknown as Log;
  }

  /** All records of a topic. */
  of(topic: string): readonly LogRecord[] {
    return this.#records.filter((record) => record.topic === topic);
  }

  #endOf(topic: string, partition: number): number {
    const stated = this.#dumped.ranges.find((range) => range.topic === topic && range.partition === partition);
    const last = this.of(topic).findLast((record) => record.partition === partition);
    return Math.max(stated?.to ?? 0, (last?.offset ?? -1) + 1);
  }

  append(outputs: readonly OutputRecord[], timestamp = Date.now()): void {
    for (const { topic, partition, key, value, headers } of outputs) {
      const bytes = Object.entries(headers).map(([name, text]) => [name, Buffer.from(text as string)]);
      const record: LogRecord = {
        topic,
        partition,
        offset: this.#endOf(topic, partition),
        timestamp,
        key: key === null ? null : Buffer.from(key as string),
        value,
        headers: Object.fromEntries(bytes),
      };
      this.#records.push(record);
      for (const listener of this.#listeners) listener({ topic, partition, records: [record] });
    }
  }

  async writer() {
    return { send: async (records: readonly OutputRecord[]) => this.append(records), close: async () => undefined };
  }

  reader(): LogReader {
    const ranges = (topics: readonly string[]) =>
      this.#dumped.ranges
        .filter(({ topic }) => topics.includes(topic))
        .map((range) => ({ ...range, to: this.#endOf(range.topic, range.partition) }));
    return {
      offsets: async (topics) => ranges(topics),
      ends: async (topics) => ranges(topics).map(({ topic, partition, to }) => ({ topic, partition, offset: to })),
      offsetsSince: async (topics, since) =>
        ranges(topics).map((range) => {
          const first = this.of(range.topic).find((one) => one.partition === range.partition && one.timestamp >= since);
          return { ...range, from: first?.offset ?? range.to };
        }),
      read: async (wanted, onBatch) => {
        for (const { topic, partition, from, to } of wanted) {
          const isWanted = (one: LogRecord) => one.partition === partition && one.offset >= from && one.offset < to;
          const records = this.of(topic).filter(isWanted);
          if (records.length > 0) await onBatch({ topic, partition, records });
        }
      },
      follow: (topics, onBatch) => {
        const partitions = this.#dumped.topics.filter(({ name }) => topics.includes(name));
        for (const { name: topic, partitions: count } of partitions) {
          for (let partition = 0; partition < count; partition++) {
            const records = this.of(topic).filter((record) => record.partition === partition);
            if (records.length > 0) onBatch({ topic, partition, records });
          }
        }
        const listener = (batch: RecordBatch) => topics.includes(batch.topic) && onBatch(batch);
        this.#listeners.add(listener);
        return {
          caughtUp: Promise.resolve(),
          currentAt: () => performance.now(),
          stop: async () => void this.#listeners.delete(listener),
        };
      },
    };
  }

  async admin() {
    const { topics, committed } = this.#dumped;
    return {
      describeTopics: async (names: readonly string[]) =>
        topics
          .filter(({ name }) => names.includes(name))
          .map((topic) => ({ ...topic, config: {}, replicationFactor: 1 })),
      committed: async (group: string, names: readonly string[]) =>
        committed.filter((one) => one.group === group && names.includes(one.topic)),
      close: async () => undefined,
    };
  }
}

/** A registry that has the schemas of a fixture under their ids, and those of this checkout, registered after them. */
export async function recordedRegistry(folder: string): Promise<{ readonly url: string; close(): void }> {
  const byId = new Map<number, string>();
  const versions = new Map<string, number[]>();
  const register = (subject: string, schema: unknown, id = Math.max(0, ...byId.keys()) + 1) => {
    const text = JSON.stringify(schema);
    const known = versions.get(subject) ?? [];
    if (known.some((one) => byId.get(one) === text)) return;
    byId.set(id, text);
    versions.set(subject, [...known, id]);
  };
  for (const { subject, id, schema, released } of rowsOf<DumpedSchema>(folder, FILES.schemas)) {
    const [record = ''] = (released ?? '').split('/');
    register(subject, schema ?? releasedVersions(record).find(({ name }) => name === released)?.schema, id);
  }
  for (const { name, record } of Object.values(contracts))
    register(`${name}-value`, selfContained(`corridor.${record}`));

  const server: Server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const [, , name = '', , version = ''] = (request.url ?? '').split('/');
    const answer = (status: number, value: unknown) => response.writeHead(status).end(JSON.stringify(value));
    const ids = versions.get(decodeURIComponent(name)) ?? [];
    if (request.url?.startsWith('/schemas/ids/')) {
      const [, , , id] = request.url.split('/');
      const schema = byId.get(Number(id));
      return schema ? answer(200, { schema }) : answer(404, { error_code: 40_403 });
    }
    if (request.method === 'GET') {
      const id = ids[Number(version) - 1];
      return id === undefined ? answer(404, { error_code: 40_402 }) : answer(200, { id });
    }
    const asked = JSON.stringify(JSON.parse((JSON.parse(body) as { schema: string }).schema));
    const id = ids.find((one) => byId.get(one) === asked);
    return id === undefined ? answer(404, { error_code: 40_403 }) : answer(200, { id });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close: () => void server.close() };
}
