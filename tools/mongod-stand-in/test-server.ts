// Starts the stand-in for its tests: its own process, a free port, a folder of its own.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { MongoClient, type MongoClientOptions } from 'mongodb';
import { DEFAULT_STATE_DIR, fetchArtifacts } from '../../infra/local/artifacts.ts';

const LAUNCHER = path.join(import.meta.dirname, 'mongod-stand-in');
const READY = /waiting for connections on port (\d+)/;

export interface StandIn {
  readonly port: number;
  readonly uri: string;
  connect(options?: MongoClientOptions): Promise<MongoClient>;
  /** An orderly end. */
  stop(): Promise<void>;
  /** The end that leaves no time for anything. */
  kill(): Promise<void>;
}

/** How a stand-in that was not meant to start ended. */
export interface FailedStart {
  readonly code: number | null;
  readonly output: string;
}

let jar: Promise<string> | null = null;

/** The jar of the stand-in, built from the sources beside this file unless that has been done. */
async function builtJar(): Promise<string> {
  const given = process.env['MONGOD_STAND_IN_JAR'];
  if (given) return given;
  const options = {
    dir: path.join(DEFAULT_STATE_DIR, 'artifacts'),
    env: process.env,
    onProgress: (line: string) => process.stderr.write(`${line}\n`),
  };
  const folder = await fetchArtifacts(['mongo-stand-in'], options).get('mongo-stand-in');
  return path.join(folder as string, 'mongod-stand-in.jar');
}

/** `javaOptions` are for the JVM, such as `-Dname=value`. */
async function launch(args: readonly string[], javaOptions = ''): Promise<ChildProcess> {
  jar ??= builtJar();
  return spawn(LAUNCHER, [...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      MONGOD_STAND_IN_JAR: await jar,
      // Even an empty value makes java print a note.
      ...(javaOptions === '' ? {} : { JDK_JAVA_OPTIONS: javaOptions }),
    },
  });
}

/** Starts the stand-in with the arguments and waits until it is ready. Throws with its output when it ends instead. */
export async function startStandIn(args: readonly string[], javaOptions = ''): Promise<StandIn> {
  const child = await launch(['--port', '0', ...args], javaOptions);
  const clients = new Set<MongoClient>();
  let output = '';
  child.stderr?.on('data', (chunk) => {
    output += chunk;
  });
  const port = await new Promise<number>((resolve, reject) => {
    const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
    lines.on('line', (line) => {
      output += `${line}\n`;
      const ready = READY.exec(line);
      if (ready) resolve(Number(ready[1]));
    });
    child.once('error', reject);
    child.once('exit', (code, signal) => reject(new Error(`The stand-in ended (${signal ?? code}): ${output}`)));
  });
  const uri = `mongodb://127.0.0.1:${port}/?directConnection=true`;
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill(signal);
      await once(child, 'exit');
    }
    await Promise.allSettled([...clients].map((client) => client.close(true)));
    clients.clear();
  };
  return {
    port,
    uri,
    async connect(options = {}) {
      const client = new MongoClient(uri, { serverSelectionTimeoutMS: 5_000, ...options });
      clients.add(client);
      return await client.connect();
    },
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  };
}

/** A server that a file of tests asks, and the database that is this file's alone. */
interface Asked extends Pick<StandIn, 'connect' | 'stop'> {
  readonly database: string;
}

/**
 * What is asked whether it does as MongoDB does: a stand-in in memory, or the genuine server that MONGODB_CONFORMANCE_URI
 * names, against which the questions themselves are checked.
 */
export async function serverToAsk(): Promise<Asked> {
  const database = `conformance_${randomUUID().slice(0, 8)}`;
  const uri = process.env['MONGODB_CONFORMANCE_URI'];
  if (!uri) return { database, ...(await startStandIn(['--memory'])) };
  let client: MongoClient | undefined;
  return {
    database,
    async connect(options = {}) {
      client = await MongoClient.connect(uri, options);
      return client;
    },
    async stop() {
      await client?.db(database).dropDatabase();
      await client?.close();
    },
  };
}

/** Runs the stand-in with arguments with which it cannot run, until it ends. */
export async function failToStart(...args: string[]): Promise<FailedStart> {
  const child = await launch(args);
  let output = '';
  child.stdout?.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    output += chunk;
  });
  const [code] = await once(child, 'close');
  return { code, output };
}
