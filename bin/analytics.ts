// `npm run analytics`: exports what the log has for analysts and opens DuckDB on it, with a view for each topic and for each
// question of docs/examples/analytics. What stands behind `--` goes to DuckDB: npm run analytics -- -c 'FROM q03_funnel'
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pythonWith } from '../test/kit/python.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const EXAMPLES = path.join(ROOT, 'docs/examples/analytics');
/** Where it exports to; another folder for whoever has one. */
const folder = path.resolve(process.env['CORRIDOR_ANALYTICS_FOLDER'] ?? path.join(ROOT, '.corridor/analytics'));

/** Runs a program on this terminal; ends with its exit code unless that is 0. */
function run(command: string, args: readonly string[]): void {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

/** `03-funnel.sql` is the view `q03_funnel`; its first line says what it answers. */
function questions(): readonly { readonly view: string; readonly asks: string; readonly query: string }[] {
  return readdirSync(EXAMPLES)
    .filter((name) => /^\d\d-.*\.sql$/.test(name))
    .map((name) => {
      const text = readFileSync(path.join(EXAMPLES, name), 'utf8');
      const view = `q${path.basename(name, '.sql').replaceAll('-', '_')}`;
      return { view, asks: text.split('\n')[0]!.replace(/^-- /, ''), query: text.trimEnd().replace(/;$/, '') };
    });
}

/** Which folder a view of views.sql reads. */
const FILES_OF: Readonly<Record<string, string>> = {
  ...{ events: 'transfer.lifecycle', latest: 'transfer.lifecycle' },
  ...{ refused: 'intent.rejected', duplicated: 'intent.duplicated' },
  ...{ positions: 'fx.position', rates: 'fx.rate-history', daily_closes: 'fx.rate-history' },
  ...{ reporting_rates: 'fx.rate-history', reference_versions: 'reference.versions' },
};

/** Views over the files that are there: DuckDB makes none over a folder without files. */
function answerable() {
  const missing = Object.keys(FILES_OF).filter((view) => !existsSync(path.join(folder, FILES_OF[view]!)));
  const reads = (text: string) => missing.some((view) => new RegExp(`\\b${view}\\b`).test(text));
  const tables = readFileSync(path.join(EXAMPLES, 'views.sql'), 'utf8').split(/(?<=;\n)/);
  return {
    missing,
    tables: tables.filter((statement) => !reads(statement)),
    asked: questions().filter(({ query }) => !reads(query)),
  };
}

/** What DuckDB runs before the first query. */
function views({ tables, asked }: ReturnType<typeof answerable>): string {
  const parts = asked.map(({ view, query }) => `CREATE OR REPLACE VIEW ${view} AS\n${query};`);
  const start = ["SET TimeZone = 'UTC';", `SET VARIABLE folder = '${folder.replaceAll("'", "''")}';`];
  return [...start, ...tables, ...parts, ''].join('\n');
}

const given = process.argv.slice(2);
// What is said goes to the terminal, so that the answers alone stand on standard output.
const say = (text: string) => process.stderr.write(`${text}\n`);

say(`Exporting what is new to ${path.relative(process.cwd(), folder) || '.'} …`);
const exported = spawnSync(process.execPath, [path.join(ROOT, 'cli/main.ts'), 'analytics', 'export', folder], {
  stdio: ['ignore', 2, 2],
});
if (exported.status !== 0) {
  say('Nothing could be exported. Is the pipeline there? `npm start` runs one; what is missing is said above.');
  process.exit(exported.status ?? 1);
}
if (!existsSync(path.join(folder, 'transfer.lifecycle'))) {
  say('The log holds no transfer yet: publish some (`npm start` does) and run this again.');
  process.exit(1);
}
const python = await pythonWith(path.join(EXAMPLES, 'shell-requirements.txt'));
const init = path.join(folder, '_views.sql');
const shown = answerable();
writeFileSync(init, views(shown));
say('\nViews: events, latest, refused, duplicated, and one for each question:');
for (const view of shown.missing) say(`  (nothing of ${FILES_OF[view]} was exported, so there is no ${view} yet)`);
for (const { view, asks } of shown.asked) say(`  ${view.padEnd(28)} ${asks}`);
say('\nTry: FROM q02_revenue_by_corridor;   .quit ends.\n');
run(path.join(path.dirname(python), 'duckdb'), ['-init', init, ...given]);
