import fc from 'fast-check';
import { expect, it } from 'vitest';
import { times } from '../test/kit/times.ts';
import { DueQueue } from './due-queue.ts';

it('gives out what is due, earliest first, and keeps the rest', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(50)), fc.nat(60), (times, now) => {
      const queue = new DueQueue();
      for (const [index, at] of times.entries()) queue.push(at, `${index}`);
      const sorted = times.toSorted((a, b) => a - b);
      const due = sorted.filter((at) => at <= now);
      for (const at of due) {
        expect(queue.nextAt).toBe(at);
        expect(times[Number(queue.popDue(now))]).toBe(at);
      }
      expect(queue.popDue(now)).toBeNull();
      expect(queue.size).toBe(times.length - due.length);
      expect(queue.nextAt).toBe(sorted[due.length] ?? null);
    }),
    { numRuns: times(1_000) },
  );
});
