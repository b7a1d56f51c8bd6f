// Cases of payouts over HTTP, by two persons: one is closed, two are settled by what the provider states. The API has no key of
// the executor; the executor does what was let through, and is killed before it writes, after it has written, and before it
// notes what it has published. Nothing is sent to the provider.
// On servers of its own: a provider is paused.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { localIssuer } from '../../adapters/auth/local-issuer.ts';
import { approvals } from '../../adapters/mongo/approvals.ts';
import { type MongoPayoutStore, mongoPayoutStore } from '../../adapters/mongo/payouts.ts';
import { type HttpProviderClient, httpProviderClient } from '../../adapters/payout-providers/client.ts';
import { type Child, startChild } from '../../infra/local/children.ts';
import type { Role } from '../../operations/access/table.ts';
import { attemptKey, openCase } from '../../payouts/changes.ts';
import { instructionOf, openParties } from '../../payouts/instruction.ts';
import type { Payout } from '../../payouts/payout.ts';
import { requestCodec } from '../../payouts/request-codec.ts';
import { DEFAULT_MIX, type Mix } from '../../samples/sample.ts';
import { runCorridor } from '../kit/corridor-command.ts';
import { useOwnStack } from '../kit/own-stack.ts';
import { TestPipeline } from '../kit/pipeline.ts';

const ALL_GOOD = Object.fromEntries(Object.keys(DEFAULT_MIX).map((kind) => [kind, 0])) as unknown as Mix;
/** A state is waited for; this ends a run in which it never comes. */
const WAIT = { timeout: 300_000, interval: 200 };
const HOUR_MS = 3_600_000;
const servers = useOwnStack('payout-cases', { ephemeral: true });
let pipeline: TestPipeline;
let api: Child;
let store: MongoPayoutStore;
let executor: Child;

const keyFile = () => path.join(servers.stateDir, 'issuer.json');

/** The executor alone in its process, as it is installed. */
async function startExecutor(failpoints = ''): Promise<void> {
  await pipeline.startMore([['--payouts']], failpoints === '' ? {} : { CORRIDOR_FAILPOINTS: failpoints });
  executor = pipeline.processes.at(-1)!;
}

/** Starts it, to be killed at this failpoint, perhaps before it has said that it is ready. */
async function dieAt(failpoint: string): Promise<void> {
  const how = startExecutor(`${failpoint}=kill@1`).then(
    async () => (await executor.exited).signal,
    (error: unknown) => String(error),
  );
  expect(await how).toContain('SIGKILL');
}

beforeAll(async () => {
  pipeline = await TestPipeline.create({ urls: servers.urls });
  const paused = await runCorridor(
    ['control', 'pause', 'provider/simulator', '--by', 'asha', '--reason', 'nothing is sent here'],
    pipeline.env,
  );
  expect(paused.code, paused.stderr).toBe(0);
  await pipeline.startMore([['--processors', 'all', '--sinks', 'transfer-view,events', '--cases']]);
  await startExecutor();
  const env = { CORRIDOR_API_PORT: '0', CORRIDOR_API_FACES: 'operators', CORRIDOR_AUTH_LOCAL_KEY_FILE: keyFile() };
  const logFile = path.join(pipeline.logFiles, 'api.log');
  api = await startChild({
    name: 'api',
    entry: 'cli/main.ts',
    args: ['api'],
    logFile,
    env: { ...pipeline.env, ...env },
  });
  const { executor: ring, operators } = pipeline.connections.config.keys;
  store = mongoPayoutStore(await pipeline.connections.db(), { ring, operators });
}, 900_000);
afterAll(async () => {
  await api?.stop(10_000);
  await pipeline?.close();
});

type Person = readonly [name: string, ...roles: Role[]];
const ASHA: Person = ['asha', 'operator'];
const BEN: Person = ['ben', 'approver'];

// biome-ignore lint/suspicious/noExplicitAny: bodies of many routes
type Answer = { readonly status: number; readonly etag: string | undefined; readonly body: any };

async function ask([name, ...roles]: Person, url: string, etag?: string, body?: object): Promise<Answer> {
  const token = await (await localIssuer(keyFile(), { CORRIDOR_ENV: 'test' })).token(name, roles, 600);
  const response = await fetch(`${api.ready['url'] as string}/v1${url}`, {
    method: body ? 'POST' : 'GET',
    headers: {
      authorization: `Bearer ${token}`,
      ...(body ? { 'content-type': 'application/json' } : {}),
      ...(etag === undefined ? {} : { 'if-match': etag }),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const text = await response.text();
  expect(response.status, text).toBeLessThan(500);
  return { status: response.status, etag: response.headers.get('etag') ?? undefined, body: JSON.parse(text) };
}

/** One asks, the other lets it through. @returns the id of the approval */
async function letThrough(transferId: string, decision: object): Promise<string> {
  const url = `/cases/${encodeURIComponent(`${transferId}/1`)}`;
  const asked = await ask(ASHA, `${url}/decide`, (await ask(ASHA, url)).etag, { reason: 'ticket 4711', ...decision });
  expect(asked.status, JSON.stringify(asked.body)).toBe(202);
  const { approvalId } = asked.body;
  const approval = `/approvals/${approvalId}`;
  const { etag } = await ask(BEN, approval);
  expect(await ask(ASHA, `${approval}/approve`, etag, { reason: 'me too' })).toMatchObject({ status: 403 });
  const approved = await ask(BEN, `${approval}/approve`, etag, { reason: 'looked at the document' });
  expect(approved, JSON.stringify(approved.body)).toMatchObject({ status: 200, body: { state: 'APPROVED' } });
  return approvalId;
}

const payout = async (id: string) => (await store.load([id]))[0]!;
const stateOf = async (id: string) => {
  const db = await pipeline.connections.db();
  return (await db.collection<{ _id: string; state: string }>('transfers').findOne({ _id: id }))?.state;
};
const executions = () =>
  readFileSync(pipeline.ledgerFile, 'utf8')
    .split('\n')
    .filter((line) => line.includes('"execution"'));

/** Its one attempt was sent long ago and taken, and nobody has been able to tell since. */
function lost(found: Payout): Payout {
  const now = Date.now();
  const attempt = {
    ...{ number: 1, key: attemptKey(found.payoutId, 1), pricingAttempt: found.pricingAttempt },
    ...{ startedAt: now - 2 * HOUR_MS, leaseUntil: now - 2 * HOUR_MS, expiresAt: now - HOUR_MS },
    ...{ unknownSince: now - HOUR_MS, acceptedAt: now - 2 * HOUR_MS, notFound: false, end: null },
  };
  const sent = { ...found, phase: 'OUTCOME_UNKNOWN' as const, attempts: [attempt], lastAttempt: 1 };
  return { ...openCase(sent, 'NO_PROOF', 'there is no proof', now), nextPollAt: now + HOUR_MS };
}

/** Those that the first test leaves. */
const settled = { paid: '', unpaid: '' };

it('two persons close one and settle two; whatever dies in between, each ends once and nothing is sent', async () => {
  const fed = await pipeline.feed(3, 11, { mix: ALL_GOOD });
  const [contested, paid, unpaid] = fed.map(({ account }) => account) as [string, string, string];
  Object.assign(settled, { paid, unpaid });
  await vi.waitFor(async () => {
    const found = await store.load([contested, paid, unpaid]);
    expect(found.map(({ phase }) => phase)).toEqual(['NEW', 'NEW', 'NEW']);
  }, WAIT);
  await executor.stop(20_000);
  const cases: readonly (readonly [string, (found: Payout) => Payout])[] = [
    [contested, (found) => openCase(found, 'CONTRADICTION', 'paid under a dead key', Date.now())],
    [paid, lost],
    [unpaid, lost],
  ];
  for (const [id, make] of cases) {
    const found = await payout(id);
    expect(await store.apply([{ from: found.revision, next: make(found) }])).toEqual([true]);
  }

  const close = await letThrough(contested, { verdict: 'CLOSE', code: 'WRITTEN_OFF' });
  for (const failpoint of ['payout.before-closing', 'payout.after-closing', 'payout.after-publish']) {
    await dieAt(failpoint);
  }
  await startExecutor();
  const kept = approvals(await pipeline.connections.db());
  await vi.waitFor(async () => expect((await kept.find(close))?.state).toBe('EXECUTED'), WAIT);
  await vi.waitFor(async () => expect(await stateOf(contested)).toBe('REJECTED'), WAIT);
  expect(await payout(contested)).toMatchObject({
    phase: 'FAILED',
    lastAttempt: 0,
    cases: [{ closing: { by: 'asha', agreedBy: 'ben' } }],
    updates: [{ status: 'FAILED' }],
  });
  await executor.stop(20_000);

  const statement = { reference: 'L-88', date: new Date().toISOString().slice(0, 10), documentSha256: 'a'.repeat(64) };
  const stated = { code: 'PROVIDER_STATED', statement };
  const acts = [
    await letThrough(paid, { ...stated, verdict: 'PAID' }),
    await letThrough(unpaid, { ...stated, verdict: 'UNPAID' }),
  ];
  // Both are done at once: the one that dies first has written neither.
  await dieAt('payout.before-closing');
  await dieAt('payout.after-closing');
  await startExecutor();
  await vi.waitFor(async () => {
    expect([await stateOf(paid), await stateOf(unpaid)]).toEqual(['COMPLETED', 'REJECTED']);
    for (const id of acts) expect((await kept.find(id))?.state).toBe('EXECUTED');
  }, WAIT);
  expect(await payout(paid)).toMatchObject({ phase: 'PAID', lastAttempt: 1, updates: [{ providerReference: 'L-88' }] });
  expect(await payout(unpaid)).toMatchObject({ phase: 'FAILED', lastAttempt: 1, updates: [{ status: 'FAILED' }] });
  const shown = await ask(ASHA, `/cases/${encodeURIComponent(`${paid}/1`)}`);
  expect(shown.body.payout).toMatchObject({ agreedBy: 'ben', statement: { outcome: 'PAID', reference: 'L-88' } });
  expect(executions()).toEqual([]);
}, 1_800_000);

/** The provider gets a word from elsewhere. */
async function withProvider(act: (provider: HttpProviderClient) => Promise<unknown>): Promise<void> {
  const url = pipeline.env['CORRIDOR_PROVIDER_URL']!;
  const terms = { submitTimeoutMs: 10_000, queryTimeoutMs: 10_000, connections: 1 };
  const provider = httpProviderClient({ name: 'simulator', url, ...terms });
  await act(provider);
  await provider.close();
}

/** It pays a key after all, as it was asked to long ago. */
async function paysLate(transferId: string): Promise<void> {
  const { requested: bytes, attempts } = await payout(transferId);
  const { codec } = pipeline.connections;
  await codec.load(['payout.requested']);
  const [requested] = await requestCodec(codec).decode([bytes]);
  const attempt = { ...attempts[0]!, expiresAt: Date.now() + HOUR_MS };
  const instruction = instructionOf(requested!, openParties(requested!)!, attempt);
  await withProvider((provider) => provider.submit(instruction, () => true));
}

/** The provider is asked about it once an hour: now. */
async function isDue(transferId: string): Promise<void> {
  const now = await payout(transferId);
  const next = { ...now, revision: now.revision + 1, nextPollAt: Date.now() };
  expect(await store.apply([{ from: now.revision, next }])).toEqual([true]);
}

it('what the provider says otherwise afterwards is a case and an alarm; nothing is paid again, and verify says so', async () => {
  const { paid, unpaid } = settled;
  const before = [await payout(paid), await payout(unpaid)];
  // Stated as unpaid, and paid after all; stated as paid, and closed without a payment.
  await paysLate(unpaid);
  await withProvider((provider) => provider.cancel(attemptKey(paid, 1)));
  await vi.waitFor(() => expect(executions()).toHaveLength(1), WAIT);
  for (const id of [paid, unpaid]) await isDue(id);
  await vi.waitFor(async () => {
    for (const id of [paid, unpaid]) {
      expect((await payout(id)).cases.at(-1)).toMatchObject({
        code: 'CONTRADICTION',
        attemptKey: attemptKey(id, 1),
        closedAt: null,
      });
    }
  }, WAIT);
  // Neither its end, nor what settlement was told, nor the transfer is another one.
  for (const [index, id] of [paid, unpaid].entries()) {
    const { phase, updates, attempts } = before[index]!;
    expect(await payout(id)).toMatchObject({ phase, updates, attempts });
  }
  expect([await stateOf(paid), await stateOf(unpaid)]).toEqual(['COMPLETED', 'REJECTED']);
  expect(executions()).toHaveLength(1);
  // It alarms, waits for a person, and stands still by name.
  const health = executor.ready['health'] as string;
  const metrics = await (await fetch(`${health}/metrics`)).text();
  expect(metrics).toMatch(/corridor_faults_total\{[^}]*code="CONTRADICTION"[^}]*\} 2/);
  const inbox = await ask(ASHA, '/cases?limit=50');
  for (const id of [paid, unpaid]) expect(JSON.stringify(inbox.body)).toContain(id);
  const { code, stdout, stderr } = await runCorridor(['verify', '--wait-quiet', '5', '--json'], pipeline.env);
  expect(code, stderr).toBe(1);
  const report = JSON.parse(stdout.slice(stdout.indexOf('{'))) as { findings: { code: string; transferId: string }[] };
  const said = report.findings.map(({ code: what, transferId }) => [what, transferId]).toSorted();
  expect(said).toEqual([
    // What was debited, and what the provider has credited, differ by both.
    ['DEBITS_NOT_CREDITS', undefined],
    ['PAID_NOT_EXECUTED', paid],
    ['PAID_THOUGH_REJECTED', unpaid],
  ]);
}, 1_800_000);
