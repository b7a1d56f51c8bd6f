// The connection to MongoDB: bounded waits, acknowledged by a majority, types that keep 64-bit amounts exact.
import { type CommandStartedEvent, type Db, MongoClient, type MongoClientOptions } from 'mongodb';
import { CodedError } from '../../runtime/ports/fault.ts';
import { endCommandsWithTheirSocket } from './closed-socket.ts';
import { mongoFault } from './fault.ts';

export interface MongoConnection {
  readonly client: MongoClient;
  readonly db: Db;
  /** @throws CodedError MONGO_UNAVAILABLE when no primary answers. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

export interface MongoOptions {
  /** Connection string; credentials in it are never logged. */
  readonly uri: string;
  /** Database; by default the one in the connection string, or `corridor`. */
  readonly database?: string;
  readonly maxPoolSize?: number;
  /** Longest wait for a primary, in ms. */
  readonly serverSelectionTimeoutMs?: number;
  /** Longest silence on a socket with a command under way, in ms. */
  readonly socketTimeoutMs?: number;
  /** Told of every command that is sent. Must not throw. */
  readonly onCommand?: (sent: SentCommand) => void;
}

/** A command on its way to the database. */
export interface SentCommand {
  /** `insert`, `update`, `delete`, `find` … */
  readonly command: string;
  readonly collection: string;
  /** Documents inserted, or updates and deletes asked for, in the one command; 0 for what is no write. */
  readonly writes: number;
}

const DEFAULT_DATABASE = 'corridor';

/**
 * Connects. Afterwards the driver reconnects by itself; commands fail within the waits above.
 * @throws CodedError MONGO_URI_INVALID (fatal), MONGO_UNAVAILABLE, MONGO_UNAUTHORISED
 */
export async function connectMongo(options: MongoOptions): Promise<MongoConnection> {
  endCommandsWithTheirSocket();
  const client = clientFor(options);
  const db = client.db(options.database ?? databaseIn(options.uri));
  const ping = async () => {
    await db.command({ ping: 1 }).catch((error: unknown) => {
      throw mongoFault(error);
    });
  };
  try {
    await client.connect();
    await ping();
  } catch (error) {
    await client.close().catch(() => undefined);
    throw mongoFault(error);
  }
  return { client, db, ping, close: () => client.close() };
}

function clientFor(options: MongoOptions): MongoClient {
  const settings: MongoClientOptions = {
    appName: 'corridor',
    maxPoolSize: options.maxPoolSize ?? 20,
    serverSelectionTimeoutMS: options.serverSelectionTimeoutMs ?? 3_000,
    connectTimeoutMS: 3_000,
    socketTimeoutMS: options.socketTimeoutMs ?? 15_000,
    waitQueueTimeoutMS: 5_000,
    writeConcern: { w: 'majority', wtimeoutMS: 10_000 },
    retryWrites: true,
    retryReads: true,
  };
  try {
    const { onCommand } = options;
    if (onCommand === undefined) return new MongoClient(options.uri, settings);
    const client = new MongoClient(options.uri, { ...settings, monitorCommands: true });
    client.on('commandStarted', (event) => onCommand(sentCommand(event)));
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

/** Name of the database in a connection string. */
function databaseIn(uri: string): string {
  const name = /^mongodb(?:\+srv)?:\/\/[^/]+\/([^?]+)/.exec(uri)?.[1];
  return name === undefined ? DEFAULT_DATABASE : decodeURIComponent(name);
}
