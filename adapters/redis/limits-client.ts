// The connection to the Redis of the limits. Nothing is queued or sent again behind our back: a command either gets its
// answer on the connection it was sent on, or fails, and the batch runs again.
import { Redis } from 'ioredis';
import { type BackoffLimits, doubledMs } from '../../ports/backoff.ts';
import type { CodedError } from '../../ports/fault.ts';
import { loopTimeout } from '../loop-timeout.ts';
import { isReply, redisFault, wantsNewConnection } from './fault.ts';

export const LIMITS_DEPENDENCY = 'redis-limits';

export interface LimitsClientOptions {
  readonly url: string;
  readonly connectTimeoutMs?: number;
  readonly commandTimeoutMs?: number;
  /** Called with connection errors, for logs. */
  readonly onError?: (error: Error) => void;
}

const RECONNECT: BackoffLimits = { firstMs: 100, maxMs: 1_000 };

/** What a server said when it refused a connection: commands then fail without a word of why. */
const refusals = new WeakMap<Redis, Error>();

/** An error of a command as a coded one; a connection that was refused says why. */
export const limitsFault = (client: Redis, error: unknown): CodedError =>
  redisFault(isReply(error) ? error : (refusals.get(client) ?? error), LIMITS_DEPENDENCY);

/** @throws CodedError what `limitsFault` makes of an error of the work */
export async function guardedLimits<T>(client: Redis, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw limitsFault(client, error);
  }
}

/** A client that connects in the background and keeps trying; commands fail at once while it is not connected. */
export function limitsClient(options: LimitsClientOptions): Redis {
  const client = new Redis(options.url, {
    connectTimeout: options.connectTimeoutMs ?? 2_000,
    commandTimeout: options.commandTimeoutMs ?? 5_000,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (attempt) => doubledMs(attempt, RECONNECT),
    // The command still fails: nothing is sent again.
    reconnectOnError: wantsNewConnection,
    lazyConnect: true,
  });
  client.on('error', (error: Error) => {
    if (isReply(error)) refusals.set(client, error);
    options.onError?.(error);
  });
  client.on('ready', () => refusals.delete(client));
  client.connect().catch(() => undefined);
  return client;
}

/** Resolves when the client is ready, or when it is not after `timeoutMs` in which the loop turned (its commands then say why). */
export function ready(client: Redis, timeoutMs = 5_000): Promise<void> {
  if (client.status === 'ready') return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      callOff();
      client.off('ready', done);
      resolve();
    };
    const callOff = loopTimeout(timeoutMs, done);
    client.once('ready', done);
  });
}
