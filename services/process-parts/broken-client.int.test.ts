// A part whose database client is broken for ever stands for a moment, says why, and goes on with another client.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { createLog } from '../../adapters/kafka/log.ts';
import { CASES } from '../../adapters/mongo/cases.ts';
import { stackEnvironment } from '../../infra/local/stack.ts';
import { groupId } from '../../ports/consumer-groups/names.ts';
import type { Log } from '../../ports/log.ts';
import { loadConfig } from '../../runtime/config/config.ts';
import type { StoppedPart } from '../../runtime/hosts/host.ts';
import { silentLogger } from '../../runtime/logs-and-metrics/logger.ts';
import { createMetrics } from '../../runtime/logs-and-metrics/metrics.ts';
import { type Supervisor, supervise } from '../../runtime/process/supervisor.ts';
import { heldAtScreening } from '../../test/kit/events.ts';
import { memoryCodec } from '../../test/kit/memory-codec.ts';
import { breakPools } from '../../test/kit/mongo/broken-driver.ts';
import { useOwnStack } from '../../test/kit/own-stack.ts';
import { asIssued, testRings } from '../../test/kit/rings.ts';
import { inputTopics, recoveryTopics } from '../../topics/recovery.ts';
import { Connections } from '../connections.ts';
import { composedParts } from './all-parts.ts';

const APP = 'broken-client';
const SINK = 'sink-cases';
const TOPIC = 'transfer.held';
const POLLING = { timeout: 90_000 };
const codec = memoryCodec();
const servers = useOwnStack('broken-client', { ephemeral: true, kinds: ['kafka'], env: {} });
let log: Log;
let connections: Connections;
let supervisor: Supervisor;
const standings: StoppedPart[] = [];

beforeAll(async () => {
  log = createLog({ brokers: servers.urls.kafkaBrokers, appName: APP, clientId: APP, sessionTimeoutMs: 6_000 });
  const admin = await log.admin();
  const names = [TOPIC, ...recoveryTopics(SINK).map(({ name }) => name)];
  const config = { 'message.timestamp.type': 'LogAppendTime' };
  await admin.createTopics(names.map((name) => ({ name, partitions: 1, replicationFactor: 1, config })));
  await admin.initialiseOffsets(groupId(APP, SINK), inputTopics(SINK, [TOPIC]));
  await admin.close();
  const urls = { ...inject('stack'), kafkaBrokers: servers.urls.kafkaBrokers };
  const database = `broken_${randomUUID().slice(0, 8)}`;
  const env = { ...stackEnvironment(urls), CORRIDOR_ENV: 'development', CORRIDOR_MONGO_DATABASE: database };
  connections = new Connections(loadConfig(env), APP, { watch: { everyMs: 100, answerMs: 500, looks: 3 } });
});
afterAll(async () => {
  await supervisor?.stop(5_000);
  await connections.close();
  await log.close();
});

function started(): Supervisor {
  const metrics = createMetrics();
  const runtime = {
    app: APP,
    log,
    codec,
    rings: testRings,
    logger: silentLogger,
    metrics,
    chainPartitions: 1,
    maxBatchRecords: 20,
    lingerMs: 5,
    retry: [1, 0],
  };
  const chosen = {
    processors: [],
    sinks: ['cases'],
    payouts: false,
    cases: false,
    rescreening: false,
    replays: false,
    audit: false,
    webhooks: false,
    analytics: false,
    exports: false,
  } as const;
  const [part] = composedParts(chosen, connections, runtime, new Set());
  const onStopped = (standing: StoppedPart) => standings.push(standing);
  return supervise({ part: part!, logger: silentLogger, metrics, onStopped });
}

async function hold(transferId: string): Promise<void> {
  const value = heldAtScreening({ transferId, partitions: 1 });
  const headers = {
    'event-id': value.envelope.eventId,
    'origin-position': value.instruction.originPosition,
  };
  const record = { topic: TOPIC, partition: 0, key: transferId, value: codec.encode(TOPIC, value), headers };
  const writer = await log.writer('feed');
  await writer.send([asIssued(record)]);
  await writer.close();
}

const cases = async () => {
  const db = await connections.db();
  const found = await db.collection<{ transferId: string }>(CASES).find().toArray();
  return found.map(({ transferId }) => transferId).sort();
};

it('a sink goes on with a new client, and nothing that came meanwhile is lost', async () => {
  supervisor = started();
  await supervisor.start();
  await hold('held-before');
  await expect.poll(cases, POLLING).toEqual(['held-before']);
  const broken = await connections.db();
  const lost = connections.databaseLost;
  breakPools('rejects')(broken.client);
  await hold('held-meanwhile');
  await expect(lost).rejects.toMatchObject({ code: 'MONGO_CLIENT_BROKEN', dependency: 'mongo' });
  await expect
    .poll(() => standings, POLLING)
    .toMatchObject([
      { name: SINK, code: 'MONGO_CLIENT_BROKEN', toDo: expect.stringContaining('started again by itself') },
    ]);
  await expect.poll(cases, POLLING).toEqual(['held-before', 'held-meanwhile']);
  expect(await connections.db()).not.toBe(broken);
  await expect.poll(() => supervisor.standing(), POLLING).toBeUndefined();
  await hold('held-after');
  await expect.poll(cases, POLLING).toEqual(['held-after', 'held-before', 'held-meanwhile']);
  expect(standings).toHaveLength(1);
});

it('once closed, nobody is connected any more', async () => {
  const closed = new Connections(connections.config, 'closed');
  await closed.close();
  await expect(closed.db()).rejects.toMatchObject({ code: 'STOPPING' });
});
