import { describe, expect, it } from 'vitest';
import { KeyedLocks, Semaphore } from './permits.ts';

describe('a semaphore', () => {
  it('gives a permit back however the block ends, and once only', async () => {
    const room = new Semaphore(1);
    const failing = async () => {
      using _permit = await room.acquire();
      expect(room.taken).toBe(1);
      throw new Error('the work failed');
    };
    await expect(failing()).rejects.toThrow('the work failed');
    expect(room.taken).toBe(0);
    const permit = await room.acquire();
    permit[Symbol.dispose]();
    permit[Symbol.dispose]();
    expect(room.taken).toBe(0);
  });

  it('hands what is given back to who waits, the first first, and to nobody who comes meanwhile', async () => {
    const room = new Semaphore(1);
    const first = await room.acquire();
    const got: string[] = [];
    const second = room.acquire().then((permit) => {
      got.push('second');
      return permit;
    });
    const third = room.acquire(60_000).then((permit) => {
      got.push('third');
      return permit;
    });
    first[Symbol.dispose]();
    expect(await room.acquire(0)).toBeUndefined();
    (await second)[Symbol.dispose]();
    (await third)![Symbol.dispose]();
    expect(got).toEqual(['second', 'third']);
    expect(room.taken).toBe(0);
  });

  it('gives nobody a permit whose wait is over, and passes on to the next', async () => {
    const room = new Semaphore(1);
    const first = await room.acquire();
    expect(await room.acquire(1)).toBeUndefined();
    const next = room.acquire();
    first[Symbol.dispose]();
    using _next = await next;
    expect(room.taken).toBe(1);
  });
});

it('a lock is held by one at a time, and each key by itself', () => {
  const locks = new KeyedLocks();
  {
    using lock = locks.tryAcquire('a');
    expect(lock).toBeDefined();
    expect(locks.tryAcquire('a')).toBeUndefined();
    expect([locks.isHeld('a'), locks.isHeld('b')]).toEqual([true, false]);
  }
  expect(locks.isHeld('a')).toBe(false);
});
