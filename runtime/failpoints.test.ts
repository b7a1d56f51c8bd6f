import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { ALL_FAILPOINTS, createFailpoints, FAILPOINTS, parseFailpoints } from './failpoints.ts';

const root = path.resolve(import.meta.dirname, '..');
/** Those of the tests here. */
const NAMES = new Set(['a.b', 'c.d']);
const logFile = () => path.join(mkdtempSync(path.join(tmpdir(), 'corridor-failpoints-')), 'hits.log');

describe('failpoints', () => {
  it('do nothing and note nothing unless asked to', () => {
    const failpoint = createFailpoints({});
    expect(failpoint('intake.after-claim')).toBeUndefined();
  });

  it('throw at the n-th hit only, as a fault that passes', () => {
    const failpoint = createFailpoints({ CORRIDOR_ENV: 'test', CORRIDOR_FAILPOINTS: 'a.b=throw@2' }, NAMES);
    expect(failpoint('a.b')).toBeUndefined();
    expect(() => failpoint('a.b')).toThrow(
      expect.objectContaining({ code: 'FAILPOINT', faultClass: 'transient-dependency' }),
    );
    expect(failpoint('a.b')).toBeUndefined();
  });

  it('throw from the n-th hit on', () => {
    const failpoint = createFailpoints(
      { CORRIDOR_ENV: 'test', CORRIDOR_FAILPOINTS: ' a.b=throw@2+ , c.d=delay:1 ' },
      NAMES,
    );
    expect(failpoint('a.b')).toBeUndefined();
    expect(() => failpoint('a.b')).toThrow('a.b');
    expect(() => failpoint('a.b')).toThrow('a.b');
  });

  it('delay', async () => {
    const failpoint = createFailpoints({ CORRIDOR_ENV: 'test', CORRIDOR_FAILPOINTS: 'a.b=delay:1' }, NAMES);
    const delayed = failpoint('a.b');
    expect(delayed).toBeInstanceOf(Promise);
    await delayed;
  });

  it('note what was reached, once, and each time they act', () => {
    const file = logFile();
    const failpoint = createFailpoints(
      {
        CORRIDOR_ENV: 'test',
        CORRIDOR_FAILPOINTS: 'a.b=delay:0@2+',
        CORRIDOR_FAILPOINT_LOG: file,
      },
      NAMES,
    );
    for (let i = 0; i < 3; i++) void failpoint('a.b');
    void failpoint('c.d');
    expect(readFileSync(file, 'utf8').trim().split('\n')).toEqual([
      'reached a.b',
      'delay a.b 2',
      'delay a.b 3',
      'reached c.d',
    ]);
  });

  it('kill the process at once, after noting it', () => {
    const file = logFile();
    const code = `import { failpoint } from '${root}/runtime/failpoints.ts';
      await failpoint('intake.after-claim'); await failpoint('intake.after-claim'); console.log('still here');`;
    const env = { ...process.env, CORRIDOR_FAILPOINTS: 'intake.after-claim=kill@2', CORRIDOR_FAILPOINT_LOG: file };
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', code], { env, encoding: 'utf8' });
    expect(child.signal).toBe('SIGKILL');
    expect(child.stdout).toBe('');
    expect(readFileSync(file, 'utf8')).toBe('reached intake.after-claim\nkill intake.after-claim 2\n');
  });

  it('stop the process until it is continued', async () => {
    const file = logFile();
    const code = `import { failpoint } from '${root}/runtime/failpoints.ts';
      await failpoint('intake.after-claim'); console.log('continued');`;
    const env = { ...process.env, CORRIDOR_FAILPOINTS: 'intake.after-claim=stop', CORRIDOR_FAILPOINT_LOG: file };
    const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
      env,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const state = () => readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]![0];
    await vi.waitFor(() => expect(state()).toBe('T'), { timeout: 60_000 });
    expect(readFileSync(file, 'utf8')).toBe('reached intake.after-claim\nstop intake.after-claim 1\n');
    child.kill('SIGCONT');
    const [[text], [exitCode]] = await Promise.all([once(child.stdout, 'data'), once(child, 'exit')]);
    expect([String(text), exitCode]).toEqual(['continued\n', 0]);
  });

  it('take the rules of a file when told so, and count from one again', async () => {
    const file = logFile();
    writeFileSync(file, '');
    const failpoint = createFailpoints({ CORRIDOR_ENV: 'test', CORRIDOR_FAILPOINTS_FILE: file }, NAMES);
    expect(failpoint('a.b')).toBeUndefined();
    writeFileSync(file, 'a.b=throw@2');
    process.emit('SIGUSR2', 'SIGUSR2');
    expect(failpoint('a.b')).toBeUndefined();
    expect(() => failpoint('a.b')).toThrow('a.b');
  });

  it.each(['a.b', 'a.b=die', 'a.b=kill@', 'a.b=delay', 'a b=kill'])('refuse the rule %s', (rule) => {
    expect(() => parseFailpoints(rule)).toThrow('not a failpoint rule');
  });

  it('refuse a name that no failpoint has: nothing would be injected', () => {
    expect(() => parseFailpoints('intake.after-claims=kill')).toThrow(
      expect.objectContaining({ code: 'FAILPOINT_UNREADABLE', faultClass: 'fatal' }),
    );
    expect(parseFailpoints('webhooks.after-post=kill,approvals.after-end=kill,payout.after-closing=kill').size).toBe(3);
  });
});

it('every failpoint in the code is on the list, and every one on the list is in the code', () => {
  const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.ts'], { cwd: root, encoding: 'utf8' });
  const called = new Set<string>();
  for (const file of files.trim().split('\n')) {
    if (/\.test\.ts$|^test\/|^bench\//.test(file) || !existsSync(path.join(root, file))) continue;
    const text = readFileSync(path.join(root, file), 'utf8');
    for (const [, name] of text.matchAll(/(?:[fF]ailpoint(?:\?\.)?|\bat)\(\s*'([\w-]+\.[\w-]+)'/g)) called.add(name!);
  }
  const listed = [...ALL_FAILPOINTS].filter((name) => !/\.(after-prepare|before-write|after-write)$/.test(name));
  expect([...called].sort()).toEqual(listed.sort());
});

it('the list keeps its order: a run of the harness is repeated by its seed, which draws from it', () => {
  const hosts = FAILPOINTS.indexOf('intake.before-claim');
  expect(FAILPOINTS.slice(0, hosts).every((name) => /\.(after-prepare|before-write|after-write)$/.test(name))).toBe(
    true,
  );
  expect(FAILPOINTS.slice(hosts)).toEqual([
    'intake.before-claim',
    'intake.after-claim',
    'intent-claims.after-insert',
    'screening.after-hold-claim',
    'limits.after-hold-claim',
    'payout-dispatch.after-hold-claim',
    'limits.after-ledger',
    'hold-claims.after-insert',
    'settlement.after-claim',
    'settlement-claims.after-insert',
    'settlement-claims.after-replace',
    'payout.after-insert',
    'payout.after-cas-submitting',
    'payout.after-attempt-claimed',
    'payout.after-submit',
    'payout.after-outcome-write',
    'payout.after-lease-given-up',
    'payout.after-publish',
    'payout.after-query',
    'payout.after-cancel',
    'eos.after-fence',
    'eos.before-send',
    'eos.after-send',
    'eos.after-send-offsets',
    'eos.commit-sent',
    'eos.after-commit',
    'alo.before-commit',
    'alo.after-commit',
    'fx-pricing.before-accepted',
    'fx-pricing.after-accepted',
    'fx-pricing.before-quote-claim',
    'fx-pricing.after-quote-claim',
    'quote-claims.after-insert',
    'quotes.before-answer',
    'quotes.after-answer',
  ]);
});

describe('in production', () => {
  it.each([
    { CORRIDOR_FAILPOINTS: 'a.b=kill' },
    { CORRIDOR_FAILPOINTS_FILE: '/rules' },
    { CORRIDOR_FAILPOINT_LOG: '/log' },
    { CORRIDOR_FAILPOINTS: 'a.b=kill', CORRIDOR_ENV: 'production' },
    { CORRIDOR_FAILPOINTS: 'a.b=kill', CORRIDOR_ENV: '', NODE_ENV: 'test' },
  ])('they are refused: %j', (env) => {
    expect(() => createFailpoints(env)).toThrow(
      expect.objectContaining({ code: 'UNSAFE_REFUSED', faultClass: 'fatal' }),
    );
  });

  it('a command says so in one line, and does nothing', () => {
    const env = { ...process.env, CORRIDOR_ENV: 'production', CORRIDOR_FAILPOINTS: 'intake.after-claim=kill' };
    const entry = path.join(root, 'cli/main.ts');
    const { status, stderr } = spawnSync(process.execPath, [entry, 'config'], { env, encoding: 'utf8' });
    expect(status).toBe(1);
    expect(stderr).toContain('CORRIDOR_FAILPOINTS is for trials only');
    expect(stderr).not.toContain('    at ');
  });
});
