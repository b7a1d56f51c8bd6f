// Writes in transactions of one owner, against a real broker: all or nothing, and never by who was taken over.
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { Log } from '../../ports/log.ts';
import { Connections } from './client.ts';
import { createLog } from './log.ts';
import { settingsOf } from './options.ts';
import { createTopics, numbered, unique } from './testing/topics.ts';
import { TransactionalProducer } from './transactional-producer.ts';

const brokers = inject('stack').kafkaBrokers;
let log: Log;

beforeAll(() => {
  log = createLog({ brokers, appName: 'transactions-test', clientId: 'transactions-test' });
});
afterAll(() => log.close());

async function made(): Promise<{ topic: string; id: string }> {
  const topic = unique('t');
  await createTopics(log, [topic], 2);
  return { topic, id: unique('id') };
}

async function keysIn(topic: string): Promise<string[]> {
  const keys: string[] = [];
  const reader = log.reader();
  // A commit is answered before its markers stand in every partition: a read up to the very end waits for them.
  const all = (await reader.ends([topic])).map(({ partition, offset }) => ({ topic, partition, from: 0, to: offset }));
  await reader.read(all, ({ records }) => {
    keys.push(...records.map(({ key }) => String(key)));
  });
  return keys.toSorted();
}

test('commits what it is given, time after time', async () => {
  const { topic, id } = await made();
  const transactions = await log.transactions(id, topic);
  const [first, second] = [
    numbered(topic, 10, { partitions: 2, prefix: 'a' }),
    numbered(topic, 10, { partitions: 2, prefix: 'b' }),
  ];
  await transactions.commit(first);
  await transactions.commit([]);
  await transactions.commit(second);
  await transactions.close();
  expect(await keysIn(topic)).toEqual([...first, ...second].map(({ key }) => String(key)).toSorted());
});

test('lets nobody write who was taken over, and what he had not committed is void', async () => {
  const { topic, id } = await made();
  const zombie = await log.transactions(id, topic);
  await zombie.commit(numbered(topic, 4, { partitions: 2, prefix: 'before' }));
  const owner = await log.transactions(id, topic);
  await expect(zombie.commit(numbered(topic, 4, { partitions: 2, prefix: 'zombie' }))).rejects.toMatchObject({
    code: expect.any(String),
  });
  await expect(zombie.commit(numbered(topic, 4, { partitions: 2, prefix: 'again' }))).rejects.toMatchObject({
    code: 'WRITER_CLOSED',
  });
  await owner.commit(numbered(topic, 4, { partitions: 2, prefix: 'owner' }));
  await owner.close();
  const keys = await keysIn(topic);
  expect(keys).toHaveLength(8);
  expect(keys.some((key) => key.startsWith('zombie') || key.startsWith('again'))).toBe(false);
});

test('writes nothing of a call that holds a record the broker refuses', async () => {
  const { topic, id } = await made();
  const transactions = await log.transactions(id, topic);
  const [small] = numbered(topic, 1, { partitions: 1, prefix: 'small' });
  const large = { ...small!, key: 'large', value: Buffer.alloc(3_000_000) };
  await expect(transactions.commit([small!, large])).rejects.toMatchObject({ code: expect.any(String) });
  const again = await log.transactions(id, topic);
  await again.commit(numbered(topic, 2, { partitions: 2, prefix: 'after' }));
  await again.close();
  const keys = await keysIn(topic);
  expect(keys).toHaveLength(2);
  expect(keys.every((key) => key.startsWith('after'))).toBe(true);
});

test('what was committed behind the open transaction of another is within the ends, and a read of it waits', async () => {
  const { topic, id } = await made();
  const settings = settingsOf({ brokers, appName: 'transactions-test', clientId: 'other' });
  const other = await TransactionalProducer.fence(new Connections(settings), unique('other'), topic);
  await other.send(numbered(topic, 1, { partitions: 1, prefix: 'open' }));
  const transactions = await log.transactions(id, topic);
  await transactions.commit(numbered(topic, 2, { partitions: 1, prefix: 'mine' }));
  await transactions.close();
  const reader = log.reader();
  const [stable] = (await reader.offsets([topic])).filter(({ partition }) => partition === 0);
  const [end] = (await reader.ends([topic])).filter(({ partition }) => partition === 0);
  expect(stable!.to).toBe(0);
  const keys: string[] = [];
  const read = reader.read([{ topic, partition: 0, from: 0, to: end!.offset }], ({ records }) => {
    keys.push(...records.map(({ key }) => String(key)));
  });
  await other.abort();
  other.discard();
  await read;
  expect(keys).toEqual(['mine0', 'mine1']);
});
