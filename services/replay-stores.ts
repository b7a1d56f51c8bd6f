// What replays of dead letters are kept in, made from the connections: for the process that runs them, and for commands.
import { groupCounts } from '../adapters/mongo/dead-letters.ts';
import { replayableLetters, replays } from '../adapters/mongo/replays.ts';
import { replayLog } from '../operations/dead-letters/replays/log.ts';
import type { ReplayStores } from '../operations/dead-letters/replays/prepare.ts';
import { approvalStore } from './approval-store.ts';
import type { Connections } from './connections.ts';

/** Stores with their indexes ensured. Close the log when done. */
export async function replayStores(
  connections: Connections,
): Promise<ReplayStores & { readonly log: ReturnType<typeof replayLog> }> {
  const db = await connections.db();
  const kept = replays(db);
  await kept.ensureIndexes();
  return {
    replays: kept,
    letters: replayableLetters(db, groupCounts(db)),
    approvals: approvalStore(db),
    log: replayLog(connections.log, connections.config.appName, connections.config.keys),
  };
}
