// When a log is quiet: what counts as written, and what does not.
import { describe, expect, it } from 'vitest';
import type { Log } from '../ports/log.ts';
import { waitQuiet } from './cut.ts';

/** A log of which one topic gets one more record each time that its ends are asked for. */
const growing = (grows: string): Log => {
  let asked = 0;
  const offsets = async (topics: readonly string[]) => {
    asked++;
    return topics.map((topic) => ({ topic, partition: 0, from: 0, to: topic === grows ? asked : 0 }));
  };
  return { reader: () => ({ offsets }) } as unknown as Log;
};

describe('a log is quiet', () => {
  it('though watermarks go on to be written, as they are when nothing else is', async () => {
    await waitQuiet(growing('analytics.watermark'), { forMs: 20, timeoutMs: 60_000 });
  });

  it.each(['transfer.lifecycle', 'transfer.requested', 'payout.attempts'])('not while %s grows', async (topic) => {
    const waiting = waitQuiet(growing(topic), { forMs: 1_000, timeoutMs: 50 });
    await expect(waiting).rejects.toMatchObject({ code: 'NOT_QUIET' });
  });
});
