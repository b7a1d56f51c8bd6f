// What the Redis client throws, as coded errors: routed by the code in front of a reply, never by its text.
import { CodedError, dependencyDown } from '../../runtime/ports/fault.ts';

const UNAUTHORISED = new Set(['NOAUTH', 'WRONGPASS', 'NOPERM']);
/** Replies that pass by themselves: starting, busy, failing over, out of memory until somebody frees some. */
const TRANSIENT = new Set(
  'LOADING BUSY MASTERDOWN READONLY OOM MISCONF CLUSTERDOWN TRYAGAIN NOREPLICAS UNBLOCKED UNKILLABLE'.split(' '),
);

/** Code in front of an error reply, such as NOAUTH; undefined when the error is no reply. */
export function replyCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || error.name !== 'ReplyError') return undefined;
  return /^([A-Z]+)\b/.exec(error.message)?.[1];
}

/** Wraps an error of the client; a coded error passes through. `dependency`: redis-limits or redis-queue. */
export function redisFault(error: unknown, dependency: string): CodedError {
  if (error instanceof CodedError) return error;
  const isReply = error instanceof Error && error.name === 'ReplyError';
  const code = replyCode(error);
  if (!isReply || (code !== undefined && TRANSIENT.has(code))) {
    return dependencyDown(dependency, 'REDIS_UNAVAILABLE', error);
  }
  const denied = code !== undefined && UNAUTHORISED.has(code);
  const message = `${dependency} refused: ${error instanceof Error ? error.message : String(error)}`;
  return new CodedError(denied ? 'REDIS_UNAUTHORISED' : 'REDIS_REFUSED', message, {
    faultClass: denied ? 'fatal' : 'poison',
    dependency,
    cause: error,
  });
}
