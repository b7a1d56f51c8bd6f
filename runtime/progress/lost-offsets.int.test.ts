// A topic that is made again, and offsets that are lost, on a real broker: no position is met twice, no decision made twice.

import kafkajs from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { groupId } from '../../ports/consumer-groups/names.ts';
import type { AnyProcessor } from '../../processors/contract.ts';
import { createIntake } from '../../processors/intake/processor.ts';
import { topology } from '../../processors/topology.ts';
import { AT, BOOK, TOKEN_KEY, transferRequested } from '../../test/kit/builders.ts';
import { accepted, evidence, following } from '../../test/kit/events.ts';
import { memoryIntentClaims } from '../../test/kit/memory-claims.ts';
import { testRings } from '../../test/kit/rings.ts';
import { idsOf, POLLING, recordOf, StagesOnKafka } from '../../test/kit/stages-on-kafka.ts';
import { applyResume, planResume } from './resume.ts';

const APP = 'lost-offsets';
let stages: StagesOnKafka;

beforeAll(async () => {
  stages = await StagesOnKafka.start(APP, ['intake', 'screening', 'fx-pricing']);
});
afterAll(() => stages.close());

describe('a topic of intents that is deleted and made again', () => {
  it('repeats no position: no id of an outcome is met twice, and no transfer is made twice', async () => {
    const claims = memoryIntentClaims();
    const intake = () =>
      createIntake({ claims, corridors: BOOK, homePartitionOf: () => 0, tokenKey: TOKEN_KEY, clock: () => AT });
    const good = idsOf('transfer', 5).map((transferId) => transferRequested({ transferId }));
    const bad = idsOf('invalid', 30).map((transferId) =>
      transferRequested({ transferId, intent: { purposeCode: '?' } }),
    );
    const intents = [...good, ...bad].map((value) => ({ ...value, requestedAt: Date.now() }));
    const feed = () => stages.send(intents.map((value) => recordOf('transfer.requested', value.transferId, value)));

    await feed();
    const first = await stages.started(intake() as unknown as AnyProcessor);
    await vi.waitFor(async () => expect(await stages.committed('intent.rejected')).toHaveLength(30), POLLING);
    await vi.waitFor(async () => expect(await stages.committed('transfer.accepted')).toHaveLength(5), POLLING);
    await first.stop(5_000);

    await stages.makeAnew('transfer.requested');
    await stages.apply('intake');
    await feed();
    const second = await stages.started(intake() as unknown as AnyProcessor);
    await vi.waitFor(async () => expect(await stages.committed('intent.rejected')).toHaveLength(60), POLLING);
    await vi.waitFor(async () => expect(await stages.committed('intent.duplicated')).toHaveLength(5), POLLING);
    await second.stop(5_000);

    const outcomes = [...(await stages.committed('intent.rejected')), ...(await stages.committed('intent.duplicated'))];
    expect(new Set(outcomes.map(({ headers }) => String(headers['event-id']))).size).toBe(65);
    expect(await stages.committed('transfer.accepted')).toHaveLength(5);
    expect(await stages.committed('intake.dlq')).toEqual([]);
  });
});

/** Finds something else each time it looks. */
function screening(): AnyProcessor {
  return {
    name: 'screening',
    edges: topology.screening,
    prepare: async (batch: readonly unknown[]) => batch.map(() => undefined),
    decide: ({ value }: { value: ReturnType<typeof accepted> }) => {
      const { instruction, parties } = value;
      const found = { ...evidence(), configurationHash: crypto.randomUUID() };
      const envelope = following(value.envelope, 'transfer.screened');
      return [{ to: 'transfer.screened', value: { envelope, instruction, parties, screening: found } }];
    },
  } as unknown as AnyProcessor;
}
function pricing(seen: string[]): AnyProcessor {
  return {
    name: 'fx-pricing',
    edges: topology['fx-pricing'],
    prepare: async (batch: readonly unknown[]) => batch.map(() => undefined),
    decide: ({ value }: { value: ReturnType<typeof accepted> }) => {
      seen.push(value.envelope.transferId);
      return [];
    },
  } as unknown as AnyProcessor;
}

describe('offsets that were lost', () => {
  const feed = (transferIds: readonly string[]) =>
    stages.send(
      transferIds.map((transferId) =>
        recordOf('transfer.accepted', transferId, accepted({ transferId, partitions: 1 })),
      ),
    );

  it('stop the stage before its first record, and no other; it resumes where its outputs prove that it was', async () => {
    const before = (await stages.keysOf('transfer.accepted')).length;
    const old = idsOf('old', 40);
    await feed(old);
    const seen: string[] = [];
    const next = await stages.started(pricing(seen));
    const first = await stages.started(screening());
    await vi.waitFor(
      async () => expect(await stages.committed('transfer.screened')).toHaveLength(before + 40),
      POLLING,
    );
    await first.stop(5_000);

    const admin = new kafkajs.Kafka({ brokers: [...stages.stack.urls.kafkaBrokers], logLevel: 0 }).admin();
    await admin.connect();
    await vi.waitFor(() => admin.deleteGroups([groupId(APP, 'screening')]), POLLING);
    await admin.disconnect();
    await stages.apply('screening');
    const stopped = await stages.started(screening());
    await expect(stopped.failed).rejects.toMatchObject({ code: 'OFFSET_LOST' });
    expect(await stages.committed('transfer.screened')).toHaveLength(before + 40);
    await vi.waitFor(() => expect(seen).toHaveLength(before + 40), POLLING);
    expect(next.health().state).toBe('running');
    await stopped.stop(0);

    await stages.withAdmin(async (log_) => {
      const options = { app: APP, processor: 'screening', rings: testRings } as const;
      const due = await planResume(log_, stages.log.reader(), options);
      expect(due.filter(({ proven }) => proven)).toMatchObject([{ topic: 'transfer.accepted', committed: 0 }]);
      expect(await applyResume(log_, options, due)).toEqual(due);
    });
    const fresh = idsOf('fresh', 5);
    await feed(fresh);
    const resumed = await stages.started(screening());
    await vi.waitFor(() => expect(seen.filter((id) => id.startsWith('fresh'))).toEqual(fresh), POLLING);
    await resumed.stop(5_000);
    expect(await stages.committed('transfer.screened')).toHaveLength(before + 45);
    expect(new Set(await stages.keysOf('transfer.screened')).size).toBe(before + 45);
    expect(await stages.committed('fx-pricing.dlq')).toEqual([]);
  });
});
