// What goes wrong on people's machines ends in one error that names the cure. Nothing here is simulated but the tools
// themselves: a java that is too old, a docker without a daemon.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { DEFAULT_STATE_DIR, StackError, type StackOptions, startStack, wipe } from './stack.ts';

const root = mkdtempSync(path.join(tmpdir(), 'corridor-failures-'));
const clean = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith('CORRIDOR_') && name !== 'MONGODB_URI'),
);
let stateDir = '';

beforeEach(() => {
  stateDir = mkdtempSync(path.join(root, 'state-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function failure(options: Partial<StackOptions>): Promise<StackError> {
  try {
    const stack = await startStack({ stateDir, runner: 'processes', env: clean, ...options });
    await stack.stop();
  } catch (error) {
    if (error instanceof StackError) return error;
    throw error;
  }
  throw new Error('the stack started');
}

/** A folder with programs of our own making, to be the whole PATH. */
function tools(programs: Record<string, string>): string {
  const dir = mkdtempSync(path.join(root, 'tools-'));
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(path.join(dir, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  return dir;
}

describe('ports', () => {
  test('a fixed port that is taken', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const port = (server.address() as { port: number }).port;
    const env = { ...clean, CORRIDOR_REDIS_LIMITS_PORT: String(port) };
    const error = await failure({ kinds: ['redisLimits'], fixedPorts: true, env });
    server.close();
    expect(error.code).toBe('PORT_IN_USE');
    expect(error.message).toContain(`Port ${port}`);
    expect(error.cure).toContain('CORRIDOR_REDIS_LIMITS_PORT');
  });

  test('a port that is none', async () => {
    const env = { ...clean, CORRIDOR_REDIS_LIMITS_PORT: '70000' };
    const error = await failure({ kinds: ['redisLimits'], fixedPorts: true, env });
    expect(error.code).toBe('BAD_SETTING');
  });
});

describe('the state folder', () => {
  const run = async (kinds: StackOptions['kinds'] & {}) => {
    const stack = await startStack({ stateDir, runner: 'processes', env: clean, kinds });
    await stack.stop();
  };

  test('cannot be made', async () => {
    const file = path.join(stateDir, 'file');
    writeFileSync(file, '');
    const error = await failure({ stateDir: path.join(file, 'below'), kinds: ['redisLimits'] });
    expect(error.code).toBe('STATE_NOT_WRITABLE');
  });

  test.each(['corridor-state.json', 'running.json'])('holds a %s that is no JSON; wiping mends it', async (file) => {
    await run(['redisLimits']);
    writeFileSync(path.join(stateDir, file), '{"format":');
    const error = await failure({ kinds: ['redisLimits'] });
    expect(error.code).toBe('STATE_CORRUPT');
    expect(error.cure).toContain('down --wipe');
    await wipe(stateDir);
    await run(['redisLimits']);
  });

  test('was made for another number of brokers', async () => {
    await run(['redisLimits']);
    const error = await failure({ kinds: ['redisLimits'], brokers: 3 });
    expect(error.code).toBe('STATE_MISMATCH');
  });

  test('lost what identifies the Kafka data', async () => {
    await run(['redisLimits']);
    mkdirSync(path.join(stateDir, 'data', 'kafka-1', 'log'), { recursive: true });
    const error = await failure({ kinds: ['kafka'] });
    expect(error.code).toBe('STATE_CORRUPT');
    expect(error.message).toContain('meta.properties');
  });

  test('holds damaged Redis data', async () => {
    await run(['redisLimits']);
    const data = path.join(stateDir, 'data', 'redisLimits');
    const logs = readdirSync(data, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.aof'));
    expect(logs.length).toBeGreaterThan(0);
    for (const name of logs) writeFileSync(path.join(data, name), 'not a Redis command\r\n');
    const error = await failure({ kinds: ['redisLimits'] });
    expect(error.code).toBe('STATE_CORRUPT');
    expect(error.cure).toContain('down --wipe');
  });

  test('is not removed when Corridor did not make it', async () => {
    writeFileSync(path.join(stateDir, 'precious.txt'), '');
    await expect(wipe(stateDir)).rejects.toMatchObject({ code: 'STATE_CORRUPT' });
    expect(readdirSync(stateDir)).toEqual(['precious.txt']);
  });
});

describe('programs', () => {
  test('no Java', async () => {
    const error = await failure({ kinds: ['kafka'], env: { ...clean, JAVA_HOME: '/nowhere' } });
    expect(error.code).toBe('JAVA_MISSING');
    expect(error.cure).toContain('openjdk-17');
  });

  test('a Java that is too old', async () => {
    const dir = tools({ java: 'echo \'openjdk version "11.0.2"\' >&2' });
    const error = await failure({ kinds: ['kafka'], env: { PATH: dir } });
    expect(error.code).toBe('JAVA_MISSING');
    expect(error.message).toContain('11.0.2');
  });

  test('no Maven, when something is to be fetched', async () => {
    const dir = tools({ java: 'echo \'openjdk version "17.0.15"\' >&2' });
    const error = await failure({
      kinds: ['kafka'],
      env: { PATH: dir },
      artifactsDir: path.join(stateDir, 'artifacts'),
    });
    expect(error.code).toBe('MAVEN_MISSING');
    expect(error.cure).toContain('apt-get install maven');
  });

  test('a download that fails', async () => {
    const home = mkdtempSync(path.join(root, 'home-'));
    mkdirSync(path.join(home, '.m2'));
    const mirror = '<mirror><id>gone</id><mirrorOf>*</mirrorOf><url>http://127.0.0.1:1/</url></mirror>';
    writeFileSync(path.join(home, '.m2', 'settings.xml'), `<settings><mirrors>${mirror}</mirrors></settings>`);
    const env = { ...clean, MAVEN_OPTS: `-Duser.home=${home}` };
    const error = await failure({ kinds: ['kafka'], env, artifactsDir: path.join(stateDir, 'artifacts') });
    expect(error.code).toBe('DOWNLOAD_FAILED');
    expect(error.cure).toContain('network');
    expect(readdirSync(path.join(stateDir, 'artifacts'))).toContain('maven.log');
  });

  test('a mongod that does not run, and one that gives up', async () => {
    const missing = await failure({ kinds: ['mongo'], env: { ...clean, CORRIDOR_MONGOD: '/nowhere/mongod' } });
    expect(missing.code).toBe('BAD_SETTING');
    const mongod = path.join(
      tools({ mongod: '[ "$1" = --version ] && exit 0; echo "fatal: no" >&2; exit 3' }),
      'mongod',
    );
    const giving = await failure({ kinds: ['mongo'], env: { ...clean, CORRIDOR_MONGOD: mongod } });
    expect(giving.code).toBe('SERVER_FAILED');
    expect(giving.message).toContain('exit code 3');
    expect(giving.message).toContain('fatal: no');
  });

  test('containers are asked for, and only the docker command is there', async () => {
    const dir = tools({ docker: 'echo "Cannot connect to the Docker daemon" >&2; exit 1' });
    const error = await failure({ kinds: ['redisLimits'], runner: 'containers', env: { PATH: dir } });
    expect(error.code).toBe('DOCKER_UNAVAILABLE');
  });

  test('a Docker that answers but starts nothing: processes are tried, unless containers were asked for', async () => {
    const dir = tools({ docker: 'echo 28.0.0' });
    const env = { ...clean, PATH: `${dir}:${clean['PATH']}` };
    const error = await failure({ kinds: ['redisQueue'], runner: 'containers', env });
    expect(error.code).toBe('CONTAINER_FAILED');
    const lines: string[] = [];
    const stack = await startStack({ stateDir, env, kinds: ['redisQueue'], onProgress: (line) => lines.push(line) });
    expect(lines.join()).toContain('Trying plain processes instead');
    expect(stack.runner('redisQueue')).toBe('processes');
    await stack.stop();
  });

  test('without a Docker daemon, processes are chosen', async () => {
    const dir = tools({ docker: 'exit 1' });
    const env = { ...clean, PATH: `${dir}:${clean['PATH']}` };
    const stack = await startStack({ stateDir, env, kinds: ['redisQueue'], runner: 'auto' });
    expect(stack.runner('redisQueue')).toBe('processes');
    await stack.stop();
  });
});

test('a server of the environment that answers is neither started nor stopped', async () => {
  const theirs = await startStack({ stateDir, runner: 'processes', env: clean, kinds: ['redisLimits'] });
  const env = { ...clean, CORRIDOR_REDIS_LIMITS_URL: theirs.urls.redisLimitsUrl };
  const ours = await startStack({ stateDir: mkdtempSync(path.join(root, 'state-')), env, kinds: ['redisLimits'] });
  expect(ours.urls.redisLimitsUrl).toBe(theirs.urls.redisLimitsUrl);
  expect(ours.runner('redisLimits')).toBe('external');
  expect(ours.servers()).toEqual([]);
  await expect(ours.kill('redisLimits')).rejects.toMatchObject({ code: 'NOT_RUNNING' });
  await ours.stop();
  expect(theirs.servers()[0]?.pid).toBeGreaterThan(0);
  await theirs.stop();
});

test('the default state folder is the ignored one of the checkout', () => {
  expect(path.relative(process.cwd(), DEFAULT_STATE_DIR)).toBe('.corridor');
});
