// The server that a file of tests asks, started before its first test and stopped after its last.
import type { Collection, Document, MongoClient, MongoClientOptions, MongoServerError } from 'mongodb';
import { afterAll, beforeAll } from 'vitest';
import { serverToAsk } from '../test-server.ts';

interface Asked {
  /** Connected once the tests run. */
  readonly client: MongoClient;
  /** The database that is this file's alone. */
  readonly database: string;
  /** A collection that nobody has used. */
  fresh<T extends Document>(): Collection<T>;
}

/** To be called once in each file. */
export function askServer(options?: MongoClientOptions): Asked {
  let server: Awaited<ReturnType<typeof serverToAsk>>;
  let client: MongoClient;
  let collections = 0;
  beforeAll(async () => {
    server = await serverToAsk();
    client = await server.connect(options);
  });
  afterAll(() => server?.stop());
  return {
    get client() {
      return client;
    },
    get database() {
      return server.database;
    },
    fresh: <T extends Document>() => client.db(server.database).collection<T>(`c${collections++}`),
  };
}

/** What a piece of work fails with. Throws when it does not fail. */
export async function failure<E extends MongoServerError = MongoServerError>(work: Promise<unknown>): Promise<E> {
  const outcome = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(outcome instanceof Error)) throw new Error('it did not fail');
  return outcome as unknown as E;
}

export const numbers = (count: number): number[] => [...Array(count).keys()];
