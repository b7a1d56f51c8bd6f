import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isConsistent, leafHash, rootByInclusion } from '../../../domain/audit/merkle.ts';
import { type Memory, testApi } from '../../testing/api.ts';
import { person } from '../../testing/asking.ts';

let app: FastifyInstance;
let memory: Memory;
beforeEach(async () => {
  ({ app, memory } = await testApi());
});
afterEach(() => app.close());

const carol = person(() => app, 'carol', 'compliance');
const bytes = (text: string) => Buffer.from(text, 'base64');

describe('the audit log over HTTP', () => {
  it('is read page by page, the latest first, by whom it is about', async () => {
    const first = await carol.get('audit/entries?limit=2&subject=%20ASHA');
    expect(first.body).toMatchObject({ complete: true, reason: null });
    expect(first.body.items.map(({ index }: { index: number }) => index)).toEqual([4, 3]);
    expect(first.body.items[0].entry).toMatchObject({ subject: 'asha', action: 'cases.decide', objectId: 'case-4' });
    const rest = await carol.get(`audit/entries?limit=50&subject=asha&cursor=${first.body.nextCursor}`);
    expect(rest.body.items.map(({ index }: { index: number }) => index)).toEqual([2, 1, 0]);
    expect(rest.body.nextCursor).toBeNull();
    expect((await carol.get('audit/entries?outcome=DENIED')).body.items).toEqual([]);
    expect((await carol.get('audit/entries?cursor=nonsense')).body).toMatchObject({ code: 'CURSOR_INVALID' });
  });

  it('proves of each entry that it is in the tree that is signed', async () => {
    const { size, root, note } = (await carol.get('audit/checkpoint')).body;
    expect(note).toContain('\n\n\u2014 corridor.test/audit ');
    expect(size).toBe(5);
    for (let index = 0; index < size; index++) {
      const { body } = await carol.get(`audit/entries/${index}/proof`);
      expect(body).toMatchObject({ index, entry: { objectId: `case-${index}` }, checkpoint: { size, root } });
      const proven = rootByInclusion(leafHash(bytes(body.leaf)), index, size, body.path.map(bytes));
      expect(proven?.toString('base64')).toBe(root);
      const byId = await carol.get(`audit/entries/${body.entry.entryId}`);
      expect(byId.body).toMatchObject({ index, leafHash: leafHash(bytes(body.leaf)).toString('hex') });
    }
  });

  it('proves that it begins with what was signed before', async () => {
    const before = (await carol.get('audit/checkpoint')).body;
    memory.desks.auditLog.log.append(memory.desks.auditLog.recordsOf(5, 9));
    await memory.desks.auditLog.sequence();
    const { body } = await carol.get(`audit/consistency?from=${before.size}`);
    const [first, second] = [before, body.checkpoint].map(({ size, root }) => ({ size, root: bytes(root) }));
    expect(second!.size).toBe(9);
    expect(isConsistent(first!, second!, body.path.map(bytes))).toBe(true);
    // The index has not got them, and says so.
    expect((await carol.get('audit/entries')).body).toMatchObject({ complete: false, reason: expect.any(String) });
    expect((await carol.get('audit/consistency?from=10')).body).toMatchObject({ code: 'OPTION_INVALID' });
  });

  it('proves nothing of an index that says otherwise, and has no proof of what is not there', async () => {
    memory.desks.index.push({ ...memory.desks.index[4]!, index: 5, entryId: '00000000-0000-4000-8000-00000000ffff' });
    expect((await carol.get('audit/entries/5/proof')).body).toMatchObject({ code: 'AUDIT_ENTRY_UNKNOWN' });
    expect((await carol.get('audit/entries/77')).body).toMatchObject({ status: 404, code: 'AUDIT_ENTRY_UNKNOWN' });
    // Whatever the index says of an entry: the proof has what stands in the log.
    memory.desks.index[1] = { ...memory.desks.index[1]!, subject: 'mallory' };
    expect((await carol.get('audit/entries/1/proof')).body.entry).toMatchObject({ subject: 'asha' });
  });
});
