// What is told of the commands that go to the database: enough to count writes, nothing of what they hold.
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { connectMongo, type MongoConnection, type SentCommand } from './client.ts';

const sent: SentCommand[] = [];
let mongo: MongoConnection;

beforeAll(async () => {
  mongo = await connectMongo({
    uri: inject('stack').mongoUri,
    database: `commands_${process.pid}`,
    onCommand: (command) => sent.push(command),
  });
});
afterAll(async () => {
  await mongo.db.dropDatabase();
  await mongo.close();
});

it('counts the writes of each command, by collection', async () => {
  const collection = mongo.db.collection<{ _id: number; n?: number }>('things');
  sent.length = 0;
  await collection.insertMany([{ _id: 1 }, { _id: 2 }, { _id: 3 }], { ordered: false });
  await collection.bulkWrite([1, 2].map((_id) => ({ updateOne: { filter: { _id }, update: { $set: { n: 1 } } } })));
  await collection.findOneAndUpdate({ _id: 3 }, { $set: { n: 2 } });
  await collection.find({ n: 1 }).toArray();
  await collection.deleteMany({ n: 1 });
  expect(sent).toEqual([
    { command: 'insert', collection: 'things', writes: 3 },
    { command: 'update', collection: 'things', writes: 2 },
    { command: 'findAndModify', collection: 'things', writes: 1 },
    { command: 'find', collection: 'things', writes: 0 },
    { command: 'delete', collection: 'things', writes: 1 },
  ]);
});
