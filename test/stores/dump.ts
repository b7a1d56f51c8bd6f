// What a running installation holds, as text: the documents of every collection, the limits ledger, the log with its offsets
// and the ids of its schemas. Read by test/stores/load.ts.
import type { Redis } from 'ioredis';
import { BSON, type Db } from 'mongodb';
import { groupId } from '../../ports/consumer-groups/names.ts';
import type { Log } from '../../ports/log.ts';
import { releasedVersions } from '../../schemas/compatibility.ts';
import { contracts } from '../../topics/catalogue.ts';
import { groupTopics, OWNERS } from '../../verify/topics.ts';
import type { DumpedKey, DumpedLog, DumpedOffset, DumpedRecord, DumpedSchema } from './form.ts';

/** Every collection, each as lines of canonical EJSON, sorted. */
export async function dumpMongo(db: Db): Promise<ReadonlyMap<string, readonly string[]>> {
  const names = (await db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name).sort();
  const dumped = new Map<string, readonly string[]>();
  for (const name of names) {
    const options = { promoteValues: false, promoteLongs: false, promoteBuffers: false } as const;
    const documents = await db.collection(name).find({}, options).toArray();
    dumped.set(name, documents.map((document) => BSON.EJSON.stringify(document, { relaxed: false })).sort());
  }
  return dumped;
}

/** Every key below the namespace: hashes and strings, with what is left of their time to live. */
export async function dumpRedis(redis: Redis, namespace: string): Promise<readonly DumpedKey[]> {
  const keys = (await redis.keys(`${namespace}:*`)).sort();
  return Promise.all(
    keys.map(async (key) => {
      const isHash = (await redis.type(key)) === 'hash';
      const value = isHash ? await redis.hgetall(key) : ((await redis.get(key)) ?? '');
      return { key, value, ttlMs: await redis.pttl(key) };
    }),
  );
}

/** All topics of the application. */
export async function dumpLog(log: Log, app: string): Promise<DumpedLog> {
  const admin = await log.admin();
  try {
    const names = topicNames();
    const described = await admin.describeTopics(names);
    const records: DumpedRecord[] = [];
    const ranges = await log.reader().offsets(described.map(({ name }) => name));
    await log.reader().read(ranges, (batch) => {
      for (const { topic, partition, offset, key, value, headers, timestamp } of batch.records) {
        const texts = Object.entries(headers).map(([name, bytes]) => [name, bytes!.toString('base64')]);
        records.push({
          topic,
          partition,
          offset,
          timestamp,
          key: key?.toString('base64') ?? null,
          value: value?.toString('base64') ?? null,
          headers: Object.fromEntries(texts),
        });
      }
    });
    const committed: DumpedOffset[] = [];
    for (const owner of OWNERS) {
      const group = groupId(app, owner.name);
      for (const one of await admin.committed(group, groupTopics(owner))) committed.push({ group, ...one });
    }
    const topics = described.map(({ name, partitions, topicId }) => ({
      name,
      partitions,
      ...(topicId && { topicId }),
    }));
    const rank = ({ topic, partition, offset }: DumpedRecord) =>
      `${topic}/${partition}/${`${offset}`.padStart(9, '0')}`;
    records.sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
    return { app, topics, ranges, committed, records };
  } finally {
    await admin.close();
  }
}

function topicNames(): readonly string[] {
  const recovery = OWNERS.flatMap(groupTopics);
  const letters = OWNERS.map(({ name }) => `${name}.dlq`);
  return [...new Set([...Object.values(contracts).map(({ name }) => name), ...recovery, ...letters])].sort();
}

/** The schema of each topic as the registry has it. */
export async function dumpSchemas(registryUrl: string): Promise<readonly DumpedSchema[]> {
  return Promise.all(
    Object.values(contracts).map(async ({ name, record }) => {
      const subject = `${name}-value`;
      const answer = await fetch(`${registryUrl}/subjects/${encodeURIComponent(subject)}/versions/latest`);
      const { id, schema } = (await answer.json()) as { id: number; schema: string };
      const text = JSON.stringify(JSON.parse(schema));
      const released = releasedVersions(record).find((one) => JSON.stringify(one.schema) === text);
      if (released) return { subject, id, released: released.name };
      return { subject, id, schema: JSON.parse(schema, (key, inner: unknown) => (key === 'doc' ? undefined : inner)) };
    }),
  );
}
