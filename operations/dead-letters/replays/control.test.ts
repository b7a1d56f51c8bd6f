import { expect, it } from 'vitest';
import { checkReplayWaits } from './control.ts';
import type { ReplayDocument } from './replay.ts';

const replays = (state: ReplayDocument['state'], approvalId: string) => ({
  find: async () => ({ _id: 'r', state, approvalId }) as ReplayDocument,
});

it('a replay waits for the approval that was asked for last, and one that was decided is refused as that elsewhere', async () => {
  const asked = { _id: 'a', subject: 'r', state: 'WAITING' } as const;
  await checkReplayWaits(replays('WAITING', 'a'), asked);
  for (const moved of [replays('RUNNING', 'a'), replays('CANCELLED', 'a'), replays('WAITING', 'b')])
    await expect(checkReplayWaits(moved, asked)).rejects.toMatchObject({ code: 'REPLAY_MOVED' });
  await checkReplayWaits(replays('ENDED', 'a'), { ...asked, state: 'APPROVED' });
});
