// What becomes of each answer of Redis. The answers of testing/answers.ts were given by servers 6.2.11 and 7.0.15, and are
// asked for again in replies.int.test.ts; the others below are after their source and were not seen.
import { describe, expect, it } from 'vitest';
import { CodedError } from '../../ports/fault.ts';
import { REDIS_DENIALS, REDIS_STATES, redisFault, replyCode, wantsNewConnection } from './fault.ts';
import { ANSWERS } from './testing/answers.ts';

const SHA = '4344333533ecf513f13fb846e877827bd589eee8';
const SIX = `ERR Error running script (call to f_${SHA}): @user_script:1: `;
const SEVEN = `script: ${SHA}, on @user_script:1.`;
const OOM = ANSWERS['OOM']!.six;
const READONLY = ANSWERS['READONLY']!.six;

const reply = (message: string) => Object.assign(new Error(message), { name: 'ReplyError' });

const FAMILIES = ['six', 'seven'] as const;
const seen = (denied: boolean) =>
  Object.values(ANSWERS).flatMap((answer) =>
    FAMILIES.filter((family) => (answer.code[family] ?? '') in REDIS_DENIALS === denied).map(
      (family) => [answer[family], answer.code[family]] as const,
    ),
  );

/** Reply, its code. */
const WAITS: readonly (readonly [string, string | undefined])[] = [
  ...seen(false),
  // Not seen.
  ['TRYAGAIN Multiple keys request during rehashing of slot', 'TRYAGAIN'],
  ['MOVED 3999 127.0.0.1:6381', 'MOVED'],
  ["CROSSSLOT Keys in request don't hash to the same slot", 'CROSSSLOT'],
  ['UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)', 'UNBLOCKED'],
  [`${SIX}Script killed by user with SCRIPT KILL...`, undefined],
  [`ERR Script killed by user with SCRIPT KILL... ${SEVEN}`, 'ERR'],
  ['ERR max number of clients reached', 'ERR'],
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

  it.each(['NOAUTH Authentication required.', ...seen(true).map(([message]) => message)])(
    '%j stops the processor: nothing can be done without an operator',
    (message) => {
      expect(redisFault(reply(message), 'redis-limits')).toMatchObject({
        code: 'REDIS_UNAUTHORISED',
        faultClass: 'fatal',
      });
    },
  );

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
