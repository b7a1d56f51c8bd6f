// The timer of payouts over a real Redis that is put into each mode in which it refuses: what is scheduled meanwhile is
// refused with a word, what was scheduled before comes when the server is well again, and no job is given up.
import { describe, expect, it } from 'vitest';
import { useOwnRedis } from '../../test/kit/own-redis.ts';
import { REDIS_LOCKS, REDIS_MODES, set, until, untilCopied } from '../../test/kit/redis-modes.ts';
import { type OwnRedis, redisPrograms } from '../../test/kit/redis-server.ts';
import { TcpProxy } from '../../test/kit/tcp-proxy.ts';
import { bullPollTimer } from './poll-timer.ts';

const servers = useOwnRedis();

/** A timer that works, with one payout that is not due yet. */
async function timerOn(redisUrl: string) {
  const reported: string[] = [];
  const due = new Set<string>();
  const timer = bullPollTimer({ redisUrl, onFault: (code, detail) => reported.push(`${code} ${detail}`) });
  servers.alsoStop(() => timer.stop());
  await timer.start(async (ids) => {
    for (const id of ids) due.add(id);
  });
  const soon = (payoutId: string, inMs = 0) => timer.schedule([{ payoutId, dueAt: Date.now() + inMs }]);
  const taken = (payoutId: string, inMs = 0) =>
    until('taken', () =>
      soon(payoutId, inMs).then(
        () => true,
        () => false,
      ),
    );
  // The first words with a server may take longer than a timer waits.
  await taken('first');
  await until('the first', () => due.has('first'));
  await taken('before', 2_000);
  let tries = 0;
  return {
    due,
    /** Schedules until it is refused. */
    refused: () =>
      until('a refusal', () =>
        soon(`meanwhile-${tries++}`).then(
          () => false,
          (error: { readonly code: string; readonly message: string }) => {
            expect(error).toMatchObject({ code: 'REDIS_QUEUE_UNAVAILABLE', faultClass: 'transient-dependency' });
            reported.push(error.message);
            return true;
          },
        ),
      ),
    /** Schedules until it is taken, and waits until it is due. */
    goesOn: async () => {
      await taken('after');
      await until('due', () => due.has('after'));
    },
    reported: (what: RegExp) => reported.some((line) => what.test(line)),
  };
}

const failedJobs = async ({ admin }: OwnRedis) => (await admin.zcard('corridor:payout-polls:failed')) as number;

describe.each(await redisPrograms())('the timer on Redis $version', ({ file }) => {
  it.each(REDIS_MODES)('$name: refuses with a word, and goes on by itself', async (mode) => {
    const server = await servers.start(file, mode.flags);
    const timer = await timerOn(server.url);
    const leave = await mode.enter(server);
    await timer.refused();
    // A server that is away, or loads, says nothing; BullMQ itself waits for one that is busy.
    if (!mode.restarts)
      await until('reported', () => timer.reported(mode.message) || timer.reported(/no answer within/));
    await leave();
    await timer.goesOn();
    if (!mode.restarts) await until('what was scheduled before', () => timer.due.has('before'));
    expect(await failedJobs(server)).toBe(0);
  });

  it.each(REDIS_LOCKS)('%s: says what to do, and goes on when it is let in', async (_, lock) => {
    const server = await servers.start(file);
    const timer = await timerOn(server.url);
    const unlock = await lock(server);
    await timer.refused();
    await until('reported', () => timer.reported(/NOAUTH: it asks for a password|NOPERM: its ACL/));
    await unlock();
    await timer.goesOn();
    await until('what was scheduled before', () => timer.due.has('before'));
    expect(await failedJobs(server)).toBe(0);
  });

  it('asks for a password when the timer starts: it works once it is let in', async () => {
    const server = await servers.start(file);
    await set(server, 'requirepass', 'secret');
    const due = new Set<string>();
    const timer = bullPollTimer({ redisUrl: server.url });
    servers.alsoStop(() => timer.stop());
    await timer.start(async (ids) => {
      for (const id of ids) due.add(id);
    });
    await expect(timer.schedule([{ payoutId: 'a', dueAt: 0 }])).rejects.toMatchObject({
      code: 'REDIS_QUEUE_UNAVAILABLE',
    });
    await set(server, 'requirepass', '');
    await until('taken', () =>
      timer.schedule([{ payoutId: 'b', dueAt: 0 }]).then(
        () => true,
        () => false,
      ),
    );
    await until('due', () => due.has('b'));
  });

  it('is wiped, its scripts too: it goes on, and only what was in it is left to the sweeper', async () => {
    const server = await servers.start(file);
    const timer = await timerOn(server.url);
    await server.admin.flushall();
    await server.admin.script('FLUSH');
    await timer.goesOn();
    expect(await failedJobs(server)).toBe(0);
  });

  it.each(['killed', 'demoted'] as const)('a primary is %s and its replica promoted: nothing is lost', async (how) => {
    const primary = await servers.start(file);
    const replica = await servers.start(file);
    const name = await TcpProxy.listen();
    servers.alsoStop(() => name.close());
    name.forwardTo(`127.0.0.1:${primary.port}`);
    await replica.admin.replicaof('127.0.0.1', String(primary.port));
    const timer = await timerOn(`redis://127.0.0.1:${name.port}`);
    await untilCopied(primary);
    if (how === 'killed') await primary.kill();
    else await primary.admin.replicaof('127.0.0.1', String(replica.port));
    await timer.refused();
    await replica.admin.replicaof('NO', 'ONE');
    // Connections that stand lead to the old primary: only those made anew reach the new one.
    name.forwardTo(`127.0.0.1:${replica.port}`);
    await timer.goesOn();
    await until('what was scheduled before', () => timer.due.has('before'));
    expect(await failedJobs(replica)).toBe(0);
  });
});
