// What is claimed of a quiet partition: nothing of offsets that are of another topic or beyond the log, and nothing of a time that
// has not passed by the clock of the brokers.
import { describe, expect, it } from 'vitest';
import { ANALYTICS } from '../../processors/topology.ts';
import { ENDINGS } from '../../verify/testing/history.ts';
import { GrainsWorld, LIFECYCLE, rowsOf } from './testing/grains-world.ts';

const HISTORY = rowsOf(ENDINGS);
const GROUP = `corridor.${ANALYTICS}`;

async function handledWorld(): Promise<GrainsWorld> {
  const world = new GrainsWorld();
  world.append(HISTORY);
  await world.run();
  expect(await world.quiet()).toHaveLength(2);
  expect(world.refused).toEqual([]);
  return world;
}

async function setOffset(world: GrainsWorld, offset: number, note: string): Promise<void> {
  await (await world.log.admin()).setOffsets(GROUP, [{ topic: LIFECYCLE, partition: 0, offset, note }]);
}

describe('nothing is claimed, and it is told', () => {
  it('of an offset that is beyond the end of the log', async () => {
    const world = await handledWorld();
    const end = world.log.records(LIFECYCLE, 0).length;
    await setOffset(world, end + 1, `${LIFECYCLE} ${end + 1}`);
    expect((await world.quiet()).map(({ partition }) => partition)).toEqual([1]);
    expect(world.refused).toMatchObject([{ partition: 0, code: 'OFFSET_BEYOND_LOG' }]);
  });

  it('of an offset of a topic that was made anew, also when the new one has grown as long', async () => {
    const world = await handledWorld();
    const topicId = async () => 'another';
    expect(await world.quiet([0, 1], { topicId })).toEqual([]);
    expect(world.refused.map(({ code }) => code)).toEqual(['OFFSET_OF_ANOTHER_TOPIC', 'OFFSET_OF_ANOTHER_TOPIC']);
  });

  it('of an offset that somebody set over rows that nobody handled', async () => {
    const world = await handledWorld();
    world.append(HISTORY.filter(({ partition }) => partition === 0));
    await setOffset(world, world.log.records(LIFECYCLE, 0).length, '');
    expect((await world.quiet()).map(({ partition }) => partition)).toEqual([1]);
    expect(world.refused).toMatchObject([{ partition: 0, code: 'OFFSET_OF_ANOTHER_TOPIC' }]);
  });
});

describe('nothing is claimed', () => {
  it('of a topic that was made anew during the look', async () => {
    const world = await handledWorld();
    const ids = [LIFECYCLE, 'another'];
    expect(await world.quiet([0, 1], { topicId: async () => ids.shift() })).toEqual([]);
    expect(ids).toEqual([]);
  });
});

it('of a partition in which there never was anything is claimed, whoever set its offset', async () => {
  const world = new GrainsWorld();
  world.append(HISTORY.filter(({ partition }) => partition === 1));
  await world.run();
  await setOffset(world, 0, '');
  expect((await world.quiet()).map(({ partition, offset }) => [partition, offset])).toContainEqual([0, 0]);
});
