// Today's code on stores that the last release wrote (test/stores/make-fixture.ts says how a fixture is made): each reader
// finds what is there, takes it for genuine, and works on.
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { approvedDecisions } from '../../adapters/mongo/approvals.ts';
import { caseStore } from '../../adapters/mongo/cases.ts';
import { connectMongo, type MongoConnection } from '../../adapters/mongo/client.ts';
import { customerCaseStore, rescreenProgress } from '../../adapters/mongo/customer-cases.ts';
import { guardedStore, insertOnlyStore } from '../../adapters/mongo/idempotent-store.ts';
import { intentClaims } from '../../adapters/mongo/intent-claims.ts';
import { listStore } from '../../adapters/mongo/list-versions.ts';
import { migrationsOf, openStores } from '../../adapters/mongo/migrations/index.ts';
import { schemaStore } from '../../adapters/mongo/migrations/schema-store.ts';
import { payoutOutbox } from '../../adapters/mongo/payout-outbox.ts';
import { mongoPayoutStore } from '../../adapters/mongo/payouts.ts';
import { positionCounts } from '../../adapters/mongo/position-counts.ts';
import { exceptionStore } from '../../adapters/mongo/screening-exceptions.ts';
import { sealedDocuments } from '../../adapters/mongo/sealed-documents.ts';
import { settlementClaims } from '../../adapters/mongo/settlement-claims.ts';
import { verifyStores } from '../../adapters/mongo/verify-stores.ts';
import { verifyWebhooks } from '../../adapters/mongo/verify-webhooks.ts';
import { providerLedger } from '../../adapters/payout-providers/ledger.ts';
import { limitsLedger } from '../../adapters/redis/limits.ts';
import { limitsNamespace } from '../../adapters/redis/limits-generation.ts';
import { verifyLimits } from '../../adapters/redis/verify-limits.ts';
import { registryCodec } from '../../adapters/registry/codec.ts';
import { decideCase } from '../../operations/cases/holds/cases.ts';
import { commandMaker } from '../../operations/cases/holds/relay.ts';
import { activateVersion, importVersion } from '../../operations/lists/import-and-activate.ts';
import { migrate } from '../../operations/migrations/migrate.ts';
import { DEFAULT_EXECUTOR_CONFIG } from '../../payouts/config.ts';
import { createPayoutExecutor } from '../../payouts/executor.ts';
import { DEFAULT_PAYOUT_POLICY } from '../../payouts/policy.ts';
import { requestCodec } from '../../payouts/request-codec.ts';
import { systemClock } from '../../ports/clock.ts';
import type { Codec } from '../../ports/codec.ts';
import type { Received } from '../../processors/contract.ts';
import { hydrateLimits } from '../../processors/limits/hydrate.ts';
import { LEDGER_TOPICS, LedgerFold, type LedgerTopic } from '../../processors/limits/rebuild.ts';
import { logAttemptClaims } from '../../runtime/attempt-claims.ts';
import { loadConfig } from '../../runtime/config/config.ts';
import { payoutRelay } from '../../runtime/outbox/payout-relay.ts';
import type { ListReference } from '../../schemas/types.generated.ts';
import { loadSampleList } from '../../screening/lists/sample/load.ts';
import { unpackEntities } from '../../screening/versions/packed.ts';
import { corridorBookOf, limitRules } from '../../services/configured-rules.ts';
import type { CaseDocument } from '../../sinks/cases/case.ts';
import { casesSink } from '../../sinks/cases/sink.ts';
import type { Sink } from '../../sinks/contract.ts';
import { eventsSink } from '../../sinks/events/sink.ts';
import { contentOf, type EventDocument } from '../../sinks/events/to-write.ts';
import { transferViewSink } from '../../sinks/transfer-view/sink.ts';
import type { TransferDocument } from '../../sinks/transfer-view/to-write.ts';
import { contracts, type TopicName, type TopicValues } from '../../topics/catalogue.ts';
import type { VerifySources } from '../../verify/ports.ts';
import { verify } from '../../verify/verify.ts';
import { ledgerReading } from '../kit/memory-ledger.ts';
import { forgetfulTimer, MemoryProvider } from '../kit/payouts/memory.ts';
import { FILES } from './form.ts';
import { aboutOf, lastRelease, loadMongo, loadRedis, RecordedLog, recordedRegistry } from './load.ts';

const FIXTURE = lastRelease();
const HOUR_MS = 3_600_000;
const POLLING = { timeout: 60_000, interval: 50 };
const namespace = `last-release-${process.pid}`;
const { madeAt } = aboutOf(FIXTURE);
// What tells of transfers was not sealed yet: the setting says so, as in an installation that comes from there.
const config = loadConfig({
  CORRIDOR_ENV: 'development',
  // Its intents say what was asked for then.
  CORRIDOR_TRANSFER_RULES_FILE: 'none',
  CORRIDOR_LIFECYCLE_SEALED_FROM: new Date(madeAt + HOUR_MS).toISOString(),
});
const { keys } = config;
const recorded = new RecordedLog(FIXTURE);
const { log } = recorded;
const folder = mkdtempSync(path.join(tmpdir(), 'corridor-last-release-'));
const forged: string[] = [];
const onForged = (id: string) => void forged.push(id);

let mongo: MongoConnection;
let redis: Redis;
let registry: Awaited<ReturnType<typeof recordedRegistry>>;
let codec: Codec;
let counts: ReadonlyMap<string, number>;

beforeAll(async () => {
  const { mongoUri: uri, redisLimitsUrl } = inject('stack');
  mongo = await connectMongo({ uri, database: namespace.replaceAll('-', '_') });
  redis = new Redis(redisLimitsUrl);
  registry = await recordedRegistry(FIXTURE);
  codec = registryCodec({ url: registry.url });
  await codec.load(Object.values(contracts).map(({ name }) => name));
  counts = await loadMongo(FIXTURE, mongo.db);
  await loadRedis(FIXTURE, redis, { from: limitsNamespace(recorded.app), namespace });
});
afterAll(async () => {
  await mongo?.db.dropDatabase();
  await mongo?.close();
  const left = (await redis?.keys(`${namespace}:*`)) ?? [];
  if (left.length > 0) await redis.del(...left);
  redis?.disconnect();
  registry?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The records of a topic as a consumer is handed them. */
async function receivedFrom<T extends TopicName>(topic: T): Promise<readonly Received<TopicValues[T], T>[]> {
  const records = recorded.of(topic);
  const decoded = await codec.decode(
    topic,
    records.map(({ value }) => value),
  );
  return decoded.map((result, index) => {
    if (!result.ok) throw new Error(`${topic}: ${result.code}`);
    return { topic, value: result.value, appendedAt: records[index]!.timestamp } as Received<TopicValues[T], T>;
  });
}

async function sourcesOf(): Promise<VerifySources> {
  const { db } = mongo;
  const activations = new Map<string, ListReference>();
  for (const { value } of await receivedFrom('screening.list-activated'))
    activations.set(value.list.source, value.list);
  const revocations = await receivedFrom('screening.exception-revoked');
  const revoked = new Set(revocations.map(({ value }) => value.exceptionId));
  return {
    log,
    codec,
    app: recorded.app,
    limitRules: limitRules(config),
    rings: keys,
    keys,
    stores: verifyStores({ db, events: 'events', transfers: 'transfers' }),
    webhooks: verifyWebhooks(db, undefined),
    positionCount: positionCounts(db).find,
    approvedDecisions: approvedDecisions(db, keys.operators),
    // What the last release priced names no terms.
    terms: { named: () => undefined, corridors: corridorBookOf(config) },
    laws: { limits: [], terms: [] },
    sealed: sealedDocuments({ db, operators: keys.operators, inLog: { activations, revoked } }),
    limits: verifyLimits(redis, namespace),
    provider: providerLedger(path.join(FIXTURE, FILES.provider)),
  };
}

/** Counters of the generation that is there, whatever its form: used and open by name. */
async function storedCounters(): Promise<ReadonlyMap<string, string>> {
  const names = await redis.keys(`${namespace}:*:c:*`);
  const rows = await Promise.all(names.map((name) => redis.hmget(name, 'used', 'open')));
  return new Map(names.map((name, at) => [name.split(':c:')[1]!, rows[at]!.join(' ')]));
}

describe('what the last release wrote', () => {
  it('has documents in every collection', () => {
    expect([...counts].filter(([, count]) => count === 0)).toEqual([]);
    expect([...counts.keys()].sort()).toMatchInlineSnapshot(`
      [
        "case_restorations",
        "cases",
        "customer_cases",
        "events",
        "hold_claims",
        "intent_claims",
        "payouts",
        "replay_claims",
        "screening_active",
        "screening_exceptions",
        "screening_list_chunks",
        "screening_lists",
        "screening_progress",
        "settlement_claims",
        "transfers",
      ]
    `);
  });

  it('is worked on as it is, and migrated while it is', async () => {
    const known = migrationsOf(mongo.db);
    const pending = await openStores(mongo.db);
    expect(pending).toEqual(known.map(({ name }) => name));
    expect(await migrate(schemaStore(mongo.db, known), known, { owner: 'a', by: 'amara' })).toHaveLength(known.length);
    expect(await openStores(mongo.db)).toEqual([]);
  });

  it('has its ledger of limits made anew, with the same in it', async () => {
    const before = await storedCounters();
    expect(before.size).toBeGreaterThan(0);
    const ledger = limitsLedger(redis, { keys: keys.stages, namespace });
    const fold = new LedgerFold(limitRules(config));
    const reader = ledgerReading(async (add) => {
      for (const topic of LEDGER_TOPICS) {
        for (const { value } of await receivedFrom(topic as LedgerTopic)) {
          fold.add(topic as LedgerTopic, value as never);
          await add(topic as LedgerTopic, value as never);
        }
      }
      return undefined;
    });
    expect(await hydrateLimits(ledger, limitRules(config), reader, madeAt)).toMatchObject({ rebuilt: true });
    expect(await storedCounters()).toEqual(before);
    const operations = [...fold.state().records].map((record) => ({ kind: 'settle' as const, ...record }));
    expect(operations.length).toBeGreaterThan(0);
    expect(await ledger.apply(operations)).toEqual(operations.map(() => ({ kind: 'settled', changed: false })));
  });

  it('verifies, from the start and from its checkpoint', async () => {
    const sources = await sourcesOf();
    const report = await verify(sources, { settleMs: 0 });
    expect(report.findings).toEqual([]);
    expect(report.checks.filter(({ skipped }) => skipped)).toEqual([]);
    expect(report.totals).toMatchObject({ transfers: 13, inFlight: 3 });
    const checkpoint = path.join(folder, FILES.checkpoint);
    copyFileSync(path.join(FIXTURE, FILES.checkpoint), checkpoint);
    const next = await verify(sources, { settleMs: 0, from: checkpoint });
    expect(next.findings).toEqual([]);
    expect(next.totals.transfers).toBeGreaterThan(0);
  });

  it('is what the sinks would write again', async () => {
    const { db } = mongo;
    const again = async (sink: Sink<never>, batch: readonly unknown[]) =>
      expect(await sink.write(batch as never)).toEqual({ written: 0, stale: batch.length, failed: [] });
    const lifecycle = await receivedFrom('transfer.lifecycle');
    const rejected = await receivedFrom('intent.rejected');
    await again(eventsSink(insertOnlyStore<EventDocument>(db, 'events', contentOf)) as never, [
      ...lifecycle,
      ...rejected,
    ]);
    const held = await receivedFrom('transfer.held');
    const evidence = ({ evidenceHash }: CaseDocument) => evidenceHash;
    await again(casesSink(insertOnlyStore<CaseDocument>(db, 'cases', evidence)) as never, held);
    const view = await transferViewSink(guardedStore<TransferDocument>(db, 'transfers')).write(lifecycle as never);
    expect(view).toMatchObject({ written: 0, failed: [] });
  });

  it('is recognised by those who claim', async () => {
    const { db } = mongo;
    const ids = recorded.of('transfer.accepted').map(({ key }) => key!.toString());
    const claims = await intentClaims(db).find(ids);
    expect(claims).toHaveLength(ids.length);
    const later = claims.map((claim) => ({ ...claim, hash: 'other', originPosition: 'other:0:0', acceptedAt: 1 }));
    expect(await intentClaims(db).claim(later)).toEqual(expect.arrayContaining([...claims]));
    const settled = await settlementClaims(db).find(ids);
    expect(settled.length).toBeGreaterThan(0);
    expect(await settlementClaims(db).insert(settled)).toEqual(new Set(settled.map(({ transferId }) => transferId)));
  });
});

describe('persons', () => {
  it('decide the case that is open, and its command is made', async () => {
    const store = caseStore(mongo.db);
    const [open] = await store.list({ state: 'OPEN', limit: 9 });
    const { _id: holdId, evidenceHash } = open!;
    const at = new Date(madeAt + HOUR_MS);
    const asked = { holdId, evidenceHash, decision: 'APPROVE', by: 'amara', reason: 'checked', at } as const;
    await decideCase(store, asked, keys.operators);
    const pending = await store.pending(9);
    expect(commandMaker({ codec, rings: keys })(pending, madeAt + HOUR_MS)).toHaveLength(1);
    await store.markPublished(pending);
    expect(await store.pending(9)).toEqual([]);
  });

  it('find the customer blocked, the exception that is approved, and what was screened', async () => {
    const customers = customerCaseStore(mongo.db, { operators: keys.operators, onUncleared: onForged });
    const [confirmed] = await customers.list({ limit: 9 });
    expect(await customers.blocked([confirmed!.token])).toHaveProperty('size', 1);
    const exceptions = exceptionStore(mongo.db, {
      ...{ operators: keys.operators, onIgnored: onForged },
      clock: async () => new Date(madeAt + HOUR_MS),
    });
    expect(await exceptions.find(['token-of-nobody'])).toHaveLength(1);
    expect(await rescreenProgress(mongo.db, keys.operators).covered()).toHaveLength(1);
  });

  it('put another list version in force, and can read those before', async () => {
    const store = listStore(mongo.db, keys);
    const heads = await store.heads({ limit: 9 });
    expect(heads.map(({ isSealed }) => isSealed)).toEqual([true, true]);
    for (const { versionId } of heads) {
      const { head, chunks } = await store.load(versionId);
      expect(unpackEntities(chunks, head.entitiesHash)).toHaveLength(head.counts.entities);
    }
    const [before] = await store.current();
    const list = { ...(await loadSampleList()), publicationDate: '2026-11-22' };
    const { versionId } = await importVersion(store, list, { by: 'amara', now: madeAt });
    const terms = { by: 'bela', now: madeAt, lastOf: async () => undefined };
    const { activation } = await activateVersion(store, async () => undefined, versionId, terms);
    expect(activation.revision).toBe(before!.activation + 1);
    const sealed = sealedDocuments({
      db: mongo.db,
      operators: keys.operators,
      inLog: { activations: new Map(), revoked: new Set() },
    });
    for await (const page of sealed.all()) expect(page.filter(({ flaw }) => flaw !== undefined)).toEqual([]);
  });
});

/** Time goes on where the fixture was made. */
const began = performance.now();
const now = () => Math.round(madeAt + performance.now() - began);
const clock = { ...systemClock, now, monotonic: () => performance.now() };

describe('payouts under way', () => {
  it('come to their ends, each paid once and told', async () => {
    const stored = { ring: keys.executor, stages: keys.stages, operators: keys.operators };
    const store = { ...mongoPayoutStore(mongo.db, { ...stored, onForged }), now: async () => now() };
    const ids = ['taken-by-the-provider', 'of-unknown-outcome', 'waiting-to-be-sent'];
    const before = await store.load(ids);
    expect(before.map(({ phase }) => phase).sort()).toEqual(['ACCEPTED', 'NEW', 'OUTCOME_UNKNOWN']);
    const provider = new MemoryProvider(now, 'simulator');
    provider.pays('taken-by-the-provider:1');
    const writer = await recorded.writer();
    const requests = requestCodec(codec);
    const attempts = logAttemptClaims({ log, writer, codec, rings: keys, clock, onFault: onForged });
    const relay = payoutRelay({
      source: payoutOutbox(mongo.db, stored),
      codec,
      requests,
      rings: keys,
      writer,
      onEvent: (event) => event.kind !== 'published' && onForged(event.code),
    });
    const policy = { ...DEFAULT_PAYOUT_POLICY, pollFirstMs: 50, pollMaxMs: 100, retryFirstMs: 50, retryMaxMs: 100 };
    const executor = createPayoutExecutor({
      config: { ...DEFAULT_EXECUTOR_CONFIG, policy, sweepEveryMs: 50, overdueMs: 50 },
      payouts: store,
      provider,
      timer: forgetfulTimer,
      outbox: relay,
      codec: requests,
      attempts,
      clock,
      gate: { check: async (asked) => asked.map(() => ({ pass: true })) },
    });
    await attempts.start();
    relay.start();
    await executor.start();
    try {
      await vi.waitFor(async () => {
        const phases = (await store.load(ids)).map(({ phase }) => phase);
        expect(phases).toEqual(['PAID', 'PAID', 'PAID']);
      }, POLLING);
      await vi.waitFor(async () => {
        const reported = await receivedFrom('payout.updated');
        const paid = reported
          .filter(({ value }) => value.payout.status === 'PAID')
          .map(({ value }) => value.payout.payoutId);
        expect(paid).toEqual(expect.arrayContaining(ids));
      }, POLLING);
    } finally {
      await executor.stop(5_000);
      await relay.stop(5_000);
      await attempts.stop();
    }
    expect(ids.map((id) => provider.executionsOf(id))).toEqual([1, 1, 1]);
    expect((await store.load(ids)).flatMap(({ cases }) => cases)).toEqual([]);
    expect(forged).toEqual([]);
  });
});
