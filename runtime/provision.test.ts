import { describe, expect, it } from 'vitest';
import { groupId } from '../ports/consumer-groups/names.ts';
import { MemoryLog } from '../test/kit/memory-log.ts';
import { inputTopics } from '../topics/recovery.ts';
import { noteStanding, topicToken } from './progress/proven-progress.ts';
import { applyTopics } from './provision.ts';

const OPTIONS = { app: 'corridor', chainPartitions: 2, replicationFactor: 1 };
const GROUP = groupId(OPTIONS.app, 'intake');
const INPUTS = inputTopics('intake', ['transfer.requested']);

async function notesOf(log: MemoryLog): Promise<readonly string[]> {
  const admin = await log.admin();
  const committed = await admin.committed(GROUP, INPUTS);
  expect(committed).toHaveLength(INPUTS.length * OPTIONS.chainPartitions);
  expect(new Set(committed.map(({ offset }) => offset))).toEqual(new Set([0]));
  return committed.map(({ topic, note }) => noteStanding(note, topicToken('intake', topic)));
}

describe('offsets that are set where there were none', () => {
  it('are of just this topic where it was made in the same run: no stage looks for what it has written', async () => {
    const log = new MemoryLog();
    await applyTopics(await log.admin(), OPTIONS);
    expect(new Set(await notesOf(log))).toEqual(new Set(['own']));
  });

  it('say nothing where the topic was there before: the group may have lost its offsets', async () => {
    const log = new MemoryLog();
    const admin = await log.admin();
    const topics = INPUTS.map((name) => ({
      name,
      partitions: OPTIONS.chainPartitions,
      config: {},
      replicationFactor: 1,
    }));
    await admin.createTopics(topics);
    await applyTopics(admin, OPTIONS);
    expect(new Set(await notesOf(log))).toEqual(new Set(['silent']));
  });
});
