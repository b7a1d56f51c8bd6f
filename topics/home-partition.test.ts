import fc from 'fast-check';
import { expect, it } from 'vitest';
import { homePartition, murmur2 } from './home-partition.ts';

it.each([
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
])('hashes %s as Kafka does', (text, hash) => {
  expect(murmur2(Buffer.from(text))).toBe(hash);
});

it('is a partition that exists, and always the same one', () => {
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 1, max: 1_000 }), (transferId, partitions) => {
      const home = homePartition(transferId, partitions);
      expect(Number.isInteger(home) && home >= 0 && home < partitions).toBe(true);
      expect(homePartition(transferId, partitions)).toBe(home);
    }),
  );
});

it('spreads transfers evenly', () => {
  const counts = [0, 0, 0, 0];
  for (let i = 0; i < 40_000; i++) counts[homePartition(`transfer-${i}`, 4)]!++;
  for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500);
});
