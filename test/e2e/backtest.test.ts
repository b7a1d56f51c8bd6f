// A backtest of what the pipeline really made: this build differs in nothing and writes nothing; a lowered limit differs in exactly
// the transfers that the log says are above it.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { contracts, type TopicName, type TopicValues } from '../../topics/catalogue.ts';
import { runCorridor } from '../kit/corridor-command.ts';
import { useOwnStack } from '../kit/own-stack.ts';
import { TestPipeline } from '../kit/pipeline.ts';
import { readTopic } from '../kit/read-topic.ts';

const INPUTS = 320;
const LIMIT = 45_000n;

const servers = useOwnStack('backtest', { ephemeral: true });
let pipeline: TestPipeline;
let period: readonly string[];

async function valuesOf<T extends TopicName>(topic: T): Promise<readonly TopicValues[T][]> {
  const { log, codec } = pipeline.connections;
  await codec.load([topic]);
  const records = await readTopic(log, topic);
  const results = await codec.decode(
    topic,
    records.map(({ value }) => value),
  );
  return results.flatMap((result) => (result.ok ? [result.value] : []));
}

interface Report {
  readonly same: boolean;
  readonly compared: number;
  readonly changed: number;
  readonly isShort: boolean;
  readonly unreadIntents: number;
  readonly unproven: number;
  readonly stages: readonly {
    readonly stage: string;
    readonly compared: number;
    readonly changed: number;
    readonly open: number;
    readonly changes: readonly { readonly money: Record<string, string>; readonly transfers: number }[];
  }[];
  readonly sample: readonly { readonly transferId: string; readonly stage: string }[];
}

const run = (...options: readonly string[]) => runCorridor(['backtest', ...period, ...options], pipeline.env);
const stage = (report: Report, name: string) => report.stages.find((each) => each.stage === name)!;

beforeAll(async () => {
  const began = Date.now();
  pipeline = await TestPipeline.create({ urls: servers.urls });
  await pipeline.start();
  await pipeline.feed(INPUTS, 3737);
  await pipeline.settled();
  await pipeline.stop();
  const instant = (at: number) => new Date(at).toISOString();
  period = ['--from', instant(began), '--to', instant(Date.now() + 60_000)];
}, 600_000);
afterAll(() => pipeline?.close());

it('an unchanged build differs in nothing, and the log is as it was', async () => {
  const names = Object.values(contracts).map(({ name }) => name);
  const before = await pipeline.connections.log.reader().offsets(names);
  const { code, stdout, stderr } = await run('--json');
  expect(code, stderr + stdout).toBe(0);
  const report = JSON.parse(stdout) as Report;
  expect(report).toMatchObject({
    same: true,
    conclusion: 'SAME',
    uncompared: [],
    undecodable: 0,
    changed: 0,
    isShort: false,
    unproven: 0,
    sample: [],
  });
  // Producers wrote what nobody could read, then as now.
  expect(report.unreadIntents).toBeGreaterThan(0);
  const accepted = (await valuesOf('transfer.accepted')).length;
  const priced = (await valuesOf('transfer.priced')).length;
  expect(accepted).toBeGreaterThan(INPUTS / 2);
  expect(stage(report, 'INTAKE').compared).toBeGreaterThan(accepted);
  expect(stage(report, 'SCREENING')).toMatchObject({ compared: accepted, open: 0 });
  expect(stage(report, 'FX_PRICING')).toMatchObject({ compared: priced, open: 0 });
  expect(stage(report, 'LIMITS')).toMatchObject({ compared: priced, open: 0 });
  expect(await pipeline.connections.log.reader().offsets(names)).toEqual(before);
});

it('a lowered limit differs in exactly the transfers above it, and says so to whoever gates on it', async () => {
  const file = path.join(servers.stateDir, 'limits.json');
  const changesFile = path.join(servers.stateDir, 'changes.ndjson');
  const rule = {
    ...{ ruleId: 'lower', subject: 'sender', metric: 'amount', currency: 'GBP', limitMinor: String(LIMIT) },
    ...{ window: { kind: 'calendar', unit: 'day', timeZone: 'UTC' }, action: 'reject', freedByReturn: true },
  };
  writeFileSync(file, JSON.stringify([rule]));
  const { code, stdout, stderr } = await run('--json', '--limits', file, '--sample', '5', '--changes', changesFile);
  expect(code, stderr).toBe(2);
  const report = JSON.parse(stdout) as Report;
  // Each sender of the sample sends once.
  const stopped = new Map(
    (await valuesOf('transfer.rejected'))
      .filter((event) => event.stage === 'LIMITS')
      .map(({ envelope }) => [envelope.transferId, 'REJECTED']),
  );
  for (const { envelope, hold } of await valuesOf('transfer.held'))
    if (hold.stage === 'LIMITS') stopped.set(envelope.transferId, 'HELD');
  const expected = (await valuesOf('transfer.priced')).filter(({ envelope, price }) => {
    const isAbove = price.debit.currency === 'GBP' && price.debit.minor > LIMIT;
    return (isAbove ? 'REJECTED' : 'PASSED') !== (stopped.get(envelope.transferId) ?? 'PASSED');
  });
  expect(expected.length).toBeGreaterThan(10);
  const lines = readFileSync(changesFile, 'utf8').trimEnd().split('\n');
  const changed = lines.map((line) => JSON.parse(line) as { readonly transferId: string; readonly stage: string });
  const ids = (of: readonly { readonly transferId: string }[]) => of.map(({ transferId }) => transferId).toSorted();
  expect(ids(changed)).toEqual(ids(expected.map(({ envelope }) => envelope)));
  expect(new Set(changed.map((change) => change.stage))).toEqual(new Set(['LIMITS']));
  expect(report).toMatchObject({ same: false, changed: expected.length });
  expect(report.sample).toHaveLength(5);
  const { changes } = stage(report, 'LIMITS');
  const sum = changes.reduce((total, { money }) => total + BigInt(money['GBP'] ?? 0), 0n);
  const debits = expected.filter(({ price }) => price.debit.currency === 'GBP').map(({ price }) => price.debit.minor);
  expect(sum).toBe(debits.reduce((total, minor) => total + minor, 0n));
  const table = await run('--limits', file);
  expect(table.code, table.stderr).toBe(2);
  expect(table.stdout).toContain(`${expected.length} transfers would have been decided otherwise.`);
  rmSync(changesFile);
});

it('a period of nothing is not taken for one in which nothing differs', async () => {
  const { code, stdout } = await runCorridor(
    ['backtest', '--from', '2020-01-01T00:00:00Z', '--to', '2020-01-02T00:00:00Z', '--json'],
    pipeline.env,
  );
  expect(code).toBe(3);
  expect(JSON.parse(stdout)).toMatchObject({ same: false, compared: 0 });
});
