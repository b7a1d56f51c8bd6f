// Payouts that are put back to older states of their own, in the real database, under an executor that has its claims in
// the real log, over a provider without duplicate protection. Its ledger is the witness. Processes end by being left alone
// in the middle of a step; barriers in the ports choose where.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Collection } from 'mongodb';
import { afterAll, afterEach, beforeAll, expect, inject, it, vi } from 'vitest';
import { type MongoPayoutStore, mongoPayoutStore, PAYOUTS } from '../../adapters/mongo/payouts.ts';
import { httpProviderClient } from '../../adapters/payout-providers/client.ts';
import { DEFAULT_EXECUTOR_CONFIG } from '../../payouts/config.ts';
import { createPayoutExecutor, type PayoutExecutor } from '../../payouts/executor.ts';
import { DEFAULT_PAYOUT_POLICY } from '../../payouts/policy.ts';
import type { AttemptClaims, GateVerdict } from '../../payouts/ports.ts';
import { requestCodec } from '../../payouts/request-codec.ts';
import { systemClock } from '../../ports/clock.ts';
import { type LogAttemptClaims, logAttemptClaims } from '../../runtime/attempt-claims.ts';
import { readLedger } from '../../simulator/ledger.ts';
import { type SimulatorProcess, spawnSimulator } from '../../simulator/process.ts';
import { forgetfulTimer, MemoryOutbox } from '../kit/payouts/memory.ts';
import { asDispatched, payoutRequestedFor, received } from '../kit/payouts/requested.ts';
import { TestPipeline } from '../kit/pipeline.ts';

const POLLING = { timeout: 60_000, interval: 50 };
const OPEN: GateVerdict = { pass: true };
const policy = {
  ...DEFAULT_PAYOUT_POLICY,
  leaseMs: 2_500,
  cancelAfterMs: 500,
  retryFirstMs: 50,
  retryMaxMs: 100,
  returnPollsMs: [],
};

let pipeline: TestPipeline;
let simulator: SimulatorProcess;
let directory: string;
let collection: Collection<{ _id: string }>;
let store: MongoPayoutStore;
const running: { stop(deadlineMs: number): Promise<void> }[] = [];
const followers: LogAttemptClaims[] = [];
const faults: string[] = [];

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'corridor-put-back-'));
  pipeline = await TestPipeline.create({ urls: inject('stack'), processes: [] });
  simulator = await spawnSimulator({ ledgerFile: join(directory, 'ledger.ndjson'), duplicateProtection: false });
  const db = await pipeline.connections.db();
  const { executor: ring, stages, operators } = pipeline.connections.config.keys;
  collection = db.collection(PAYOUTS);
  store = mongoPayoutStore(db, { ring, stages, operators });
  await store.ensureIndexes();
  await pipeline.connections.codec.load(['payout.requested']);
}, 240_000);
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.stop(100)));
});
afterAll(async () => {
  await Promise.all(followers.map((one) => one.stop()));
  await simulator?.kill();
  await pipeline?.close();
  rmSync(directory, { recursive: true, force: true });
});

/** A process of the executor, as one that has just been started knows the log. */
async function claims(): Promise<LogAttemptClaims> {
  const { log, codec, config } = pipeline.connections;
  const writer = await log.writer('payout-outbox');
  const made = logAttemptClaims({ log, writer, codec, rings: config.keys, onFault: (code) => void faults.push(code) });
  await made.start();
  followers.push(made);
  return made;
}

function executor(attempts: AttemptClaims | undefined, verdicts: readonly GateVerdict[] = []): PayoutExecutor {
  const left = [...verdicts];
  const client = httpProviderClient({
    name: 'simulator',
    url: simulator.url,
    submitTimeoutMs: 1_000,
    queryTimeoutMs: 1_000,
    connections: 4,
  });
  const made = createPayoutExecutor({
    config: { ...DEFAULT_EXECUTOR_CONFIG, policy, sweepEveryMs: 50, overdueMs: 50 },
    payouts: store,
    provider: client,
    timer: forgetfulTimer,
    outbox: new MemoryOutbox(),
    codec: requestCodec(pipeline.connections.codec),
    clock: { ...systemClock, monotonic: () => performance.now() },
    gate: { check: async (asked) => asked.map(() => left.shift() ?? OPEN) },
    ...(attempts && { attempts }),
  });
  running.push(made);
  return made;
}

const shut = (): GateVerdict => ({ pass: false, untilMs: Date.now(), code: 'CUSTOMER_BLOCKED' });

function request(transferId: string) {
  const now = Date.now();
  const requested = payoutRequestedFor({ transferId, now, expiresAt: now + 1_800_000 });
  const { codec, config } = pipeline.connections;
  return asDispatched(received(requested), config.keys.stages, codec.encode('payout.requested', requested));
}

const document = (transferId: string) => collection.findOne({ _id: transferId });
const payout = async (transferId: string) => (await store.load([transferId]))[0];
const reaches = (transferId: string, state: object) =>
  vi.waitFor(async () => expect(await payout(transferId)).toMatchObject(state), POLLING);

async function executionsOf(transferId: string): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const record of readLedger(join(directory, 'ledger.ndjson'))) {
    if (record.kind === 'execution' && record.transferId === transferId) keys.push(record.key);
  }
  return keys;
}

/**
 * Attempt 1 is not sent, since the gate shuts after it is stored; attempt 2 is paid.
 * @returns each state that was stored on the way
 */
async function pay(transferId: string, verdicts: readonly GateVerdict[]): Promise<readonly { _id: string }[]> {
  const states: { _id: string }[] = [];
  const stream = { ...store };
  const keep = async () => void states.push((await document(transferId))!);
  store = {
    ...stream,
    insert: (payouts) => stream.insert(payouts).finally(keep),
    apply: (changes) => stream.apply(changes).finally(keep),
  };
  const one = executor(await claims(), verdicts);
  store = stream;
  await one.handle([request(transferId)]);
  await one.start();
  await reaches(transferId, { phase: 'PAID', lastAttempt: 2 });
  await one.stop(5_000);
  expect(await executionsOf(transferId)).toEqual([`${transferId}:2`]);
  return states;
}

const putBack = (state: { _id: string }) => collection.replaceOne({ _id: state._id }, state);

it.each([
  ['sent as it comes', 'put-back-a', () => [OPEN, shut()]],
  ['stored to be sent later', 'put-back-b', () => [shut(), OPEN, shut()]],
])('a payout that was %s is never paid twice, whichever of its states is put back', async (_how, id, verdicts) => {
  const states = await pay(id, verdicts());
  expect(states.length).toBeGreaterThanOrEqual(4);
  for (const state of states) {
    await putBack(state);
    const next = executor(await claims());
    await next.start();
    await vi.waitFor(async () => {
      const now = await payout(id);
      const isStopped = now?.cases.some(({ code }) => code === 'ROLLED_BACK') && now.phase === 'NEW';
      expect(isStopped || now?.phase === 'PAID').toBe(true);
    }, POLLING);
    await next.stop(5_000);
    expect(await executionsOf(id)).toEqual([`${id}:2`]);
  }
});

it('a request that comes again for a payout that was deleted is refused, once an attempt was claimed', async () => {
  await pay('put-back-c', [shut(), OPEN, shut()]);
  await collection.deleteOne({ _id: 'put-back-c' });
  const [refused] = await executor(await claims()).handle([request('put-back-c')]);
  expect(refused?.cause.code).toBe('PAYOUT_ROLLED_BACK');
  expect(await executionsOf('put-back-c')).toEqual(['put-back-c:2']);
});

/** Claims of a process that dies before it makes one, or before it hears of it. */
const dying = (of: AttemptClaims, makes: boolean): AttemptClaims => ({
  highest: (id) => of.highest(id),
  claim: async (asked) => {
    if (makes) await of.claim(asked);
    return await new Promise<never>(() => {});
  },
  ready: () => true,
  stopped: async () => {},
});

it.each([
  ['before its attempt is claimed', 'put-back-d', false],
  ['after its attempt is claimed', 'put-back-e', true],
])('a process that dies %s stops nothing: the next key is sent', async (_when, id, makes) => {
  const dies = executor(dying(await claims(), makes), [shut()]);
  await dies.handle([request(id)]);
  await dies.start();
  await reaches(id, { phase: 'SUBMITTING', lastAttempt: 1 });
  await executor(await claims()).start();
  await reaches(id, { phase: 'PAID', lastAttempt: 2, cases: [] });
  expect(await executionsOf(id)).toEqual([`${id}:2`]);
});

it('negative control: without claims, a payout that was put back is paid twice', async () => {
  const [first] = await pay('put-back-f', [shut(), OPEN, shut()]);
  await putBack(first!);
  await executor(undefined).start();
  await vi.waitFor(async () => expect(await executionsOf('put-back-f')).toHaveLength(2), POLLING);
  expect(await executionsOf('put-back-f')).toEqual(['put-back-f:2', 'put-back-f:1']);
});

it('nothing in the log was passed over meanwhile', () => {
  expect(faults).toEqual([]);
});
