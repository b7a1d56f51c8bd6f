// A topic of intents that is made again while its stage is running: the stage stops, and nothing is lost, skipped or decided twice.

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { AnyProcessor } from '../../processors/contract.ts';
import type { IntentClaims } from '../../processors/intake/ports.ts';
import { createIntake } from '../../processors/intake/processor.ts';
import { AT, BOOK, TOKEN_KEY, transferRequested } from '../../test/kit/builders.ts';
import { memoryIntentClaims } from '../../test/kit/memory-claims.ts';
import { testRings } from '../../test/kit/rings.ts';
import { idsOf, POLLING, recordOf, StagesOnKafka } from '../../test/kit/stages-on-kafka.ts';
import { applyResume, planResume } from './resume.ts';

const APP = 'remade-topic';
const INTENTS = 'transfer.requested';
/** What a stage stops with where the offset that it follows is not of the topic that there is. */
const STOPS = /^(OFFSET_OF_ANOTHER_TOPIC|OFFSET_MISSING|OFFSET_OUT_OF_RANGE)$/;
let stages: StagesOnKafka;

beforeAll(async () => {
  stages = await StagesOnKafka.start(APP, ['intake']);
});
afterAll(() => stages.close());

const claims = memoryIntentClaims();
/** What keeps intake busy, and from fetching, meanwhile. */
let busy: Promise<void> | undefined;
const slow: IntentClaims = {
  find: (ids) => claims.find(ids),
  claim: async (wanted) => {
    await busy;
    return claims.claim(wanted);
  },
};
const intake = () => {
  const options = { claims: slow, corridors: BOOK, homePartitionOf: () => 0, tokenKey: TOKEN_KEY, clock: () => AT };
  return createIntake(options) as unknown as AnyProcessor;
};
const feed = (transferIds: readonly string[]) =>
  stages.send(
    transferIds.map((transferId) => {
      const intent = { ...transferRequested({ transferId }), requestedAt: Date.now() };
      return recordOf(INTENTS, transferId, intent);
    }),
  );

describe('a topic of intents that is made again under its stage', () => {
  /** What stands on the new topic is accepted once, whatever the stage took it for, and nothing collides with what was before. */
  async function goesOn(fresh: readonly string[]): Promise<void> {
    await stages.apply('intake');
    await stages.withAdmin(async (admin) => {
      const options = { app: APP, processor: 'intake', rings: testRings } as const;
      await applyResume(admin, options, await planResume(admin, stages.log.reader(), options));
    });
    const resumed = await stages.started(intake());
    const accepted = () => stages.keysOf('transfer.accepted');
    await vi.waitFor(async () => expect(await accepted()).toEqual(expect.arrayContaining([...fresh])), POLLING);
    await resumed.stop(5_000);
    expect(new Set(await accepted()).size).toBe((await accepted()).length);
    expect(await stages.committed('intake.dlq')).toEqual([]);
    const outcomes = await stages.committed('intent.duplicated');
    expect(new Set(outcomes.map(({ headers }) => String(headers['event-id']))).size).toBe(outcomes.length);
  }

  it.each([
    ['and is longer than before at once', 40],
    ['and is shorter than before', 5],
  ])('%s stops it; resumed, it goes on with the first record of the new one', async (name, count) => {
    const { length } = await stages.keysOf('transfer.accepted');
    await feed(idsOf(`old-${count}`, 20));
    const first = await stages.started(intake());
    await vi.waitFor(async () => expect(await stages.keysOf('transfer.accepted')).toHaveLength(length + 20), POLLING);
    await stages.makeAnew(INTENTS);
    const fresh = idsOf(`new-${count}`, count);
    await feed(fresh);
    await expect(first.failed, name).rejects.toMatchObject({ code: expect.stringMatching(STOPS) });
    await first.stop(0);
    await goesOn(fresh);
  });

  it('while it is too busy to fetch stops it too: it does not read on over the beginning of the new one', async () => {
    const { length } = await stages.keysOf('transfer.accepted');
    let go: () => void = () => undefined;
    busy = new Promise((resolve) => {
      go = resolve;
    });
    const old = idsOf('old-busy', 60);
    await feed(old);
    const first = await stages.started(intake());
    const lag = () => first.health().partitions.find(({ topic }) => topic === INTENTS)?.lag;
    await vi.waitFor(() => expect(lag()).toBeGreaterThanOrEqual(60), POLLING);
    await stages.makeAnew(INTENTS);
    const fresh = idsOf('new-busy', 150);
    await feed(fresh);
    go();
    busy = undefined;
    await expect(first.failed).rejects.toMatchObject({ code: 'OFFSET_OF_ANOTHER_TOPIC' });
    await first.stop(0);
    expect(await stages.keysOf('transfer.accepted')).not.toContain(fresh[0]);
    expect((await stages.keysOf('transfer.accepted')).length).toBeGreaterThanOrEqual(length);
    await goesOn(fresh);
  });
});
