// `corridor up` looks whether what it says to run does run.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { Redis } from 'ioredis';
import { afterEach, expect, test } from 'vitest';
import { attachStack, restartServer, type StackOptions, startStack, stopStack } from './stack.ts';

const stateDir = () => mkdtempSync(path.join(tmpdir(), 'corridor-revive-'));
const started: string[] = [];

afterEach(async () => {
  for (const dir of started.splice(0)) await stopStack(dir);
});

function options(more: Partial<StackOptions> = {}): StackOptions & { lines: string[] } {
  const lines: string[] = [];
  const dir = stateDir();
  started.push(dir);
  return {
    stateDir: dir,
    kinds: ['redisLimits', 'redisQueue'],
    lifetime: 'detached',
    env: {},
    runner: 'processes',
    onProgress: (line) => lines.push(line),
    lines,
    ...more,
  };
}

const pids = (dir: string) =>
  Object.fromEntries(
    attachStack(dir)
      ?.servers()
      .map(({ name, pid }) => [name, pid]) ?? [],
  );

async function withRedis<T>(url: string, use: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, { maxRetriesPerRequest: 0, retryStrategy: () => null });
  redis.on('error', () => undefined);
  try {
    return await use(redis);
  } finally {
    redis.disconnect();
  }
}

test.each(['SIGKILL', 'SIGTERM'] as const)(
  'a server that ended (%s) is started again with its data on its port, and the other one left alone',
  async (signal) => {
    const asked = options();
    const first = await startStack(asked);
    const before = pids(asked.stateDir);
    await withRedis(first.urls.redisQueueUrl, (redis) => redis.set('kept', 'yes'));
    await withRedis(first.urls.redisQueueUrl, (redis) => redis.wait(0, 0));
    process.kill(before['redisQueue']!, signal);
    while (isThere(before['redisQueue']!)) await new Promise((resolve) => setTimeout(resolve, 20));

    asked.lines.length = 0;
    const second = await startStack(asked);
    expect(asked.lines).toContain('redisQueue had ended: starting again');
    expect(second.urls).toEqual(first.urls);
    const after = pids(asked.stateDir);
    expect(after['redisLimits']).toBe(before['redisLimits']);
    expect(after['redisQueue']).not.toBe(before['redisQueue']);
    expect(await withRedis(second.urls.redisQueueUrl, (redis) => redis.ping())).toBe('PONG');

    asked.lines.length = 0;
    await startStack(asked);
    expect(asked.lines.join()).not.toContain('starting again');
    expect(pids(asked.stateDir)).toEqual(after);
  },
);

test('one server is restarted when asked for, with its data on its port, and no other', async () => {
  const asked = options();
  const first = await startStack(asked);
  const before = pids(asked.stateDir);
  await withRedis(first.urls.redisQueueUrl, (redis) => redis.set('kept', 'yes'));

  const second = await restartServer(asked, 'redisQueue');
  const after = pids(asked.stateDir);
  expect(after['redisQueue']).not.toBe(before['redisQueue']);
  expect(after['redisLimits']).toBe(before['redisLimits']);
  expect(second.urls).toEqual(first.urls);
  expect(await withRedis(second.urls.redisQueueUrl, (redis) => redis.get('kept'))).toBe('yes');

  await expect(restartServer(asked, 'kafka-2')).rejects.toMatchObject({
    code: 'NOT_RUNNING',
    cure: expect.stringContaining('redisLimits'),
  });
  expect(pids(asked.stateDir)).toEqual(after);
  const nothing = options();
  await expect(restartServer(nothing, 'redisQueue')).rejects.toMatchObject({ code: 'NOT_RUNNING' });
});

test('one server of a stack that another process runs is brought back by that process', async () => {
  const asked = options({ lifetime: 'process' });
  const { lines: _lines, onProgress: _say, ...plain } = asked;
  const program = `
    import { startStack } from ${JSON.stringify(new URL('./stack.ts', import.meta.url).href)};
    const stack = await startStack({
      ...${JSON.stringify(plain)},
      onUnexpectedExit: (server) => void stack.restart(server),
    });
    console.log('up');`;
  const owner = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const said = createInterface(owner.stdout)[Symbol.asyncIterator]();
  expect((await said.next()).value).toBe('up');
  const before = pids(asked.stateDir);
  const stack = await restartServer(asked, 'redisLimits');
  expect(stack.owned).toBe(false);
  const after = pids(asked.stateDir);
  expect(after['redisLimits']).not.toBe(before['redisLimits']);
  expect(after['redisQueue']).toBe(before['redisQueue']);
  expect(await withRedis(stack.urls.redisLimitsUrl, (redis) => redis.ping())).toBe('PONG');
  const ended = once(owner, 'exit');
  owner.kill('SIGTERM');
  await ended;
});

test('what another process runs is waited for, and is said not to come back when its owner does not care', async () => {
  const asked = options({ lifetime: 'process' });
  const { lines: _lines, onProgress: _say, ...plain } = asked;
  const program = `
    import { startStack } from ${JSON.stringify(new URL('./stack.ts', import.meta.url).href)};
    const stack = await startStack({
      ...${JSON.stringify(plain)},
      onUnexpectedExit: (server) => process.send ? undefined : console.log(server),
    });
    process.stdin.once('data', () => void stack.restart('redisQueue'));
    console.log('up');`;
  const owner = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const said = createInterface(owner.stdout)[Symbol.asyncIterator]();
  expect((await said.next()).value).toBe('up');
  process.kill(pids(asked.stateDir)['redisQueue']!, 'SIGKILL');
  expect((await said.next()).value).toBe('redisQueue');

  await expect(startStack(asked)).rejects.toMatchObject({
    code: 'SERVER_FAILED',
    message: expect.stringContaining(`redisQueue had ended, and process ${owner.pid}`),
  });
  const waiting = startStack(asked);
  owner.stdin.write('again\n');
  expect((await waiting).owned).toBe(false);
  const ended = once(owner, 'exit');
  owner.kill('SIGTERM');
  await ended;
});

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
