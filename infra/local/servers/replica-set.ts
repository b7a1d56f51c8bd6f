// A genuine mongod as a replica set of one, whatever its port is this time: retried writes and majorities need a set.
import { setTimeout as sleep } from 'node:timers/promises';
import { MongoClient } from 'mongodb';

export const REPLICA_SET = 'corridor';
const TIMEOUT_MS = 3_000;

interface SetConfig {
  readonly version: number;
  readonly members: readonly { readonly _id: number; readonly host: string }[];
}

/** What a set of one is to be told; undefined: it is as it should be. Pure. */
export function commandForSet(config: SetConfig | null, host: string): Readonly<Record<string, unknown>> | undefined {
  const members = [{ _id: 0, host }];
  if (!config) return { replSetInitiate: { _id: REPLICA_SET, members } };
  if (config.members.length === 1 && config.members[0]?.host === host) return undefined;
  // It was started on another port, and does not find itself among its members: only by force can it be told.
  return { replSetReconfig: { ...config, version: config.version + 1, members }, force: true };
}

/** Resolves when the server on this port is the primary of a set of its own. Rejects with the last failure. */
export async function settleReplicaSet(port: number, signal: AbortSignal): Promise<void> {
  const client = new MongoClient(`mongodb://127.0.0.1:${port}/?directConnection=true`, {
    serverSelectionTimeoutMS: TIMEOUT_MS,
    connectTimeoutMS: TIMEOUT_MS,
    readPreference: 'primaryPreferred',
  });
  try {
    const admin = client.db('admin');
    for (;;) {
      try {
        const config = await client.db('local').collection<SetConfig & { _id: string }>('system.replset').findOne({});
        const command = commandForSet(config, `127.0.0.1:${port}`);
        if (command) await admin.command(command);
        if ((await admin.command({ hello: 1 }))['isWritablePrimary'] === true) return;
        signal.throwIfAborted();
      } catch (error) {
        if (signal.aborted) throw error;
      }
      await sleep(100);
    }
  } finally {
    await client.close();
  }
}
