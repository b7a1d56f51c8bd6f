import { describe, expect, it } from 'vitest';
import { oneProcessor } from './topics.ts';

describe('topics resume', () => {
  it('is of one processor', () => {
    expect(oneProcessor('screening')).toBe('screening');
    for (const name of ['screening,limits', 'all', 'none', 'sink-ledger']) {
      expect(() => oneProcessor(name)).toThrow(expect.objectContaining({ code: 'PART_UNKNOWN' }));
    }
  });
});
