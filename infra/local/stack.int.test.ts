// The local stack on real servers: every server answers, survives kill -9 with its data, and outlives nobody.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { Redis } from 'ioredis';
import { Kafka, logLevel } from 'kafkajs';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { isAlive, type ProcessIdentity, processStart } from '../../ports/process-identity.ts';
import { describeCluster } from './kafka-probe.ts';
import { until } from './probes.ts';
import { attachStack, type LocalStack, type StackOptions, startStack, stopStack } from './stack.ts';

const root = mkdtempSync(path.join(tmpdir(), 'corridor-stack-'));
/** No override of the surrounding environment applies: these servers are this test's own. */
const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith('CORRIDOR_') && name !== 'MONGODB_URI'),
);
const own = (name: string, options: Partial<StackOptions> = {}): StackOptions => ({
  stateDir: path.join(root, name),
  runner: 'processes',
  env,
  ...options,
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

function kafkaClient(stack: LocalStack): Kafka {
  // A broker that was killed is missed after its session, and a busy machine elects its successor late.
  const retry = { retries: 120, initialRetryTime: 100, maxRetryTime: 1_000 };
  const brokers = [...stack.urls.kafkaBrokers];
  return new Kafka({ clientId: 'stack-test', brokers, retry, logLevel: logLevel.NOTHING });
}

async function withRedis<T>(url: string, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, { maxRetriesPerRequest: 1 });
  redis.on('error', () => undefined);
  try {
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}

async function withMongo<T>(uri: string, work: (client: MongoClient) => Promise<T>): Promise<T> {
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: 5_000 });
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

/** Puts a record into a topic of its own; resolves with the offset it got. */
async function produce(stack: LocalStack, topic: string): Promise<string | undefined> {
  const producer = kafkaClient(stack).producer({ allowAutoTopicCreation: false, idempotent: true });
  await producer.connect();
  try {
    const [result] = await producer.send({ topic, acks: -1, messages: [{ value: 'kept' }] });
    return result?.baseOffset;
  } finally {
    await producer.disconnect();
  }
}

async function endOffset(stack: LocalStack, topic: string): Promise<string | undefined> {
  const admin = kafkaClient(stack).admin();
  await admin.connect();
  try {
    return (await admin.fetchTopicOffsets(topic))[0]?.high;
  } finally {
    await admin.disconnect();
  }
}

async function registerSchema(stack: LocalStack, subject: string): Promise<number> {
  const schema = JSON.stringify({ type: 'record', name: subject, fields: [{ name: 'id', type: 'string' }] });
  const response = await fetch(`${stack.urls.registryUrl}/subjects/${subject}/versions`, {
    method: 'POST',
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify({ schema }),
  });
  return ((await response.json()) as { id: number }).id;
}

describe('a stack of all servers', () => {
  let stack: LocalStack;
  beforeAll(async () => {
    stack = await startStack(own('all', { ephemeral: true, advertisedPorts: [31_999] }));
  });
  afterAll(() => stack?.stop());

  test('names every server with its process and its log', () => {
    const servers = stack.servers();
    expect(servers.map(({ name }) => name)).toEqual(['kafka-1', 'registry', 'mongo', 'redisLimits', 'redisQueue']);
    for (const { pid, log } of servers) {
      expect(pid).toBeGreaterThan(0);
      expect(existsSync(log as string)).toBe(true);
    }
    expect(stack.runner('kafka')).toBe('processes');
  });

  test('Kafka keeps its records through kill -9, and takes work again after a restart', async () => {
    const admin = kafkaClient(stack).admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: 'stack-kept', numPartitions: 1 }] });
    await admin.disconnect();
    expect(await produce(stack, 'stack-kept')).toBe('0');

    await stack.kill('kafka');
    await expect(describeCluster(stack.urls.kafkaBrokers[0] as string)).rejects.toThrow();
    await stack.restart('kafka');

    expect(await endOffset(stack, 'stack-kept')).toBe('1');
    expect(await produce(stack, 'stack-kept')).toBe('1');
  });

  test('Kafka tells clients that come through a proxy to come back through it', async () => {
    const direct = await describeCluster(stack.urls.kafkaBrokers[0] as string);
    const proxied = await describeCluster(stack.kafkaBehindProxy[0] as string);
    expect(direct.brokers.map(({ address }) => address)).toEqual(stack.urls.kafkaBrokers);
    expect(proxied.brokers.map(({ address }) => address)).toEqual(['127.0.0.1:31999']);
  });

  test('the registry refuses incompatible changes from the start, and keeps schemas and ids through kill -9', async () => {
    const config = await (await fetch(`${stack.urls.registryUrl}/config`)).json();
    expect(config).toEqual({ compatibilityLevel: 'FULL_TRANSITIVE' });
    const id = await registerSchema(stack, 'kept');

    await stack.kill('registry');
    await stack.restart('registry');

    expect(await registerSchema(stack, 'kept')).toBe(id);
    expect(await registerSchema(stack, 'later')).not.toBe(id);
  });

  test('MongoDB keeps acknowledged writes through kill -9', async () => {
    const uri = stack.urls.mongoUri;
    await withMongo(uri, (client) => client.db().collection('kept').insertOne({ n: 1 }));
    await stack.kill('mongo');
    await stack.restart('mongo');
    expect(await withMongo(uri, (client) => client.db().collection('kept').countDocuments({ n: 1 }))).toBe(1);
  });

  test.each(['redisLimits', 'redisQueue'] as const)('%s keeps acknowledged writes through kill -9', async (kind) => {
    const url = kind === 'redisLimits' ? stack.urls.redisLimitsUrl : stack.urls.redisQueueUrl;
    await withRedis(url, (redis) => redis.set('kept', kind));
    await stack.kill(kind);
    await stack.restart(kind);
    expect(await withRedis(url, (redis) => redis.get('kept'))).toBe(kind);
    expect(await withRedis(url, (redis) => redis.config('GET', 'maxmemory-policy'))).toContain('noeviction');
  });

  test('a server that is held answers nothing, and goes on where it was', async () => {
    await withRedis(stack.urls.redisLimitsUrl, async (redis) => {
      await redis.ping();
      await stack.freeze('redisLimits');
      let answered = false;
      const answer = redis.ping().then((text) => {
        answered = true;
        return text;
      });
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(answered).toBe(false);
      await stack.thaw('redisLimits');
      expect(await answer).toBe('PONG');
    });
  });

  test('stop ends every server and removes the folder of an ephemeral stack', async () => {
    const servers = stack.servers().map(({ pid }) => ({ pid: pid as number, startedAt: processStart(pid as number) }));
    expect(servers.every(isAlive)).toBe(true);
    await stack.stop();
    expect(servers.some(isAlive)).toBe(false);
    expect(existsSync(stack.stateDir)).toBe(false);
  });
});

test('three brokers go on when one is killed, and take it back', { timeout: 300_000 }, async () => {
  const stack = await startStack(own('cluster', { ephemeral: true, kinds: ['kafka'], brokers: 3 }));
  try {
    const admin = kafkaClient(stack).admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: 'replicated', numPartitions: 1, replicationFactor: 3 }] });
    await admin.disconnect();
    await produce(stack, 'replicated');

    await stack.kill('kafka-2');
    // A plain client may be sent to the one that is gone, and gives up before it asks another; a try may have written.
    const patient = { timeout: 120_000, interval: 500 };
    const second = Number(await vi.waitFor(() => produce(stack, 'replicated'), patient));
    expect(second).toBeGreaterThanOrEqual(1);
    await stack.restart('kafka-2');

    // It is up before the others have heard of it.
    await vi.waitFor(async () => {
      const cluster = await describeCluster(stack.urls.kafkaBrokers[1] as string);
      expect(cluster.brokers.map(({ id }) => id).sort((a, b) => a - b)).toEqual([1, 2, 3]);
    }, patient);
    expect(await vi.waitFor(() => endOffset(stack, 'replicated'), patient)).toBe(String(second + 1));
  } finally {
    await stack.stop();
  }
});

/** Runs startStack in a process of its own; resolves when it is up. */
async function startElsewhere(options: StackOptions) {
  const program = `
    import { startStack } from ${JSON.stringify(new URL('./stack.ts', import.meta.url).href)};
    const stack = await startStack(${JSON.stringify(options)});
    console.log(JSON.stringify(stack.servers().map(({ pid }) => pid)));
    ${options.lifetime === 'detached' ? '' : 'setInterval(() => {}, 1000);'}`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const servers: ProcessIdentity[] = (JSON.parse(line) as number[]).map((pid) => ({
    pid,
    startedAt: processStart(pid),
  }));
  return { child, servers };
}

const gone = (servers: readonly ProcessIdentity[]) =>
  until(AbortSignal.timeout(30_000), async () => {
    if (servers.some(isAlive)) throw new Error('some server still runs');
  });

test('kill -9 of the parent leaves no server, and no folder of an ephemeral stack', async () => {
  const options = own('orphaned', { ephemeral: true, kinds: ['kafka', 'redisLimits'] });
  const { child, servers } = await startElsewhere(options);
  expect(servers).toHaveLength(2);
  expect(servers.every(isAlive)).toBe(true);
  child.kill('SIGKILL');
  await gone(servers);
  await until(AbortSignal.timeout(10_000), async () => {
    if (existsSync(options.stateDir)) throw new Error('the folder is still there');
  });
});

test('what even the guard could not end is ended by the next start', async () => {
  const options = own('leftover', { kinds: ['redisQueue'] });
  const { child, servers } = await startElsewhere(options);
  const children = execFileSync('ps', ['-e', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' }).split('\n');
  const guard = children
    .map((line) => line.trim().split(/\s+/))
    .find(([, parent, ...args]) => {
      return parent === String(child.pid) && args.includes('corridor-guard');
    });
  process.kill(Number(guard?.[0]), 'SIGKILL');
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(servers.every(isAlive)).toBe(true);

  const lines: string[] = [];
  const stack = await startStack({ ...options, onProgress: (line) => lines.push(line) });
  expect(servers.some(isAlive)).toBe(false);
  expect(lines.join()).toContain('Ending redisQueue, left by an earlier run');
  expect(stack.owned).toBe(true);
  await stack.stop();
});

test('a stack that runs is used by the next start, and its data by the one after', async () => {
  const options = own('shared', { kinds: ['redisLimits'] });
  const first = await startStack(options);
  await withRedis(first.urls.redisLimitsUrl, (redis) => redis.set('kept', 'yes'));

  const second = await startStack(options);
  expect(second.owned).toBe(false);
  expect(second.urls).toEqual(first.urls);
  await second.stop();
  await expect(second.kill('redisLimits')).rejects.toMatchObject({ code: 'NOT_OWNED' });
  expect(await withRedis(first.urls.redisLimitsUrl, (redis) => redis.get('kept'))).toBe('yes');
  await expect(startStack(own('shared', { kinds: ['mongo'] }))).rejects.toMatchObject({ code: 'STATE_MISMATCH' });
  await first.stop();
  expect(attachStack(options.stateDir)).toBeNull();

  const third = await startStack(options);
  expect(third.owned).toBe(true);
  expect(await withRedis(third.urls.redisLimitsUrl, (redis) => redis.get('kept'))).toBe('yes');
  await third.stop();
});

test('a detached stack outlives its parent until it is stopped', async () => {
  const options = own('detached', { kinds: ['redisQueue'], lifetime: 'detached' });
  const { child, servers } = await startElsewhere(options);
  await once(child, 'exit');
  const view = attachStack(options.stateDir);
  expect(view?.urls.redisQueueUrl).toMatch(/^redis:/);
  expect(servers.every(isAlive)).toBe(true);
  expect(await stopStack(options.stateDir)).toBe(true);
  expect(servers.some(isAlive)).toBe(false);
  expect(await stopStack(options.stateDir)).toBe(false);
});

test('a server that ends on its own is reported', async () => {
  const ended: string[] = [];
  const stack = await startStack(
    own('reported', {
      ephemeral: true,
      kinds: ['redisLimits'],
      onUnexpectedExit: (name, how) => ended.push(`${name} ${how}`),
    }),
  );
  process.kill(stack.servers()[0]?.pid as number, 'SIGKILL');
  await until(AbortSignal.timeout(10_000), async () => expect(ended).toEqual(['redisLimits signal SIGKILL']));
  await stack.stop();
});
