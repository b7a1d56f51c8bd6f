import { describe, expect, test } from 'vitest';
import { overrides, probeOverrides, stackEnvironment } from './external.ts';
import { SERVER_KINDS } from './types.ts';

const all = {
  CORRIDOR_KAFKA_BROKERS: 'a:9092, b:9092',
  CORRIDOR_REGISTRY_URL: 'http://registry:8081/',
  MONGODB_URI: 'mongodb://mongo:27017/x',
  CORRIDOR_REDIS_LIMITS_URL: 'redis://limits:6379',
  CORRIDOR_REDIS_QUEUE_URL: 'rediss://:secret@queue:6380/1',
};

describe('overrides', () => {
  test('one variable a server', () => {
    expect(overrides(all, SERVER_KINDS)).toEqual({
      kinds: SERVER_KINDS,
      urls: {
        kafkaBrokers: ['a:9092', 'b:9092'],
        registryUrl: 'http://registry:8081',
        mongoUri: 'mongodb://mongo:27017/x',
        redisLimitsUrl: 'redis://limits:6379',
        redisQueueUrl: 'rediss://:secret@queue:6380/1',
      },
    });
  });

  test('an empty variable, and a server that is not wanted, count for nothing', () => {
    expect(overrides({ ...all, MONGODB_URI: '' }, ['mongo', 'redisQueue'])).toEqual({
      kinds: ['redisQueue'],
      urls: { redisQueueUrl: 'rediss://:secret@queue:6380/1' },
    });
  });

  test('what points another process to a stack is read back as the same URLs', () => {
    const { urls } = overrides(all, SERVER_KINDS);
    const full = { kafkaBrokers: [], registryUrl: '', mongoUri: '', redisLimitsUrl: '', redisQueueUrl: '', ...urls };
    expect(overrides(stackEnvironment(full), SERVER_KINDS).urls).toEqual(urls);
    expect(stackEnvironment({ ...full, mongoUri: '', kafkaBrokers: [] })).not.toHaveProperty('MONGODB_URI');
  });
});

test.each([
  { CORRIDOR_KAFKA_BROKERS: '127.0.0.1:1' },
  { CORRIDOR_REGISTRY_URL: 'http://127.0.0.1:1' },
  { MONGODB_URI: 'mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=50' },
  { CORRIDOR_REDIS_LIMITS_URL: 'redis://127.0.0.1:1' },
  { CORRIDOR_REDIS_QUEUE_URL: 'redis://127.0.0.1:1' },
])('a server that does not answer is named by its variable: %o', async (env) => {
  const [variable] = Object.keys(env);
  await expect(probeOverrides(overrides(env, SERVER_KINDS), () => undefined, 50)).rejects.toMatchObject({
    code: 'EXTERNAL_UNREACHABLE',
    message: expect.stringContaining(variable as string),
    cure: expect.stringContaining(variable as string),
  });
});

test('a password in a URL is not quoted, whatever its client says', async () => {
  const env = { CORRIDOR_REGISTRY_URL: 'http://user:hunter2@127.0.0.1:1' };
  const refused = probeOverrides(overrides(env, SERVER_KINDS), () => undefined, 50);
  await expect(refused).rejects.toMatchObject({ message: expect.not.stringContaining('hunter2') });
});
