import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Role } from '../../../operations/access/table.ts';
import { approvedHash } from '../../../operations/dead-letters/replays/replay.ts';
import type { LogRecord } from '../../../ports/log.ts';
import { priced } from '../../../test/kit/events.ts';
import { memoryCodec } from '../../../test/kit/memory-codec.ts';
import { bearer, type Memory, testApi } from '../../testing/api.ts';
import { parkedLetter } from '../../testing/letters.ts';

const PATH = '/parties/remittanceInformation';
let app: FastifyInstance;
let memory: Memory;

function letterRecord(offset: number): LogRecord {
  const headers = { 'dlq-id': `letter-${offset}`, 'source-topic': 'transfer.priced', 'dlq-class': 'poison' };
  const value = memoryCodec().encode('transfer.priced', priced());
  const buffers = Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)]);
  return {
    ...{ topic: 'limits.dlq', partition: 0, offset, timestamp: 0, key: null, value },
    headers: Object.fromEntries(buffers),
  };
}

beforeEach(async () => {
  ({ app, memory } = await testApi());
  memory.letters.push(...[0, 1].map(parkedLetter));
  memory.letterRecords = (places) => new Map(places.map(({ offset }) => [`0/${offset}`, letterRecord(offset)]));
});
afterEach(() => app.close());

async function ask(role: Role, method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, body?: object, etag?: string) {
  const headers = {
    ...(await bearer('asha', role)),
    ...(etag === undefined ? {} : { 'if-match': etag }),
    ...(method === 'POST' ? { 'idempotency-key': 'key-2026-11-30' } : {}),
  };
  const response = await app.inject({ method, url, headers, ...(body ? { payload: body } : {}) });
  const parsed = response.body === '' ? {} : (response.json() as Record<string, unknown>);
  return { status: response.statusCode, body: parsed, etag: response.headers.etag as string };
}

async function frozen() {
  const { body, etag } = await ask('operator', 'POST', '/v1/replays', { select: { groupId: 'g' }, reason: 'mended' });
  return { id: body['replayId'] as string, etag };
}
const editUrl = (id: string, letter = 'letter-1') => `/v1/replays/${id}/letters/${letter}/edit`;
const patch = (path = PATH, value: unknown = 'Rent of Ada Example') => ({ patch: [{ op: 'replace', path, value }] });

describe('an edit of a letter', () => {
  it('is part of what is approved, has the replay tried again, and is shown beside what it changes', async () => {
    const { id, etag } = await frozen();
    const before = memory.replays[0]!;
    const edited = await ask('operator', 'PUT', editUrl(id), patch(), etag);
    expect(edited).toMatchObject({ status: 200, body: { editedLetters: 1, isTrying: true, expected: null } });
    const after = memory.replays[0]!;
    expect(after.selectionHash).not.toBe(before.selectionHash);
    expect(approvedHash(after)).not.toBe(approvedHash({ ...after, edited: 0, selectionHash: before.selectionHash }));
    const shown = await ask('operator', 'GET', `/v1/replays/${id}/edits`);
    const change = { path: PATH, before: null, after: 'R••• o••• A••• E•••', isMasked: true };
    expect(shown.body['items']).toEqual([
      expect.objectContaining({ letterId: 'letter-1', transferId: 'T-1', editedBy: 'asha', changes: [change] }),
    ]);
    const whole = await ask('compliance', 'GET', `/v1/replays/${id}/edits?unmask=INCIDENT`);
    expect(JSON.stringify(whole.body)).toContain('Rent of Ada Example');
    expect((await ask('operator', 'GET', `/v1/replays/${id}/edits?unmask=INCIDENT`)).status).toBe(403);
    // Taken back, it is what it was.
    expect((await ask('operator', 'DELETE', editUrl(id), undefined, edited.etag)).body['editedLetters']).toBe(0);
    expect(memory.replays[0]!.selectionHash).toBe(before.selectionHash);
  });

  it('leaves neither what was typed nor a name in the audit log', async () => {
    const { id, etag } = await frozen();
    await ask('operator', 'PUT', editUrl(id), patch(), etag);
    const { entries } = memory.audit;
    const of = (kind: string) => entries.filter(({ objectKind }) => objectKind === kind);
    expect(of('dead-letters').map(({ objectId, outcome }) => [objectId, outcome])).toEqual([['letter-1', 'DONE']]);
    expect(of('replays').map(({ outcome }) => outcome)).toEqual(['ALLOWED', 'DONE', 'ALLOWED', 'DONE']);
    expect(JSON.stringify(entries)).not.toContain('Example');
  });

  it.each([
    ['EDIT_LOCKED', 422, patch('/instruction/instructedAmount/minor', '1')],
    ['EDIT_LOCKED', 422, patch('/parties/creditor/name', 'x')],
    ['EDIT_INVALID', 422, patch(PATH, 7)],
    ['EDIT_TEST_FAILED', 409, { patch: [{ op: 'test', path: PATH, value: 'x' }, ...patch().patch] }],
    ['REQUEST_INVALID', 400, { patch: [] }],
    ['REQUEST_INVALID', 400, { patch: [{ op: 'move', path: PATH, from: '/a' }] }],
  ])('is refused with %s', async (code, status, body) => {
    const { id, etag } = await frozen();
    const before = structuredClone(memory.replays[0]);
    expect(await ask('operator', 'PUT', editUrl(id), body, etag)).toMatchObject({ status, body: { code } });
    expect(memory.replays[0]).toEqual(before);
  });

  it('is one of a letter of a frozen replay that the caller has seen', async () => {
    const { id, etag } = await frozen();
    expect(await ask('operator', 'PUT', editUrl(id), patch())).toMatchObject({ status: 428 });
    expect(await ask('operator', 'PUT', editUrl(id), patch(), '"99"')).toMatchObject({ status: 412 });
    expect(await ask('viewer', 'PUT', editUrl(id), patch(), etag)).toMatchObject({ status: 403 });
    expect(await ask('operator', 'PUT', editUrl(id, 'letter-9'), patch(), etag)).toMatchObject({ status: 404 });
    memory.replays[0] = { ...memory.replays[0]!, state: 'WAITING' };
    expect(await ask('operator', 'PUT', editUrl(id), patch(), etag)).toMatchObject({ body: { code: 'REPLAY_MOVED' } });
  });

  it('that stands otherwise in the database is shown to nobody', async () => {
    const { id, etag } = await frozen();
    await ask('operator', 'PUT', editUrl(id), patch(), etag);
    const place = memory.replayItems.findIndex(({ edit }) => edit);
    const item = memory.replayItems[place]!;
    memory.replayItems[place] = { ...item, edit: { ...item.edit!, text: item.edit!.text.replace('Rent', 'Gift') } };
    expect(await ask('operator', 'GET', `/v1/replays/${id}/edits`)).toMatchObject({
      body: { code: 'EVIDENCE_CHANGED' },
    });
  });
});

describe('letters that are to be discarded', () => {
  it('are frozen as a replay of its own kind, by who may discard', async () => {
    const body = { select: { letterIds: ['letter-0', 'letter-1'] }, reason: 'account closed', reasonCode: 'AC04' };
    expect((await ask('compliance', 'POST', '/v1/dead-letters/discards', body)).status).toBe(403);
    const made = await ask('operator', 'POST', '/v1/dead-letters/discards', body);
    expect(made).toMatchObject({ status: 201, body: { discard: 'AC04', state: 'FROZEN', isTrying: true } });
    const again = await ask('operator', 'POST', '/v1/dead-letters/discards', body);
    expect(again.body).toEqual(made.body);
    const id = made.body['replayId'] as string;
    expect(await ask('operator', 'PUT', editUrl(id), patch(), made.etag)).toMatchObject({
      body: { code: 'LETTER_NOT_EDITABLE' },
    });
    const wrong = await ask('operator', 'POST', '/v1/dead-letters/discards', { ...body, reasonCode: 'AC99' });
    expect(wrong).toMatchObject({ status: 400 });
  });
});
