// Who asked for what over the API, as the audit log has it: before an act, after everything, and of a flood a number.
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { conditionFor, type Role } from '../../operations/access/table.ts';
import { hashedId } from '../../operations/audit/entry.ts';
import { bearer, type Memory, testApi, transferDocument } from '../testing/api.ts';
import { ROUTES } from '../v1/routes.ts';
import type { Route } from './route.ts';

let app: FastifyInstance;
let memory: Memory;
beforeEach(async () => {
  ({ app, memory } = await testApi());
  memory.transfers.push(transferDocument());
});
afterEach(() => app.close());

const PERSONS = ['viewer', 'operator', 'approver', 'compliance', 'admin'] as const satisfies readonly Role[];
const personFor = ({ action }: Route) => PERSONS.find((role) => conditionFor([role], action) === 'always');
const ask = async (route: Pick<Route, 'method' | 'url'>, role: Role, id = 'transfer-0001') =>
  app.inject({
    method: route.method as never,
    url: route.url.replaceAll(/:\w+/g, id),
    headers: { ...(await bearer('asha', role)), 'idempotency-key': 'a-key-of-mine', 'if-match': '"1"' },
  });
const ofPersons = ROUTES.filter((route) => personFor(route) !== undefined).map(
  (route) => [`${route.method} ${route.url}`, route] as const,
);
const recorded = () => memory.audit.entries.map(({ action, outcome, reasonCode }) => [action, outcome, reasonCode]);

describe('a request of a person', () => {
  it.each(ofPersons)('%s leaves its entry, whatever comes of it', async (_, route) => {
    const response = await ask(route, personFor(route)!);
    const last = memory.audit.entries.at(-1)!;
    if (last.partOf !== null)
      expect(memory.audit.entries[0]).toMatchObject({ outcome: 'ALLOWED', reasonCode: route.name });
    expect(last).toMatchObject({ subject: 'asha', credential: 'TOKEN', action: route.action });
    expect(last.requestId).toBe(response.headers['request-id']);
    const { statusCode } = response;
    if (statusCode < 300) expect(last.outcome).toBe(route.method === 'GET' ? 'VIEWED' : 'DONE');
    else expect([last.outcome, last.reasonCode]).toEqual(['FAILED', response.json().code]);
  });

  it.each(ofPersons)('%s is denied to whoever may not, and that is told', async (_, route) => {
    const other = PERSONS.find((role) => conditionFor([role], route.action) === 'never');
    const response = other ? await ask(route, other) : await app.inject({ url: '/v1/corridors' });
    expect(response.statusCode).toBe(other ? 403 : 401);
    const [entry] = memory.audit.entries;
    expect(entry).toMatchObject({ outcome: 'DENIED', reasonCode: other ? 'ACTION_FORBIDDEN' : 'CREDENTIAL_MISSING' });
    expect(entry!.subject).toBe(other ? 'asha' : null);
  });

  it('names a thing only once something has shown that there is one', async () => {
    await ask({ method: 'GET', url: '/v1/transfers/:transferId' }, 'viewer');
    await ask({ method: 'GET', url: '/v1/transfers/:transferId' }, 'viewer', 'DE89370400440532013000');
    expect(memory.audit.entries.map(({ objectKind, objectId }) => [objectKind, objectId])).toEqual([
      ['transfers', 'transfer-0001'],
      ['transfers', hashedId('DE89370400440532013000')],
    ]);
  });

  it('that changes something is in the log before it is done, or is not done', async () => {
    const pause = ROUTES.find(({ name }) => name === 'pauseReplay')!;
    const body = await ask(pause, 'operator', 'r-1');
    expect(body.statusCode).toBe(404);
    const [before, after] = memory.audit.entries;
    expect([before!.outcome, after!.outcome, after!.partOf]).toEqual(['ALLOWED', 'FAILED', before!.entryId]);
    // All acts on a replay are of one right.
    expect([before!.action, before!.reasonCode]).toEqual(['replays.run', 'pauseReplay']);
    memory.audit.isDown = true;
    const refused = await ask(pause, 'operator', 'r-1');
    expect([refused.statusCode, refused.json().code]).toEqual([503, 'AUDIT_UNAVAILABLE']);
    expect((await ask({ method: 'GET', url: '/v1/transfers' }, 'viewer')).statusCode).toBe(200);
  });

  it('that shows nothing new is no view', async () => {
    const url = '/v1/transfers/transfer-0001';
    const headers = await bearer('asha', 'viewer');
    const { etag } = (await app.inject({ url, headers })).headers;
    await app.inject({ url, headers: { ...headers, 'if-none-match': etag as string } });
    expect(recorded()).toEqual([['transfers.read', 'VIEWED', null]]);
  });
});

describe('a flood', () => {
  it('of credentials that are refused is twenty entries and a number', async () => {
    for (let n = 0; n < 250; n++) {
      await app.inject({ url: '/v1/transfers', headers: { authorization: `Bearer secret-${n}` } });
    }
    expect(memory.audit.entries).toHaveLength(20);
    await app.close();
    const { entries } = memory.audit;
    expect(entries).toHaveLength(21);
    expect(entries.at(-1)).toMatchObject({ outcome: 'DENIED', reasonCode: 'CREDENTIAL_INVALID', count: 230 });
  });

  it('of what a producer asks for is an entry and a number', async () => {
    for (let n = 0; n < 40; n++) await ask({ method: 'GET', url: '/v1/corridors' }, 'producer');
    await app.close();
    expect(memory.audit.entries.map(({ subject, outcome, count }) => [subject, outcome, count])).toEqual([
      ['asha', 'VIEWED', 1],
      ['asha', 'VIEWED', 39],
    ]);
  });
});

describe('a look at names as they are', () => {
  const explanation = '/v1/transfers/transfer-0001/explanation';
  const look = async (role: Role, query: string) =>
    app.inject({ url: `${explanation}${query}`, headers: await bearer('carol', role) });

  it('is for compliance, with a reason', async () => {
    expect((await look('operator', '?unmask=CASE_WORK')).json()).toMatchObject({ code: 'ACTION_FORBIDDEN' });
    expect(recorded()).toEqual([['transfers.explain', 'DENIED', 'ACTION_FORBIDDEN']]);
    expect((await look('compliance', '?unmask=because')).statusCode).toBe(400);
    expect((await look('compliance', '?unmask=INCIDENT&ticket=Gwen')).statusCode).toBe(400);
  });

  it('is in the log before it is shown, or is not shown', async () => {
    const explained = {
      sight: 'full',
      found: [],
      lines: ['Gwen Hartley'],
      isReproduced: true,
      ...{ proof: 'CHECKED', strangers: 0, isContradictory: false },
      last: {
        evidence: {
          ...{ outcome: 'CLEARED', screenedAt: 0, engineVersion: '1', configurationHash: 'h', lists: [] },
        },
      },
    };
    const own = await testApi({}, { explain: async (_: string, sight: string) => ({ ...explained, sight }) as never });
    const asked = async (query: string) =>
      own.app.inject({ url: `${explanation}${query}`, headers: await bearer('carol', 'compliance') });
    expect((await asked('')).json()).toMatchObject({ personalData: 'masked' });
    expect((await asked('?unmask=INCIDENT&ticket=INC-12')).json()).toMatchObject({ personalData: 'full' });
    expect(own.memory.audit.entries.filter(({ action }) => action === 'records.unmask')).toMatchObject([
      { subject: 'carol', outcome: 'VIEWED', reasonCode: 'INCIDENT', reference: 'INC-12', objectId: 'transfer-0001' },
    ]);
    own.memory.audit.isDown = true;
    const refused = await asked('?unmask=INCIDENT');
    expect(refused.json()).toMatchObject({ code: 'AUDIT_UNAVAILABLE' });
    expect(refused.body).not.toContain('Gwen');
    await own.app.close();
  });
});

it('no entry holds what was planted in paths, queries, bodies and credentials', async () => {
  const planted = 'Gwen-Hartley-DE89370400440532013000';
  for (const [, route] of ofPersons) {
    const url = `${route.url.replaceAll(/:\w+/g, planted)}?${new URLSearchParams({ [planted]: planted })}`;
    const headers = { ...(await bearer('asha', personFor(route)!)), 'idempotency-key': planted, 'if-match': planted };
    const body = route.method === 'GET' ? {} : { payload: { [planted]: planted } };
    await app.inject({ method: route.method as never, url, headers: { ...headers, traceparent: planted }, ...body });
    await app.inject({ method: route.method as never, url, headers: { authorization: `Bearer ${planted}` } });
  }
  expect(memory.audit.entries.length).toBeGreaterThan(ofPersons.length);
  expect(JSON.stringify(memory.audit.entries)).not.toMatch(/Gwen|Hartley|DE8937/);
});
