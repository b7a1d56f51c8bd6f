// Files that tools and people of other houses expect, held to what they repeat.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { OVERRIDE_VARIABLES } from '../infra/local/external.ts';
import { IMAGES } from '../infra/local/images.ts';
import { DEFAULT_PORTS } from '../infra/local/ports.ts';
import { MEMBERS, SET_NAME } from '../test/mongodb/members.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const read = (file: string) => readFileSync(path.join(ROOT, file), 'utf8');
const settings = JSON.parse(read('package.json')) as {
  readonly license: string;
  readonly optionalDependencies: Readonly<Record<string, string>>;
};

test('.nvmrc names the Node that is pinned for every platform', () => {
  expect(new Set(Object.values(settings.optionalDependencies))).toEqual(new Set([read('.nvmrc').trim()]));
});

test('LICENSE is the text that package.json names', () => {
  expect(settings.license).toBe('Apache-2.0');
  expect(read('LICENSE')).toMatch(/Apache License\s+Version 2\.0, January 2004/);
});

test('.editorconfig says what biome formats', () => {
  const { formatter } = JSON.parse(read('biome.json')) as {
    readonly formatter: { readonly indentStyle: string; readonly indentWidth: number; readonly lineWidth: number };
  };
  const said = Object.fromEntries(
    read('.editorconfig')
      .split('[*.')[0]!
      .split('\n')
      .filter((line) => line.includes(' = '))
      .map((line) => line.split(' = ') as [string, string]),
  );
  expect(said).toMatchObject({
    indent_style: formatter.indentStyle,
    indent_size: String(formatter.indentWidth),
    max_line_length: String(formatter.lineWidth),
  });
});

test('templates and settings of GitHub can be parsed', () => {
  const templates = readdirSync(path.join(ROOT, '.github/ISSUE_TEMPLATE'));
  for (const file of [...templates.map((name) => `ISSUE_TEMPLATE/${name}`), 'dependabot.yml']) {
    expect(parse(read(`.github/${file}`)), file).toBeTypeOf('object');
  }
});

interface Step {
  readonly name?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly with?: Readonly<Record<string, string>>;
}
interface Job {
  readonly steps: readonly Step[];
  readonly env?: Readonly<Record<string, string>>;
  readonly strategy?: { readonly matrix: { readonly include: readonly Readonly<Record<string, string>>[] } };
}
const { jobs } = parse(read('.github/workflows/ci.yml')) as { readonly jobs: Readonly<Record<string, Job>> };
const steps = Object.values(jobs).flatMap((job) => job.steps);

test('the workflow pins every action, and names files that exist', () => {
  for (const { uses } of steps) if (uses) expect(uses).toMatch(/^actions\/[\w-]+@v\d+\.\d+\.\d+$/);
  const named = steps.flatMap(({ run }) => run?.match(/(?<=^|\s)[\w.-]+(?:\/[\w.-]+)+(?=\s|$)/gm) ?? []);
  expect(named).toContain('.ci/run');
  expect(named.filter((file) => !existsSync(path.join(ROOT, file)))).toEqual([]);
});

test('jobs whose tests build the verifier of the audit log have the Go that its module asks for, to the patch', () => {
  const [, module] = /^go (\d+\.\d+)\./m.exec(read('test/kit/audit-verifier/go.mod')) ?? [];
  for (const job of ['gate', 'containers']) {
    const go = jobs[job]?.steps.find(({ uses }) => uses?.startsWith('actions/setup-go@'))?.with;
    expect(go?.['go-version'], job).toMatch(new RegExp(`^${module}\\.\\d+$`));
    expect(existsSync(path.join(ROOT, go?.['cache-dependency-path'] ?? '-')), job).toBe(true);
  }
});

test('the jobs with containers never take plain processes, and so never the stand-in', () => {
  for (const job of ['containers', 'replica-set']) expect(jobs[job]?.env).toHaveProperty('CORRIDOR_MONGOD');
});

test('npm start is pointed to the servers of the compose file, all of them', () => {
  const env = jobs['containers']?.steps.find(({ run }) => run?.startsWith('npm start'))?.env ?? {};
  expect(Object.keys(env).toSorted()).toEqual(Object.values(OVERRIDE_VARIABLES).toSorted());
  const ports = Object.values(env).map((value) => Number(/127\.0\.0\.1:(\d+)/.exec(value)?.[1]));
  const documented = (['kafka-1', 'registry', 'mongo', 'redisLimits', 'redisQueue'] as const).map(
    (server) => DEFAULT_PORTS[server].port,
  );
  expect(ports.toSorted()).toEqual(documented.toSorted());
});

test('replica sets run the version of the local stack and the one before, once with authentication and TLS', () => {
  const matrix = jobs['replica-set']?.strategy?.matrix.include ?? [];
  const versions = matrix.map(({ version }) => version);
  expect(versions).toContain(IMAGES.mongo.replace('mongo:', ''));
  expect(versions.some((version) => version?.startsWith('7.'))).toBe(true);
  expect(matrix.filter(({ security }) => security === '--secure')).toHaveLength(1);
});

test('the compose file of the replica set runs the members that its tests know', () => {
  const { services, networks } = parse(read('test/mongodb/docker-compose.yml'), { merge: true }) as {
    readonly services: Readonly<Record<string, { container_name: string; command: string[]; ports: string[] }>>;
    readonly networks: Readonly<Record<string, { readonly name: string }>>;
  };
  expect(
    Object.values(services).map(({ container_name, command, ports }) => ({ container_name, command, ports })),
  ).toEqual(
    MEMBERS.map(({ container, port }) => ({
      container_name: container,
      command: expect.arrayContaining(['--port', String(port)]),
      ports: [`127.0.0.1:${port}:${port}`],
    })),
  );
  expect(networks['members']?.name).toBe('corridor-mongo-members');
  for (const config of ['plain', 'secure']) {
    expect(parse(read(`test/mongodb/config/${config}.yml`))).toMatchObject({
      replication: { replSetName: SET_NAME },
      setParameter: { enableTestCommands: 1 },
    });
  }
});

test('what each change asks of whoever upgrades stands in its chapter, the newest first', () => {
  const headings = read('docs/upgrading.md')
    .split('\n')
    .filter((line) => line.startsWith('#'));
  const from = headings.indexOf('## What each change asks of you') + 1;
  const dated = headings.filter((line) => /\(\d{4}-\d\d-\d\d\)$/.test(line));
  expect(headings.slice(from, from + dated.length)).toEqual(dated);
  const dates = dated.map((line) => line.slice(-11, -1));
  expect(dates).toEqual(dates.toSorted().toReversed());
});

test('no folder of the product holds more than a fifth of its lines: one that does holds two subjects', () => {
  const { LAYERS } = layersOf(read('.dependency-cruiser.cjs'));
  const lines = new Map<string, number>();
  for (const file of execFileSync('git', ['ls-files', '*.ts'], { cwd: ROOT, encoding: 'utf8' }).trim().split('\n')) {
    const [folder] = file.split('/') as [string];
    if (!LAYERS.has(folder) || /\.test\.ts$|\/testing\/|\.generated\.ts$/.test(file)) continue;
    lines.set(folder, (lines.get(folder) ?? 0) + read(file).split('\n').length);
  }
  expect(new Set(lines.keys())).toEqual(LAYERS);
  const all = [...lines.values()].reduce((sum, each) => sum + each, 0);
  expect([...lines].filter(([, each]) => each > all / 5)).toEqual([]);
});

/** The folders of the product, as the import check names them. */
function layersOf(config: string) {
  const [, layers = ''] = /const LAYERS = \{([\s\S]*?)\n\};/.exec(config) ?? [];
  const named = [...layers.matchAll(/^ {2}(\w+): \[/gm)].map(([, name]) => name!);
  return { LAYERS: new Set([...named, 'services', 'api', 'cli']) };
}
