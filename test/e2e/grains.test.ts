// The grains for analysts on real servers: their writer is killed at each step of its transactions, a stage is frozen in the
// middle of one of its own. State is the fold of the log, money is there once, and no watermark claims what was not complete.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { laterOf } from '../../domain/transfers/row-order.ts';
import { moneyRecordsOf } from '../../operations/analytics/grains.ts';
import type { LogRecord } from '../../ports/log.ts';
import { pause } from '../../ports/pause.ts';
import type { AnalyticsWatermark, TransferLifecycle } from '../../schemas/types.generated.ts';
import type { TopicName, TopicValues } from '../../topics/catalogue.ts';
import { useOwnStack } from '../kit/own-stack.ts';
import { TestPipeline } from '../kit/pipeline.ts';
import { readTopic } from '../kit/read-topic.ts';

const LIFECYCLE = 'transfer.lifecycle';
const KILLS = [
  'eos.before-send=kill@2',
  'eos.after-send=kill@2',
  'eos.after-send-offsets=kill@2',
  'eos.commit-sent=kill@2',
  'eos.after-commit=kill@2',
];
const CHAIN = ['--processors', 'all', '--payouts', '--cases'];
const ANALYTICS = ['--analytics'];
const FROZEN_MS = 3_000;

const servers = useOwnStack('grains', { ephemeral: true });
let pipeline: TestPipeline;

type Seen<T extends TopicName> = { readonly record: LogRecord; readonly value: TopicValues[T] };

async function valuesOf<T extends TopicName>(topic: T): Promise<readonly Seen<T>[]> {
  const { log, codec } = pipeline.connections;
  await codec.load([topic]);
  const records = await readTopic(log, topic);
  const results = await codec.decode(
    topic,
    records.map(({ value }) => value),
  );
  return results.map((result, at) => {
    if (!result.ok) throw new Error(result.detail);
    return { record: records[at]!, value: result.value };
  });
}

/** The greatest claim of each partition. */
async function claims(): Promise<ReadonlyMap<number, AnalyticsWatermark>> {
  const greatest = new Map<number, AnalyticsWatermark>();
  for (const { value } of await valuesOf('analytics.watermark')) {
    const known = greatest.get(value.partition);
    if (known === undefined || known.completeUntil < value.completeUntil) greatest.set(value.partition, value);
  }
  return greatest;
}

/** Asks again and again until it is so. */
async function until<T>(asked: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await asked();
    if (found !== undefined) return found;
    await pause(250);
  }
}

/** Every partition is claimed to be complete until a moment that is later than this. */
const completeUntil = (moment: number) =>
  until(async () => {
    const known = await claims();
    const { chainPartitions } = pipeline.connections.config.kafka;
    const isSo = known.size === chainPartitions && [...known.values()].every((claim) => claim.completeUntil >= moment);
    return isSo ? known : undefined;
  });

/** Partitions of the lifecycle that hold records of a transaction that is open. */
async function openPartitions(): Promise<readonly number[]> {
  const reader = pipeline.connections.log.reader();
  const ends = await reader.ends([LIFECYCLE], { unreplicatedToo: true });
  const stable = new Map((await reader.offsets([LIFECYCLE])).map(({ partition, to }) => [partition, to]));
  return ends.filter(({ partition, offset }) => stable.get(partition)! < offset).map(({ partition }) => partition);
}

async function expectWhole(): Promise<void> {
  const rows = await valuesOf(LIFECYCLE);
  const latest = new Map<string, TransferLifecycle>();
  for (const { value } of rows) latest.set(value.transferId, laterOf(latest.get(value.transferId), value));
  const states = new Map((await valuesOf('transfer.state')).map(({ value }) => [value.transferId, value]));
  expect(states).toEqual(latest);
  const movements = (await valuesOf('transfer.money')).map(({ value }) => value);
  const byId = (list: typeof movements) => list.toSorted((a, b) => (a.movementId < b.movementId ? -1 : 1));
  expect(byId(movements)).toEqual(byId(rows.flatMap(({ value }) => moneyRecordsOf(value))));
  expect(movements.length).toBeGreaterThan(50);
  const made = await valuesOf('analytics.watermark');
  for (const { value: claim } of made) {
    const late = rows.filter(
      ({ record: { partition, offset, timestamp } }) =>
        partition === claim.partition && offset >= claim.offset && timestamp <= claim.completeUntil,
    );
    expect(late, `claimed until ${claim.completeUntil}`).toEqual([]);
  }
}

beforeAll(async () => {
  const env = { CORRIDOR_ANALYTICS_CLOCK_TOLERANCE_MS: '1000', CORRIDOR_KAFKA_TRANSACTION_TIMEOUT_MS: '120000' };
  pipeline = await TestPipeline.create({ urls: servers.urls, processes: [CHAIN], env });
  await pipeline.start();
}, 300_000);
afterAll(() => pipeline?.close());

describe('the writer of the grains', () => {
  it('is killed at each step, and has each row in state and money once', async () => {
    for (const [nth, failpoint] of KILLS.entries()) {
      const failpointLog = path.join(servers.stateDir, `kill-${nth}`);
      const env = { CORRIDOR_FAILPOINTS: failpoint, CORRIDOR_FAILPOINT_LOG: failpointLog };
      // What is left by the one before may kill it while it starts.
      const started = pipeline.startMore([ANALYTICS], env).catch(() => undefined);
      await pipeline.feed(30, 600 + nth);
      await started;
      const killed = `kill ${failpoint.replace('=kill@', ' ')}`;
      await until(async () =>
        existsSync(failpointLog) && readFileSync(failpointLog, 'utf8').includes(killed) ? true : undefined,
      );
    }
    await pipeline.startMore([ANALYTICS]);
    await pipeline.settled();
    await completeUntil(Date.now());
    await expectWhole();
  }, 600_000);

  it('says quickly what stands: state follows its row within a minute', async () => {
    const rows = new Map((await valuesOf(LIFECYCLE)).map(({ record, value }) => [value.eventId, record.timestamp]));
    await pipeline.feed(20, 700);
    await pipeline.settled();
    await completeUntil(Date.now());
    const fresh = (await valuesOf(LIFECYCLE)).filter(({ value }) => !rows.has(value.eventId));
    const taken = new Map(
      (await valuesOf('transfer.state')).map(({ record, value }) => [value.eventId, record.timestamp]),
    );
    const ages = fresh.flatMap(
      ({ record, value }) => (taken.get(value.eventId) ?? record.timestamp) - record.timestamp,
    );
    expect(ages.length).toBeGreaterThan(60);
    expect(Math.max(...ages)).toBeLessThanOrEqual(60_000);
  }, 300_000);
});

describe('a stage that is frozen in a transaction', () => {
  it('holds the watermarks of the partitions that it writes to, and no others', async () => {
    const [chain] = pipeline.processes;
    await chain!.stop(20_000);
    await pipeline.startMore([CHAIN], { CORRIDOR_FAILPOINTS: 'eos.after-send=stop@4' });
    const frozen = pipeline.processes.at(-1)!;
    await pipeline.feed(30, 800);
    let before = '';
    const open = await until(async () => {
      const now = await openPartitions();
      const text = now.join();
      const isFrozen = text !== '' && text === before;
      before = text;
      return isFrozen ? now : undefined;
    });
    const frozenAt = Date.now();
    // Others are claimed to be complete until long after it: whoever claims, claims.
    const claimed = await until(async () => {
      const known = await claims();
      const others = [...known.values()].filter(({ partition }) => !open.includes(partition));
      return others.some((claim) => claim.completeUntil > frozenAt + FROZEN_MS) ? known : undefined;
    });
    expect(await openPartitions()).toEqual(expect.arrayContaining([...open]));
    for (const partition of open) expect(claimed.get(partition)!.completeUntil).toBeLessThan(frozenAt);
    await frozen.kill('SIGKILL');
    await pipeline.startMore([CHAIN]);
    await pipeline.settled(180_000);
    await completeUntil(Date.now());
    await expectWhole();
  }, 600_000);
});
