// From the chain to an analyst: an export that is killed again and again, read by DuckDB, and twenty-three questions whose answers are
// recounted from the log itself in Python.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser } from 'playwright-core';
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
import { browser } from '../kit/browser.ts';
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
let answers: Answers;

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
  answers = JSON.parse(asked.stdout) as Answers;
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

type Answers = Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>;
/** Rows as texts, in an order of their own: a query may give them in another. */
const rowsOf = (found: Answers, question: string): readonly string[] =>
  found[question]!.map((row) =>
    JSON.stringify(Object.entries(row).map(([name, cell]) => [name, String(cell)])),
  ).toSorted();

describe('an analyst’s question', () => {
  let recounted: Answers;
  beforeAll(async () => {
    const kit = path.resolve(import.meta.dirname, '../kit/analytics');
    const counter = await pythonWith(path.join(kit, 'requirements.txt'));
    const { kafkaBrokers, registryUrl } = servers.urls;
    const { status, stdout, stderr } = spawnSync(
      counter,
      [path.join(kit, 'recount.py'), kafkaBrokers.join(','), registryUrl],
      {
        encoding: 'utf8',
        maxBuffer: 2 ** 26,
      },
    );
    expect(status, stderr).toBe(0);
    recounted = JSON.parse(stdout) as Answers;
  }, 600_000);

  const questions = readdirSync(EXAMPLES).filter((name) => /^\d\d-.*\.sql$/.test(name));

  it('twenty-three are there, and rows to ask', () => {
    expect(questions).toHaveLength(23);
    expect(Object.keys(answers)).toHaveLength(23);
    expect(events.length).toBeGreaterThan(TRANSFERS);
    expect(refused.length).toBeGreaterThan(0);
    // Dead letters of transfers are what this run has none of.
    const empty = Object.keys(answers).filter((question) => answers[question]!.length === 0);
    expect(empty).toEqual(['12-dead-letters']);
  });

  it.each(questions)('%s has the answer that Python counts from the events of the chain', (file) => {
    const question = path.basename(file, '.sql');
    expect(rowsOf(answers, question)).toEqual(rowsOf(recounted, question));
  });
});

/** The one number that a query over the views gives. */
function numberOf(query: string): number {
  const code = [
    'import duckdb, sys, pathlib',
    'db = duckdb.connect()',
    'db.execute("SET TimeZone = \'UTC\'")',
    'db.execute("SET VARIABLE folder = ?", [sys.argv[1]])',
    'db.execute(pathlib.Path(sys.argv[2]).read_text())',
    'print(db.execute(sys.argv[3]).fetchone()[0])',
  ].join('\n');
  const asked = spawnSync(python, ['-c', code, folder, path.join(EXAMPLES, 'views.sql'), query], { encoding: 'utf8' });
  expect(asked.status, asked.stderr).toBe(0);
  return Number(asked.stdout);
}

describe('what was in force', () => {
  /** How many versions each reference of a row finds, where it is not one. */
  const strange = (kinds: string, references: string) =>
    numberOf(
      `WITH named AS (${references}), found AS (SELECT n.eventId, n.id, n.version, count(v.versionId) AS versions FROM named n
       LEFT JOIN reference_versions v ON v.kind IN (${kinds}) AND v.id = n.id AND (n.version IS NULL OR v.version = n.version)
       AND (n.version IS NOT NULL OR v.validTo IS NULL) GROUP BY ALL)
       SELECT CASE WHEN (SELECT count(*) FROM found) = 0 THEN -1 ELSE count(*) FILTER (versions <> 1) END FROM found`,
    );

  it.each([
    [
      'term',
      "'MARGIN', 'FEE', 'TAX', 'LIFETIME', 'SETTLEMENT', 'CANCELLATION'",
      'SELECT eventId, unnest(termIds::JSON::VARCHAR[]) AS id, termsVersion AS version FROM events',
    ],
    [
      'limit rule',
      "'LIMIT_RULE'",
      'SELECT eventId, unnest(limitRuleIds::JSON::VARCHAR[]) AS id, limitRulesVersion AS version FROM events',
    ],
    [
      'list',
      "'LIST'",
      `SELECT eventId, split_part(list, ':', 1) AS id, substr(list, strpos(list, ':') + 1) AS version
       FROM (SELECT eventId, unnest(screeningLists::JSON::VARCHAR[]) AS list FROM events)`,
    ],
    ['corridor', "'CORRIDOR'", 'SELECT eventId, corridorId AS id, NULL::VARCHAR AS version FROM events'],
    [
      'provider',
      "'PROVIDER'",
      'SELECT eventId, provider AS id, NULL::VARCHAR AS version FROM events WHERE provider IS NOT NULL',
    ],
  ])('each %s that a row names is exactly one version', (_, kinds, references) => {
    expect(strange(kinds, references)).toBe(0);
  });

  it('each rate that a price is made of is in the history', () => {
    expect(
      numberOf(`SELECT count(*) FILTER (r.rateId IS NULL) + CASE WHEN count(*) = 0 THEN 1 ELSE 0 END
        FROM (SELECT unnest(priceLegs::JSON[]) AS leg FROM events) l LEFT JOIN rates r
        ON r.base = leg ->> '$.base' AND r.quote = leg ->> '$.quote' AND r.source = leg ->> '$.source'
        AND r.rate = leg ->> '$.rate' AND epoch_ms(r.observedAt) = (leg ->> '$.observedAt')::BIGINT`),
    ).toBe(0);
  });

  it('each close says of how many sources it is', () => {
    expect(
      numberOf(`SELECT count(*) FILTER (c.sources <> (SELECT count(DISTINCT source) FROM rates r
          WHERE CAST(r.observedAt AS DATE) = c.day AND r.base = c.base AND r.quote = c.quote))
        + CASE WHEN count(*) = 0 THEN 1 ELSE 0 END FROM daily_closes c`),
    ).toBe(0);
  });
});

describe('the page of a day', () => {
  interface Report {
    readonly day: string;
    readonly unproven: number | null;
    readonly figures: Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>;
  }
  const dayOf = (at: number) => new Date(at).toISOString().slice(0, 10);
  const file = path.join(plain, 'report.html');
  let reports: readonly Report[];
  let real: Browser;

  beforeAll(async () => {
    real = await browser();
    // The broker took them from the first row on until now: two days, if midnight was in between.
    const days = [...new Set([dayOf(Math.min(...events.map(({ occurredAt }) => occurredAt))), dayOf(Date.now())])];
    reports = await Promise.all(
      days.map(async (day) => {
        const { code, stdout, stderr } = await runCorridor(
          ['analytics', 'report', '--day', day, '--json'],
          pipeline.env,
        );
        expect(code, stderr).toBe(0);
        return JSON.parse(stdout) as Report;
      }),
    );
    const { code, stdout, stderr } = await runCorridor(
      ['analytics', 'report', '--day', days[0]!, '--out', file],
      pipeline.env,
    );
    expect(code, stderr).toBe(0);
    expect(stdout).toContain(file);
  }, 900_000);
  afterAll(() => real?.close());

  /** Sums by name of what the days have in a table. */
  const sums = (rows: readonly Readonly<Record<string, unknown>>[], names: readonly string[], value: string) => {
    const found: Record<string, number> = {};
    for (const row of rows) {
      const name = names.map((each) => String(row[each])).join(' ');
      found[name] = (found[name] ?? 0) + Number(row[value]);
    }
    return found;
  };

  it.each([
    ['volume', ['corridorId', 'currency'], 'revenueMinor', '02-revenue-by-corridor', ['corridorId', 'sourceCurrency']],
    ['declined', ['stage', 'code'], 'transfers', '06-rejections', ['stage', 'code']],
    [
      'refused',
      ['corridorId', 'producerId', 'code'],
      'intents',
      '07-refused-intents',
      ['corridorId', 'producerId', 'code'],
    ],
    ['holds', ['stage', 'code'], 'transfers', '09-holds', ['stage', 'code']],
    ['duplicates', ['producerId'], 'repeats', '14-duplicates', ['producerId']],
  ])('has in %s what the query answers', (table, names, value, question, asked) => {
    const of = reports.flatMap(({ figures }) => figures[table]!);
    const column = table === 'holds' ? 'holds' : value;
    expect(sums(of, names, value)).toEqual(sums(answers[question]!, asked, column));
    expect(reports.every(({ unproven }) => unproven === 0)).toBe(true);
  });

  it('is drawn by a real browser, narrow and wide, and asks nobody for anything', async () => {
    for (const width of [400, 1_280]) {
      const page = await real.newPage({ viewport: { width, height: 900 } });
      const [asked, errors]: [string[], string[]] = [[], []];
      page.on('request', (request) => asked.push(request.url()));
      page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
      page.on('pageerror', (error) => errors.push(String(error)));
      await page.goto(`file://${file}`);
      await page.waitForSelector('html[data-drawn=yes]');
      expect([asked, errors]).toEqual([[`file://${file}`], []]);
      const seen = await page.evaluate(`({
        charts: [...document.querySelectorAll('canvas')].map((canvas) => {
          const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
          return new Set(data.filter((_, at) => at % 4 === 3)).size > 1;
        }),
        isWide: document.documentElement.scrollWidth > innerWidth,
        volume: [...document.querySelectorAll('section')].find((each) => each.querySelector('h2').textContent === 'Volume and revenue')
          .querySelectorAll('tbody tr').length,
      })`);
      expect(seen).toEqual({
        charts: [true, true, true],
        isWide: false,
        volume: reports[0]!.figures['volume']!.length,
      });
      await page.screenshot({ path: path.join(plain, `report-${width}.png`), fullPage: true });
      await page.close();
    }
  });

  it('of a day without rows says so, and a day that is none is refused', async () => {
    const empty = path.join(plain, 'empty.html');
    const { code } = await runCorridor(['analytics', 'report', '--day', '2020-02-29', '--out', empty], pipeline.env);
    expect(code).toBe(0);
    expect(readFileSync(empty, 'utf8')).toContain('Nothing was recorded on this day');
    expect((await runCorridor(['analytics', 'report', '--day', '2026-02-29'], pipeline.env)).code).toBe(1);
    const away = await runCorridor(
      ['analytics', 'report', '--out', path.join(plain, 'none/report.html')],
      pipeline.env,
    );
    expect([away.code, away.stderr]).toEqual([1, expect.stringContaining('FILE_NOT_WRITTEN')]);
  });
});

describe('npm run analytics', () => {
  const shell = (...args: readonly string[]) =>
    spawnSync(process.execPath, [path.resolve(import.meta.dirname, '../../bin/analytics.ts'), ...args], {
      encoding: 'utf8',
      env: { ...pipeline.env, CORRIDOR_ANALYTICS_FOLDER: folder },
    });

  it('opens DuckDB with a view for each question', () => {
    const { status, stdout, stderr } = shell('-json', '-c', 'FROM q03_funnel');
    expect(status, stderr).toBe(0);
    expect(JSON.parse(stdout)).toEqual(answers['03-funnel']);
    expect(stderr).toContain('q20_busiest_senders');
  });

  it('and says so where a topic has no files yet', () => {
    const away = path.join(folder, 'away');
    renameSync(path.join(folder, 'intent.duplicated'), away);
    const { status, stderr } = shell('-json', '-c', 'FROM q01_volume_by_corridor');
    renameSync(away, path.join(folder, 'intent.duplicated'));
    expect(status, stderr).toBe(0);
    expect(stderr).toContain('nothing of intent.duplicated was exported');
    expect(stderr).not.toContain('q14_duplicates');
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
