// A consumer that people have paused: its records wait where they are, and go through in their order afterwards.
import { expect, it } from 'vitest';
import { type Controls, controlsOver } from '../../ports/controls.ts';
import type { RuntimeControl } from '../../schemas/types.generated.ts';
import { runProcessor } from '../../test/kit/harness.ts';
import { ManualClock } from '../../test/kit/manual-clock.ts';
import { assess } from '../health/liveness.ts';
import { clearing, ids, inOne } from './testing/clearing.ts';

const control: RuntimeControl = {
  ...{ kind: 'PROCESSOR', name: 'screening', partition: null, state: 'PAUSED', version: 1, glass: null },
  ...{ changedAt: 0, changedBy: 'asha', approvedBy: null, approvalId: null, reason: 'wrong list' },
};

/** Paused under this key as long as the clock says so. */
const pausedWhile = (key: string, isPaused: () => boolean): Controls =>
  controlsOver({ get: (asked) => (asked === key && isPaused() ? control : undefined) }, () => true);

it.each(['PROCESSOR/screening', 'PARTITION/screening/0'])(
  'lets nothing through while %s is paused, and all in order afterwards',
  async (key) => {
    const clock = new ManualClock();
    const resumedAt = clock.now() + 300_000;
    const decidedAt: number[] = [];
    const processor = clearing({ prepare: () => void decidedAt.push(clock.now()) });
    const controls = pausedWhile(key, () => clock.now() < resumedAt);
    const run = await runProcessor(processor, {
      ...inOne(ids(40)),
      partitions: 1,
      clock,
      controls,
      maxVirtualMs: 600_000,
    });
    expect(run.outputs('transfer.screened').map(({ value }) => value.envelope.transferId)).toEqual(ids(40));
    expect(run.deadLetters).toEqual([]);
    expect(Math.min(...decidedAt)).toBeGreaterThanOrEqual(resumedAt);
    // A second is what it may take at the most.
    expect(Math.min(...decidedAt)).toBeLessThanOrEqual(resumedAt + 1_000);
  },
);

it('is shown as paused with why, and is no stall however long it lasts', async () => {
  const controls = pausedWhile('PROCESSOR/screening', () => true);
  const run = await runProcessor(clearing(), { ...inOne(ids(3)), partitions: 1, controls });
  expect(run.outputs('transfer.screened')).toEqual([]);
  const [partition] = run.health.partitions.filter(({ lag }) => lag > 0);
  expect(partition!.paused).toMatchObject({ code: 'PROCESSOR_PAUSED', detail: expect.stringContaining('by asha') });
  const limits = { stallAfterMs: 1, exitAfterMs: 2 };
  expect(assess([run.health], limits, Number.MAX_SAFE_INTEGER)).toMatchObject({ stalled: [], exit: undefined });
});

it('is not paused by what is meant for others', async () => {
  for (const key of ['PROCESSOR/limits', 'PARTITION/screening/3', 'CORRIDOR/screening']) {
    const run = await runProcessor(clearing(), {
      ...inOne(ids(3)),
      partitions: 1,
      controls: pausedWhile(key, () => true),
    });
    expect(run.outputs('transfer.screened')).toHaveLength(3);
  }
});
