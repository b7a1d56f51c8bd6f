import { expect, it } from 'vitest';
import { BatchSize } from './batch-size.ts';

it('is as large as it may be until a batch comes too late', () => {
  const size = new BatchSize(500);
  size.committed();
  expect(size.records).toBe(500);
  size.tooLate(427);
  expect(size.records).toBe(213);
});

it('gets smaller until batches get through, then larger again, step by step', () => {
  const size = new BatchSize(500);
  const sizes = Array.from({ length: 8 }, () => {
    size.tooLate(size.records);
    return size.records;
  });
  expect(sizes).toEqual([250, 125, 62, 31, 15, 10, 10, 10]);
  for (let batches = 0; batches < 30; batches++) {
    const before = size.records;
    size.committed();
    expect(size.records).toBeGreaterThan(before === 500 ? 499 : before);
  }
  expect(size.records).toBe(500);
});

it('never exceeds what the consumer takes, however little that is', () => {
  const size = new BatchSize(5);
  size.tooLate(5);
  expect(size.records).toBe(5);
});
