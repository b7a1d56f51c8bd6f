// The database of the benchmark, and what it is asked and costs.
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type CommandStartedEvent, type Db, MongoClient } from 'mongodb';
import { type LocalStack, startStack } from '../../infra/local/stack.ts';

/** Clock ticks of /proc per second. */
const TICKS = 100;

export interface Database {
  readonly db: Db;
  /** What was used since the last call. */
  takeCosts(): Costs;
  stop(): Promise<void>;
}

export interface Costs {
  /** Round trips. */
  readonly commands: number;
  /** Statements that write, of all commands. */
  readonly writes: number;
  /** Processor time of the server, ms. */
  readonly serverMs: number;
  /** Processor time of this process, ms. */
  readonly clientMs: number;
}

/** A durable server of the benchmark's own: the stand-in, unless there is a genuine one on this machine. */
export async function startDatabase(): Promise<Database> {
  const stateDir = mkdtempSync(path.join(tmpdir(), 'corridor-bench-'));
  const stack = await startStack({ stateDir, ephemeral: true, kinds: ['mongo'], env: {} });
  const client = new MongoClient(stack.urls.mongoUri, {
    monitorCommands: true,
    writeConcern: { w: 'majority' },
    maxPoolSize: 20,
  });
  await client.connect();
  let commands = 0;
  let writes = 0;
  client.on('commandStarted', ({ command }: CommandStartedEvent) => {
    commands++;
    writes += (command['documents'] ?? command['updates'] ?? command['deletes'] ?? []).length;
  });
  const used = { server: 0, client: 0 };
  return {
    db: client.db('bench'),
    takeCosts() {
      const server = serverCpuMs(stack);
      const own = process.cpuUsage();
      const mine = (own.user + own.system) / 1_000;
      const costs = { commands, writes, serverMs: server - used.server, clientMs: mine - used.client };
      commands = 0;
      writes = 0;
      used.server = server;
      used.client = mine;
      return costs;
    },
    async stop() {
      await client.close();
      await stack.stop();
    },
  };
}

function serverCpuMs(stack: LocalStack): number {
  const pid = stack.servers().find(({ name }) => name === 'mongo')?.pid;
  if (pid === null || pid === undefined) throw new Error('the database is not a process of this machine');
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1_000) / TICKS;
}
