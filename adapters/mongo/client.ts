// The connection to MongoDB: bounded waits, acknowledged by a majority, types that keep 64-bit amounts exact.
import {
  type CommandStartedEvent,
  type Db,
  MongoClient,
  type MongoClientOptions,
  MongoServerError,
  ReadConcern,
} from 'mongodb';
import { CodedError } from '../../ports/fault.ts';
import { type WatchOptions, watchClient } from '../client-watch.ts';
import { withinLoopTime } from '../loop-timeout.ts';
import { endCommandsWithTheirSocket } from './closed-socket.ts';
import { guarded, mongoFault } from './fault.ts';
import { readFromPrimaryOnly } from './primary-only.ts';

export interface MongoConnection {
  readonly client: MongoClient;
  readonly db: Db;
  /** @throws CodedError MONGO_UNAVAILABLE when no primary answers. */
  ping(): Promise<void>;
  /** Never rejects, and does not wait long for a driver that cannot end. */
  close(): Promise<void>;
}

export interface MongoOptions {
  /** Connection string; credentials in it are never logged. */
  readonly uri: string;
  /** Database; by default the one in the connection string (unless it is one of the server's own), or `corridor`. */
  readonly database?: string | undefined;
  readonly maxPoolSize?: number;
  /** Longest wait of a command for a primary, in ms. */
  readonly serverSelectionTimeoutMs?: number;
  /**
   * Longest wait for a primary at the first connect, in ms: a start has more patience than a command, since the machine may
   * be busy starting everything else.
   */
  readonly firstWaitMs?: number;
  /** Gives the first connect up. */
  readonly signal?: AbortSignal;
  /** Longest silence on a socket with a command under way, in ms. */
  readonly socketTimeoutMs?: number;
  /** Called with every command that is sent. Must not throw. */
  readonly onCommand?: (sent: SentCommand) => void;
  /** Called once when the driver is broken for ever: it has to be connected anew. Absent: nobody watches. Must not throw. */
  readonly onBroken?: (fault: CodedError) => void;
  readonly watch?: WatchOptions;
}

/** A command on its way to the database. */
export interface SentCommand {
  /** `insert`, `update`, `delete`, `find` … */
  readonly command: string;
  readonly collection: string;
  /** Documents inserted, or updates and deletes asked for, in the one command; 0 for what is no write. */
  readonly writes: number;
}

const SELECTION_TIMEOUT_MS = 3_000;
export const FIRST_WAIT_MS = 15_000;
const CONNECT_TIMEOUT_MS = 3_000;
/** What is left of a client gets this long to end, ms. */
const CLOSE_TIMEOUT_MS = 3_000;
const DEFAULT_DATABASE = 'corridor';
/** Databases of the server itself; a connection string names `admin` for its users alone. */
const OWN_OF_SERVER: ReadonlySet<string> = new Set(['admin', 'local', 'config']);

/**
 * How everything is read and written: what a majority has on its disks, from the primary. No answer is rolled back later,
 * and no wait for it is without an end. Databases and collections are given all of it, so that nothing is left to a
 * connection string or to a default of the driver.
 */
export const MAJORITY = {
  readPreference: 'primary',
  readConcern: new ReadConcern('majority'),
  writeConcern: { w: 'majority', journal: true, wtimeoutMS: 10_000 },
} as const;
/** Options of a connection string that could weaken this, in lower case. */
const WEAKENING: ReadonlySet<string> = new Set(
  'readPreference readPreferenceTags maxStalenessSeconds readConcernLevel w wtimeout wtimeoutMS j journal fsync safe retryWrites retryReads timeoutMS'
    .toLowerCase()
    .split(' '),
);

/**
 * Connects. Afterwards the driver reconnects by itself; commands fail within the waits above.
 * @throws CodedError MONGO_URI_INVALID (fatal), MONGO_UNAVAILABLE, MONGO_UNAUTHORISED
 */
export async function connectMongo(options: MongoOptions): Promise<MongoConnection> {
  endCommandsWithTheirSocket();
  readFromPrimaryOnly();
  const client = clientFor(options);
  const db = client.db(databaseName(options), MAJORITY);
  const ping = async () => {
    await guarded(() => db.command({ ping: 1 }));
  };
  const { signal } = options;
  const giveUp = () => void ended(client);
  signal?.addEventListener('abort', giveUp, { once: true });
  try {
    signal?.throwIfAborted();
    await client.connect();
    await ping();
    boundSelection(client, options.serverSelectionTimeoutMs ?? SELECTION_TIMEOUT_MS);
  } catch (error) {
    await ended(client);
    throw mongoFault(error);
  } finally {
    signal?.removeEventListener('abort', giveUp);
  }
  const unwatch = watched(client, ping, options);
  const close = () => {
    unwatch();
    return ended(client);
  };
  return { client, db, ping, close };
}

/** Closes a client. Never rejects; one that does not end is left behind. */
async function ended(client: MongoClient): Promise<void> {
  const closing = client.close();
  await withinLoopTime(closing, CLOSE_TIMEOUT_MS, () => new Error('still closing')).catch(() => undefined);
}

/**
 * Has somebody told when the driver is broken. Any reply on a connection of its pool proves that it works, that to the
 * handshake of a new one too: a server that takes long for every command must not pass for a client that is broken.
 */
function watched(client: MongoClient, ping: () => Promise<void>, options: MongoOptions): () => void {
  const { onBroken } = options;
  if (onBroken === undefined) return () => undefined;
  const askAnew = async (signal: AbortSignal) => {
    const fresh = clientFor({ uri: options.uri, maxPoolSize: 1, firstWaitMs: CONNECT_TIMEOUT_MS });
    const giveUp = () => void ended(fresh);
    signal.addEventListener('abort', giveUp, { once: true });
    await fresh.connect();
    await fresh.db(databaseName(options), MAJORITY).command({ ping: 1 });
  };
  const tell = (detail: string) =>
    onBroken(new CodedError('MONGO_CLIENT_BROKEN', `mongo: ${detail}`, { faultClass: 'fatal', dependency: 'mongo' }));
  const watch = watchClient({ ask: ping, askAnew }, tell, options.watch);
  client.on('connectionReady', watch.heard);
  client.on('commandSucceeded', watch.heard);
  client.on('commandFailed', ({ failure }) => {
    if (failure instanceof MongoServerError) watch.heard();
  });
  return watch.stop;
}

/** The driver has one bound for the first connect and for every command after it, and reads it each time. */
function boundSelection(client: MongoClient, ms: number): void {
  const { s } = client as unknown as { readonly s: { readonly options: { serverSelectionTimeoutMS: number } } };
  s.options.serverSelectionTimeoutMS = ms;
  if (client.options.serverSelectionTimeoutMS !== ms)
    throw new Error('this MongoDB driver keeps its options elsewhere');
}

function clientFor(options: MongoOptions): MongoClient {
  const settings: MongoClientOptions = {
    appName: 'corridor',
    maxPoolSize: options.maxPoolSize ?? 20,
    serverSelectionTimeoutMS: options.firstWaitMs ?? FIRST_WAIT_MS,
    connectTimeoutMS: CONNECT_TIMEOUT_MS,
    socketTimeoutMS: options.socketTimeoutMs ?? 15_000,
    waitQueueTimeoutMS: 5_000,
    ...MAJORITY,
    retryWrites: true,
    retryReads: true,
  };
  try {
    const { onCommand, onBroken } = options;
    const monitorCommands = onCommand !== undefined || onBroken !== undefined;
    const client = new MongoClient(withoutWeakening(options.uri), { ...settings, monitorCommands });
    if (onCommand) client.on('commandStarted', (event) => onCommand(sentCommand(event)));
    return client;
  } catch (error) {
    throw new CodedError('MONGO_URI_INVALID', 'the MongoDB connection string is invalid: check MONGODB_URI', {
      faultClass: 'fatal',
      dependency: 'mongo',
      cause: error,
    });
  }
}

/** Where a command keeps the writes that it asks for. */
const WRITES: Readonly<Record<string, string>> = { insert: 'documents', update: 'updates', delete: 'deletes' };

function sentCommand({ commandName, command }: CommandStartedEvent): SentCommand {
  const target: unknown = command[commandName];
  const asked: unknown = command[WRITES[commandName] ?? ''];
  const writes = commandName === 'findAndModify' ? 1 : Array.isArray(asked) ? asked.length : 0;
  return { command: commandName, collection: typeof target === 'string' ? target : '', writes };
}

/** A connection string without the options that could take a guarantee away. */
export function withoutWeakening(uri: string): string {
  const at = uri.indexOf('?');
  if (at === -1) return uri;
  const kept = uri
    .slice(at + 1)
    .split('&')
    .filter((option) => !WEAKENING.has(option.split('=')[0]!.trim().toLowerCase()));
  return uri.slice(0, at) + (kept.length > 0 ? `?${kept.join('&')}` : '');
}

/** The database that these options lead to. */
export function databaseName({ uri, database }: Pick<MongoOptions, 'uri' | 'database'>): string {
  if (database !== undefined) return database;
  const inUri = /^mongodb(?:\+srv)?:\/\/[^/]+\/([^?]+)/.exec(uri)?.[1];
  const name = inUri === undefined ? undefined : decodeURIComponent(inUri);
  return name === undefined || OWN_OF_SERVER.has(name) ? DEFAULT_DATABASE : name;
}
