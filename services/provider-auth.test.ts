// The provider as the settings describe it, against a simulator that lets in nobody else. Certificates are made here.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { httpProviderClient } from '../adapters/payout-providers/client.ts';
import { loadConfig } from '../runtime/config/config.ts';
import { type Simulator, type SimulatorOptions, startSimulator } from '../simulator/server.ts';
import { STATED } from '../test/kit/payouts/stated.ts';
import { providerAuth } from './provider-auth.ts';

let folder: string;
const file = (name: string) => join(folder, name);
const pem = (name: string) => readFileSync(file(name), 'utf8');
const openssl = (...given: string[]) => execFileSync('openssl', given, { cwd: folder, stdio: 'pipe' });

/** An authority, and certificates of it for the server and for a client; and a client that nobody vouches for. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'corridor-tls-'));
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=test-ca', '-days', '2');
  writeFileSync(file('san.txt'), 'subjectAltName=IP:127.0.0.1\n');
  for (const name of ['server', 'client']) {
    openssl('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    const issued = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'san.txt'];
    openssl('x509', '-req', '-in', `${name}.csr`, ...issued, '-out', `${name}.pem`);
  }
  openssl('req', '-x509', ...key, '-keyout', 'self.key', '-out', 'self.pem', '-subj', '/CN=self', '-days', '2');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const cleanup: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of cleanup.splice(0).reverse()) await end();
});

async function simulator(options: Partial<SimulatorOptions>): Promise<Simulator> {
  const started = await startSimulator({ ledgerFile: file(`ledger-${Math.random()}.ndjson`), delayMs: 0, ...options });
  cleanup.push(() => started.stop());
  return started;
}

/** Pays, asks and cancels as these settings say; answers what came of each. */
async function calls(url: string, env: Record<string, string> = {}): Promise<unknown> {
  const { provider } = loadConfig({ CORRIDOR_ENV: 'development', CORRIDOR_PROVIDER_URL: url, ...env });
  const client = httpProviderClient({ name: 'p', url, auth: providerAuth(provider), submitTimeoutMs: 5_000 });
  cleanup.push(() => client.close());
  const instruction = {
    key: 'transfer-1:1',
    transferId: 'transfer-1',
    endToEndId: 'E2E-1',
    amount: { minor: 100n, currency: 'INR' },
    rail: 'IMPS',
    corridor: 'GBP-INR',
    beneficiary: { name: 'N', account: '50100012345678', bankCode: 'HDFC0000001', country: 'IN', address: null },
    ...STATED,
    remittanceInformation: null,
    expiresAt: Date.now() + 60_000,
  };
  const submitted = await client.submit(instruction, () => true);
  const queried = await client.query(instruction.key);
  const cancelled = await client.cancel(instruction.key);
  return [submitted, queried, cancelled].map((result) =>
    'state' in result ? result.state : ((result as { code?: string }).code ?? result.kind),
  );
}

const LET_IN = ['PAID', 'PAID', 'too-late'];
const TURNED_AWAY = ['PROVIDER_UNAUTHORIZED', 'PROVIDER_UNAUTHORIZED', 'PROVIDER_UNAUTHORIZED'];
const SECRET = 'a-signing-secret-of-some-length-0000';

describe('a provider that asks who we are', () => {
  it('by a bearer token', async () => {
    const { url } = await simulator({ auth: { token: 'token-4711' } });
    expect(await calls(url)).toEqual(TURNED_AWAY);
    expect(await calls(url, { CORRIDOR_PROVIDER_TOKEN: 'token-4712' })).toEqual(TURNED_AWAY);
    expect(await calls(url, { CORRIDOR_PROVIDER_TOKEN: 'token-4711' })).toEqual(LET_IN);
  });

  it('by a signature of each request', async () => {
    const { url } = await simulator({ auth: { signing: { id: 'k1', secret: SECRET } } });
    expect(await calls(url)).toEqual(TURNED_AWAY);
    expect(await calls(url, { CORRIDOR_PROVIDER_SIGNING_KEY: `k1:${SECRET}x` })).toEqual(TURNED_AWAY);
    expect(await calls(url, { CORRIDOR_PROVIDER_SIGNING_KEY: `k1:${SECRET}` })).toEqual(LET_IN);
  });

  it('by a certificate', async () => {
    const tls = { cert: pem('server.pem'), key: pem('server.key'), clientCa: pem('ca.pem') };
    const { url } = await simulator({ tls });
    const ca = { CORRIDOR_PROVIDER_TLS_CA_FILE: file('ca.pem') };
    const as = (name: string) => ({
      ...ca,
      CORRIDOR_PROVIDER_TLS_CERT_FILE: file(`${name}.pem`),
      CORRIDOR_PROVIDER_TLS_KEY_FILE: file(`${name}.key`),
    });
    expect(await calls(url, as('client'))).toEqual(LET_IN);
    for (const env of [ca, as('self')])
      for (const code of (await calls(url, env)) as string[]) expect(code).not.toMatch(/PAID|too-late/);
    // Nor do we speak with a provider that nobody vouches for.
    expect(await calls(url)).toEqual(Array(3).fill(expect.stringMatching(/CERT|SIGNATURE|SSL/)));
  });
});

describe('settings that do not fit', () => {
  const authOf = (env: Record<string, string>) => () =>
    providerAuth(loadConfig({ CORRIDOR_ENV: 'development', ...env }).provider);
  it.each<[string, Record<string, string>]>([
    ['no user or password', { CORRIDOR_PROVIDER_URL: 'https://user:geheim@example.com' }],
    ['belong together', { CORRIDOR_PROVIDER_URL: 'https://example.com', CORRIDOR_PROVIDER_TLS_CERT_FILE: '/x' }],
    ['need an https://', { CORRIDOR_PROVIDER_URL: 'http://example.com', CORRIDOR_PROVIDER_TLS_CA_FILE: '/x' }],
    ['cannot be read', { CORRIDOR_PROVIDER_URL: 'https://example.com', CORRIDOR_PROVIDER_TLS_CA_FILE: '/nowhere/x' }],
  ])('%s', (words, env) => {
    expect(authOf(env)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(words) }),
    );
    expect(authOf(env)).not.toThrow(/geheim/);
  });
});
