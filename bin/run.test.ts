// The starter, run as people run it, in a small repository of its own. Only npm is replaced: by a script that leaves a
// trace, takes a while and makes a node_modules.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';

const here = import.meta.dirname;
const base = mkdtempSync(path.join(tmpdir(), 'corridor-run-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));

let root = '';
const at = (...parts: string[]) => path.join(root, ...parts);

const NPM = `
import { appendFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
process.title = 'npm ci';
appendFileSync('npm.log', 'begin ' + process.argv.slice(2).join(' ') + '\\n');
rmSync('node_modules', { recursive: true, force: true });
if (existsSync('npm-fails')) { console.error('npm error code ECONNREFUSED'); process.exit(1); }
mkdirSync('node_modules/.bin', { recursive: true });
while (existsSync('npm-waits')) await sleep(20);
await sleep(100);
writeFileSync('node_modules/.bin/tool', 'console.log("tool in", process.cwd())');
appendFileSync('npm.log', 'end\\n');
`;

beforeEach(() => {
  root = mkdtempSync(path.join(base, 'repo-'));
  mkdirSync(at('bin'));
  for (const name of ['run.mjs', 'install.mjs', 'follow-parent.mjs']) cpSync(path.join(here, name), at('bin', name));
  writeFileSync(at('package.json'), '{"type":"module"}');
  writeFileSync(at('package-lock.json'), '{"lockfileVersion":3,"packages":{"":{}}}');
  mkdirSync(at('npm'));
  writeFileSync(at('npm', 'npm-cli.js'), NPM);
  writeFileSync(at('npm', 'package.json'), '{"type":"module"}');
});

interface Run {
  child: ChildProcess;
  output: () => string;
  ended: Promise<number | string>;
}

function start(args: string[], options: { preload?: string; cwd?: string } = {}): Run {
  const flags = options.preload ? ['--import', `data:text/javascript,${encodeURIComponent(options.preload)}`] : [];
  const child = spawn(process.execPath, [...flags, at('bin', 'run.mjs'), ...args], {
    cwd: options.cwd ?? root,
    env: { ...process.env, npm_execpath: at('npm', 'npm-cli.js') },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  child.stdout?.on('data', (chunk) => {
    text += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    text += chunk;
  });
  return { child, output: () => text, ended: once(child, 'close').then(([code, signal]) => signal ?? code) };
}

async function run(args: string[], options: Parameters<typeof start>[1] = {}) {
  const started = start(args, options);
  return { code: await started.ended, output: started.output() };
}

const installs = () =>
  existsSync(at('npm.log')) ? (readFileSync(at('npm.log'), 'utf8').match(/begin/g)?.length ?? 0) : 0;
const entry = (code: string) => writeFileSync(at('entry.ts'), code);

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}

describe('what it runs', () => {
  test('a TypeScript entry, with its arguments, in the directory of the caller; its exit code is ours', async () => {
    entry('const n: number = 7; console.log(process.argv.slice(2).join(), process.cwd()); process.exit(n);');
    const elsewhere = at('bin');
    const { code, output } = await run(['entry.ts', 'a', '--b=c'], { cwd: elsewhere });
    expect(output).toContain(`a,--b=c ${elsewhere}`);
    expect(code).toBe(7);
  });

  test('a tool of node_modules/.bin, in the root', async () => {
    const { code, output } = await run(['bin:tool'], { cwd: at('bin') });
    expect(output).toContain(`tool in ${root}`);
    expect(code).toBe(0);
  });

  test.each([
    [['missing.ts'], 'There is no missing.ts'],
    [['bin:missing'], 'missing'],
    [[], 'Usage'],
  ])('says so when there is nothing to run: %j', async (args, message) => {
    const { code, output } = await run(args as string[]);
    expect(code).toBe(1);
    expect(output).toContain(message);
  });

  test('a signal reaches the entry, which ends as it likes', async () => {
    entry(
      'process.on("SIGTERM", () => { console.log("drained"); process.exit(3); }); console.log("up"); setInterval(() => {}, 1000);',
    );
    const { child, output, ended } = start(['entry.ts']);
    await until(() => output().includes('up'));
    child.kill('SIGTERM');
    expect(await ended).toBe(3);
    expect(output()).toContain('drained');
  });

  test('an entry that dies of a signal is told as that signal', async () => {
    entry('process.kill(process.pid, "SIGKILL"); setInterval(() => {}, 1000);');
    expect(await start(['entry.ts']).ended).toBe('SIGKILL');
  });

  test('when the starter is killed outright, the entry is asked to end', async () => {
    entry(
      'process.on("SIGTERM", () => { console.log("drained"); process.exit(0); }); console.log("up"); setInterval(() => {}, 1000);',
    );
    const { child, output } = start(['entry.ts']);
    await until(() => output().includes('up'));
    child.kill('SIGKILL');
    await until(() => output().includes('drained'));
  });

  test('an entry whose starter was gone before its first line never begins', async () => {
    entry('console.log("began"); setInterval(() => {}, 1000);');
    // Held before Node begins, so that the starter can die first.
    const held = ['-c', 'kill -STOP $$; exec "$@"', 'sh', process.execPath];
    const program = [...held, '--import', at('bin', 'follow-parent.mjs'), at('entry.ts')];
    const starter = spawn(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `import { spawn } from 'node:child_process';
         const env = { ...process.env, CORRIDOR_STARTER_PID: String(process.pid) };
         console.log(spawn('sh', ${JSON.stringify(program)}, { env, stdio: ['ignore', 'inherit', 'inherit'] }).pid);`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let said = '';
    starter.stdout.on('data', (chunk) => {
      said += chunk;
    });
    const closed = once(starter, 'close');
    await until(() => said.includes('\n'));
    const pid = Number(said);
    const state = () => execFileSync('ps', ['-o', 'state=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    await until(() => state().startsWith('T'));
    starter.kill('SIGKILL');
    await once(starter, 'exit');
    process.kill(pid, 'SIGCONT');
    // The pipe closes when the last process that writes to it has ended.
    await closed;
    expect(said).toBe(`${pid}\n`);
  });

  test('an entry that does not end when its starter is gone is killed', async () => {
    entry('process.on("SIGTERM", () => console.log("asked")); console.log("up"); setInterval(() => {}, 1000);');
    const preload = `${pathToFileURL(at('bin', 'follow-parent.mjs')).href}?graceMs=50`;
    const program = ['--import', preload, at('entry.ts')];
    const starter = spawn(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `import { spawn } from 'node:child_process';
         spawn(process.execPath, ${JSON.stringify(program)}, { stdio: ['ignore', 'inherit', 'inherit'] });`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let said = '';
    starter.stdout.on('data', (chunk) => {
      said += chunk;
    });
    const closed = once(starter, 'close');
    await until(() => said.includes('up'));
    starter.kill('SIGKILL');
    await closed;
    expect(said).toContain('asked');
  });

  test('what an entry starts in its turn is not taken for an orphan', async () => {
    writeFileSync(at('inner.ts'), 'console.log("inner ran");');
    entry(
      `import { spawnSync } from 'node:child_process';
       spawnSync(process.execPath, ['--import', ${JSON.stringify(at('bin', 'follow-parent.mjs'))}, ${JSON.stringify(at('inner.ts'))}], { stdio: 'inherit' });`,
    );
    expect((await run(['entry.ts'])).output).toContain('inner ran');
  });
});

describe('installing', () => {
  beforeEach(() => entry('console.log("ran");'));

  test('happens once, says so, and again when the lockfile changes', async () => {
    const first = await run(['entry.ts']);
    expect(first.output).toContain('Installing dependencies');
    expect(first.output).toContain('ran');
    const second = await run(['entry.ts']);
    expect(second.output).toBe('ran\n');
    expect(installs()).toBe(1);
    writeFileSync(at('package-lock.json'), '{"lockfileVersion":3,"packages":{"":{"version":"2"}}}');
    await run(['entry.ts']);
    expect(installs()).toBe(2);
    expect(readFileSync(at('npm.log'), 'utf8')).toContain('begin ci --include=dev --include=optional');
  });

  test('is done by one of several that start at once', async () => {
    const runs = await Promise.all([1, 2, 3, 4].map(() => run(['entry.ts'])));
    for (const { code, output } of runs) {
      expect(code).toBe(0);
      expect(output).toContain('ran');
    }
    expect(installs()).toBe(1);
  });

  test('that was cut short is done again', async () => {
    writeFileSync(at('npm-waits'), '');
    const { child, ended } = start(['entry.ts']);
    await until(() => existsSync(at('node_modules')));
    child.kill('SIGKILL');
    await ended;
    expect(existsSync(at('.install.lock'))).toBe(true);
    // Its npm still runs, and is waited for before another one begins.
    const next = start(['entry.ts']);
    await until(() => next.output().includes('waiting for it'));
    expect(installs()).toBe(1);
    rmSync(at('npm-waits'));
    expect(await next.ended).toBe(0);
    expect(next.output()).toContain('ran');
    expect(installs()).toBe(2);
    expect(existsSync(at('.install.lock'))).toBe(false);
  });

  test.each(['{"pid":999999999,"npm":0,"host":"HOST"}', ''])(
    'is not held up by a lock that is nobody’s: %s',
    async (content) => {
      const { hostname } = await import('node:os');
      writeFileSync(at('.install.lock'), content.replace('HOST', hostname()));
      if (content === '') {
        const { utimesSync } = await import('node:fs');
        utimesSync(at('.install.lock'), 0, 0);
      }
      const { code, output } = await run(['entry.ts']);
      expect(output).toContain('ran');
      expect(code).toBe(0);
    },
  );

  test('what npm install has just made is taken as it is', async () => {
    const packages = {
      '': {},
      'node_modules/a': { version: '1.0.0', integrity: 'x' },
      'node_modules/b': { optional: true },
    };
    writeFileSync(at('package-lock.json'), JSON.stringify({ packages }));
    mkdirSync(at('node_modules'));
    const record = { packages: { 'node_modules/a': { version: '1.0.0', integrity: 'x' } } };
    writeFileSync(at('node_modules', '.package-lock.json'), JSON.stringify(record));
    expect((await run(['entry.ts'])).output).toContain('ran');
    expect(installs()).toBe(0);
    record.packages['node_modules/a'].version = '1.0.1';
    appendFileSync(at('package-lock.json'), '\n');
    writeFileSync(at('node_modules', '.package-lock.json'), JSON.stringify(record));
    await run(['entry.ts']);
    expect(installs()).toBe(1);
  });

  test('that fails says why, names the cure, and leaves nothing behind that looks installed', async () => {
    writeFileSync(at('npm-fails'), '');
    const { code, output } = await run(['entry.ts']);
    expect(code).toBe(1);
    expect(output).toContain('ECONNREFUSED');
    expect(output).toContain('npm config get registry');
    expect(output).not.toContain('ran');
    rmSync(at('npm-fails'));
    expect((await run(['entry.ts'])).code).toBe(0);
  });

  test('needs Node 20, and a platform that has Node 24', async () => {
    const pretend = (version: string) =>
      `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } });`;
    const old = await run(['entry.ts'], { preload: pretend('18.19.0') });
    expect(old.code).toBe(1);
    expect(old.output).toContain('this is Node 18.19.0');
    const none = await run(['entry.ts'], { preload: pretend('20.20.2') });
    expect(none.code).toBe(1);
    expect(none.output).toContain(`no package of it that runs on ${process.platform}-${process.arch}`);
  });
});
