// A topic that is made again, and offsets that are lost, on a real broker: no position is met twice, no decision made twice.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import kafkajs from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createLog } from '../adapters/kafka/log.ts';
import { type LocalStack, startStack } from '../infra/local/stack.ts';
import { createIntake } from '../processors/intake/processor.ts';
import { topology } from '../processors/topology.ts';
import { AT, BOOK, TOKEN_KEY, transferRequested } from '../test/kit/builders.ts';
import { accepted, evidence, following } from '../test/kit/events.ts';
import { memoryIntentClaims, memoryReplayClaims } from '../test/kit/memory-claims.ts';
import { memoryCodec } from '../test/kit/memory-codec.ts';
import { asIssued, testRings } from '../test/kit/rings.ts';
import type { TopicName } from '../topics/catalogue.ts';
import { recoveryTopics } from '../topics/recovery.ts';
import { inputTopics } from './arrivals.ts';
import type { Host } from './host.ts';
import { silentLogger } from './logger.ts';
import { createMetrics } from './metrics.ts';
import { groupId } from './names.ts';
import type { Log, LogRecord, OutputRecord } from './ports/log.ts';
import { type AnyProcessor, createProcessorHost } from './processor-host.ts';
import { applyResume, planResume } from './resume.ts';

const APP = 'lost-offsets';
const PATIENT = { timeout: 120_000, interval: 200 };
const codec = memoryCodec();
const running: Host[] = [];
let stack: LocalStack;
let log: Log;

beforeAll(async () => {
  const stateDir = mkdtempSync(path.join(tmpdir(), 'corridor-lost-offsets-'));
  stack = await startStack({ stateDir, ephemeral: true, parts: ['kafka'], env: {} });
  log = createLog({ brokers: stack.urls.kafkaBrokers, appName: APP, clientId: APP, sessionTimeoutMs: 6_000 });
  const topics = new Set(['transfer.lifecycle']);
  for (const owner of ['intake', 'screening', 'fx-pricing'] as const) {
    const { reads, writes } = topology[owner];
    for (const { name } of [...reads, ...writes, ...recoveryTopics(owner)]) topics.add(name);
  }
  await create([...topics]);
  for (const owner of ['intake', 'screening', 'fx-pricing'] as const) await apply(owner);
});
afterAll(async () => {
  await Promise.all(running.map((host) => host.stop(0)));
  await log.close();
  await stack.stop();
});

type Owner = 'intake' | 'screening' | 'fx-pricing';

async function withAdmin<T>(use: (admin: Awaited<ReturnType<Log['admin']>>) => Promise<T>): Promise<T> {
  const admin = await log.admin();
  return use(admin).finally(() => admin.close());
}
const create = (names: readonly string[]) =>
  withAdmin((admin) => {
    const config = { 'message.timestamp.type': 'LogAppendTime' };
    return admin.createTopics(names.map((name) => ({ name, partitions: 1, replicationFactor: 1, config })));
  });
/** What `corridor topics apply` does for a group. */
const apply = (owner: Owner) =>
  withAdmin((admin) => {
    const reads = topology[owner].reads.map(({ name }) => name);
    return admin.initialiseOffsets(groupId(APP, owner), inputTopics(owner, reads));
  });

async function started(processor: AnyProcessor): Promise<Host> {
  const host = createProcessorHost({
    app: APP,
    log,
    codec,
    rings: testRings,
    logger: silentLogger,
    metrics: createMetrics(),
    chainPartitions: 1,
    maxBatchRecords: 20,
    lingerMs: 5,
    retry: [1, 0],
    replayClaims: memoryReplayClaims(),
    processor,
  });
  running.push(host);
  host.failed.catch(() => undefined);
  await host.start();
  return host;
}

async function send(records: readonly OutputRecord[]): Promise<void> {
  const writer = await log.writer('feed');
  await writer.send(records.map((record) => asIssued(record)));
  await writer.close();
}
async function committed(topic: string): Promise<readonly LogRecord[]> {
  const reader = log.reader();
  const records: LogRecord[] = [];
  await reader.read(await reader.offsets([topic]), (batch) => void records.push(...batch.records));
  return records;
}
const keysOf = async (topic: string) => (await committed(topic)).map(({ key }) => String(key));
const ids = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, i) => `${prefix}-${String(i).padStart(4, '0')}`);
const recordOf = (topic: TopicName, key: string, value: unknown): OutputRecord => ({
  topic,
  partition: 0,
  key,
  value: codec.encode(topic, value as never),
  headers: {},
});

describe('a topic of intents that is deleted and made again', () => {
  it('repeats no position: no id of an outcome is met twice, and no transfer is made twice', async () => {
    const claims = memoryIntentClaims();
    const intake = () =>
      createIntake({ claims, corridors: BOOK, homePartitionOf: () => 0, tokenKey: TOKEN_KEY, clock: () => AT });
    const good = ids('transfer', 5).map((transferId) => transferRequested({ transferId }));
    const bad = ids('invalid', 30).map((transferId) => transferRequested({ transferId, intent: { purposeCode: '?' } }));
    const intents = [...good, ...bad].map((value) => ({ ...value, requestedAt: Date.now() }));
    const feed = () => send(intents.map((value) => recordOf('transfer.requested', value.transferId, value)));

    await feed();
    const first = await started(intake() as unknown as AnyProcessor);
    await vi.waitFor(async () => expect(await committed('intent.rejected')).toHaveLength(30), PATIENT);
    await vi.waitFor(async () => expect(await committed('transfer.accepted')).toHaveLength(5), PATIENT);
    await first.stop(5_000);

    await withAdmin((admin) => admin.deleteTopics(['transfer.requested']));
    await vi.waitFor(
      async () => expect(await withAdmin((admin) => admin.describeTopics(['transfer.requested']))).toEqual([]),
      PATIENT,
    );
    await create(['transfer.requested']);
    await apply('intake');
    await feed();
    const second = await started(intake() as unknown as AnyProcessor);
    await vi.waitFor(async () => expect(await committed('intent.rejected')).toHaveLength(60), PATIENT);
    await vi.waitFor(async () => expect(await committed('intent.duplicated')).toHaveLength(5), PATIENT);
    await second.stop(5_000);

    const outcomes = [...(await committed('intent.rejected')), ...(await committed('intent.duplicated'))];
    expect(new Set(outcomes.map(({ headers }) => String(headers['event-id']))).size).toBe(65);
    expect(await committed('transfer.accepted')).toHaveLength(5);
    expect(await committed('intake.dlq')).toEqual([]);
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
    send(
      transferIds.map((transferId) =>
        recordOf('transfer.accepted', transferId, accepted({ transferId, partitions: 1 })),
      ),
    );

  it('stop the stage before its first record, and no other; it resumes where its outputs prove that it was', async () => {
    const before = (await keysOf('transfer.accepted')).length;
    const old = ids('old', 40);
    await feed(old);
    const seen: string[] = [];
    const next = await started(pricing(seen));
    const first = await started(screening());
    await vi.waitFor(async () => expect(await committed('transfer.screened')).toHaveLength(before + 40), PATIENT);
    await first.stop(5_000);

    const admin = new kafkajs.Kafka({ brokers: [...stack.urls.kafkaBrokers], logLevel: 0 }).admin();
    await admin.connect();
    await vi.waitFor(() => admin.deleteGroups([groupId(APP, 'screening')]), PATIENT);
    await admin.disconnect();
    await apply('screening');
    const stopped = await started(screening());
    await expect(stopped.failed).rejects.toMatchObject({ code: 'OFFSET_LOST' });
    expect(await committed('transfer.screened')).toHaveLength(before + 40);
    await vi.waitFor(() => expect(seen).toHaveLength(before + 40), PATIENT);
    expect(next.health().state).toBe('running');
    await stopped.stop(0);

    await withAdmin(async (log_) => {
      const options = { app: APP, processor: 'screening', rings: testRings } as const;
      const due = await planResume(log_, log.reader(), options);
      expect(due.filter(({ proven }) => proven)).toMatchObject([{ topic: 'transfer.accepted', committed: 0 }]);
      expect(await applyResume(log_, options, due)).toEqual(due);
    });
    const fresh = ids('fresh', 5);
    await feed(fresh);
    const resumed = await started(screening());
    await vi.waitFor(() => expect(seen.filter((id) => id.startsWith('fresh'))).toEqual(fresh), PATIENT);
    await resumed.stop(5_000);
    expect(await committed('transfer.screened')).toHaveLength(before + 45);
    expect(new Set(await keysOf('transfer.screened')).size).toBe(before + 45);
    expect(await committed('fx-pricing.dlq')).toEqual([]);
  });
});
