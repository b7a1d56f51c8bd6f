import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { startLocalSignIn } from '../../adapters/auth/local-sign-in.ts';
import { runCorridor } from '../../test/kit/corridor-command.ts';
import { type Login, loginFile, tokenFile, withLock, writeLogin } from './login-file.ts';
import { credentialOf } from './session.ts';

const folder = () => mkdtempSync(path.join(tmpdir(), 'token-'));

describe('a token', () => {
  const missing = expect.objectContaining({ code: 'OPTION_MISSING' });
  const unreadable = expect.objectContaining({ code: 'FILE_UNREADABLE' });

  it('comes from the environment, from a file, or from the login, and is missed', async () => {
    const home = folder();
    const file = path.join(home, 'token');
    writeFileSync(file, 'abc.def\n');
    const asked = (env: Record<string, string>) => credentialOf({ XDG_CONFIG_HOME: home, ...env }).token();
    expect(await asked({ CORRIDOR_TOKEN_FILE: file })).toBe('abc.def');
    expect(await asked({ CORRIDOR_TOKEN_FILE: file, CORRIDOR_TOKEN: 'own' })).toBe('own');
    expect(() => credentialOf({ XDG_CONFIG_HOME: home })).toThrow(missing);
    await expect(asked({ CORRIDOR_TOKEN: 'a\nb' })).rejects.toEqual(missing);
    await expect(asked({ CORRIDOR_TOKEN_FILE: `${file}.x` })).rejects.toEqual(unreadable);
    writeLogin(loginFile({ XDG_CONFIG_HOME: home }), LOGIN);
    expect(await asked({})).toBe('a.b.c');
    expect(await asked({ CORRIDOR_TOKEN: 'own' })).toBe('own');
  });

  it('of a login is read by its owner alone, and by nobody if others can', () => {
    const file = path.join(folder(), 'corridor', 'login.json');
    writeLogin(file, LOGIN);
    expect([statSync(file).mode & 0o777, statSync(path.dirname(file)).mode & 0o777]).toEqual([0o600, 0o700]);
    expect(tokenFile(file)).toEqual(LOGIN);
    chmodSync(file, 0o640);
    expect(() => tokenFile(file)).toThrow(unreadable);
    writeLogin(file, LOGIN);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    writeFileSync(file, JSON.stringify({ ...LOGIN, more: 1 }));
    expect(() => tokenFile(file)).toThrow(unreadable);
  });

  it('that is over is renewed by one command at a time, and used to its end where nothing renews it', async () => {
    const env = { XDG_CONFIG_HOME: folder() };
    const file = loginFile(env);
    writeLogin(file, { ...LOGIN, expiresAt: new Date(Date.now() + 1_000).toISOString() });
    const used: string[] = [];
    const expiresAt = new Date(Date.now() + 3_600_000);
    const open = async () => ({
      begin: () => Promise.reject(new Error('not asked')),
      revoke: async () => true,
      refresh: async (token: string) => {
        used.push(token);
        return { accessToken: `new-${used.length}`, refreshToken: `next-${used.length}`, expiresAt };
      },
    });
    const all = await Promise.all([1, 2, 3, 4].map(() => credentialOf(env, open).token()));
    expect([all, used]).toEqual([['new-1', 'new-1', 'new-1', 'new-1'], ['refresh']]);
    expect(tokenFile(file)).toMatchObject({ refreshToken: 'next-1' });
    const soon = new Date(Date.now() + 30_000).toISOString();
    writeLogin(file, { ...LOGIN, refreshToken: null, expiresAt: soon });
    expect(await credentialOf(env, open).token()).toBe('a.b.c');
    writeLogin(file, { ...LOGIN, refreshToken: null, expiresAt: new Date(0).toISOString() });
    await expect(credentialOf(env, open).token()).rejects.toMatchObject({ code: 'LOGIN_OVER' });
    expect(existsSync(`${file}.lock`)).toBe(false);
  });
});

describe('the lock of a login', () => {
  it('that cannot be had is told in words, and nothing is done', async () => {
    const file = path.join(folder(), 'login.json');
    symlinkSync('/nowhere', `${file}.lock`);
    let done = 0;
    await expect(withLock(file, async () => done++, 0)).rejects.toMatchObject({ code: 'FILE_UNWRITABLE' });
    expect(done).toBe(0);
  });

  it('keeps a renewal from bringing back what `logout` took, and from writing over what `login` wrote', async () => {
    const env = { ...process.env, CORRIDOR_STATE_DIR: folder(), XDG_CONFIG_HOME: folder() };
    const file = loginFile(env);
    writeLogin(file, { ...LOGIN, refreshToken: null });
    let ended: Promise<unknown> | undefined;
    let isOver = false;
    await withLock(file, async () => {
      ended = runCorridor(['logout'], env).finally(() => {
        isOver = true;
      });
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect([isOver, existsSync(file)]).toEqual([false, true]);
      writeLogin(file, { ...LOGIN, refreshToken: null, accessToken: 'renewed' });
    });
    expect(await ended).toMatchObject({ code: 0 });
    expect(readdirSync(path.dirname(file))).toEqual([]);
  });
});

const LOGIN: Login = {
  ...{ version: 1, issuer: 'https://issuer.example', clientId: 'cli', accessToken: 'a.b.c', refreshToken: 'refresh' },
  expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
};

describe('`corridor login`', () => {
  it('shows the code, waits for its approval, keeps the token for its owner, and `logout` takes it back', async () => {
    const home = folder();
    const signIn = await startLocalSignIn({
      ...{
        keyFile: path.join(home, 'issuer.json'),
        env: { CORRIDOR_ENV: 'test' },
        port: 0,
        intervalS: 1,
        codeLifeS: 1_800,
      },
    });
    const env = {
      ...{
        PATH: process.env['PATH'],
        HOME: home,
        XDG_CONFIG_HOME: home,
        CORRIDOR_STATE_DIR: home,
        CORRIDOR_ENV: 'test',
      },
      CORRIDOR_LOGIN_ISSUER: signIn.url,
    };
    const run = (args: readonly string[], onError?: (text: string) => void) => runCorridor(args, env, onError);
    let approving: Promise<unknown> | undefined;
    const ended = await run(['login'], (said) => {
      const [, code] = /type the code (\S+)/.exec(said) ?? [];
      if (code) approving ??= run(['local-issuer', 'approve', code, '--as', 'asha', '--role', 'operator']);
    });
    expect(await approving).toMatchObject({ code: 0, stdout: 'Approved as asha.\n' });
    const file = path.join(home, 'corridor', 'login.json');
    expect(ended, ended.stderr).toMatchObject({ code: 0, stdout: `Signed in as asha. Kept in ${file}.\n` });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const kept = JSON.parse(readFileSync(file, 'utf8'));
    expect(ended.stdout + ended.stderr).not.toContain(kept.accessToken);
    const who = await run(['whoami', '--json']);
    expect(JSON.parse(who.stdout)).toMatchObject([
      { name: 'asha', roles: 'operator', from: file, api: '(none named)' },
    ]);
    expect(await run(['logout'])).toMatchObject({ code: 0, stdout: `Signed out: ${file} is gone.\n`, stderr: '' });
    expect(existsSync(file)).toBe(false);
    expect((await run(['whoami'])).stderr).toContain('corridor login');
    const production = await runCorridor(['login'], { ...env, CORRIDOR_ENV: 'production' });
    expect(production.stderr).toContain('ISSUER_URL_UNFIT');
    const served = await runCorridor(['local-issuer', 'serve'], { ...env, CORRIDOR_ENV: 'production' });
    expect(served.stderr).toContain('UNSAFE_REFUSED');
    await signIn.close();
  }, 1_800_000);
});
