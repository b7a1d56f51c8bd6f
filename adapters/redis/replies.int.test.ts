// What real servers answer in each mode, beside what fault.test.ts says that they answer: with the same words, or the table
// is not believed. Plain, and inside a script, where each version says it in another way.
import { describe, expect, it } from 'vitest';
import { useOwnRedis } from '../../test/kit/own-redis.ts';
import { REDIS_MODES } from '../../test/kit/redis-modes.ts';
import { type OwnRedis, redisPrograms } from '../../test/kit/redis-server.ts';
import { replyCode } from './fault.ts';
import { ANSWERS, type Family, shapeOf } from './testing/answers.ts';

const servers = useOwnRedis();

const saidBy = (asked: Promise<unknown>): Promise<string> =>
  asked.then(
    (answer) => `no refusal: ${String(answer)}`,
    (error: Error) => error.message,
  );
const WRITE = "return redis.call('SET', KEYS[1], '1')";
const plain = ({ admin }: OwnRedis) => saidBy(admin.set('k', '1'));
const scripted = ({ admin }: OwnRedis) => saidBy(admin.eval(WRITE, 1, 'k'));
const mode = (name: string) => REDIS_MODES.find((each) => each.name.startsWith(name))!;

/** Puts a server into a mode and asks it. */
async function within(program: string, name: string, ask: (server: OwnRedis) => Promise<string>): Promise<string> {
  const { flags, enter } = mode(name);
  const server = await servers.start(program, flags);
  const leave = await enter(server);
  try {
    return await ask(server);
  } finally {
    await leave();
  }
}

/** By the name of the answer in the table: how a server is brought to give it. */
const PROVOKED: Readonly<Record<string, (program: string) => Promise<string>>> = {
  OOM: (program) => within(program, 'out of memory', plain),
  'OOM in a script': (program) => within(program, 'out of memory', scripted),
  READONLY: (program) => within(program, 'read only', plain),
  'READONLY in a script': (program) => within(program, 'read only', scripted),
  MISCONF: (program) => within(program, 'unable to save', plain),
  'MISCONF in a script': (program) => within(program, 'unable to save', scripted),
  NOREPLICAS: (program) => within(program, 'too few replicas', plain),
  'NOREPLICAS in a script': (program) => within(program, 'too few replicas', scripted),
  MASTERDOWN: (program) => within(program, 'a replica without', ({ admin }) => saidBy(admin.get('k'))),
  BUSY: (program) => within(program, 'busy with a script, which is', ({ admin }) => saidBy(admin.get('k'))),
  UNKILLABLE: (program) =>
    within(program, 'busy with a script that has written', ({ admin }) => saidBy(admin.script('KILL') as never)),
  LOADING: (program) => within(program, 'loading its data', ({ admin }) => saidBy(admin.get('k'))),
  WRONGTYPE: async (program) => {
    const { admin } = await servers.start(program);
    await admin.lpush('k', 'x');
    return saidBy(admin.get('k'));
  },
  'WRONGTYPE in a script': async (program) => {
    const { admin } = await servers.start(program);
    await admin.lpush('k', 'x');
    return saidBy(admin.eval("return redis.call('GET', KEYS[1])", 1, 'k'));
  },
  NOSCRIPT: async (program) => saidBy((await servers.start(program)).admin.evalsha('0'.repeat(40), 0)),
  'a mistake in a script': async (program) => saidBy((await servers.start(program)).admin.eval('return 1 + nil', 0)),
  'a command that there is not': async (program) =>
    saidBy((await servers.start(program)).admin.call('NOCOMMAND', 'Anna')),
  'ACL in a script': async (program) => {
    const server = await servers.start(program);
    await server.admin.call('ACL', 'SETUSER', 'default', '-set');
    return scripted(server);
  },
  NOPERM: async (program) => {
    const server = await servers.start(program);
    await server.admin.call('ACL', 'SETUSER', 'default', '-set');
    return plain(server);
  },
  NOAUTH: async (program) => {
    const server = await servers.start(program);
    await server.admin.config('SET', 'requirepass', 'secret');
    const other = server.admin.duplicate({ retryStrategy: () => null, lazyConnect: true, enableReadyCheck: false });
    other.on('error', () => undefined);
    try {
      return await saidBy(other.get('k'));
    } finally {
      other.disconnect();
      await server.admin.config('SET', 'requirepass', '');
    }
  },
  WRONGPASS: async (program) => saidBy((await servers.start(program)).admin.call('AUTH', 'nobody', 'x')),
  EXECABORT: async (program) => {
    const { admin } = await servers.start(program);
    await admin.call('MULTI');
    await saidBy(admin.call('NOCOMMAND'));
    return saidBy(admin.call('EXEC'));
  },
  CLUSTERDOWN: async (program) => plain(await servers.start(program, ['--cluster-enabled', 'yes'])),
};

describe.each(await redisPrograms())('Redis $version', ({ file, version }) => {
  const family = (version.startsWith('6.') ? 'six' : 'seven') satisfies Family;

  it.each(Object.keys(PROVOKED))('%s: with the words of the table', async (name) => {
    const said = await PROVOKED[name]!(file);
    expect(shapeOf(said)).toBe(shapeOf(ANSWERS[name]![family]));
    expect(replyCode(Object.assign(new Error(said), { name: 'ReplyError' }))).toBe(ANSWERS[name]!.code?.[family]);
  });

  it('is asked for every answer of the table', () => {
    expect(Object.keys(PROVOKED).toSorted()).toEqual(Object.keys(ANSWERS).toSorted());
  });
});
