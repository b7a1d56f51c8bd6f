// kill -9 of the process that runs the chain, ten times in the middle of 5,000 transfers, at failpoints between side
// effects and at random. Every transfer must end once, where it was expected; the provider, whose own protection against
// duplicates is off, must have executed each paid transfer once and nothing else; every topic must hold each event once.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import type { FedRecord } from '../../samples/fed-record.ts';
import { seeded } from '../../samples/random.ts';
import { readLedger, summarise } from '../../simulator/ledger.ts';
import { contracts, type TopicName } from '../../topics/catalogue.ts';
import { TestPipeline } from '../kit/pipeline.ts';
import { readTopic } from '../kit/read-topic.ts';

const TRANSFERS = Number(process.env['CORRIDOR_CRASH_TRANSFERS'] ?? 5_000);
const KILLS = 10;
const SEED = Number(process.env['CORRIDOR_CRASH_SEED'] ?? Date.now() % 100_000);
/** A process that has not reached its failpoint by then is killed where it is, ms. */
const ARMED_MS = 10_000;

/** Between two side effects: after a claim and before its event, inside a transaction, around a payout. */
const FAILPOINTS = [
  'intake.after-claim',
  'intent-claims.after-insert',
  'limits.after-ledger',
  'settlement.after-claim',
  'settlement-claims.after-insert',
  'eos.before-send',
  'eos.after-send',
  'eos.after-send-offsets',
  'eos.commit-sent',
  'eos.after-commit',
  'payout.after-insert',
  'payout.after-submit',
  'payout.after-outcome-write',
  'payout.after-publish',
];

let pipeline: TestPipeline;
beforeAll(async () => {
  pipeline = await TestPipeline.create({ urls: inject('stack'), duplicateProtection: 'off' });
}, 120_000);
afterAll(async () => {
  await pipeline?.close();
});

it(`survives ${KILLS} kills in ${TRANSFERS} transfers (seed ${SEED})`, async () => {
  const random = seeded(SEED);
  const { log } = pipeline.connections;
  const names = Object.values(contracts).map(({ name }) => name);
  const ranges = await log.reader().offsets([...names, 'intake.dlq']);
  const before = new Map(ranges.map(({ topic, partition, to }) => [`${topic}/${partition}`, to]));

  const fed: FedRecord[] = [];
  const report: string[] = [];
  for (let kill = 0; kill < KILLS; kill++) {
    const failpoint = kill % 3 === 2 ? undefined : FAILPOINTS[(kill + SEED) % FAILPOINTS.length]!;
    report.push(await liveAndDie(kill, failpoint, random, fed));
  }
  await pipeline.start();
  await pipeline.settled(90_000);
  process.stderr.write(`kills (seed ${SEED}):\n${report.map((line) => `  ${line}\n`).join('')}`);
  // At least a third must have died exactly between two side effects, or the test tests too little.
  expect(report.filter((line) => line.startsWith('at failpoint')).length).toBeGreaterThanOrEqual(KILLS / 3);

  await expectOneExecutionEach(fed);
  await expectEachEventOnce(before, fed);
}, 600_000);

/** One life of the process: started, given work, and killed in the middle of it. Says how it died. */
async function liveAndDie(
  kill: number,
  failpoint: string | undefined,
  random: ReturnType<typeof seeded>,
  fed: FedRecord[],
): Promise<string> {
  const logFile = path.join(pipeline.logFiles, `failpoints-${kill}.log`);
  const nth = 1 + random.below(4);
  const armed = { CORRIDOR_FAILPOINTS: `${failpoint}=kill@${nth}`, CORRIDOR_FAILPOINT_LOG: logFile };
  // It may reach its failpoint with what the one before it left, before it is ready.
  const started = await pipeline.start(failpoint ? armed : {}).then(
    () => true,
    () => false,
  );
  const feeding = pipeline.feed(TRANSFERS / KILLS, SEED + kill).then((records) => fed.push(...records));
  if (started) {
    await Promise.race([pipeline.processes[0]!.exited, sleep(failpoint ? ARMED_MS : 200 + random.below(2_000))]);
  }
  await feeding;
  await pipeline.kill();
  const hit = failpoint && existsSync(logFile) && readFileSync(logFile, 'utf8').includes(`kill ${failpoint}`);
  return hit
    ? `at failpoint ${failpoint}, time ${nth}`
    : `at random${failpoint ? ` (${failpoint} was not reached)` : ''}`;
}

async function expectOneExecutionEach(fed: readonly FedRecord[]): Promise<void> {
  const { byTransfer, executedTwice } = await summarise(readLedger(pipeline.ledgerFile));
  expect(executedTwice).toEqual([]);
  const paid = new Set(
    fed.filter(({ expected }) => expected === 'COMPLETED' || expected === 'RETURNED').map((r) => r.account),
  );
  const executed = new Set([...byTransfer].filter(([, { executions }]) => executions > 0).map(([id]) => id));
  expect([...paid].filter((id) => !executed.has(id))).toEqual([]);
  expect([...executed].filter((id) => !paid.has(id))).toEqual([]);
}

/**
 * Reads every topic (read_committed) from where it was before the run, and compares with what was fed. The servers are
 * shared, so what other tests left to be done is done here too: it is left out, by its key.
 */
async function expectEachEventOnce(before: ReadonlyMap<string, number>, fed: readonly FedRecord[]): Promise<void> {
  const count = (...ends: readonly FedRecord['expected'][]) =>
    fed.filter(({ expected }) => ends.includes(expected)).length;
  const overLimit = fed.filter(({ kind }) => kind === 'over-daily-limit').length;
  const transfers = count('COMPLETED', 'REJECTED', 'HELD', 'RETURNED');
  const screened = transfers - count('HELD');
  const reserved = screened - overLimit;
  const expected: Partial<Record<TopicName | 'intake.dlq', number>> = {
    'transfer.accepted': transfers,
    'transfer.screened': screened,
    'transfer.held': count('HELD'),
    'transfer.rejected': count('REJECTED'),
    'transfer.completed': count('COMPLETED', 'RETURNED'),
    'transfer.returned': count('RETURNED'),
    'intent.rejected': count('INTENT_REJECTED'),
    'intent.duplicated': count('DUPLICATE'),
    'intake.dlq': count('UNDECODABLE'),
    'transfer.priced': screened,
    'transfer.reserved': reserved,
    'payout.requested': reserved,
    'transfer.requote-requested': 0,
  };
  const keys = new Set(fed.map(({ key }) => key));
  const found: Record<string, number> = {};
  for (const topic of Object.keys(expected)) {
    const all = await readTopic(pipeline.connections.log, topic, before);
    const records = all.filter(({ key }) => keys.has(String(key)));
    found[topic] = records.length;
    const ids = records.map(({ headers }) => headers['event-id']?.toString()).filter((id) => id !== undefined);
    expect(new Set(ids).size, `${topic} holds an event twice`).toBe(ids.length);
  }
  const others = Object.keys(expected).filter((topic) => found[topic] !== expected[topic as TopicName]);
  expect(found, `of ${others}`).toEqual(expected);
}
