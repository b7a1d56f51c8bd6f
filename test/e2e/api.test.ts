// The API beside the whole pipeline, as a producer and an operator use it: over HTTP, with tokens of their own.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { localIssuer } from '../../adapters/auth/local-issuer.ts';
import { type Child, startChild } from '../../infra/local/children.ts';
import type { Role } from '../../operations/access/table.ts';
import { pause } from '../../ports/pause.ts';
import { runCorridor } from '../kit/corridor-command.ts';
import { TestPipeline } from '../kit/pipeline.ts';

let pipeline: TestPipeline;
let apis: Child[];
const folder = mkdtempSync(path.join(tmpdir(), 'corridor-api-'));
const keyFile = path.join(folder, 'issuer.json');

const startApi = (name: string) =>
  startChild({
    ...{ name, entry: 'cli/main.ts', args: ['api'], logFile: path.join(folder, `${name}.log`) },
    env: { ...pipeline.env, CORRIDOR_API_PORT: '0', CORRIDOR_AUTH_LOCAL_KEY_FILE: keyFile },
  });

beforeAll(async () => {
  pipeline = await TestPipeline.create({ urls: inject('stack') });
  [apis] = await Promise.all([Promise.all([startApi('one'), startApi('two')]), pipeline.start()]);
}, 240_000);
afterAll(async () => {
  await Promise.all((apis ?? []).map((api) => api.stop(10_000)));
  await pipeline?.close();
});

async function ask(place: number, url: string, who: string, role: Role, init: RequestInit = {}) {
  const issuer = await localIssuer(keyFile, { CORRIDOR_ENV: 'test' });
  const authorization = `Bearer ${await issuer.token(who, [role], 600)}`;
  const headers = { ...(init.headers as Record<string, string>), authorization };
  const response = await fetch(`${apis[place]!.ready['url'] as string}${url}`, { ...init, headers });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Record<string, unknown>,
  };
}

const KEY = `over-http-${Date.now().toString(36)}`;
/** Customers of its own for each transfer: their limits are theirs. */
const intent = (key: string, over: object = {}) => ({
  endToEndId: 'E2E-1',
  instructedAmount: { minor: '100000', currency: 'GBP' },
  ...{ sourceCurrency: 'GBP', targetCurrency: 'INR', purposeCode: 'DEPD' },
  debtor: {
    ...{ customerId: `${key}-1`, name: 'Marjorie Quickfall', country: 'GB', birthDate: '1985-04-12' },
    postalAddress: { town: 'Leeds', country: 'GB' },
    account: { scheme: 'IBAN', value: 'GB33BUKB20201555555555' },
  },
  creditor: {
    ...{ customerId: `${key}-2`, name: 'Leela Subbarao', country: 'IN' },
    postalAddress: { town: 'Pune', country: 'IN' },
    account: { scheme: 'BBAN', value: '026291800001191', agent: 'HDFC0000077' },
  },
  ...over,
});
const submit = (place: number, key: string, body: object) =>
  ask(place, '/v1/transfers', 'acme', 'producer', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': key },
    body: JSON.stringify(body),
  });

/** Asks until the transfer is in this state. */
async function until(state: string, key: string): Promise<Record<string, unknown>> {
  for (;;) {
    const { body } = await ask(0, `/v1/transfers/${key}`, 'vera', 'viewer');
    if (body['state'] === state) return body;
    // Nothing more happens to it by itself.
    expect(['HELD', 'REJECTED', 'RETURNED', 'DEAD_LETTERED', 'INTENT_REJECTED']).not.toContain(body['state']);
    await pause(100);
  }
}

describe('a transfer over HTTP', () => {
  it('goes through the pipeline once, however often and wherever it is submitted', async () => {
    const answers = await Promise.all([0, 1, 0, 1].map((place) => submit(place, KEY, intent(KEY))));
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202]);
    // One of them was first; the time that it bears is the time of all.
    expect(new Set(answers.map(({ body }) => body['requestedAt'])).size).toBe(1);
    const transfer = await until('COMPLETED', KEY);
    // Who submitted it went through the log, from the seal of the API to the view.
    expect(transfer).toMatchObject({ corridor: 'GB-IN', credit: { currency: 'INR' }, producer: 'acme' });
    const again = await submit(1, KEY, intent(KEY));
    expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([202, 'true']);
    const other = await submit(0, KEY, intent(KEY, { endToEndId: 'E2E-2' }));
    expect([other.status, other.body['code']]).toEqual([409, 'IDEMPOTENCY_KEY_REUSED']);
  });

  it('is its producer’s to see, and a timeline and an explanation are there for those who may', async () => {
    const url = `/v1/transfers/${KEY}`;
    expect((await ask(0, url, 'acme', 'producer')).status).toBe(200);
    expect((await ask(0, url, 'zenith', 'producer')).status).toBe(404);
    const { body } = await ask(1, `${url}/timeline`, 'vera', 'viewer');
    const states = (body['steps'] as { state: string; sequence: number | null }[]).filter(
      ({ sequence }) => sequence !== null,
    );
    expect(states.map(({ state }) => state)).toEqual([
      'ACCEPTED',
      'SCREENED',
      'PRICED',
      'RESERVED',
      'DISPATCHED',
      'COMPLETED',
    ]);
    const masked = await ask(0, `${url}/explanation`, 'asha', 'operator');
    expect(masked.body).toMatchObject({ outcome: 'CLEAR', personalData: 'masked', isReproduced: true });
    expect(JSON.stringify(masked.body)).not.toContain('Quickfall');
    const unasked = await ask(0, `${url}/explanation`, 'carol', 'compliance');
    expect(JSON.stringify(unasked.body)).not.toContain('Quickfall');
    expect((await ask(0, `${url}/explanation?unmask=CASE_WORK`, 'asha', 'operator')).status).toBe(403);
    const full = await ask(0, `${url}/explanation?unmask=CASE_WORK`, 'carol', 'compliance');
    expect(JSON.stringify(full.body)).toContain('Quickfall');
    const listed = async (who: string) => (await ask(0, '/v1/transfers?limit=200', who, 'producer')).body['items'];
    expect(await listed('acme')).toContainEqual(expect.objectContaining({ transferId: KEY }));
    expect(await listed('zenith')).toEqual([]);
    const { body: list } = await ask(0, '/v1/transfers?state=COMPLETED&limit=5', 'vera', 'viewer');
    expect(list['items']).toContainEqual(expect.objectContaining({ transferId: KEY }));
  });

  it('counts against limits, which tell what is used of them, by transfer and by token', async () => {
    const transfer = await until('COMPLETED', KEY);
    const { body } = await ask(0, `/v1/transfers/${KEY}/limits`, 'asha', 'operator');
    const standings = body['items'] as { subject: { kind: string; id: string }; items: object[] }[];
    expect(standings.map(({ subject }) => subject.kind)).toEqual(['sender', 'beneficiary', 'pair', 'producer']);
    const [sender] = standings as [(typeof standings)[0]];
    const { minor } = transfer['debit'] as { minor: string };
    expect(sender).toMatchObject({ isSeen: true, complete: true, limitRules: 'built-in@1' });
    const used = { ruleId: 'sender-day-gbp', action: 'reject', used: { minor, currency: 'GBP' } };
    expect(sender.items).toContainEqual(expect.objectContaining({ ...used, used: expect.objectContaining(used.used) }));
    // By a command on the stores, too.
    const shown = await runCorridor(['limits', 'show', 'transfer', KEY, '--json'], pipeline.env);
    expect(shown.code, shown.stderr).toBe(0);
    expect(JSON.parse(shown.stdout)[0].items).toContainEqual(
      expect.objectContaining({ ruleId: 'sender-day-gbp', used: expect.objectContaining({ minor }) }),
    );
    const byToken = await ask(1, `/v1/limits/${sender.subject.id}?kind=sender`, 'carol', 'compliance');
    expect(byToken.body['items']).toContainEqual(expect.objectContaining({ ruleId: 'sender-day-gbp' }));
    expect((await ask(0, `/v1/limits/${KEY}-1?kind=sender`, 'asha', 'operator')).body['code']).toBe(
      'LIMIT_SUBJECT_INVALID',
    );
    expect((await ask(0, `/v1/limits/${sender.subject.id}?kind=sender`, 'vera', 'viewer')).status).toBe(403);
  });

  it('comes in a batch too, each line once, also when the batch is sent again elsewhere', async () => {
    const keys = Array.from({ length: 50 }, (_, i) => `${KEY}-batch-${i}`);
    const body = keys.map((key) => `${JSON.stringify({ ...intent(key), transferId: key })}\n`).join('');
    const issuer = await localIssuer(keyFile, { CORRIDOR_ENV: 'test' });
    const authorization = `Bearer ${await issuer.token('acme', ['producer'], 600)}`;
    const headers = { authorization, 'content-type': 'application/x-ndjson' };
    const send = async (place: number) => {
      const url = `${apis[place]!.ready['url'] as string}/v1/transfers/batch`;
      const response = await fetch(url, { method: 'POST', headers, body });
      const lines = (await response.text()).split('\n').filter((line) => line !== '');
      return lines.map((line) => JSON.parse(line) as { readonly transferId: string; readonly requestedAt: string });
    };
    const [one, other] = await Promise.all([send(0), send(1)]);
    expect(one!.map(({ transferId }) => transferId)).toEqual(keys);
    expect(other!.map(({ transferId, requestedAt }) => [transferId, requestedAt])).toEqual(
      one!.map(({ transferId, requestedAt }) => [transferId, requestedAt]),
    );
    for (const key of keys) await until('COMPLETED', key);
  });

  it('survives the death of the process that took it', async () => {
    const keys = Array.from({ length: 20 }, (_, i) => `${KEY}-killed-${i}`);
    const cut = Promise.allSettled(keys.map((key) => submit(0, key, intent(key))));
    await pause(15);
    await apis[0]!.kill();
    await cut;
    apis[0] = await startApi('one-again');
    // Whoever got no answer asks again, also elsewhere.
    const answers = await Promise.all(keys.map((key, i) => submit(i % 2, key, intent(key))));
    expect(answers.map(({ status }) => status)).toEqual(keys.map(() => 202));
    for (const key of keys) await until('COMPLETED', key);
  });
});
