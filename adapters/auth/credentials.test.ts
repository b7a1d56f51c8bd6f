import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { apiKeyAuthenticator, isApiKey, newApiKey } from './api-keys.ts';
import { LOCAL_TERMS, localIssuer } from './local-issuer.ts';
import { remoteKeys, type TokenTerms, tokenAuthenticator } from './tokens.ts';

const folder = () => mkdtempSync(path.join(tmpdir(), 'credentials-'));
const TRIAL = { CORRIDOR_ENV: 'test' };

describe('the local issuer', () => {
  it('makes tokens that its keys verify, also those of another process, and keeps its key to itself', async () => {
    const file = path.join(folder(), 'state', 'issuer.json');
    const [one, other] = await Promise.all([localIssuer(file, TRIAL), localIssuer(file, TRIAL)]);
    const token = await one.token('Asha', ['operator', 'viewer'], 60);
    const principal = await tokenAuthenticator(LOCAL_TERMS, other.keys).authenticate(token);
    expect(principal).toEqual({ subject: 'asha', name: 'Asha', roles: ['viewer', 'operator'], credential: 'token' });
    expect(statSync(file).mode & 0o077).toBe(0);
  });

  it('refuses to exist in production', async () => {
    for (const env of [{}, { CORRIDOR_ENV: 'production' }, { CORRIDOR_ENV: '' }]) {
      const file = path.join(folder(), 'issuer.json');
      await expect(localIssuer(file, env)).rejects.toMatchObject({ code: 'UNSAFE_REFUSED' });
      expect(() => statSync(file)).toThrow('ENOENT');
    }
  });
});

describe('the keys of an issuer', () => {
  const terms: TokenTerms = {
    issuer: 'https://issuer.test',
    audience: 'a',
    algorithm: 'ES256',
    rolesClaim: 'https://corridor.test/roles',
    clockToleranceS: 5,
  };

  async function issuer() {
    const keys: JWK[] = [];
    let asked = 0;
    let status = 200;
    const server = createServer((_request, response) => {
      asked += 1;
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ keys }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const sign = async (kid: string) => {
      const { privateKey, publicKey } = await generateKeyPair('ES256');
      keys.push({ ...(await exportJWK(publicKey)), kid, alg: 'ES256' });
      return () =>
        new SignJWT({ [terms.rolesClaim]: ['operator', 'something-else'] })
          .setProtectedHeader({ alg: 'ES256', kid })
          .setSubject('asha')
          .setIssuer(terms.issuer)
          .setAudience(terms.audience)
          .setIssuedAt()
          .setExpirationTime('5 min')
          .sign(privateKey);
    };
    return {
      sign,
      asked: () => asked,
      fail: () => {
        status = 500;
      },
      close: () => server.close(),
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`,
    };
  }

  it('are asked for once, and not again for keys that are made up', async () => {
    const { sign, asked, url, close } = await issuer();
    const first = await sign('k1');
    const tokens = tokenAuthenticator(terms, remoteKeys(url));
    expect(await tokens.authenticate(await first())).toMatchObject({ roles: ['operator'] });
    await tokens.authenticate(await first());
    expect(asked()).toBe(1);
    const later = await sign('k2');
    for (let i = 0; i < 5; i++) {
      await expect(tokens.authenticate(await later())).rejects.toMatchObject({ code: 'CREDENTIAL_INVALID' });
    }
    expect(asked()).toBe(1);
    close();
  });

  it('that cannot be had are no fault of the caller', async () => {
    const { sign, url, fail, close } = await issuer();
    const token = await sign('k1');
    fail();
    const refused = { code: 'ISSUER_UNAVAILABLE', faultClass: 'transient-dependency' };
    await expect(tokenAuthenticator(terms, remoteKeys(url)).authenticate(await token())).rejects.toMatchObject(refused);
    close();
    const nobody = tokenAuthenticator(terms, remoteKeys('http://127.0.0.1:1/'));
    await expect(nobody.authenticate(await token())).rejects.toMatchObject(refused);
  });
});

describe('API keys', () => {
  const SCOPES = ['transfers.submit', 'corridors.read'];

  async function withKeys(entries: readonly unknown[]) {
    const file = path.join(folder(), 'keys.json');
    const logged: unknown[] = [];
    let now = Date.UTC(2026, 10, 23);
    const write = (content: string) => writeFileSync(file, content);
    write(JSON.stringify(entries));
    const keys = await apiKeyAuthenticator(
      file,
      (why) => logged.push(why.code),
      () => now,
    );
    return { keys, write, logged, file, pass: (ms: number) => (now += ms) };
  }

  it('let in whom they were made for, with their scopes; the file does not hold them', async () => {
    const { key, entry } = newApiKey('acme', SCOPES, 'acme-1');
    const { keys, file } = await withKeys([entry]);
    expect(isApiKey(key)).toBe(true);
    expect(await keys.authenticate(key)).toEqual({
      subject: 'acme',
      name: 'acme',
      roles: ['producer'],
      scopes: SCOPES,
      credential: 'key',
    });
    expect(readFileSync(file, 'utf8')).not.toContain(key.slice(-43));
  });

  it('let nobody in with another secret, another id, or what only looks like one', async () => {
    const [one, other] = [newApiKey('acme', SCOPES, 'acme-1'), newApiKey('acme', SCOPES, 'acme-2')];
    const { keys } = await withKeys([one.entry]);
    const swapped = `corridor_acme-1_${other.key.slice(-43)}`;
    for (const wrong of [
      other.key,
      swapped,
      'corridor_',
      `${one.key} `,
      one.key.slice(0, -1),
      `corridor_x_${'a'.repeat(43)}`,
    ]) {
      await expect(keys.authenticate(wrong)).rejects.toMatchObject({ code: 'CREDENTIAL_INVALID' });
    }
  });

  it('replace one another without a restart', async () => {
    const [old, next] = [newApiKey('acme', SCOPES, 'acme-1'), newApiKey('acme', SCOPES, 'acme-2')];
    const { keys, write, pass } = await withKeys([old.entry]);
    write(JSON.stringify([old.entry, next.entry]));
    pass(5_000);
    expect(await keys.authenticate(old.key)).toMatchObject({ subject: 'acme' });
    expect(await keys.authenticate(next.key)).toMatchObject({ subject: 'acme' });
    write(JSON.stringify([next.entry]));
    pass(5_000);
    await expect(keys.authenticate(old.key)).rejects.toMatchObject({ code: 'CREDENTIAL_INVALID' });
  });

  it('end when they are to', async () => {
    const { key, entry } = newApiKey('acme', SCOPES, 'acme-1');
    const { keys, pass } = await withKeys([{ ...entry, notAfter: '2026-11-23T00:00:10Z' }]);
    expect(await keys.authenticate(key)).toMatchObject({ subject: 'acme' });
    pass(10_000);
    await expect(keys.authenticate(key)).rejects.toMatchObject({ code: 'CREDENTIAL_EXPIRED' });
  });

  it('stay in force when their file cannot be used any more, which is told each time it is looked at', async () => {
    const { key, entry } = newApiKey('acme', SCOPES, 'acme-1');
    const { keys, write, logged, pass } = await withKeys([entry]);
    for (const content of ['', '[{]', '[{"keyId":"a"}]', JSON.stringify([entry, entry])]) {
      write(content);
      pass(5_000);
      expect(await keys.authenticate(key)).toMatchObject({ subject: 'acme' });
    }
    expect(logged).toEqual(Array(4).fill('TERMS_UNREADABLE'));
  });

  it('must be usable at the start', async () => {
    await expect(withKeys([{ keyId: 'a' }])).rejects.toMatchObject({ code: 'TERMS_UNREADABLE', faultClass: 'fatal' });
    const { entry } = newApiKey('acme', SCOPES, 'acme-1');
    await expect(withKeys([{ ...entry, scopes: ['everything'] }])).rejects.toMatchObject({ code: 'TERMS_UNREADABLE' });
  });
});
