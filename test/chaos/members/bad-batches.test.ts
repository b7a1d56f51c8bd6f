import { expect, it } from 'vitest';
import { type BadBatch, checkBadBatches } from './bad-batches.ts';

const batch: BadBatch = {
  topic: 'transfer.requested',
  partition: 2,
  firstOffset: 7,
  lastOffset: 9,
  code: 'BATCH_CORRUPT',
};

it('wants one dead letter of each batch that cannot be read, under its offsets and its code', () => {
  expect(checkBadBatches([batch], [batch])).toEqual([]);
  expect(checkBadBatches([batch], [])).toHaveLength(1);
  expect(checkBadBatches([batch], [batch, batch])).toHaveLength(1);
  expect(checkBadBatches([], [batch])).toHaveLength(1);
  for (const change of [{ firstOffset: 8 }, { lastOffset: 8 }, { partition: 1 }, { code: 'BATCH_TOO_LARGE' }]) {
    expect(checkBadBatches([batch], [{ ...batch, ...change }])).toHaveLength(2);
  }
});
