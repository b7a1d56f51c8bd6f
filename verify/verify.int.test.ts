// A small log written by hand, on real servers: verified clean through the real adapters, then corrupted store by store.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import { Kafka, logLevel } from 'kafkajs';
import type { Db, Document } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createLog } from '../adapters/kafka/log.ts';
import { approvedDecisions } from '../adapters/mongo/approvals.ts';
import { connectMongo, type MongoConnection } from '../adapters/mongo/client.ts';
import { holdClaims } from '../adapters/mongo/hold-claims.ts';
import { guardedStore, insertOnlyStore } from '../adapters/mongo/idempotent-store.ts';
import { intentClaims } from '../adapters/mongo/intent-claims.ts';
import { mongoPayoutStore } from '../adapters/mongo/payouts.ts';
import { positionCounts } from '../adapters/mongo/position-counts.ts';
import { sealedDocuments } from '../adapters/mongo/sealed-documents.ts';
import { settlementClaims } from '../adapters/mongo/settlement-claims.ts';
import { verifyStores } from '../adapters/mongo/verify-stores.ts';
import { verifyWebhooks } from '../adapters/mongo/verify-webhooks.ts';
import { providerLedger } from '../adapters/payout-providers/ledger.ts';
import { limitsLedger } from '../adapters/redis/limits.ts';
import { verifyLimits } from '../adapters/redis/verify-limits.ts';
import { LIMIT_RULES } from '../domain/limits/limit-rules.ts';
import { type LocalStack, startStack } from '../infra/local/stack.ts';
import { createRateHistory } from '../operations/analytics/rate-history.ts';
import { countAndKeep } from '../operations/positions/count.ts';
import { groupId } from '../ports/consumer-groups/names.ts';
import type { Log } from '../ports/log.ts';
import { sealed } from '../ports/seals.ts';
import { LEDGER_TOPICS, LedgerFold, type LedgerTopic } from '../processors/limits/rebuild.ts';
import { RATE_HISTORY } from '../processors/topology.ts';
import { applyTopics } from '../runtime/provision.ts';
import type { FxRateRecord } from '../schemas/types.generated.ts';
import { fxRate } from '../test/kit/builders.ts';
import { KEYS } from '../test/kit/keys.ts';
import { testRings } from '../test/kit/rings.ts';
import { fxRateHistory, fxRates } from '../topics/boundary.ts';
import type { TopicName } from '../topics/catalogue.ts';
import type { VerifySources } from './ports.ts';
import { ENDINGS, History, KNOWN_TERMS } from './testing/history.ts';
import { groupTopics, OWNERS } from './topics.ts';
import { verify } from './verify.ts';

const APP = 'corridor';
const PARTITIONS = 2;
const folder = mkdtempSync(path.join(tmpdir(), 'corridor-verify-int-'));
const ledgerFile = path.join(folder, 'ledger.ndjson');

let stack: LocalStack;
let log: Log;
let mongo: MongoConnection;
let db: Db;
let redis: Redis;
let sources: VerifySources;
const history = new History({ dense: true });

beforeAll(async () => {
  const stateDir = path.join(folder, 'stack');
  stack = await startStack({ stateDir, ephemeral: true, kinds: ['kafka', 'mongo', 'redisLimits'] });
  log = createLog({ brokers: stack.urls.kafkaBrokers, appName: APP, clientId: 'verify-test' });
  mongo = await connectMongo({ uri: stack.urls.mongoUri });
  db = mongo.db;
  redis = new Redis(stack.urls.redisLimitsUrl);
  for (const ending of [...ENDINGS, ...ENDINGS]) history.tell(ending);
  history.fillStores();
  await writeLog();
  await commitEnds();
  await fillStores();
  await fillLimits();
  writeLedger();
  await countPositions();
  sources = {
    log,
    codec: history.codec,
    app: APP,
    limitRules: LIMIT_RULES,
    stores: verifyStores({ db, events: 'events', transfers: 'transfers' }),
    webhooks: verifyWebhooks(db, undefined),
    positionCount: positionCounts(db).find,
    approvedDecisions: approvedDecisions(db, KEYS.operators),
    terms: KNOWN_TERMS,
    laws: { limits: [], terms: [] },
    limits: verifyLimits(redis),
    provider: providerLedger(ledgerFile),
    keys: KEYS,
    sealed: sealedDocuments({
      db,
      operators: KEYS.operators,
      inLog: { activations: new Map(), revoked: new Set() },
    }),
  };
});

afterAll(async () => {
  redis?.disconnect();
  await mongo?.close();
  await log?.close();
  await stack?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function writeLog(): Promise<void> {
  const admin = await log.admin();
  await applyTopics(admin, { app: APP, chainPartitions: PARTITIONS, replicationFactor: 1 });
  await admin.close();
  const writer = await log.writer('verify-test');
  await writer.send(
    history.entries.map(({ topic, partition, key, value, bytes, headers }) => ({
      topic,
      partition,
      key,
      value: value === undefined ? (bytes ?? null) : history.codec.encode(topic as TopicName, value as never),
      headers,
    })),
  );
  await writer.close();
}

/** As if every group had handled everything. */
async function commitEnds(): Promise<void> {
  const kafka = new Kafka({ brokers: [...stack.urls.kafkaBrokers], logLevel: logLevel.NOTHING });
  const producer = kafka.producer({ transactionalId: 'verify-test-offsets', maxInFlightRequests: 1, idempotent: true });
  await producer.connect();
  // A transaction sets offsets without joining the group.
  const transaction = await producer.transaction();
  for (const owner of OWNERS) {
    const ranges = await log.reader().offsets(groupTopics(owner));
    const topics = groupTopics(owner).map((topic) => ({
      topic,
      partitions: ranges
        .filter((range) => range.topic === topic)
        .map(({ partition, to }) => ({ partition, offset: String(to) })),
    }));
    await transaction.sendOffsets({ consumerGroupId: groupId(APP, owner.name), topics });
  }
  await transaction.commit();
  await producer.disconnect();
}

/** Through the writers of the pipeline itself. */
async function fillStores(): Promise<void> {
  const { events, transfers, cases, payouts, ...claims } = history.stores;
  await insertOnlyStore(db, 'events').insertOnly([...events.byId.values()]);
  await guardedStore(db, 'transfers').replaceGuarded([...transfers.byId.values()]);
  await insertOnlyStore(db, 'cases').insertOnly([...cases.byId.values()]);
  await mongoPayoutStore(db, { ring: KEYS.executor }).insert([...payouts.byId.values()]);
  await intentClaims(db).claim([...claims.intentClaims.byId.values()]);
  await settlementClaims(db).insert([...claims.settlementClaims.byId.values()]);
  await holdClaims(db).claim([...claims.holdClaims.byId.values()]);
}

async function fillLimits(): Promise<void> {
  const fold = new LedgerFold(LIMIT_RULES);
  for (const { topic, value } of history.entries) {
    if ((LEDGER_TOPICS as readonly string[]).includes(topic)) fold.add(topic as LedgerTopic, value);
  }
  expect(await limitsLedger(redis, { keys: KEYS.stages }).replaceAll(fold.state(), null)).toBe('replaced');
}

/** As the process that prices does. */
async function countPositions(): Promise<void> {
  const admin = await log.admin();
  const [described] = await admin.describeTopics(['fx.position']);
  await admin.close();
  const counting = { reader: log.reader(), codec: history.codec, rings: {}, topicId: described!.topicId! };
  const { count, behind } = await countAndKeep(counting, positionCounts(db), {
    now: Date.now(),
    maxOffsets: 1_000_000,
  });
  expect([count.isWhole, behind, count.open.size]).toEqual([true, 0, 2]);
}

/** As the simulator writes it, an unfinished last line included. */
function writeLedger(): void {
  const lines = history.provider.map(({ amount, ...record }) =>
    JSON.stringify({ ...record, at: 1, amount: amount && { ...amount, minor: amount.minor.toString() } }),
  );
  const other = JSON.stringify({ seq: 1_000, at: 1, kind: 'poll', key: 'k', transferId: null, run: 1 });
  writeFileSync(ledgerFile, `${[...lines, other].join('\n')}\n{"seq":10`);
}

const run = () => verify(sources, { settleMs: 0 });

describe('on real servers', () => {
  it('a log in agreement with its stores verifies', async () => {
    const report = await run();
    expect(report.findings).toEqual([]);
    expect(report.totals).toMatchObject({ transfers: 26, inputs: 32, inFlight: 2 });
    expect(report.checks.filter(({ skipped }) => skipped)).toEqual([]);
  });

  it('goes on from a checkpoint', async () => {
    const checkpoint = path.join(folder, 'checkpoint.ndjson.gz');
    expect((await verify(sources, { settleMs: 0, checkpoint })).findings).toEqual([]);
    const report = await verify(sources, { settleMs: 0, from: checkpoint });
    expect(report.findings).toEqual([]);
    expect(report.totals.records).toEqual({});
  });

  it('waits until nothing is written any more', async () => {
    const writer = await log.writer('late');
    let written = 0;
    const timer = setInterval(() => {
      if (written++ >= 5) return;
      // Not a contract of the chain: the ends move, the verification does not mind.
      void writer.send([{ topic: 'sink-events.retry.5s', partition: 0, key: 'k', value: null, headers: SOURCE }]);
    }, 100);
    const report = await verify(sources, { settleMs: 0, waitQuiet: { forMs: 1_000, timeoutMs: 30_000 } });
    clearInterval(timer);
    await writer.close();
    expect(report.totals.records['sink-events.retry.5s']).toBe(5);
    const never = verify(sources, { settleMs: 0, waitQuiet: { forMs: 60_000, timeoutMs: 100 } });
    await expect(never).rejects.toMatchObject({ code: 'NOT_QUIET' });
  });

  const damage: readonly (readonly [string, string, Document, string])[] = [
    ['events', 'state', { $set: { creditMinor: 1 } }, 'DOCUMENT_DIFFERS'],
    ['transfers', 'state', { $set: { attempt: 9 } }, 'DOCUMENT_DIFFERS'],
    ['cases', 'state', { $set: { evidenceHash: 'other' } }, 'CASE_DIFFERS'],
    ['payouts', 'phase', { $set: { homePartition: 7 } }, 'PAYOUT_DIFFERS'],
    ['intent_claims', 'hash', { $set: { originPosition: 'transfer.requested:0:999' } }, 'CLAIM_DIFFERS'],
    ['settlement_claims', 'steps', { $set: { 'steps.0.end': 'other' } }, 'CLAIM_DIFFERS'],
    ['hold_claims', 'commandId', { $set: { commandId: 'other' } }, 'CLAIM_DIFFERS'],
  ];
  it.each(damage)('finds what was changed in %s', async (collection, field, update, code) => {
    const documents = db.collection<Document & { _id: string }>(collection);
    const before = (await documents.findOne({ [field]: { $exists: true } }))!;
    await documents.updateOne({ _id: before._id }, update);
    const report = await run();
    await documents.replaceOne({ _id: before._id }, before);
    // What changes a payout also breaks its seal.
    const broken = collection === 'payouts' ? { PAYOUT_NOT_SEALED: 1 } : {};
    expect(report.codes).toEqual({ [code]: 1, ...broken });
    expect(report.findings[0]!.transferId).toBeDefined();
  });

  it.each([
    ['events', 'DOCUMENTS_OVER'],
    ['transfers', 'STRANGER_STORED'],
    ['cases', 'STRANGER_STORED'],
    ['payouts', 'STRANGER_STORED'],
    ['settlement_claims', 'STRANGER_STORED'],
  ])('finds what nobody wrote in %s', async (collection, code) => {
    const documents = db.collection<Document & { _id: string }>(collection);
    const one = (await documents.findOne({}))!;
    await documents.insertOne({ ...one, _id: 'stranger-0001' });
    const report = await run();
    await documents.deleteOne({ _id: 'stranger-0001' });
    expect(report.codes).toEqual({ [code]: 1 });
  });

  it('finds a counter and a reservation that were changed in Redis, and a ledger that was lost', async () => {
    const [, counters] = await redis.scan('0', 'MATCH', 'corridor:limits:*:c:*', 'COUNT', 1_000);
    await redis.hincrby(counters[0]!, 'used', 1);
    expect((await run()).codes).toEqual({ COUNTER_DIFFERS: 1 });
    await redis.hincrby(counters[0]!, 'used', -1);
    const [, records] = await redis.scan('0', 'MATCH', 'corridor:limits:*:t:*', 'COUNT', 1_000);
    await redis.del(records[0]!);
    expect((await run()).codes).toEqual({ RESERVATION_MISSING: 1 });
    await redis.flushdb();
    expect((await run()).codes).toEqual({ LIMITS_NOT_HYDRATED: 1 });
    await fillLimits();
  });

  it('refuses a provider ledger that is damaged or missing', async () => {
    const damaged = path.join(folder, 'damaged.ndjson');
    writeFileSync(damaged, '{"seq":1,"kind":"execution","key":"k"}\n');
    const read = (file: string) => verify({ ...sources, provider: providerLedger(file) }, { settleMs: 0 });
    await expect(read(damaged)).rejects.toMatchObject({ code: 'PROVIDER_LEDGER_DAMAGED' });
    await expect(read(path.join(folder, 'none'))).rejects.toMatchObject({ code: 'PROVIDER_LEDGER_UNREADABLE' });
    await expect(read('http://127.0.0.1:1')).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE' });
  });
});

const SOURCE = { 'source-topic': 'transfer.lifecycle', 'source-partition': '0', 'source-offset': '0' };

describe('the history of rates on real servers', () => {
  const [rates, rows] = [fxRates.name, fxRateHistory.name];
  const endOf = async (topic: string) => (await log.reader().offsets([topic]))[0]!.to;
  const codes = async () => (await run()).codes;

  it('that its writer has made is in agreement, and a row of nobody, or one that is there again, is found', async () => {
    const writer = await log.writer('rates-test');
    const published = ['0.85', '0.86', '0.85'].map((text, minute) =>
      fxRate({ rate: text, observedAt: Date.now() - 10 * 60_000 + minute * 60_000 }),
    );
    await writer.send(
      published.map((rate) => {
        const value = history.codec.encode(rates, rate);
        return sealed(testRings, { topic: rates, partition: 0, key: fxRates.keyOf(rate), value, headers: {} });
      }),
    );
    expect(await codes()).toEqual({});
    const reader = log.reader();
    const handler = createRateHistory({ codec: history.codec, rings: testRings, reader, onPassedOver: fail });
    const consumer = await log.consume({
      ...{ name: RATE_HISTORY, topics: [rates], delivery: 'exactly-once', maxBatchRecords: 2, lingerMs: 0, handler },
      onFault: () => undefined,
    });
    await consumer.ready;
    const to = await endOf(rates);
    await vi.waitFor(() => expect(consumer.progress()[0]!.position).toBe(to), { timeout: 60_000 });
    await consumer.stop(10_000);
    const made = await valuesOf();
    expect(made.map(({ rate }) => rate)).toEqual(['0.85', '0.86', '0.85']);
    expect(await codes()).toEqual({});

    const put = async (row: FxRateRecord) => {
      const value = history.codec.encode(rows, row);
      await writer.send([{ topic: rows, partition: 0, key: fxRateHistory.keyOf(row), value, headers: {} }]);
    };
    await put(made[0]!);
    expect(await codes()).toEqual({ RATE_ROW_REPEATED: 1 });
    await put({ ...made[2]!, rate: '0.99' });
    expect(await codes()).toEqual({ RATE_ROW_REPEATED: 1, RATE_ROW_UNFOUNDED: 1 });
    await writer.close();
  });

  async function valuesOf(): Promise<readonly FxRateRecord[]> {
    const found: FxRateRecord[] = [];
    await log.reader().read([{ topic: rows, partition: 0, from: 0, to: await endOf(rows) }], async ({ records }) => {
      for (const result of await history.codec.decode(
        rows,
        records.map(({ value }) => value),
      ))
        if (result.ok) found.push(result.value as FxRateRecord);
    });
    return found;
  }
});

function fail(): never {
  throw new Error('a rate was passed over');
}
