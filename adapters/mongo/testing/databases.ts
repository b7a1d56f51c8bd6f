// Databases that nobody has used, on the server of the test run.
import { type Db, MongoClient } from 'mongodb';
import { afterAll, beforeAll } from 'vitest';

/** To be called once in each file. @returns what makes another one; `name` tells whose they are */
export function freshDatabases(name: string, mongoUri: string): () => Db {
  let client: MongoClient;
  let databases = 0;
  beforeAll(async () => {
    client = await MongoClient.connect(mongoUri);
  });
  afterAll(async () => {
    await client.close();
  });
  return () => client.db(`${name}_${process.pid}_${Date.now().toString(36)}_${++databases}`);
}
