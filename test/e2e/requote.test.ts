// Prices that end before anything is paid, on the real stack: each transfer is priced again and paid once. Then MongoDB is
// put back under the executor, and what the runbook says brings every transfer to its one payment, or to a person.
// The provider protects from no duplicates: its ledger is the witness. On servers of its own, since it sets offsets back.
import { readFileSync } from 'node:fs';
import type { Collection } from 'mongodb';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { PayoutDocument } from '../../adapters/mongo/payout-document.ts';
import { PAYOUTS } from '../../adapters/mongo/payouts.ts';
import { groupId } from '../../ports/consumer-groups/names.ts';
import { DEFAULT_MIX, type Mix } from '../../samples/sample.ts';
import { deadLetterTopic } from '../../topics/recovery.ts';
import { corridorsFile } from '../kit/corridors-file.ts';
import { useOwnStack } from '../kit/own-stack.ts';
import { TestPipeline } from '../kit/pipeline.ts';
import { readTopic } from '../kit/read-topic.ts';

/** Only good ones. */
const GOOD = Object.fromEntries(Object.keys(DEFAULT_MIX).map((kind) => [kind, 0])) as unknown as Mix;
const POLLING = { timeout: 240_000, interval: 200 };
/** Payout dispatch asks for 30 s of it: what is left is enough for a starved machine, and short enough to be waited for. */
const PRICE_MS = 60_000;
const UP_TO_DISPATCH = ['--processors', 'intake,screening,fx-pricing,limits,payout-dispatch', '--sinks', 'all'];
const SETTLEMENT = ['--processors', 'settlement'];
const EXECUTOR = ['--payouts'];

const servers = useOwnStack('requote', { ephemeral: true });
let pipeline: TestPipeline;
let payouts: Collection<PayoutDocument>;

beforeAll(async () => {
  const corridors = corridorsFile(servers.stateDir, (corridor) => ({ ...corridor, priceTtlMs: PRICE_MS }));
  pipeline = await TestPipeline.create({
    urls: servers.urls,
    processes: [UP_TO_DISPATCH],
    duplicateProtection: 'off',
    env: { CORRIDOR_CORRIDORS_FILE: corridors },
  });
  payouts = (await pipeline.connections.db()).collection(PAYOUTS);
}, 240_000);
afterAll(() => pipeline?.close());

type Line = { readonly kind: string; readonly transferId: string; readonly key: string };
const ledger = (): readonly Line[] =>
  readFileSync(pipeline.ledgerFile, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
const executionsOf = (id: string) =>
  ledger().filter(({ kind, transferId }) => kind === 'execution' && transferId === id);

async function feed(count: number, seed: number): Promise<readonly string[]> {
  return (await pipeline.feed(count, seed, { mix: GOOD })).map(({ account }) => account);
}

const phasesOf = async (ids: readonly string[]) => {
  const found = await payouts.find({ _id: { $in: [...ids] } }, { projection: { phase: 1 } }).toArray();
  return found.map(({ phase }) => phase);
};

it('pays once what was priced again, and after a restore of MongoDB nothing twice', async () => {
  await pipeline.start();
  const ids = await feed(6, 1);
  const requested = async () => {
    const { log, codec } = pipeline.connections;
    const records = await readTopic(log, 'payout.requested');
    const decoded = await codec.decode(
      'payout.requested',
      records.map(({ value }) => value),
    );
    return decoded.flatMap((result) => (result.ok ? [result.value] : []));
  };
  await pipeline.connections.codec.load(['payout.requested']);
  await vi.waitFor(async () => expect(await requested()).toHaveLength(ids.length), POLLING);
  const over = Math.max(...(await requested()).map(({ price }) => price.expiresAt));
  await vi.waitFor(() => expect(Date.now()).toBeGreaterThan(over), POLLING);

  await pipeline.startMore([EXECUTOR]);
  await vi.waitFor(async () => expect(await phasesOf(ids)).toEqual(ids.map(() => 'EXPIRED')), POLLING);
  expect(ledger()).toEqual([]);
  // As a backup would have them.
  const backup = await payouts.find({ _id: { $in: [...ids] } }).toArray();
  await pipeline.startMore([SETTLEMENT]);
  await pipeline.settled(240_000);
  expect(await phasesOf(ids)).toEqual(ids.map(() => 'PAID'));
  for (const id of ids) expect(executionsOf(id)).toHaveLength(1);
  const repriced = (await requested()).filter(({ envelope }) => envelope.attempt > 1);
  expect(new Set(repriced.map(({ envelope }) => envelope.transferId))).toEqual(new Set(ids));

  // One that is paid as it comes: its first attempt is not claimed.
  const [asItCame] = (await feed(1, 2)) as [string];
  await pipeline.settled(240_000);
  await restored(backup, asItCame);
}, 900_000);

/** The database loses what came after the backup; then what docs/payouts.md says after a restore. */
async function restored(backup: readonly PayoutDocument[], gone: string): Promise<void> {
  const executor = pipeline.processes[1]!;
  await executor.stop(20_000);
  await payouts.deleteMany({});
  const [claimedAndGone, ...kept] = backup;
  await payouts.insertMany(kept);
  const { log, config } = pipeline.connections;
  const admin = await log.admin();
  const partitions = Array.from({ length: config.kafka.chainPartitions }, (_, partition) => partition);
  const topic = 'payout.requested';
  await admin.setOffsets(
    groupId(config.appName, 'payout-executor'),
    partitions.map((partition) => ({ topic, partition, offset: 0, note: '' })),
  );
  await admin.close();
  const submits = () => ledger().filter(({ kind }) => kind === 'submit').length;
  const before = submits();
  pipeline.env['CORRIDOR_PAYOUT_ASK_FIRST'] = 'true';
  await pipeline.startMore([EXECUTOR]);

  // Nothing says with what the first was claimed but the log; what was sent as it came is asked about, and is found.
  await vi.waitFor(async () => expect(await phasesOf([gone])).toEqual(['PAID']), POLLING);
  await vi.waitFor(async () => {
    const stopped = await payouts.find({ _id: { $in: kept.map(({ _id }) => _id) } }).toArray();
    for (const { cases } of stopped) expect(cases.map(({ code }) => code)).toContain('ROLLED_BACK');
    const letters = await readTopic(log, deadLetterTopic('payout-executor'));
    const codes = letters.map(({ headers }) => headers['dlq-error-code']?.toString());
    expect(new Set(codes)).toEqual(new Set(['PAYOUT_ROLLED_BACK']));
    const named = new Set(letters.map(({ key }) => key?.toString()));
    expect(named).toEqual(new Set(backup.map(({ _id }) => _id)));
  }, POLLING);
  expect(await phasesOf([claimedAndGone!._id])).toEqual([]);
  expect(submits()).toBe(before);
  for (const id of [gone, ...backup.map(({ _id }) => _id)]) expect(executionsOf(id)).toHaveLength(1);
}
