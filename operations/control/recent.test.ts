import { expect, it } from 'vitest';
import { recent } from './recent.ts';

function world() {
  let now = 0;
  const reads: PromiseWithResolvers<number>[] = [];
  const list = recent(
    () => {
      const reading = Promise.withResolvers<number>();
      reads.push(reading);
      return reading.promise;
    },
    () => now,
  );
  return { list, reads, pass: (ms: number) => (now += ms) };
}

it('is read once for all who ask while it is read, and for a second after', async () => {
  const { list, reads, pass } = world();
  const asked = [list.get(), list.get()];
  pass(5_000);
  asked.push(list.get());
  reads[0]!.resolve(1);
  expect(await Promise.all(asked)).toEqual([1, 1, 1]);
  pass(999);
  expect(await list.get()).toBe(1);
  expect(reads).toHaveLength(1);
  pass(1);
  const later = list.get();
  reads[1]!.resolve(2);
  expect(await later).toBe(2);
});

it('is read anew after something was written, also when a read was under way', async () => {
  const { list, reads } = world();
  const before = list.get();
  list.forget();
  const after = list.get();
  reads[1]!.resolve(2);
  reads[0]!.resolve(1);
  expect([await before, await after, await list.get()]).toEqual([1, 2, 2]);
  expect(reads).toHaveLength(2);
});

it('is read again after a read that failed', async () => {
  const { list, reads } = world();
  const failing = list.get();
  reads[0]!.reject(new Error('away'));
  await expect(failing).rejects.toThrow('away');
  const again = list.get();
  reads[1]!.resolve(3);
  expect(await again).toBe(3);
});
