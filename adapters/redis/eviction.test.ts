import { expect, it } from 'vitest';
import { refuseEviction } from './eviction.ts';

const info = (policy: string) => `# Memory\r\nused_memory:1\r\nmaxmemory_policy:${policy}\r\nmem_allocator:libc\r\n`;

it('refuses a server that may evict, and says which', () => {
  for (const policy of ['allkeys-lru', 'volatile-ttl', 'allkeys-random']) {
    expect(() => refuseEviction(info(policy), 'redis-limits')).toThrow(
      expect.objectContaining({ code: 'REDIS_MAY_EVICT', faultClass: 'fatal', dependency: 'redis-limits' }),
    );
  }
  refuseEviction(info('noeviction'), 'redis-limits');
  refuseEviction('', 'redis-limits');
});
