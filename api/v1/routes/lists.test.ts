import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadSampleList } from '../../../screening/lists/sample/load.ts';
import { versionIdOf } from '../../../screening/versions/version.ts';
import { AT } from '../../../test/kit/builders.ts';
import { type Memory, testApi } from '../../testing/api.ts';
import { keyed, person } from '../../testing/asking.ts';

let app: FastifyInstance;
let memory: Memory;
beforeEach(async () => {
  ({ app, memory } = await testApi());
});
afterEach(() => app.close());

const carol = person(() => app, 'carol', 'compliance');
const ben = person(() => app, 'ben', 'approver');
const vera = person(() => app, 'vera', 'viewer');

/** Another version of the sample, imported by somebody and in force nowhere; `kept` of its entities. */
async function imported(by: string, kept: number): Promise<string> {
  const sample = await loadSampleList();
  const entities = sample.entities.slice(0, kept);
  const counts = { entities: entities.length, names: entities.flatMap(({ names }) => names).length };
  const version = { ...sample, entities, counts, entitiesHash: 'f'.repeat(64), publicationDate: '2026-11-30' };
  await memory.desks.lists.save(version, by, AT + 1);
  return versionIdOf(version);
}

describe('list versions over HTTP', () => {
  it('are listed and shown, with what is in force', async () => {
    const newest = await imported('asha', 1_000);
    const { items } = (await vera.get('lists')).body;
    expect(items).toMatchObject([
      { versionId: newest, status: 'IMPORTED', inForceSince: null },
      { status: 'UNPUBLISHED', importedBy: 'test' },
    ]);
    const shown = await vera.get(`lists/${newest}`);
    expect(shown.body).toMatchObject({ versionId: newest, inForceNow: items[1].versionId, report: { warnings: [] } });
    expect((await vera.get(`lists/${newest}`, { 'if-none-match': shown.etag })).status).toBe(304);
    expect((await vera.get('lists/none')).body).toMatchObject({ status: 404, code: 'LIST_VERSION_UNKNOWN' });
  });

  it('are compared', async () => {
    const [{ versionId }] = (await vera.get('lists')).body.items;
    const same = await vera.get(`lists/${versionId}/changes?since=${versionId}`);
    expect(same.body).toMatchObject({ added: 0, removed: 0, changed: 0, items: [], complete: true });
    expect((await vera.get(`lists/${versionId}/changes?since=none`)).body).toMatchObject({
      code: 'LIST_VERSION_UNKNOWN',
    });
  });

  it('are put in force by one person where little is taken off, as who was seen to be in force', async () => {
    const newest = await imported('asha', 1_000);
    const why = { reason: 'published today' };
    expect((await vera.post(`lists/${newest}/activate`, why, keyed('lists-0001'))).status).toBe(403);
    expect((await carol.post(`lists/${newest}/activate`, why, keyed('lists-0001'))).status).toBe(428);
    const done = await carol.change(`lists/${newest}`, 'activate', why, keyed('lists-0001'));
    expect(done).toMatchObject({ status: 200, body: { versionId: newest, changed: true } });
    expect(memory.desks.activated).toMatchObject([{ list: { versionId: newest }, activatedBy: 'carol' }]);
    const stale = { ...keyed('lists-0002'), 'if-match': '"other"' };
    expect((await carol.post(`lists/${newest}/activate`, why, stale)).status).toBe(412);
  });

  it('that take much off wait for another person than who imported them', async () => {
    const small = await imported('carol', 1);
    const asked = await carol.change(`lists/${small}`, 'activate', { reason: 'as published' }, keyed('lists-0003'));
    expect(asked).toMatchObject({ status: 202, body: { act: 'lists.activate', state: 'WAITING', askedBy: 'carol' } });
    expect(memory.desks.activated).toEqual([]);
    const url = `approvals/${asked.body.approvalId}`;
    expect((await carol.change(url, 'approve', { reason: 'x' })).body).toMatchObject({ code: 'SECOND_PERSON_NEEDED' });
    expect((await ben.change(url, 'approve', { reason: 'compared it' })).body).toMatchObject({ state: 'EXECUTED' });
    expect(memory.desks.activated).toMatchObject([{ list: { versionId: small }, activatedBy: 'ben' }]);
  });
});
