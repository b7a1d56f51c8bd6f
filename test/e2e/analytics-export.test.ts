// From the chain to an analyst: an export that is killed again and again, read by DuckDB, and twenty questions whose answers are
// recomputed from the log itself.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seeded } from '../../samples/random.ts';
import type {
  IntentDuplicated,
  IntentRejected,
  Parties,
  TransferLifecycle,
  TransferRequested,
} from '../../schemas/types.generated.ts';
import type { TopicName, TopicValues } from '../../topics/catalogue.ts';
import { runCorridor } from '../kit/corridor-command.ts';
import { useOwnStack } from '../kit/own-stack.ts';
import { TestPipeline } from '../kit/pipeline.ts';
import { pythonWith } from '../kit/python.ts';
import { readTopic } from '../kit/read-topic.ts';

const EXAMPLES = path.resolve(import.meta.dirname, '../../docs/examples/analytics');
const MAIN = path.resolve(import.meta.dirname, '../../cli/main.ts');
const KILLS = 20;
const TRANSFERS = 240;

const servers = useOwnStack('analytics', { ephemeral: true });
const folder = mkdtempSync(path.join(tmpdir(), 'corridor-analytics-'));
const plain = mkdtempSync(path.join(tmpdir(), 'corridor-analytics-plain-'));
let pipeline: TestPipeline;
let python: string;
let events: readonly TransferLifecycle[];
let refused: readonly IntentRejected[];
let duplicated: readonly IntentDuplicated[];
let answers: Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>;

async function valuesOf<T extends TopicName>(topic: T): Promise<readonly TopicValues[T][]> {
  const { log, codec } = pipeline.connections;
  await codec.load([topic]);
  const records = await readTopic(log, topic);
  const results = await codec.decode(
    topic,
    records.map(({ value }) => value),
  );
  return results.map((result) => {
    if (!result.ok) throw new Error(result.detail);
    return result.value;
  });
}

/** Those that can be decoded. */
async function intents(): Promise<readonly TransferRequested[]> {
  const { log, codec } = pipeline.connections;
  const records = await readTopic(log, 'transfer.requested');
  const results = await codec.decode(
    'transfer.requested',
    records.map(({ value }) => value),
  );
  return results.flatMap((result) => (result.ok ? [result.value] : []));
}

/** Who is who, and where: what is long enough not to be met by chance. */
function personalIn(parties: TransferRequested['parties']): readonly string[] {
  const { debtor, creditor } = (parties as { readonly 'corridor.Parties': Parties })['corridor.Parties'];
  return [debtor, creditor]
    .flatMap(({ name, customerId, address, account }) => [name, customerId, address ?? '', account.value])
    .filter((text) => text.length >= 8);
}

/** Ends the export with kill -9 after so long, unless it has ended. */
async function killedAfter(ms: number): Promise<void> {
  const child = spawn(process.execPath, [MAIN, 'analytics', 'export', folder], { env: pipeline.env, stdio: 'ignore' });
  const timer = setTimeout(() => child.kill('SIGKILL'), ms);
  await once(child, 'close');
  clearTimeout(timer);
}

beforeAll(async () => {
  python = await pythonWith(path.join(EXAMPLES, 'requirements.txt'));
  pipeline = await TestPipeline.create({ urls: servers.urls });
  await pipeline.start();
  await pipeline.feed(TRANSFERS, 4711);
  await pipeline.settled();
  const random = seeded(20261130);
  // How long a process takes to come to the files differs by machine: some are killed before, some behind.
  for (let kill = 0; kill < KILLS; kill++) await killedAfter(500 + random.below(4_000));
  const { code, stderr } = await runCorridor(['analytics', 'export', folder], pipeline.env);
  expect(code, stderr).toBe(0);
  [events, refused, duplicated] = await Promise.all([
    valuesOf('transfer.lifecycle'),
    valuesOf('intent.rejected'),
    valuesOf('intent.duplicated'),
  ]);
  const asked = spawnSync(python, [path.join(EXAMPLES, 'ask.py'), folder, '--json'], { encoding: 'utf8' });
  expect(asked.status, asked.stderr).toBe(0);
  answers = JSON.parse(asked.stdout) as typeof answers;
}, 900_000);
afterAll(async () => {
  await pipeline?.close();
  for (const each of [folder, plain]) rmSync(each, { recursive: true, force: true });
});

describe('after twenty kills', () => {
  it('each record of the log is one row', () => {
    const code = [
      'import duckdb, sys, json',
      'db = duckdb.connect()',
      'rows = lambda topic: [r[0] for r in db.execute(f"SELECT eventId FROM read_parquet(\'{sys.argv[1]}/{topic}/**/*.parquet\')").fetchall()]',
      'print(json.dumps({topic: rows(topic) for topic in ("transfer.lifecycle", "intent.rejected", "intent.duplicated")}))',
    ].join('\n');
    const { stdout, stderr, status } = spawnSync(python, ['-c', code, folder], { encoding: 'utf8' });
    expect(status, stderr).toBe(0);
    const exported = JSON.parse(stdout) as Record<string, string[]>;
    const ids = (values: readonly { readonly eventId: string }[]) => values.map(({ eventId }) => eventId).toSorted();
    expect(exported['transfer.lifecycle']!.toSorted()).toEqual(ids(events));
    expect(exported['intent.rejected']!.toSorted()).toEqual(ids(refused));
    expect(exported['intent.duplicated']!.toSorted()).toEqual(ids(duplicated));
  });

  it('the manifest says what is there, that each seal was looked at, and an export with nothing new adds nothing', async () => {
    const lines = readFileSync(path.join(folder, '_manifests', 'transfer.lifecycle-p0.ndjson'), 'utf8').trimEnd();
    const [, ...chunks] = lines.split('\n').map((line) => JSON.parse(line) as { unproven: number | null });
    for (const { unproven } of chunks) expect(unproven).toBe(0);
    const { stdout, code } = await runCorridor(['analytics', 'export', folder, '--json'], pipeline.env);
    expect(code).toBe(0);
    for (const { rows } of JSON.parse(stdout) as { rows: number }[]) expect(rows).toBe(0);
  });

  it('holds nothing of a person', async () => {
    const { code, stderr } = await runCorridor(['analytics', 'export', plain, '--format', 'ndjson'], pipeline.env);
    expect(code, stderr).toBe(0);
    const files = readdirSync(plain, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ndjson'));
    const text = files.map((name) => readFileSync(path.join(plain, name), 'utf8')).join('\n');
    expect(text).toContain(events[0]!.eventId);
    const planted = new Set((await intents()).flatMap(({ parties }) => personalIn(parties)));
    expect(planted.size).toBeGreaterThan(TRANSFERS);
    expect([...planted].filter((each) => text.includes(each))).toEqual([]);
  });
});

// Rows by hand, as a program would count them that knows nothing of SQL.
type Row = readonly (string | number | bigint | null)[];
const text = (row: readonly unknown[]): string => row.map((cell) => (cell === null ? '-' : String(cell))).join(' ');
const sorted = (rows: readonly Row[]) => rows.map(text).toSorted();
const answered = (question: string, ...columns: readonly string[]) =>
  answers[question]!.map((row) => text(columns.map((column) => row[column]))).toSorted();

/** Counts, and sums what `of` gives, by key. */
function tally<T>(items: readonly T[], keyOf: (item: T) => Row, ...sums: ((item: T) => bigint)[]): readonly Row[] {
  const found = new Map<string, { key: Row; count: number; sums: bigint[] }>();
  for (const item of items) {
    const key = keyOf(item);
    const entry = found.get(text(key)) ?? { key, count: 0, sums: sums.map(() => 0n) };
    entry.count += 1;
    for (const [at, of] of sums.entries()) entry.sums[at]! += of(item);
    found.set(text(key), entry);
  }
  return [...found.values()].map(({ key, count, sums: totals }) => [...key, count, ...totals]);
}
const minor = (value: bigint | null): bigint => BigInt(value ?? 0n);
const inState = (...states: string[]) => events.filter(({ state }) => states.includes(state));
const distinct = <T>(items: readonly T[], keyOf: (item: T) => string) => [
  ...new Map(items.map((item) => [keyOf(item), item])).values(),
];
const latest = () => {
  const rank = ({ sequence, eventKind }: TransferLifecycle) => sequence * 2 + (eventKind === 'MARK' ? 1 : 0);
  const rows = new Map<string, TransferLifecycle>();
  for (const event of events) {
    const known = rows.get(event.transferId);
    if (!known || rank(event) > rank(known)) rows.set(event.transferId, event);
  }
  return [...rows.values()];
};
const atRank = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(values.length * share) - 1)]!;

describe('an analyst’s question', () => {
  it('each has an answer', () => {
    expect(Object.keys(answers)).toHaveLength(20);
    expect(events.length).toBeGreaterThan(TRANSFERS);
  });

  it('1, 2: volume and revenue', () => {
    const done = inState('COMPLETED');
    const byCorridor = ({ corridorId, sourceCurrency }: TransferLifecycle): Row => [corridorId, sourceCurrency];
    expect(answered('01-volume-by-corridor', 'corridorId', 'sourceCurrency', 'transfers', 'debitMinor')).toEqual(
      sorted(tally(done, byCorridor, ({ debitMinor }) => minor(debitMinor))),
    );
    expect(done.every(({ marginMinor }) => marginMinor !== null)).toBe(true);
    const [fees, margin] = [
      ({ feesMinor }: TransferLifecycle) => minor(feesMinor),
      ({ marginMinor }: TransferLifecycle) => minor(marginMinor),
    ];
    const earned = tally(done, byCorridor, fees, margin, (one) => fees(one) + margin(one));
    expect(
      answered('02-revenue-by-corridor', 'corridorId', 'sourceCurrency', 'feesMinor', 'marginMinor', 'revenueMinor'),
    ).toEqual(sorted(earned.map(([corridor, currency, , ...sums]) => [corridor!, currency!, ...sums])));
  });

  it('3, 4, 5: the funnel, and how long things take', () => {
    const transitions = events.filter(({ eventKind }) => eventKind === 'TRANSITION');
    const reached = distinct(transitions, ({ state, transferId }) => `${state} ${transferId}`);
    expect(answered('03-funnel', 'state', 'transfers')).toEqual(sorted(tally(reached, ({ state }) => [state])));
    const timed = transitions.filter(({ previousOccurredAt }) => previousOccurredAt !== null);
    const stays = Map.groupBy(timed, ({ previousState }) => previousState!);
    const rows = [...stays].map(([state, rowsOf]): Row => {
      const times = rowsOf.map(({ occurredAt, previousOccurredAt }) => occurredAt - previousOccurredAt!);
      return [state, times.length, atRank(times, 0.5), atRank(times, 0.95)];
    });
    expect(answered('04-time-in-state', 'previousState', 'times', 'p50Ms', 'p95Ms')).toEqual(sorted(rows));
    const begun = new Map(inState('ACCEPTED').map(({ transferId, occurredAt }) => [transferId, occurredAt]));
    const byCorridor = Map.groupBy(inState('COMPLETED'), ({ corridorId }) => corridorId!);
    const whole = [...byCorridor].map(([corridor, done]): Row => {
      const times = done.map(({ transferId, occurredAt }) => occurredAt - begun.get(transferId)!);
      return [corridor, times.length, atRank(times, 0.5)];
    });
    expect(answered('05-time-to-complete', 'corridorId', 'transfers', 'p50Ms')).toEqual(sorted(whole));
  });

  it('6, 7, 8, 14: declined, refused, repeated', () => {
    const declined = inState('REJECTED').flatMap(({ stage, reasonCodes }) =>
      reasonCodes.map((code): Row => [stage, code]),
    );
    expect(answered('06-rejections', 'stage', 'code', 'transfers')).toEqual(sorted(tally(declined, (row) => row)));
    const why = refused.flatMap(({ corridorId, producerId, reasons }) =>
      reasons.map(({ code }): Row => [corridorId, producerId, code]),
    );
    expect(why.length).toBeGreaterThan(0);
    expect(answered('07-refused-intents', 'corridorId', 'producerId', 'code', 'intents')).toEqual(
      sorted(tally(why, (row) => row)),
    );
    const taken = new Map(
      tally(inState('ACCEPTED'), ({ corridorId }) => [corridorId]).map(([id, n]) => [id, Number(n)]),
    );
    const gone = new Map(tally(refused, ({ corridorId }) => [corridorId]).map(([id, n]) => [id, Number(n)]));
    const share = [...new Set([...taken.keys(), ...gone.keys()])]
      .filter((id) => id !== null)
      .map((id): Row => {
        const [accepted, away] = [taken.get(id) ?? 0, gone.get(id) ?? 0];
        return [id!, accepted, away, Math.floor((away * 1_000) / (accepted + away))];
      });
    expect(answered('08-rate-of-refusal', 'corridorId', 'accepted', 'refused', 'perThousand')).toEqual(sorted(share));
    const repeats = [...Map.groupBy(duplicated, ({ producerId }) => producerId)].map(
      ([producer, all]): Row => [producer, all.length, new Set(all.map(({ transferId }) => transferId)).size],
    );
    expect(answered('14-duplicates', 'producerId', 'repeats', 'transfers')).toEqual(sorted(repeats));
  });

  it('9, 10, 11, 12: held, under way, standing still', () => {
    const holds = inState('HELD').flatMap(({ stage, reasonCodes }) => reasonCodes.map((code): Row => [stage, code]));
    expect(holds.length).toBeGreaterThan(0);
    expect(answered('09-holds', 'stage', 'code', 'holds')).toEqual(sorted(tally(holds, (row) => row)));
    const asked = ({ instructedMinor }: TransferLifecycle) => minor(instructedMinor);
    const now = latest();
    const held = now.filter(({ state }) => state === 'HELD');
    expect(answered('10-holds-that-last', 'stage', 'instructedCurrency', 'transfers', 'instructedMinor')).toEqual(
      sorted(tally(held, ({ stage, instructedCurrency }) => [stage, instructedCurrency], asked)),
    );
    const open = now.filter(({ ended }) => ended === false);
    expect(answered('11-in-flight', 'state', 'instructedCurrency', 'transfers', 'instructedMinor')).toEqual(
      sorted(tally(open, ({ state, instructedCurrency }) => [state, instructedCurrency], asked)),
    );
    const dead = now.filter(({ state }) => state === 'DEAD_LETTERED');
    expect(answered('12-dead-letters', 'stage', 'code', 'instructedCurrency', 'transfers', 'instructedMinor')).toEqual(
      sorted(
        tally(
          dead,
          ({ stage, reasonCodes, instructedCurrency }) => [stage, reasonCodes[0]!, instructedCurrency],
          asked,
        ),
      ),
    );
  });

  it('13: what came back', () => {
    const rows = [
      ...Map.groupBy(
        inState('COMPLETED', 'RETURNED'),
        ({ corridorId, targetCurrency }) => `${corridorId} ${targetCurrency}`,
      ),
    ].map(([key, all]): Row => {
      const back = all.filter(({ state }) => state === 'RETURNED');
      const sum = back.length === 0 ? null : back.reduce((total, one) => total + minor(one.returnedMinor), 0n);
      return [key, all.length - back.length, back.length, sum];
    });
    expect(answered('13-returns', 'corridorId', 'targetCurrency', 'paid', 'returned', 'returnedMinor')).toEqual(
      sorted(rows),
    );
  });

  it('15 to 20: producers, fees, prices, lists, limits, senders', () => {
    const taken = inState('ACCEPTED');
    expect(answered('15-producers', 'producerId', 'instructedCurrency', 'transfers', 'instructedMinor')).toEqual(
      sorted(
        tally(
          taken,
          ({ producerId, instructedCurrency }) => [producerId, instructedCurrency],
          ({ instructedMinor }) => minor(instructedMinor),
        ),
      ),
    );
    const done = inState('COMPLETED');
    const fees = done.flatMap(({ sourceCurrency, fees: each }) => each.map((fee) => ({ sourceCurrency, ...fee })));
    expect(answered('16-fees-by-code', 'sourceCurrency', 'code', 'minor')).toEqual(
      sorted(
        tally(
          fees,
          ({ sourceCurrency, code }) => [sourceCurrency, code],
          (fee) => fee.minor,
        ).map(([currency, code, , sum]) => [currency!, code!, sum!]),
      ),
    );
    expect(answered('17-requotes', 'attempt', 'transfers')).toEqual(sorted(tally(done, ({ attempt }) => [attempt])));
    const screened = inState('SCREENED').flatMap((event) =>
      event.screeningLists.map((list) => ({ list, outcome: event.screeningOutcome, id: event.transferId })),
    );
    const once = distinct(screened, ({ list, outcome, id }) => `${list} ${outcome} ${id}`);
    expect(answered('18-list-versions', 'list', 'screeningOutcome', 'transfers')).toEqual(
      sorted(tally(once, ({ list, outcome }) => [list, outcome])),
    );
    const counted = inState('RESERVED').flatMap(({ limitRuleIds, transferId }) =>
      limitRuleIds.map((rule) => ({ rule, transferId })),
    );
    const rules = distinct(counted, ({ rule, transferId }) => `${rule} ${transferId}`);
    expect(rules.length).toBeGreaterThan(0);
    expect(answered('19-limit-rules', 'rule', 'transfers')).toEqual(sorted(tally(rules, ({ rule }) => [rule])));
    const senders = tally(taken, ({ debtorToken }) => [debtorToken])
      .toSorted(([a, n], [b, m]) => Number(m) - Number(n) || (String(a) < String(b) ? -1 : 1))
      .slice(0, 5);
    expect(answered('20-busiest-senders', 'debtorToken', 'transfers')).toEqual(sorted(senders));
  });
});

describe('the dbt package', () => {
  const PACKAGE = path.resolve(import.meta.dirname, '../../docs/examples/dbt');
  const work = mkdtempSync(path.join(tmpdir(), 'corridor-dbt-'));
  afterAll(() => rmSync(work, { recursive: true, force: true }));
  const database = path.join(work, 'corridor.duckdb');

  async function build(): Promise<{ readonly status: number | null; readonly output: string }> {
    const dbt = path.join(path.dirname(await pythonWith(path.join(PACKAGE, 'requirements.txt'))), 'dbt');
    const paths = ['--target-path', path.join(work, 'target'), '--log-path', path.join(work, 'logs')];
    const { status, stdout, stderr } = spawnSync(
      dbt,
      ['build', '--profiles-dir', '.', ...paths, '--no-use-colors', '--vars', JSON.stringify({ export: folder })],
      { cwd: PACKAGE, encoding: 'utf8', env: { ...process.env, HOME: work, CORRIDOR_DBT_DATABASE: database } },
    );
    return { status, output: `${stdout}${stderr}` };
  }

  it('builds on the export, all that the contract calls for holds, and its days are those of the log', async () => {
    const { status, output } = await build();
    expect(status, output).toBe(0);
    expect(output).toMatch(/PASS=\d\d+ .*ERROR=0 SKIP=0/);
    const code = [
      'import duckdb, sys, json',
      'db = duckdb.connect(sys.argv[1], read_only=True)',
      'print(json.dumps({"days": db.execute("SELECT source_currency, sum(completed)::int, sum(revenue_minor)::varchar FROM corridor_days GROUP BY 1 ORDER BY 1").fetchall(), "transfers": db.execute("SELECT count(*) FROM transfers").fetchone()[0]}))',
    ].join('\n');
    const read = spawnSync(python, ['-c', code, database], { encoding: 'utf8' });
    expect(read.status, read.stderr).toBe(0);
    const completed = Map.groupBy(
      events.filter(({ state }) => state === 'COMPLETED'),
      ({ sourceCurrency }) => sourceCurrency,
    );
    const ends = (currency: string) => completed.get(currency) ?? [];
    const revenue = (rows: readonly TransferLifecycle[]) =>
      rows.reduce((sum, { feesMinor, marginMinor }) => sum + feesMinor! + marginMinor!, 0n);
    const currencies = [...new Set(events.map(({ sourceCurrency }) => sourceCurrency))].toSorted();
    expect(JSON.parse(read.stdout)).toEqual({
      days: currencies.map((each) => [each, ends(each).length, revenue(ends(each)).toString()]),
      transfers: new Set(events.map(({ transferId }) => transferId)).size,
    });
  }, 600_000);

  it('and fails on a row that is there twice', async () => {
    const files = readdirSync(path.join(folder, 'transfer.lifecycle'), { recursive: true, encoding: 'utf8' });
    const file = path.join(folder, 'transfer.lifecycle', files.find((name) => name.endsWith('.parquet'))!);
    const copy = file.replace(/\.parquet$/, '-again.parquet');
    copyFileSync(file, copy);
    const { status, output } = await build();
    rmSync(copy);
    expect(status).toBe(1);
    expect(output).toMatch(/FAIL \d+ unique_stg_transfer_lifecycle__eventId_/);
  }, 600_000);
});
