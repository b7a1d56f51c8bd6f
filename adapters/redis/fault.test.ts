// What Redis 6.2 and 7.0 really answered in each of these modes, word for word, and what becomes of it. Which modes a
// server can be put into is tried in limits-modes.int.test.ts.
import { describe, expect, it } from 'vitest';
import { CodedError } from '../../runtime/ports/fault.ts';
import { REDIS_STATES, redisFault, replyCode, wantsNewConnection } from './fault.ts';

const SHA = '4344333533ecf513f13fb846e877827bd589eee8';
const SIX = `ERR Error running script (call to f_${SHA}): @user_script:1: `;
const SEVEN = `script: ${SHA}, on @user_script:1.`;
const OOM = "OOM command not allowed when used memory > 'maxmemory'.";
const READONLY = "READONLY You can't write against a read only replica.";
const MISCONF =
  'MISCONF Redis is configured to save RDB snapshots, but it is currently not able to persist on disk. Commands that may modify the data set are disabled.';
const WRONGTYPE = 'WRONGTYPE Operation against a key holding the wrong kind of value';
const NOREPLICAS = 'NOREPLICAS Not enough good replicas to write.';

const reply = (message: string) => Object.assign(new Error(message), { name: 'ReplyError' });

/** Reply, its code. */
const WAITS: readonly (readonly [string, string | undefined])[] = [
  [OOM, 'OOM'],
  [`${SIX}@user_script: 1: -${OOM}`, 'OOM'],
  [`${OOM} ${SEVEN}`, 'OOM'],
  [READONLY, 'READONLY'],
  [`${SIX}@user_script: 1: -${READONLY}`, 'READONLY'],
  [`${READONLY} ${SEVEN}`, 'READONLY'],
  [MISCONF, 'MISCONF'],
  [`${SIX}@user_script: 1: -${MISCONF}`, 'MISCONF'],
  [`${MISCONF} ${SEVEN}`, 'MISCONF'],
  [NOREPLICAS, 'NOREPLICAS'],
  [`${SIX}@user_script: 1: -${NOREPLICAS}`, 'NOREPLICAS'],
  [`${NOREPLICAS} ${SEVEN}`, 'NOREPLICAS'],
  [WRONGTYPE, 'WRONGTYPE'],
  [`${SIX}${WRONGTYPE}`, 'WRONGTYPE'],
  [`${WRONGTYPE} ${SEVEN}`, 'WRONGTYPE'],
  ['LOADING Redis is loading the dataset in memory', 'LOADING'],
  ['BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.', 'BUSY'],
  ['UNKILLABLE Sorry the script already executed write commands against the dataset.', 'UNKILLABLE'],
  ['NOSCRIPT No matching script. Please use EVAL.', 'NOSCRIPT'],
  ["MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", 'MASTERDOWN'],
  ['CLUSTERDOWN Hash slot not served', 'CLUSTERDOWN'],
  ['TRYAGAIN Multiple keys request during rehashing of slot', 'TRYAGAIN'],
  ['MOVED 3999 127.0.0.1:6381', 'MOVED'],
  ["CROSSSLOT Keys in request don't hash to the same slot", 'CROSSSLOT'],
  ['EXECABORT Transaction discarded because of previous errors.', 'EXECABORT'],
  ['UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)', 'UNBLOCKED'],
  // Without a code of their own.
  [`${SIX}Script killed by user with SCRIPT KILL...`, undefined],
  [`ERR Script killed by user with SCRIPT KILL... ${SEVEN}`, 'ERR'],
  [`${SIX}@user_script: 1: The user executing the script can't run this command or subcommand`, undefined],
  [`ERR The user executing the script can't run this command or subcommand ${SEVEN}`, 'ERR'],
  [`${SIX}user_script:1: attempt to perform arithmetic on a nil value`, undefined],
  [`ERR user_script:1: attempt to perform arithmetic on a nil value ${SEVEN}`, 'ERR'],
  ['ERR max number of clients reached', 'ERR'],
  ["ERR unknown command 'evalsha', with args beginning with: 'Anna Example' ", 'ERR'],
  // A server of tomorrow, and one that says nothing of sense.
  ['QUOTAEXCEEDED this account has used its quota', 'QUOTAEXCEEDED'],
  ['', undefined],
  ['\u001b[31mfree text', undefined],
];

describe('what Redis answers', () => {
  it.each(WAITS)('%j makes the partition wait, and condemns nothing', (message, code) => {
    const fault = redisFault(reply(message), 'redis-limits');
    expect(replyCode(reply(message))).toBe(code);
    expect(fault).toMatchObject({
      code: 'REDIS_UNAVAILABLE',
      faultClass: 'transient-dependency',
      dependency: 'redis-limits',
    });
    const state = code === undefined ? undefined : REDIS_STATES[code];
    if (state !== undefined) expect(fault.message).toBe(`redis-limits is unavailable: ${code}: ${state}`);
    expect(fault.message).not.toContain('Anna');
    expect(fault.message).not.toContain('\u001b');
  });

  it.each([
    'NOAUTH Authentication required.',
    'WRONGPASS invalid username-password pair or user is disabled.',
    "NOPERM this user has no permissions to run the 'set' command",
  ])('%j stops the processor: nothing can be done without an operator', (message) => {
    expect(redisFault(reply(message), 'redis-limits')).toMatchObject({
      code: 'REDIS_UNAUTHORISED',
      faultClass: 'fatal',
    });
  });

  it.each([
    new Error('connect ECONNREFUSED 127.0.0.1:6379'),
    new Error('Connection is closed.'),
    new Error('Command timed out'),
    new Error("Stream isn't writeable and enableOfflineQueue options is false"),
    new TypeError("Cannot read properties of undefined (reading 'length')"),
    // Only a reply has a code: an error that merely speaks like one has none.
    new Error('NOAUTH Authentication required.'),
    'thrown as text',
    undefined,
  ])('%s is no reply, and waits', (error) => {
    expect(replyCode(error)).toBeUndefined();
    expect(redisFault(error, 'redis-queue', 'REDIS_QUEUE_UNAVAILABLE')).toMatchObject({
      code: 'REDIS_QUEUE_UNAVAILABLE',
      faultClass: 'transient-dependency',
      dependency: 'redis-queue',
    });
  });

  it('keeps what is coded already', () => {
    const coded = new CodedError('LIMITS_NOT_HYDRATED', 'lost', { faultClass: 'transient-dependency' });
    expect(redisFault(coded, 'redis-limits')).toBe(coded);
  });

  it('looks for another primary behind the name of one that is none any more', () => {
    expect(wantsNewConnection(reply(`${SIX}@user_script: 1: -${READONLY}`))).toBe(true);
    expect(wantsNewConnection(reply(OOM))).toBe(false);
    expect(wantsNewConnection(new Error(READONLY))).toBe(false);
  });
});
