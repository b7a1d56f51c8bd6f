// What the Redis client throws, as coded errors. Redis is never asked about one record alone in words of its own: no reply
// of a server condemns a record. It is fatal only when it says that this client may not do its work; everything else,
// known or not, makes the partition wait until the server answers again.
import { safeText } from '../../domain/text/text.ts';
import { CodedError, isCoded, thrownText } from '../../ports/fault.ts';

/** Longest text of a server that is passed on, characters. */
const MAX_TEXT = 160;

/** Error codes that Redis documents, with what an operator is told. The code is its first word. */
export const REDIS_STATES: Readonly<Record<string, string>> = {
  OOM: 'out of memory: raise maxmemory, or free memory',
  READONLY: 'a replica, which takes no writes: point the URL at the primary, or end the failover',
  LOADING: 'loading its data from disk',
  BUSY: 'busy with a script that runs for long: SCRIPT KILL ends one that has written nothing',
  UNKILLABLE: 'busy with a script that has written already: wait, or restart it',
  NOSCRIPT: 'its scripts were flushed: they are sent again',
  MISCONF: 'it cannot save to its disk: see its log for the reason',
  NOREPLICAS: 'fewer replicas than min-replicas-to-write',
  MASTERDOWN: 'a replica that has lost its primary',
  CLUSTERDOWN: 'a cluster that is down; the limits need one primary, no cluster',
  TRYAGAIN: 'a cluster that moves keys; the limits need one primary, no cluster',
  MOVED: 'a cluster that keeps the key elsewhere; the limits need one primary, no cluster',
  ASK: 'a cluster that moves keys; the limits need one primary, no cluster',
  CROSSSLOT: 'a cluster; the limits need one primary, no cluster',
  EXECABORT: 'it gave up a transaction because one of its commands was refused',
  NOGOODSLAVE: 'no replica can take over',
  UNBLOCKED: 'it changed its role while a command waited',
  WRONGTYPE: 'a key holds another type than ours: another program writes under the same prefix',
};

/** Only the operator can mend these: a password, a user, an ACL. */
export const REDIS_DENIALS: Readonly<Record<string, string>> = {
  NOAUTH: 'it asks for a password: put one into the URL',
  WRONGPASS: 'it does not take the password of the URL',
  NOPERM: 'its ACL does not let this user do what is needed',
};

/**
 * Redis 6 wraps what a command inside a script was refused with: "ERR Error running script (call to f_<sha1>):
 * @user_script:24: @user_script: 24: -OOM command not allowed …"; a wrong type comes without the dash. Redis 7 puts the
 * code in front, and says where in the script behind it.
 */
const IN_A_SCRIPT =
  /^ERR Error running script \(call to f_[0-9a-f]{40}\): @user_script:\d+: (?:@user_script: ?\d+: -?)?/;
const KILLED = /^(?:ERR Error running script \(call to f_[0-9a-f]{40}\): @user_script:\d+: |ERR )Script killed by user/;

/** Whether a server sent it; false for the client's own errors. */
export function isReply(error: unknown): error is Error {
  try {
    return error instanceof Error && error.name === 'ReplyError' && typeof error.message === 'string';
  } catch {
    // Of a shape that cannot be looked at.
    return false;
  }
}

/** Code of an error reply, such as OOM, also of one met inside a script; undefined when the error is no reply. */
export function replyCode(error: unknown): string | undefined {
  if (!isReply(error)) return undefined;
  return /^([A-Z][A-Z_]*)(?=[ .:]|$)/.exec(error.message.replace(IN_A_SCRIPT, ''))?.[1];
}

/** Wraps an error of the client; a coded error passes through. `dependency`: redis-limits or redis-queue. */
export function redisFault(
  error: unknown,
  dependency: string,
  downCode: 'REDIS_UNAVAILABLE' | 'REDIS_QUEUE_UNAVAILABLE' = 'REDIS_UNAVAILABLE',
): CodedError {
  if (isCoded(error)) return error;
  const code = replyCode(error);
  const denial = code === undefined ? undefined : REDIS_DENIALS[code];
  if (denial !== undefined) {
    return new CodedError('REDIS_UNAUTHORISED', `${dependency} refused ${code}: ${denial}`, {
      faultClass: 'fatal',
      dependency,
      cause: error,
    });
  }
  return new CodedError(downCode, `${dependency} is unavailable: ${detailOf(error, code)}`, {
    faultClass: 'transient-dependency',
    dependency,
    cause: error,
  });
}

/** The text shown for an error: the server's code and what it asks for, or the first words of anything else. */
export function redisWords(error: unknown): string {
  const code = replyCode(error);
  const denial = code === undefined ? undefined : REDIS_DENIALS[code];
  return denial === undefined ? detailOf(error, code) : `${code}: ${denial}`;
}

function detailOf(error: unknown, code: string | undefined): string {
  if (code !== undefined && code in REDIS_STATES) return `${code}: ${REDIS_STATES[code]}`;
  if (!isReply(error)) return thrownText(error, MAX_TEXT);
  const text = error.message;
  if (KILLED.test(text)) return 'a script of ours was killed: it runs again';
  // What a server quotes of a command may be of a record.
  return safeText(text.replace(IN_A_SCRIPT, '').replace(/,? with args beginning with.*/s, ''), MAX_TEXT);
}

/** An answer after which only a new connection can help: the name of the server may lead to another primary by now. */
export function wantsNewConnection(error: Error): boolean {
  const code = replyCode(error);
  return code === 'READONLY' || code === 'MASTERDOWN';
}
