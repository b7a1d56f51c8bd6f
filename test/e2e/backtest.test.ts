// A backtest of what the pipeline really made: this build differs in nothing and writes nothing; a lowered limit, a name more on a
// list, a margin changed and a rule more differ in exactly the transfers that the log says they are about.
import { copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { publish } from '../../cli/publish.ts';
import { CORRIDORS } from '../../domain/corridors/corridor-table.ts';
import type { FedRecord } from '../../samples/fed-record.ts';
import { goodIntent } from '../../samples/intents.ts';
import { seeded } from '../../samples/random.ts';
import type { Parties, TransferPriced } from '../../schemas/types.generated.ts';
import { contracts, type TopicName, type TopicValues } from '../../topics/catalogue.ts';
import { runCorridor } from '../kit/corridor-command.ts';
import { useOwnStack } from '../kit/own-stack.ts';
import { TestPipeline } from '../kit/pipeline.ts';
import { readTopic } from '../kit/read-topic.ts';

const INPUTS = 320;
const LIMIT = 45_000n;
/** Nobody of the sample has it, and no list. */
const ODD_NAME = 'Zebulon Quackenbush';
const NAMED = 7;
const SAMPLE_LIST = path.resolve(import.meta.dirname, '../../screening/lists/sample');

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
    readonly changes: readonly {
      readonly money: Record<string, string>;
      readonly difference: Record<string, string>;
      readonly transfers: number;
    }[];
  }[];
  readonly sample: readonly { readonly transferId: string; readonly stage: string }[];
}

interface ChangedTransfer {
  readonly transferId: string;
  readonly stage: string;
  readonly was: { readonly verdict: string; readonly codes: readonly string[] };
  readonly would: { readonly verdict: string; readonly codes: readonly string[] };
}

/** Transfers to somebody of the odd name. */
async function feedNamed(): Promise<void> {
  const { log, codec, config } = pipeline.connections;
  const random = seeded(2718);
  const records = Array.from({ length: NAMED }, (_, at): FedRecord => {
    const id = (what: string) => `${what}-${at}-${process.pid}-${Date.now().toString(36)}`;
    const ids = { transferId: id('named-transfer'), customerId: id('customer'), beneficiaryId: id('beneficiary') };
    const intent = goodIntent(random, ids, Date.now());
    const parties = partiesOf(intent);
    const named = { ...parties, creditor: { ...parties.creditor, name: ODD_NAME } };
    const value = codec.encode('transfer.requested', { ...intent, parties: { 'corridor.Parties': named } });
    const { transferId } = ids;
    return { key: transferId, account: transferId, value, expected: 'COMPLETED', kind: 'named' };
  });
  for (const record of records) pipeline.books.fed(record);
  const writer = await log.writer('feed-named');
  await publish(records, { writer, chainPartitions: config.kafka.chainPartitions });
  await writer.close();
}

const partiesOf = ({ parties }: { readonly parties: object }): Parties =>
  (parties as { readonly 'corridor.Parties': Parties })['corridor.Parties'];
const fileOf = (name: string, content: unknown) => {
  const file = path.join(servers.stateDir, name);
  const asText = (_: string, value: unknown) => (typeof value === 'bigint' ? value.toString() : value);
  writeFileSync(file, JSON.stringify(content, asText));
  return file;
};
const ids = (of: readonly { readonly transferId: string }[]) => of.map(({ transferId }) => transferId).toSorted();

/** Run with something else in the place of what was: the report, and every change. */
async function changed(
  ...options: readonly string[]
): Promise<{ report: Report; changes: readonly ChangedTransfer[] }> {
  const file = path.join(servers.stateDir, 'changed.ndjson');
  rmSync(file, { force: true });
  const { code, stdout, stderr } = await run('--json', '--changes', file, ...options);
  expect(code, stderr + stdout).toBe(2);
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  return { report: JSON.parse(stdout) as Report, changes: lines.map((line) => JSON.parse(line) as ChangedTransfer) };
}

const run = (...options: readonly string[]) => runCorridor(['backtest', ...period, ...options], pipeline.env);
const stage = (report: Report, name: string) => report.stages.find((each) => each.stage === name)!;

const lowered = {
  ...{ ruleId: 'lower', subject: 'sender', metric: 'amount', currency: 'GBP', limitMinor: String(LIMIT) },
  ...{ window: { kind: 'calendar', unit: 'day', timeZone: 'UTC' }, action: 'reject', freedByReturn: true },
};

beforeAll(async () => {
  const began = Date.now();
  pipeline = await TestPipeline.create({ urls: servers.urls });
  await pipeline.start();
  await pipeline.feed(INPUTS, 3737);
  await feedNamed();
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
  writeFileSync(file, JSON.stringify([lowered]));
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
  const listed = lines.map((line) => JSON.parse(line) as ChangedTransfer);
  expect(ids(listed)).toEqual(ids(expected.map(({ envelope }) => envelope)));
  expect(new Set(listed.map((change) => change.stage))).toEqual(new Set(['LIMITS']));
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

describe('something else in the place of what was differs in exactly what it is about', () => {
  it('a name more on a list', async () => {
    const files = ['sdn.csv', 'alt.csv'].map((name) => {
      const copy = path.join(servers.stateDir, name);
      copyFileSync(path.join(SAMPLE_LIST, name), copy);
      return copy;
    });
    const row = `9990,"QUACKENBUSH, Zebulon","individual","CORRIDOR-SAMPLE",${'-0- ,'.repeat(7)}-0- \r\n`;
    writeFileSync(files[0]!, `${readFileSync(files[0]!, 'utf8').replace('\u001A', '')}${row}`);
    const imported = await runCorridor(
      ['lists', 'import', 'ofac', ...files, '--source', 'CORRIDOR', '--published', '2026-11-24', '--json'],
      pipeline.env,
    );
    expect(imported.code, imported.stderr + imported.stdout).toBe(0);
    const { versionId } = JSON.parse(imported.stdout) as { versionId: string };
    const { report, changes } = await changed('--lists', versionId);
    const expected = (await valuesOf('transfer.accepted')).filter(
      (event) => partiesOf(event).creditor.name === ODD_NAME,
    );
    expect(expected).toHaveLength(NAMED);
    expect(ids(changes)).toEqual(ids(expected.map(({ envelope }) => envelope)));
    for (const { stage: at, was, would } of changes) {
      expect([at, was.verdict, would.verdict]).toEqual(['SCREENING', 'PASSED', 'HELD']);
      expect(would.codes).toContain('CORRIDOR/9990');
    }
    expect(report).toMatchObject({ changed: NAMED, basis: { lists: versionId } });
  });

  /** The terms that the pipeline ran with, as a file. */
  const termsWith = (more: Readonly<Record<string, number>>) => ({
    ...{ name: 'house', version: '2', note: '', calendars: [], markets: [], taxes: [], settlements: [] },
    cancellations: [],
    margins: CORRIDORS.map(({ id, marginBps }) => ({
      ...{ termId: `${id.toLowerCase()}-margin`, where: { corridors: [id] }, marginBps: marginBps + (more[id] ?? 0) },
    })),
    lifetimes: CORRIDORS.map(({ id, priceTtlMs }) => ({
      ...{ termId: `${id.toLowerCase()}-lifetime`, where: { corridors: [id] }, bindsForMs: priceTtlMs },
    })),
    fees: CORRIDORS.flatMap(({ id, source, fees }) =>
      fees.map(({ code, flatMinor, bps, bearers }) => ({
        ...{
          termId: `${id}-${code}`.toLowerCase().replaceAll('_', '-'),
          code,
          currency: source.currency,
          flatMinor,
          bps,
        },
        where: { corridors: [id], ...(bearers && { bearers }) },
        ...{ minMinor: null, maxMinor: null },
      })),
    ),
  });

  it('the same terms in a file: nothing', async () => {
    const { code, stdout, stderr } = await run('--json', '--terms', fileOf('terms-same.json', termsWith({})));
    expect(code, stderr + stdout).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ same: true, changed: 0, basis: { terms: 'house@2' } });
  });

  it('a margin changed', async () => {
    const bps = 25;
    const { report, changes } = await changed('--terms', fileOf('terms.json', termsWith({ 'EU-IN': bps })));
    const expected = (await valuesOf('transfer.priced')).filter(
      ({ instruction }) => instruction.sourceCurrency === 'EUR' && instruction.targetCurrency === 'INR',
    );
    expect(expected.length).toBeGreaterThan(30);
    expect(ids(changes)).toEqual(ids(expected.map(({ envelope }) => envelope)));
    for (const { stage: at, would } of changes) {
      expect([at, would.verdict]).toEqual(['FX_PRICING', 'REPRICED']);
      expect(would.codes).toContain('marginBps');
    }
    // Both currencies have two digits: the credit is the principal at the rate less the margin, rounded down.
    const creditOf = ({ price }: TransferPriced, marginBps: number) => {
      const [whole, digits = ''] = price.legs[0]!.rate.split('.');
      return (
        (price.principal.minor * BigInt(`${whole}${digits}`) * BigInt(10_000 - marginBps)) /
        (10n ** BigInt(digits.length) * 10_000n)
      );
    };
    for (const each of expected) expect(creditOf(each, each.price.marginBps)).toBe(each.price.credit.minor);
    const less = expected.reduce(
      (sum, each) => sum + creditOf(each, each.price.marginBps + bps) - each.price.credit.minor,
      0n,
    );
    const kinds = stage(report, 'FX_PRICING').changes;
    expect(kinds.reduce((sum, { difference }) => sum + BigInt(difference['INR'] ?? 0), 0n)).toBe(less);
    expect(kinds.some(({ difference }) => 'EUR' in difference)).toBe(false);
  });

  it('a rule more', async () => {
    const rule = {
      ...{ id: 'says-what-for', authority: 'the house', link: 'https://example.com/rule', status: 'CONFIRMED' },
      ...{ validFrom: '2026-01-01', validTo: null, where: { corridors: ['US-IN'] }, reason: 'RR04' },
      require: [[{ field: 'nationalPurpose' }]],
    };
    const rules = { name: 'house', version: '2', note: '', arrangements: [], required: [rule], verification: [] };
    const { changes } = await changed('--rules', fileOf('rules.json', rules));
    const expected = (await valuesOf('transfer.accepted')).filter(
      ({ instruction }) => instruction.sourceCurrency === 'USD' && instruction.targetCurrency === 'INR',
    );
    expect(expected.length).toBeGreaterThan(30);
    const passed = changes.filter(({ was }) => was.verdict === 'PASSED');
    expect(ids(passed)).toEqual(ids(expected.map(({ envelope }) => envelope)));
    for (const { stage: at, would } of changes) {
      expect(at).toBe('INTAKE');
      expect(would.verdict).toBe('REJECTED');
      expect(would.codes).toContain('says-what-for');
    }
  });
});

it('writes every change as Parquet, as it writes it in JSON, and never over a file that is there', async () => {
  const file = path.join(servers.stateDir, 'changed.parquet');
  const terms = fileOf('terms-parquet.json', {});
  const rules = ['--limits', fileOf('limits-parquet.json', [lowered])];
  expect((await run('--terms', terms, '--changes', file)).code).toBe(1);
  expect(existsSync(file)).toBe(false);
  const { changes } = await changed(...rules);
  const { code, stderr } = await run('--json', ...rules, '--changes', file);
  expect(code, stderr).toBe(2);
  const rows = await parquetReadObjects({ file: await asyncBufferFromFile(file) });
  const listed = changes.map((change) => JSON.stringify([change.transferId, change.stage, change.was, change.would]));
  const inFile = rows.map(({ transferId, stage: at, wasVerdict, wasCodes, wouldVerdict, wouldCodes }) =>
    JSON.stringify([
      ...[transferId, at, { verdict: wasVerdict, codes: JSON.parse(wasCodes as string) }],
      { verdict: wouldVerdict, codes: JSON.parse(wouldCodes as string) },
    ]),
  );
  expect(inFile.length).toBeGreaterThan(10);
  expect(inFile).toEqual(listed);
  const again = await run(...rules, '--changes', file);
  expect(again.code).toBe(1);
  expect(again.stderr).toContain('FILE_NOT_WRITTEN');
});
