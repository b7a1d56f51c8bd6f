import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { newApiKey } from '../../adapters/auth/api-keys.ts';
import { localIssuer } from '../../adapters/auth/local-issuer.ts';
import { loadConfig } from '../../runtime/config/config.ts';
import { authentication } from './authentication.ts';
import { gated } from './gated.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'authentication-'));
const LOCAL = { CORRIDOR_AUTH_LOCAL_KEY_FILE: path.join(folder, 'issuer.json') };
const ISSUER = {
  CORRIDOR_AUTH_ISSUER: 'https://issuer.test',
  CORRIDOR_AUTH_AUDIENCE: 'corridor',
  CORRIDOR_AUTH_JWKS_URL: 'http://127.0.0.1:1/jwks',
};
const configOf = (env: Record<string, string>) => loadConfig({ CORRIDOR_ENV: 'test', ...env });
const made = (env: Record<string, string>) => authentication(configOf(env), () => undefined);

describe('who is let in', () => {
  it('is somebody, by one issuer', async () => {
    await expect(made({})).rejects.toMatchObject({ code: 'CONFIG_INVALID', faultClass: 'fatal' });
    await expect(made({ ...LOCAL, ...ISSUER })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    for (const name of Object.keys(ISSUER)) {
      const { [name as keyof typeof ISSUER]: _, ...rest } = ISSUER;
      expect(() => configOf(rest)).toThrow(`${name} must be set`);
    }
  });

  it('is known by a token of the local issuer, or by a key of the file, and by nothing that is not configured', async () => {
    const { key, entry } = newApiKey('acme', ['transfers.submit'], 'acme-1');
    const file = path.join(folder, 'keys.json');
    writeFileSync(file, JSON.stringify([entry]));
    const token = await (await localIssuer(LOCAL.CORRIDOR_AUTH_LOCAL_KEY_FILE, { CORRIDOR_ENV: 'test' })).token(
      'Asha',
      ['operator'],
      60,
    );
    const both = await made({ ...LOCAL, CORRIDOR_AUTH_API_KEYS_FILE: file });
    expect(await both.authenticate(token)).toMatchObject({ subject: 'asha', credential: 'token' });
    expect(await both.authenticate(key)).toMatchObject({ subject: 'acme', credential: 'key' });
    const refused = { code: 'CREDENTIAL_INVALID' };
    await expect((await made(LOCAL)).authenticate(key)).rejects.toMatchObject(refused);
    await expect((await made({ CORRIDOR_AUTH_API_KEYS_FILE: file })).authenticate(token)).rejects.toMatchObject(
      refused,
    );
    await expect((await made(ISSUER)).authenticate(token)).rejects.toMatchObject({
      code: expect.stringMatching(/^(CREDENTIAL_INVALID|ISSUER_UNAVAILABLE)$/),
    });
  });
});

describe('a gate', () => {
  it('lets so many in at once, and the next when one is through, however it went', async () => {
    const ends: ((how: 'well' | 'badly') => void)[] = [];
    const through = gated(
      2,
      () =>
        new Promise<void>((resolve, reject) => {
          ends.push((how) => (how === 'well' ? resolve() : reject(new Error('badly'))));
        }),
    );
    const first = [through(), through()];
    await expect(through()).rejects.toMatchObject({ code: 'TOO_BUSY', faultClass: 'transient-dependency' });
    ends[0]!('badly');
    ends[1]!('well');
    await Promise.allSettled(first);
    const later = [through(), through()];
    expect(ends).toHaveLength(4);
    for (const end of ends) end('well');
    await Promise.all(later);
  });
});
