// Breaks a MongoDB driver from the inside, for ever, as a bug of it could: no server has any part in it.
import type { MongoClient } from 'mongodb';
import { MongoNetworkError } from 'mongodb';

interface Pool {
  checkOut(options: unknown): Promise<unknown>;
}
interface Server {
  readonly pool: Pool;
}
interface Topology {
  readonly s: { readonly servers: Map<string, Server> };
  selectServer(selector: unknown, options: unknown): Promise<Server>;
}

function topologyOf(client: MongoClient): Topology {
  const { topology } = client as unknown as { readonly topology?: Topology };
  if (topology === undefined || topology.s.servers.size === 0)
    throw new Error('this driver keeps its servers elsewhere');
  return topology;
}

/** No connection is handed out any more. */
export const breakPools =
  (how: 'rejects' | 'hangs') =>
  (client: MongoClient): void => {
    for (const { pool } of topologyOf(client).s.servers.values()) {
      pool.checkOut = async () => {
        if (how === 'hangs') return new Promise(() => undefined);
        throw new MongoNetworkError('a bug of the pool');
      };
    }
  };

/** No server is ever found again. */
export function forgetServers(client: MongoClient): void {
  topologyOf(client).selectServer = async () => {
    throw new MongoNetworkError('a bug of the topology');
  };
}
