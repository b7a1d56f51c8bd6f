import { describe, expect, it } from 'vitest';
import { type BreakerEntry, breakerEntry, DeadLetterBreaker } from './breaker.ts';

const limits = { window: 100, maxRun: 5, maxRatio: 0.2, maxOutsideRatio: 0.5 };

/** The offset at which the breaker opens, or undefined. */
function openedAt(entries: readonly BreakerEntry[]): number | undefined {
  const breaker = new DeadLetterBreaker(limits);
  const offset = entries.findIndex((entry, i) => breaker.record('t/0', i, entry) !== undefined);
  return offset === -1 ? undefined : offset;
}
const many = (entry: BreakerEntry, count: number) => new Array<BreakerEntry>(count).fill(entry);

describe('the breaker', () => {
  it('opens at a run of our own dead letters, not before', () => {
    expect(openedAt(many('ours', 5))).toBeUndefined();
    expect(openedAt(many('ours', 6))).toBe(5);
    expect(openedAt([...many('ours', 5), 'fine', ...many('ours', 5)])).toBeUndefined();
  });

  it('opens at a ratio of the window', () => {
    const everyFourth = Array.from({ length: 200 }, (_, i): BreakerEntry => (i % 4 === 0 ? 'ours' : 'fine'));
    expect(openedAt(everyFourth)).toBe(80);
    const everySixth = Array.from({ length: 2_000 }, (_, i): BreakerEntry => (i % 6 === 0 ? 'ours' : 'fine'));
    expect(openedAt(everySixth)).toBeUndefined();
  });

  it('takes rubbish from outside for what it is, up to most of a whole window', () => {
    expect(openedAt(many('outside', 99))).toBeUndefined();
    expect(openedAt(many('outside', 100))).toBe(99);
    const half = Array.from({ length: 1_000 }, (_, i): BreakerEntry => (i % 2 === 0 ? 'outside' : 'fine'));
    expect(openedAt(half)).toBeUndefined();
  });

  it('is not closed by rubbish from outside between our own', () => {
    const mixed = Array.from({ length: 20 }, (_, i): BreakerEntry => (i % 2 === 0 ? 'ours' : 'outside'));
    expect(openedAt(mixed)).toBe(10);
  });

  it('counts a record once, however often its batch is handed in', () => {
    const breaker = new DeadLetterBreaker(limits);
    for (let again = 0; again < 50; again++) {
      for (let offset = 0; offset < 3; offset++) expect(breaker.record('t/0', offset, 'ours')).toBeUndefined();
    }
    expect(breaker.record('t/1', 0, 'ours')).toBeUndefined();
    expect(breaker.run).toBe(4);
  });

  it('holds only undecodable intents for rubbish from outside', () => {
    expect(breakerEntry('undecodable', true)).toBe('outside');
    expect(breakerEntry('undecodable', false)).toBe('ours');
    expect(breakerEntry('poison', true)).toBe('ours');
    expect(breakerEntry('exhausted', true)).toBe('ours');
  });

  describe('after a restart of what it stopped', () => {
    const reopened = () => {
      const breaker = new DeadLetterBreaker(limits);
      many('ours', 6).map((entry, i) => breaker.record('t/0', i, entry));
      breaker.restarted();
      return breaker;
    };

    it('counts the same records again, and opens at far fewer', () => {
      const breaker = reopened();
      expect(breaker.unproven).toBe(true);
      const verdicts = many('ours', 3).map((entry, i) => breaker.record('t/0', i, entry)?.reason);
      expect(verdicts).toEqual([undefined, 'ratio', 'ratio']);
    });

    it('opens at rubbish from outside long before a whole window of it', () => {
      const breaker = reopened();
      expect(many('outside', 10).map((entry, i) => breaker.record('t/0', i, entry)?.reason)).toContain('outside-ratio');
    });

    it('is as patient as before once enough went through', () => {
      const breaker = reopened();
      many('fine', 10).map((entry, i) => breaker.record('t/0', i, entry));
      expect(breaker.unproven).toBe(false);
      expect(many('ours', 5).map((entry, i) => breaker.record('t/0', 10 + i, entry))).toEqual(many5());
    });

    it('is nothing new for one that had not opened', () => {
      const breaker = new DeadLetterBreaker(limits);
      many('ours', 5).map((entry, i) => breaker.record('t/0', i, entry));
      breaker.restarted();
      expect(breaker.run).toBe(5);
      expect(breaker.unproven).toBe(false);
    });
  });
});

const many5 = () => [undefined, undefined, undefined, undefined, undefined];
