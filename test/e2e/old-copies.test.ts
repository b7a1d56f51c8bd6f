// A stranger with write access to every topic copies all that was ever written there, in order and out of order, beside
// transfers under way: nothing is paid again, no transfer gets a second end, and nobody is held up.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { caseStore } from '../../adapters/mongo/cases.ts';
import { PAYOUTS } from '../../adapters/mongo/payouts.ts';
import type { LogRecord, OutputRecord } from '../../ports/log.ts';
import { DEFAULT_MIX, type Mix } from '../../samples/sample.ts';
import { TRANSFERS } from '../../services/process-parts/sinks.ts';
import { headerText, RECOVERY_HEADER } from '../../topics/headers.ts';
import { deadLetterTopic } from '../../topics/recovery.ts';
import { useOwnStack } from '../kit/own-stack.ts';
import { TestPipeline } from '../kit/pipeline.ts';
import { readTopic } from '../kit/read-topic.ts';

const MAIN = path.resolve(import.meta.dirname, '../../cli/main.ts');
const NOTHING = Object.fromEntries(Object.keys(DEFAULT_MIX).map((kind) => [kind, 0])) as unknown as Mix;
const OLD: Mix = { ...NOTHING, held: 150, overLimit: 150, providerFails: 150, returned: 150 };

/** Who refuses a copy as a repeat, by what it reads. */
const REFUSED_BY = {
  screening: ['transfer.accepted'],
  'fx-pricing': ['transfer.screened', 'transfer.requote-requested'],
  limits: ['transfer.priced', 'transfer.rejected', 'transfer.completed', 'transfer.returned'],
  'payout-dispatch': ['transfer.reserved'],
  'payout-executor': ['payout.requested'],
} as const;
/** Copies of these are no dead letters: claims, unique ids and the order of values make them nothing. */
const ABSORBED = [
  'payout.updated',
  'review.decided',
  'transfer.held',
  'transfer.lifecycle',
  'intent.rejected',
  'fx.rates',
  'fx.accepted-rates',
  'screening.list-activated',
];

// Servers of its own: all that is in the log is copied and verified.
const servers = useOwnStack('copies', { ephemeral: true });
let pipeline: TestPipeline;
beforeAll(async () => {
  pipeline = await TestPipeline.create({ urls: servers.urls });
  await pipeline.start();
}, 300_000);
afterAll(() => pipeline?.close());

const corridor = (...args: string[]) =>
  spawnSync(process.execPath, [MAIN, ...args], { env: pipeline.env, encoding: 'utf8' });

async function until<T>(look: () => T | undefined | Promise<T | undefined>, what: string): Promise<T> {
  const deadline = performance.now() + 240_000;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error(`${what} did not come about; logs in ${pipeline.logFiles}`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

const executions = () =>
  readFileSync(pipeline.ledgerFile, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { kind: string; transferId: string })
    .filter(({ kind }) => kind === 'execution')
    .map(({ transferId }) => transferId)
    .toSorted();

/** Moved by looks for a return, which go on for days. */
const LOOKS = ['updatedAt', 'polls', 'nextPollAt', 'revision', 'changedAt', 'seal', 'stamp'] as const;

/** What MongoDB says of these transfers, but for when it was written or looked at. */
async function stored(ids: readonly string[]): Promise<unknown> {
  const db = await pipeline.connections.db();
  const of = (name: string) =>
    db
      .collection<{ _id: string }>(name)
      .find(
        { _id: { $in: [...ids] } },
        { projection: Object.fromEntries(LOOKS.map((field) => [field, 0])), sort: { _id: 1 } },
      )
      .toArray();
  return [await of(TRANSFERS), await of(PAYOUTS)];
}

/** Records of this run: the log of the tests is shared. */
async function readAll(topic: string, ids: ReadonlySet<string>): Promise<readonly LogRecord[]> {
  const records = await readTopic(pipeline.connections.log, topic);
  const isTable = topic.startsWith('fx.') || topic === 'screening.list-activated';
  return records.filter(({ key }) => isTable || ids.has(key?.toString() ?? ''));
}

const refused = async (owner: string, ids: ReadonlySet<string>) =>
  (await readAll(deadLetterTopic(owner), ids)).filter(
    ({ headers }) => headerText(headers, RECOVERY_HEADER.deadLetterCode) === 'EVENT_REPEATED',
  ).length;

it('copies of every record of finished transfers change nothing', async () => {
  const old = await pipeline.feed(24, 11, { mix: OLD });
  await pipeline.settled(180_000);
  const ids = new Set(old.map(({ account }) => account));
  // One of those that are held is paid after all, so that a decision is among what is copied.
  const held = await caseStore(await pipeline.connections.db()).list({ state: 'OPEN', limit: 1 });
  const { _id, evidenceHash, transferId } = held[0]!;
  const decided = corridor(
    'cases',
    'decide',
    _id,
    '--approve',
    '--code',
    'OTHER_NAME',
    '--reason',
    'x',
    '--evidence',
    evidenceHash,
    '--by',
    'amara',
  );
  expect(decided.status, decided.stderr).toBe(0);
  const paid = await until(() => (executions().includes(transferId) ? executions() : undefined), 'the payment');
  await until(async () => {
    const found = await (await pipeline.connections.db())
      .collection<{ _id: string; state: string }>(TRANSFERS)
      .findOne({ _id: transferId });
    return found?.state === 'COMPLETED' ? found : undefined;
  }, 'the completion');
  const before = await stored([...ids]);

  const topics = [...Object.values(REFUSED_BY).flat(), ...ABSORBED];
  const copies = new Map(await Promise.all(topics.map(async (topic) => [topic, await readAll(topic, ids)] as const)));
  for (const topic of ['payout.updated', 'review.decided', 'transfer.held', 'transfer.returned', 'fx.rates']) {
    expect(copies.get(topic)!.length, topic).toBeGreaterThan(0);
  }
  const stranger = await pipeline.connections.log.writer('stranger');
  const write = (records: readonly LogRecord[]) =>
    stranger.send(
      records.map(({ topic, partition, key, value, headers }) => ({
        topic,
        partition,
        key,
        value,
        headers: headers as OutputRecord['headers'],
      })),
    );
  const fed = await pipeline.feed(12, 12, { mix: NOTHING });
  for (const records of copies.values()) if (records.length > 0) await write(records);
  for (const records of copies.values()) if (records.length > 0) await write(records.toReversed());
  await stranger.close();

  const isDue = Object.entries(REFUSED_BY).map(
    ([owner, read]) => [owner, 2 * read.reduce((sum, topic) => sum + copies.get(topic)!.length, 0)] as const,
  );
  for (const [owner, due] of isDue) {
    await until(async () => ((await refused(owner, ids)) >= due ? true : undefined), `${due} repeats at ${owner}`);
    expect(await refused(owner, ids), owner).toBe(due);
  }
  const live = fed.map(({ account }) => account);
  await until(() => (live.every((id) => executions().includes(id)) ? true : undefined), 'the live transfers');
  expect(executions()).toEqual([...paid, ...live].toSorted());
  expect(await stored([...ids])).toEqual(before);

  const report = corridor('verify', '--wait-quiet', '5', '--json', '--no-limits');
  expect(report.stdout, report.stderr).not.toBe('');
  const { codes } = JSON.parse(report.stdout) as { codes: Record<string, number> };
  expect(Object.keys(codes).toSorted()).toEqual([
    // Copies of rows are copies of what was made of them, too.
    ...['EVENT_REPEATED', 'INPUT_ENDED_TWICE', 'MONEY_REPEATED', 'POSITION_REPEATED'],
  ]);
}, 600_000);
