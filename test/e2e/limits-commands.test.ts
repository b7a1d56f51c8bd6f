// The ledger of limits in the hands of people, on real Kafka and Redis: a snapshot, an audit of what is damaged and of what is only
// under way, Redis emptied and made anew from snapshot and tail, rebuilds that are killed, and a topic that was made anew.
// On servers of its own: Redis is emptied, the log is cut, and a topic is deleted.
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import kafkajs from 'kafkajs';
import { v5 as uuidv5 } from 'uuid';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { limitsNamespace } from '../../adapters/redis/limits-generation.ts';
import { publish } from '../../cli/publish.ts';
import type { Child } from '../../infra/local/children.ts';
import { LEDGER_TOPICS } from '../../processors/limits/rebuild.ts';
import { applyTopics } from '../../runtime/provision.ts';
import { goodIntent } from '../../samples/intents.ts';
import { seeded } from '../../samples/random.ts';
import type { TransferRequested } from '../../schemas/types.generated.ts';
import { runCorridor } from '../kit/corridor-command.ts';
import { useOwnStack } from '../kit/own-stack.ts';
import { TestPipeline } from '../kit/pipeline.ts';
import { readTopic } from '../kit/read-topic.ts';

const MAIN = path.resolve(import.meta.dirname, '../../cli/main.ts');
const LONG_MS = 1_800_000;
const POLLING = { timeout: 240_000, interval: 200 };
const NAMESPACE = '6b0d2f7c-0b1d-5a37-9a9e-2f3c1d7f6a55';
const AMOUNT = 20_000;

const STAGES = ['--processors', 'intake,screening,fx-pricing,payout-dispatch,settlement', '--sinks', 'none'];
const LIMITS = ['--processors', 'limits'];
const EXECUTOR = ['--payouts'];

const common = {
  ...{ subject: 'sender', where: { sourceCurrencies: ['GBP'] }, declaredUse: false, freedByReturn: true },
  ...{ authority: 'The house', link: null, validFrom: '2020-01-01', validTo: null, status: 'CONFIRMED' },
};
const amount = { kind: 'amount', of: 'principal', currency: 'GBP' };
const RULES = [
  // Five transfers of the usual amount, a little more than their principal.
  {
    ...{ ...common, ruleId: 'rolling-month', metric: amount, limitMinor: String(5 * AMOUNT), action: 'reject' },
    window: { kind: 'rolling', unit: 'day', length: 30 },
  },
  {
    ...{ ...common, ruleId: 'year', metric: { kind: 'count' }, limitMinor: '1000', action: 'reject' },
    window: { kind: 'calendar', unit: 'year', timeZone: 'Asia/Kolkata', yearStart: 4 },
  },
  {
    ...{ ...common, ruleId: 'life', metric: { kind: 'beneficiaries' }, limitMinor: '3', action: 'reject' },
    window: { kind: 'lifetime' },
  },
  {
    ...{ ...common, ruleId: 'rolling-payees', metric: { kind: 'beneficiaries' }, limitMinor: '2', action: 'shadow' },
    window: { kind: 'rolling', unit: 'day', length: 7 },
  },
];

vi.setConfig({ testTimeout: LONG_MS });
const servers = useOwnStack('limits-commands', { ephemeral: true });
let pipeline: TestPipeline;
let redis: Redis;
let limits: Child;
let executor: Child;
let sent = 0;

beforeAll(async () => {
  const file = path.join(servers.stateDir, 'limits.json');
  writeFileSync(file, JSON.stringify({ name: 'commands', version: '1', note: '', rules: RULES }));
  pipeline = await TestPipeline.create({ urls: servers.urls, env: { CORRIDOR_LIMITS_FILE: file } });
  redis = new Redis(pipeline.connections.config.redis.limitsUrl);
  await pipeline.startMore([STAGES]);
  [limits, executor] = [await start(LIMITS), await start(EXECUTOR)];
}, LONG_MS);
afterAll(async () => {
  redis?.disconnect();
  await pipeline?.close();
}, 120_000);

async function start(args: readonly string[]): Promise<Child> {
  await pipeline.startMore([args]);
  return pipeline.processes.at(-1)!;
}

const corridor = (...args: readonly string[]) => runCorridor(['limits', ...args], pipeline.env);

interface Audit {
  readonly conclusion: string;
  readonly reason: string | null;
  readonly transfers: number;
  readonly missingSince: string | null;
  readonly moving: number;
  readonly short: number;
  readonly drift: readonly { readonly ruleId: string; readonly window: string; readonly what: string }[];
}

/** `code` is what the exit status must be. */
async function audit(code: number, ...options: readonly string[]): Promise<Audit> {
  const end = await corridor('audit', '--json', ...options);
  expect(end.code, end.stdout + end.stderr).toBe(code);
  return JSON.parse(end.stdout) as Audit;
}

const countIn = async (topic: string) => (await readTopic(pipeline.connections.log, topic)).length;

/** One transfer of a sender to a beneficiary. @returns its id */
async function send(sender: string, beneficiary: string): Promise<string> {
  const { log, codec, config } = pipeline.connections;
  await codec.load(['transfer.requested']);
  const id = (what: string) => uuidv5(`${servers.stateDir}/${what}`, NAMESPACE);
  const transferId = id(`transfer-${sent++}`);
  const ids = { transferId, customerId: id(sender), beneficiaryId: id(beneficiary) };
  // Of one corridor: the first seed that draws it.
  let intent: TransferRequested | undefined;
  for (let seed = sent; intent?.sourceCurrency !== 'GBP'; seed += 1_000)
    intent = goodIntent(seeded(seed), ids, Date.now());
  const value = codec.encode('transfer.requested', {
    ...intent,
    instructedAmount: { minor: BigInt(AMOUNT), currency: 'GBP' },
  });
  const writer = await log.writer('test');
  await publish([{ key: transferId, value }], { writer, chainPartitions: config.kafka.chainPartitions });
  await writer.close();
  return transferId;
}

/** What limits made of a transfer: RESERVED, or the rules that refused it. */
async function decided(transferId: string): Promise<string> {
  const { log, codec } = pipeline.connections;
  await codec.load(['transfer.reserved', 'transfer.rejected']);
  return vi.waitFor(async () => {
    const of = async (topic: 'transfer.reserved' | 'transfer.rejected') =>
      (await readTopic(log, topic)).filter(({ key }) => String(key) === transferId).map(({ value }) => value);
    if ((await of('transfer.reserved')).length > 0) return 'RESERVED';
    const [rejected] = await codec.decode('transfer.rejected', await of('transfer.rejected'));
    if (!rejected?.ok) throw new Error(`${transferId} is not decided yet`);
    return (rejected.value.limitsRefusal?.uses ?? []).map(({ ruleId }) => ruleId).join();
  }, POLLING);
}
const asked = async (sender: string, beneficiary: string) => decided(await send(sender, beneficiary));

/** Each a sender and a beneficiary: all of them pass. */
async function reserved(...of: readonly string[]): Promise<void> {
  const all = await Promise.all(of.map((each) => asked(...(each.split(' ') as [string, string]))));
  expect(all).toEqual(of.map(() => 'RESERVED'));
}

async function completed(count: number): Promise<void> {
  await vi.waitFor(async () => expect(await countIn('transfer.completed')).toBe(count), POLLING);
}

/** Keys of the generation in force, sorted. */
async function keysOf(pattern: string): Promise<readonly string[]> {
  const { appName } = pipeline.connections.config;
  const namespace = limitsNamespace(appName);
  const marker = await vi.waitFor(async () => (await redis.get(`${namespace}:generation`)) ?? expect.fail(), POLLING);
  return (await redis.keys(`${namespace}:${marker.slice(marker.indexOf(':') + 1)}:${pattern}`)).sort();
}

it('takes a snapshot, and finds that Redis counts what log and snapshot say', async () => {
  await reserved('ann b-1', 'ann b-2', 'ann b-1', 'bob b-1', 'bob b-2', 'bob b-3', 'cat b-4');
  await completed(7);
  const { code, stdout, stderr } = await corridor('snapshot', '--json');
  expect(code, stderr).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ transfers: 7, parts: 1, missingSince: null });
  // Behind the snapshot, and open: nothing is paid meanwhile.
  expect(await executor.stop(60_000)).toBe(0);
  await reserved('ann b-3', 'dan b-1');
  expect(await asked('bob', 'b-4')).toBe('life');
  expect(await audit(0)).toMatchObject({ conclusion: 'SAME', transfers: 10, drift: [], moving: 0, short: 0 });
});

it('ends with a code of its own where it may not hold so much, and writes no snapshot then', async () => {
  const before = await countIn('limits.snapshots');
  for (const command of ['audit', 'snapshot']) {
    const { code, stderr } = await corridor(command, '--max-held', '12');
    expect([code, stderr]).toEqual([1, expect.stringContaining('LIMITS_TOO_LARGE')]);
  }
  expect(await countIn('limits.snapshots')).toBe(before);
});

it('names what is damaged by rule and window, and a rebuild mends it', async () => {
  const [year] = await keysOf('c:year:*');
  await redis.hincrby(year!, 'used', 5);
  const open = (
    await Promise.all((await keysOf('c:year:*')).map(async (key) => [key, await redis.hget(key, 'open')] as const))
  ).find(([key, count]) => key !== year && count !== '0')!;
  await redis.hincrby(open[0], 'open', 1);
  const [life] = await keysOf('c:life:*');
  await redis.del(life!);
  const [sum] = await keysOf('w:rolling-month:*');
  await redis.hincrby(sum!, 'sum', -100);
  const [payees] = await keysOf('c:rolling-payees:*');
  const member = Object.keys(await redis.hgetall(payees!)).find((field) => field.startsWith('m:'))!;
  await redis.hdel(payees!, member);
  // Of a transfer that counts: that of one that was refused counts nowhere.
  const records = await keysOf('t:*');
  const states = await Promise.all(records.map((key) => redis.hget(key, 'state')));
  const [lost, changed] = records.filter((_, at) => states[at] === 'open' || states[at] === 'committed');
  await redis.del(lost!);
  await redis.hset(changed!, 'state', 'returned');
  const { drift } = await audit(2);
  const of = (ruleId: string, what: string) => drift.find((each) => each.ruleId === ruleId && each.what === what);
  const window = expect.stringMatching(/^year-20\d\d-04-01$/);
  expect(of('year', 'used')).toMatchObject({ window, counters: 1, tooMany: '5', tooFew: '0' });
  expect(of('year', 'open')).toMatchObject({ window, counters: 1, tooMany: '1', tooFew: '0' });
  expect(of('life', 'used')).toMatchObject({ window: 'lifetime', counters: 1, tooMany: '0' });
  expect(of('life', 'members')).toMatchObject({ window: 'lifetime', counters: 1, tooMany: '0' });
  expect(of('rolling-month', 'sum')).toMatchObject({ window: 'r3600x720', counters: 1, tooMany: '0', tooFew: '100' });
  expect(of('rolling-payees', 'members')).toMatchObject({ counters: 1, tooMany: '0' });
  expect(of('life', 'transfers')).toMatchObject({ counters: 1, tooFew: '1' });
  expect(of('rolling-payees', 'sum')).toBeUndefined();
  expect(of('-', 'proof')).toMatchObject({ window: '-', counters: 1, tooMany: '1' });
  const table = await corridor('audit');
  expect([table.code, table.stdout]).toEqual([2, expect.stringContaining('r3600x720')]);
  expect((await corridor('rebuild')).code).toBe(0);
  expect(await audit(0)).toMatchObject({ conclusion: 'SAME', transfers: 10, drift: [] });
});

it('decides nothing by a record that no stage has written: the ledger is made anew, and the transfer goes on', async () => {
  // It would end the transfer without a word.
  const [lent] = await keysOf('t:*');
  const { log } = pipeline.connections;
  expect(await limits.stop(60_000)).toBe(0);
  const priced = await countIn('transfer.priced');
  const transferId = await send('eve', 'b-1');
  await vi.waitFor(async () => expect(await countIn('transfer.priced')).toBe(priced + 1), POLLING);
  const record = { ...(await redis.hgetall(lent!)), state: 'committed' };
  await redis.hset(lent!.replace(/:t:.*$/, `:t:${transferId}`), record);
  expect((await audit(2)).drift).toMatchObject([{ ruleId: '-', what: 'proof' }]);
  limits = await start(LIMITS);
  expect(await decided(transferId)).toBe('RESERVED');
  expect((await readTopic(log, 'limits.dlq')).length).toBe(0);
  expect(await audit(0)).toMatchObject({ conclusion: 'SAME', transfers: 11, drift: [] });
});

it('takes what the stage has still to do for no drift', async () => {
  expect(await limits.stop(60_000)).toBe(0);
  executor = await start(EXECUTOR);
  await completed(10);
  const priced = await countIn('transfer.priced');
  const waiting = await send('ann', 'b-1');
  await vi.waitFor(async () => expect(await countIn('transfer.priced')).toBe(priced + 1), POLLING);
  const standing = await audit(4);
  expect(standing).toMatchObject({ conclusion: 'INCOMPLETE', reason: null, drift: [] });
  expect(standing.moving).toBeGreaterThan(0);
  limits = await start(LIMITS);
  // The fifth of the five that the rolling window has room for.
  expect(await decided(waiting)).toBe('RESERVED');
  await completed(11);
  await vi.waitFor(() => audit(0), POLLING);
});

/** What stood before the snapshot is gone, as by retention: Kafka itself forgets nothing so soon. */
async function cutLog(): Promise<void> {
  const { config, log } = pipeline.connections;
  const admin = new kafkajs.Kafka({ brokers: [...config.kafka.brokers], logLevel: kafkajs.logLevel.NOTHING }).admin();
  await admin.connect();
  // It deletes from topics that it has met.
  for (const topic of LEDGER_TOPICS) await admin.fetchTopicOffsets(topic);
  for (const { topic, partition, to, from } of await log.reader().offsets([...LEDGER_TOPICS]))
    if (to > from) await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(to) }] });
  await admin.disconnect();
}

it('makes an emptied Redis anew from snapshot and tail, and decides as if nothing had happened', async () => {
  const taken = await corridor('snapshot', '--json');
  expect(JSON.parse(taken.stdout)).toMatchObject({ missingSince: null });
  await cutLog();
  // A tail, with room for one more of dan and for none of ann.
  await reserved('dan b-1', 'dan b-2', 'dan b-1');
  expect(await limits.stop(60_000)).toBe(0);
  await redis.flushall();
  const lost = await corridor('audit', '--wait', '1');
  expect([lost.code, lost.stdout]).toEqual([3, expect.stringContaining('Nothing was compared')]);
  limits = await start(LIMITS);
  expect(await audit(0)).toMatchObject({ conclusion: 'SAME', missingSince: null, drift: [] });
  expect(await asked('ann', 'b-1')).toBe('rolling-month');
  expect(await asked('bob', 'b-4')).toBe('life');
  expect(await asked('dan', 'b-1')).toBe('RESERVED');
  expect(await asked('dan', 'b-1')).toBe('rolling-month');
  expect(await asked('cat', 'b-4')).toBe('RESERVED');
});

it('stands a rebuild that is killed at any moment, and run again', async () => {
  for (let round = 1; round <= 2; round++) {
    const after = randomInt(0, 2_500);
    if (round % 2 === 0) await redis.flushall();
    else expect((await corridor('rebuild')).code).toBe(0);
    await sleep(after);
    await limits.kill('SIGKILL');
    // Whoever starts next finds half a generation, or none, or all of one.
    limits = await start(LIMITS);
    expect((await audit(0)).drift, `round ${round}, killed after ${after} ms`).toEqual([]);
  }
  // The command itself: it is one step.
  const command = spawn(process.execPath, [MAIN, 'limits', 'rebuild'], { env: pipeline.env, stdio: 'ignore' });
  const ended = once(command, 'exit');
  await sleep(randomInt(0, 4_000));
  command.kill('SIGKILL');
  await ended;
  expect((await corridor('rebuild')).code).toBe(0);
  expect(await audit(0)).toMatchObject({ conclusion: 'SAME', drift: [] });
  expect(await asked('ann', 'b-1')).toBe('rolling-month');
  expect(await asked('cat', 'b-4')).toBe('RESERVED');
});

it('goes by no snapshot of a topic that was made anew, and says what it does not know', async () => {
  const { config, log } = pipeline.connections;
  expect(await audit(0)).toMatchObject({ missingSince: null });
  // Limits writes it, and reads it at a rebuild alone.
  const admin = await log.admin();
  await admin.deleteTopics(['transfer.held']);
  const { chainPartitions, replicationFactor } = config.kafka;
  await vi.waitFor(() => applyTopics(admin, { app: config.appName, chainPartitions, replicationFactor }), POLLING);
  await admin.close();
  // Redis still has what the log has forgotten: that is no drift.
  const found = await audit(4);
  expect(found).toMatchObject({ conclusion: 'INCOMPLETE', drift: [], missingSince: expect.any(String) });
  expect(found.short).toBeGreaterThan(0);
  const taken = await corridor('snapshot', '--json');
  expect(JSON.parse(taken.stdout)).toMatchObject({ missingSince: expect.any(String) });
  expect(taken.stderr).toContain('is not all there');
});
