// The hosts over a real broker: what the log in memory promises, Kafka keeps.
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createLog } from '../../adapters/kafka/log.ts';
import { groupId } from '../../ports/consumer-groups/names.ts';
import { CodedError } from '../../ports/fault.ts';
import type { Log, LogRecord, OutputRecord } from '../../ports/log.ts';
import { sealed } from '../../ports/seals.ts';
import type { AnyProcessor, Processor } from '../../processors/contract.ts';
import { consumers, type Topology, topology } from '../../processors/topology.ts';
import type { Sink } from '../../sinks/contract.ts';
import { accepted, evidence, following, heldAtScreening } from '../../test/kit/events.ts';
import { memoryReplayClaims } from '../../test/kit/memory-claims.ts';
import { memoryCodec } from '../../test/kit/memory-codec.ts';
import { useOwnStack } from '../../test/kit/own-stack.ts';
import { asIssued, testRings } from '../../test/kit/rings.ts';
import { formatCause, sourceOf } from '../../topics/cause.ts';
import { inputTopics, recoveryTopics } from '../../topics/recovery.ts';
import { silentLogger } from '../logs-and-metrics/logger.ts';
import { createMetrics } from '../logs-and-metrics/metrics.ts';
import { createProcessorHost } from './processor-host.ts';
import { type AnySink, createSinkHost } from './sink-host.ts';

const APP = 'hosts-test';
const PARTITIONS = 4;
const POLLING = { timeout: 30_000, interval: 100 };
const codec = memoryCodec();
const servers = useOwnStack('hosts', { ephemeral: true, kinds: ['kafka'], env: {} });
let log: Log;

beforeAll(async () => {
  log = createLog({
    brokers: servers.urls.kafkaBrokers,
    appName: APP,
    clientId: 'hosts-test',
    sessionTimeoutMs: 6_000,
  });
  const chain = ['transfer.accepted', 'review.decided', 'transfer.screened', 'transfer.held', 'transfer.rejected'];
  await provision('screening', ['transfer.accepted', 'review.decided'], [...chain, 'transfer.lifecycle']);
  await provision('sink-cases', ['transfer.held'], []);
});
afterAll(() => log.close());

async function provision(owner: string, reads: readonly string[], topics: readonly string[]): Promise<void> {
  const admin = await log.admin();
  const config = { 'message.timestamp.type': 'LogAppendTime' };
  const names = [...topics, ...recoveryTopics(owner).map(({ name }) => name)];
  await admin.createTopics(names.map((name) => ({ name, partitions: PARTITIONS, replicationFactor: 1, config })));
  await admin.initialiseOffsets(groupId(APP, owner), inputTopics(owner, reads));
  await admin.close();
}

const runtime = () => ({
  app: APP,
  log,
  codec,
  rings: testRings,
  logger: silentLogger,
  metrics: createMetrics(),
  chainPartitions: PARTITIONS,
  maxBatchRecords: 50,
  lingerMs: 5,
  retry: [1, 0],
});
const hostOf = (processor: AnyProcessor, metrics = createMetrics()) =>
  createProcessorHost({ replayClaims: memoryReplayClaims(), ...runtime(), metrics, processor });
const hostOfSink = (sink: AnySink) => createSinkHost({ ...runtime(), sink });

async function send(records: readonly OutputRecord[]): Promise<void> {
  const writer = await log.writer('feed');
  await writer.send(records.map((record) => asIssued(record)));
  await writer.close();
}

/** Everything committed on a topic. */
async function committed(topic: string): Promise<readonly LogRecord[]> {
  const reader = log.reader();
  const records: LogRecord[] = [];
  await reader.read(await reader.offsets([topic]), (batch) => void records.push(...batch.records));
  return records;
}
const keysOf = (records: readonly LogRecord[]) => records.map(({ key }) => String(key)).sort();
const ids = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, i) => `${prefix}-${String(i).padStart(4, '0')}`);
function record(topic: 'transfer.accepted' | 'transfer.held', transferId: string): OutputRecord {
  const value = topic === 'transfer.accepted' ? accepted({ transferId }) : heldAtScreening({ transferId });
  return {
    topic,
    partition: value.envelope.homePartition,
    key: transferId,
    value: codec.encode(topic, value as never),
    headers: { 'event-id': value.envelope.eventId, 'origin-position': value.instruction.originPosition },
  };
}

/** Clears everybody; `throws-…` are poison, `retry-…` go round once. */
function clearing(): Processor<Topology['screening'], undefined> & { outage: boolean } {
  const processor = {
    name: 'screening',
    edges: topology.screening,
    outage: false,
    async prepare(batch: readonly unknown[]) {
      if (processor.outage) {
        throw new CodedError('MONGO_UNAVAILABLE', 'away', { faultClass: 'transient-dependency', dependency: 'mongo' });
      }
      return batch.map(() => undefined);
    },
    decide(received: Parameters<Processor<Topology['screening'], undefined>['decide']>[0]) {
      if (received.topic !== 'transfer.accepted') return [];
      const { envelope, instruction, parties } = received.value;
      if (envelope.transferId.startsWith('throws')) throw new TypeError('poison');
      const early = Date.now() < received.appendedAt + 4_900;
      if (envelope.transferId.startsWith('retry') && early) {
        return { kind: 'retry' as const, cause: { code: 'RATE_STALE' as const, detail: 'not yet' } };
      }
      const value = { envelope: following(envelope, 'transfer.screened'), instruction, parties, screening: evidence() };
      return [{ to: 'transfer.screened' as const, value }];
    },
  };
  return processor;
}

describe('a processor over Kafka', () => {
  it('lets everything through once, across restarts in the middle of the work; the rest is put aside', async () => {
    const good = ids('transfer', 400);
    const poison = ids('throws', 3);
    const rubbish = [0, 1, 2].map((n) => ({
      topic: 'transfer.accepted',
      partition: n,
      key: `rubbish-${n}`,
      value: Buffer.from(`rubbish ${n}`),
      headers: {},
    }));
    const all = [...good, ...poison].map((transferId) => record('transfer.accepted', transferId));
    await send([...all.slice(0, 300), ...rubbish, ...all.slice(300)]);

    for (let restart = 0; restart < 3; restart++) {
      const host = hostOf(clearing());
      await host.start();
      await vi.waitFor(
        async () => expect((await committed('transfer.screened')).length).toBeGreaterThan(restart * 40),
        POLLING,
      );
      await host.stop(restart * 1_000);
    }
    const host = hostOf(clearing());
    await host.start();
    const putAside = rubbish.length + poison.length;
    await vi.waitFor(async () => {
      expect(await committed('transfer.screened')).toHaveLength(good.length);
      expect(await committed('screening.dlq')).toHaveLength(putAside);
    }, POLLING);
    await host.stop(5_000);

    expect(keysOf(await committed('transfer.screened'))).toEqual(good);
    const letters = await committed('screening.dlq');
    expect(keysOf(letters)).toEqual([...rubbish.map(({ key }) => key), ...poison].sort());
    const lifecycle = await codec.decode(
      'transfer.lifecycle',
      (await committed('transfer.lifecycle')).map(({ value }) => value),
    );
    const states = lifecycle.map((result) =>
      result.ok ? `${result.value.state} ${result.value.transferId}` : 'undecodable',
    );
    expect(states.sort()).toEqual(
      [...good.map((id) => `SCREENED ${id}`), ...poison.map((id) => `DEAD_LETTERED ${id}`)].sort(),
    );
    const screened = await committed('transfer.screened');
    for (const { headers } of screened) expect(String(headers['origin-position'])).toMatch(/^transfer\.requested:0:/);
  });

  it('sends what may pass round through the retry topic, and takes it up when it is due', async () => {
    const host = hostOf(clearing());
    await host.start();
    const again = ids('retry', 5);
    await send(again.map((transferId) => record('transfer.accepted', transferId)));
    const screened = async () => keysOf(await committed('transfer.screened')).filter((key) => key.startsWith('retry'));
    await vi.waitFor(async () => expect(await screened()).toEqual(again), POLLING);
    await host.stop(5_000);
    expect(keysOf(await committed('screening.retry.5s'))).toEqual(again);
  });

  it('waits for a dependency, shown as paused, and goes on by itself', async () => {
    const processor = clearing();
    processor.outage = true;
    const metrics = createMetrics();
    const host = hostOf(processor, metrics);
    await host.start();
    const waiting = ids('outage', 20);
    await send(waiting.map((transferId) => record('transfer.accepted', transferId)));
    await vi.waitFor(
      () => expect(host.health().troubles.map(({ dependency }) => dependency)).toContain('mongo'),
      POLLING,
    );
    await vi.waitFor(() => {
      const paused = host.health().partitions.flatMap((partition) => (partition.paused ? [partition.paused.code] : []));
      expect(paused).toContain('MONGO_UNAVAILABLE');
    }, POLLING);
    const lettersBefore = (await committed('screening.dlq')).length;
    processor.outage = false;
    await vi.waitFor(async () => {
      const through = keysOf(await committed('transfer.screened')).filter((key) => key.startsWith('outage'));
      expect(through).toEqual(waiting);
    }, POLLING);
    await vi.waitFor(() => expect(host.health().troubles).toEqual([]), POLLING);
    await host.stop(5_000);
    expect((await committed('screening.dlq')).length).toBe(lettersBefore);
    const counted = await metrics.registry.metrics();
    expect(counted).toMatch(/corridor_commit_seconds_count\{consumer="screening"\} [1-9]/);
    expect(counted).toContain(
      'corridor_records_total{consumer="screening",topic="transfer.accepted",disposition="done"} 20',
    );
    expect(counted).toMatch(/corridor_faults_total\{consumer="screening",code="MONGO_UNAVAILABLE"\} [1-9]/);
  });
});

describe('a copy of an old record over Kafka', () => {
  it('changes nothing, although its stage was killed and started since; what is new goes through', async () => {
    const [old, fresh] = [ids('copied', 40), ids('newer', 10)];
    const caused = (transferIds: readonly string[], from: number) =>
      transferIds.map((transferId, i) => {
        const cause = { source: sourceOf('intake', 'T'), partition: 0, offset: from + i, nth: 0 };
        return sealed(testRings, record('transfer.accepted', transferId), formatCause(cause));
      });
    const through = async (prefix: string) =>
      keysOf(await committed('transfer.screened')).filter((key) => key.startsWith(prefix));
    const repeated = async () =>
      (await committed('screening.dlq')).filter(
        ({ headers }) => String(headers['dlq-error-code']) === 'EVENT_REPEATED',
      );
    const first = hostOf(clearing());
    await first.start();
    await send(caused(old, 100));
    await vi.waitFor(async () => expect(await through('copied')).toEqual(old), POLLING);
    await first.stop(0);

    const standing = (await committed('transfer.accepted')).filter(({ key }) => String(key).startsWith('copied'));
    const copies = standing.map(({ topic, partition, key, value, headers }) => {
      return { topic, partition, key, value, headers: headers as Record<string, Buffer> };
    });
    await send([...copies, ...caused(fresh, 200)]);
    const second = hostOf(clearing());
    await second.start();
    await vi.waitFor(async () => {
      expect(await through('newer')).toEqual(fresh);
      expect(await repeated()).toHaveLength(40);
    }, POLLING);
    await second.stop(5_000);
    expect(await through('copied')).toEqual(old);
  });
});

describe('a sink over Kafka', () => {
  it('gets every record at least once; what it refuses is put aside under one id', async () => {
    const stored = new Map<string, number>();
    const { reads } = consumers['sink-cases'];
    const sink: Sink<typeof reads> = {
      name: 'sink-cases',
      reads,
      write: async (batch) => {
        const keys = batch.map(({ value }) => value.envelope.transferId);
        if (keys.some((key) => key.startsWith('throws'))) throw new TypeError('poison');
        for (const key of keys) stored.set(key, (stored.get(key) ?? 0) + 1);
        return { written: batch.length, stale: 0, failed: [] };
      },
    };
    await send([...ids('held', 120), 'throws-0000'].map((transferId) => record('transfer.held', transferId)));
    const first = hostOfSink(sink);
    await first.start();
    await vi.waitFor(() => expect(stored.size).toBeGreaterThan(10), POLLING);
    await first.stop(0);
    const second = hostOfSink(sink);
    await second.start();
    await vi.waitFor(async () => {
      expect(stored.size).toBe(120);
      expect((await committed('sink-cases.dlq')).length).toBeGreaterThan(0);
    }, POLLING);
    await second.stop(5_000);
    expect([...stored.keys()].sort()).toEqual(ids('held', 120));
    const letters = await committed('sink-cases.dlq');
    expect(new Set(letters.map(({ headers }) => String(headers['dlq-id']))).size).toBe(1);
    expect(new Set(keysOf(letters))).toEqual(new Set(['throws-0000']));
  });
});
