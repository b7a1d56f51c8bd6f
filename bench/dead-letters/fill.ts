// Fills the topic and the index.
import type { Db } from 'mongodb';
import { DEAD_LETTERS, GROUPS, groupCounts } from '../../adapters/mongo/dead-letters.ts';
import { ensureIndexes, insertOnlyStore } from '../../adapters/mongo/idempotent-store.ts';
import type { Log } from '../../ports/log.ts';
import { contentOf, type DeadLetterDocument, groupIndexes, indexes } from '../../sinks/dead-letters/letter.ts';
import { letterAt, OWNER, PARTITIONS, recordAt } from './letters.ts';

const AT_ONCE = 1_000;

/** Dead letters of the owner in the log. @returns the id of their topic */
export async function fillTopic(log: Log, letters: number): Promise<string> {
  const admin = await log.admin();
  const topics = [`${OWNER}.dlq`, `${OWNER}.replay`];
  await admin.createTopics(topics.map((name) => ({ name, partitions: PARTITIONS, replicationFactor: 1, config: {} })));
  await admin.awaitLeaders(topics.map((name) => ({ name, partitions: PARTITIONS })));
  const writer = await log.writer('bench');
  for (let from = 0; from < letters; from += AT_ONCE) {
    const some = Math.min(AT_ONCE, letters - from);
    await writer.send(Array.from({ length: some }, (_, i) => recordAt(from + i)));
  }
  await writer.close();
  const [{ topicId = topics[0]! } = {}] = await admin.describeTopics([topics[0]!]);
  await admin.close();
  return topicId;
}

export interface Filling {
  readonly letters: number;
  readonly groups: number;
  readonly topicId: string;
}

/** The index of them, and of many more. @returns how long counting all groups took */
export async function fillIndex(
  db: Db,
  { letters, groups, topicId }: Filling,
): Promise<{ readonly countedMs: number }> {
  await ensureIndexes(db, DEAD_LETTERS, indexes);
  await ensureIndexes(db, GROUPS, groupIndexes);
  const store = insertOnlyStore<DeadLetterDocument>(db, DEAD_LETTERS, contentOf);
  const counts = groupCounts(db);
  const now = Date.now();
  const touched = new Set<string>();
  for (let from = 0; from < letters; from += AT_ONCE) {
    const some = Math.min(AT_ONCE, letters - from);
    const documents = Array.from({ length: some }, (_, i) => letterAt(from + i, groups, now, topicId));
    await store.insertOnly(documents);
    for (const { group } of documents) touched.add(group);
  }
  await counts.touch([...touched]);
  const began = performance.now();
  while ((await counts.recount(50)) > 0);
  return { countedMs: performance.now() - began };
}
