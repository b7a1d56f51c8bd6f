import { Redis } from 'ioredis';
import { expect, inject, it } from 'vitest';
import { type Refusal, refuseWrites } from './refusing-redis.ts';

const { redisQueueUrl } = inject('stack');

it.each<[Refusal, string]>([
  ['oom', 'OOM'],
  ['readonly', 'READONLY'],
])('%s refuses writes for a while, and keeps what was there', async (how, expected) => {
  const redis = new Redis(redisQueueUrl);
  const key = `refusing:${how}`;
  await redis.set(key, 'kept');
  expect(await refuseWrites(redisQueueUrl, how, 10)).toContain(expected);
  expect(await redis.get(key)).toBe('kept');
  expect(await redis.set(key, 'again')).toBe('OK');
  redis.disconnect();
});
