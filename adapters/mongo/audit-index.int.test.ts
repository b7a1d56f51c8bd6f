// The index of the audit log on a real database: pages by every filter, entries under their place, made again from the log.
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { listEntries } from '../../operations/audit/entries.ts';
import type { Act } from '../../operations/audit/entry.ts';
import { catchUp, takeIn } from '../../operations/audit/indexer.ts';
import { LOG } from '../../operations/audit/names.ts';
import { AuditWorld, actOn, KEY } from '../../operations/audit/testing/audit-world.ts';
import { auditIndex } from './audit-index.ts';

const client = new MongoClient(inject('stack').mongoUri);
const db = client.db(`audit_index_${process.pid}_${Date.now().toString(36)}`);
const index = auditIndex(db);
const world = new AuditWorld({ batch: 5 });
const parts = { codec: world.codec, reader: world.log.reader(), index };
const reading = { ...parts, keys: [KEY.verifies] };
const bo: Act['who'] = { subject: 'bo', roles: ['approver'], credential: 'KEY' };

beforeAll(async () => {
  await client.connect();
  await index.ensureIndexes();
  const acts = Array.from({ length: 20 }, (_, n): Act => actOn(n));
  const others: readonly Act[] = [
    { ...actOn(3), who: bo, outcome: 'DENIED', reasonCode: 'ACTION_FORBIDDEN', requestId: 'ab'.repeat(16) },
    // Nothing has shown that there is such a case.
    { ...actOn(0), who: bo, on: { kind: 'cases', id: 'case-7' }, outcome: 'FAILED' },
  ];
  world.log.append(world.entries.recordsOf([...acts, ...others]));
  await world.sequence();
});

afterAll(async () => {
  await db.dropDatabase();
  await client.close();
});

const places = async (...[filter, limit = 50, before]: [Parameters<typeof index.list>[0], number?, number?]) =>
  (await listEntries(reading, filter, limit, before)).entries.map(({ index: place }) => place);

describe('the index', () => {
  it('has what the log has, whole, and says so', async () => {
    expect(await listEntries(reading, {}, 5)).toMatchObject({
      entries: [],
      complete: false,
      reason: /0 of 22 entries/,
    });
    expect(await catchUp(parts)).toBe(22);
    const first = await listEntries(reading, {}, 15);
    expect(first).toMatchObject({ complete: true, before: 7 });
    const second = await listEntries(reading, {}, 15, first.before);
    expect([...first.entries, ...second.entries].map(({ index: place }) => place)).toEqual(
      Array.from({ length: 22 }, (_, n) => 21 - n),
    );
    expect(second.before).toBeUndefined();
    const [logged] = await world.logged();
    expect(second.entries.at(-1)).toMatchObject({ ...logged, index: 0, offset: 0 });
  });

  it('finds by who, what, to what and with what outcome, an id also where only its digest stands', async () => {
    expect(await places({ subject: 'bo' })).toEqual([21, 20]);
    expect(await places({ outcome: 'DENIED' })).toEqual([20]);
    expect(await places({ action: 'cases.decide' }, 2)).toEqual([21, 20]);
    expect(await places({ action: 'cases.open' })).toEqual([]);
    expect(await places({ objectKind: 'cases', objectId: 'case-7' })).toEqual([21, 7]);
    expect(await places({ requestId: 'ab'.repeat(16) })).toEqual([20]);
    expect(await places({ since: world.clock.now() + 1 })).toEqual([]);
    expect(await places({ since: world.clock.now() - 60_000, until: world.clock.now() + 1 })).toHaveLength(22);
    const [, second] = await world.logged();
    expect(await places({ act: second!.entryId })).toEqual([1]);
    expect(await index.find(second!.entryId)).toMatchObject({ index: 1 });
    expect(await index.find(21)).toMatchObject({ subject: 'bo' });
    expect(await index.find(-1)).toBeUndefined();
  });

  it('agrees with the log, or verifying tells', async () => {
    expect(await world.verify({ index: index.leaves() })).toMatchObject({ isVerified: true, entries: 22 });
    await db.collection<{ _id: number }>('audit_entries').updateOne({ _id: 4 }, { $set: { subject: 'mallory' } });
    expect(await world.verify({ index: index.leaves() })).toMatchObject({ counts: { INDEX_DIFFERS: 1 } });
    await db.collection<{ _id: number }>('audit_entries').deleteOne({ _id: 4 });
    expect((await world.verify({ index: index.leaves() })).counts).toMatchObject({ INDEX_DIFFERS: expect.any(Number) });
  });

  it('is made again from the log when the database has lost it, with the next entries that come', async () => {
    await db.collection('audit_entries').deleteMany({});
    world.log.append(world.recordsOf(30, 33));
    await world.sequence();
    await takeIn(parts, world.log.records(LOG, 0).slice(22));
    expect(await index.standing()).toEqual({ next: 25, offset: 25 });
    expect(await world.verify({ index: index.leaves() })).toMatchObject({ isVerified: true, entries: 25 });
    await takeIn(parts, world.log.records(LOG, 0).slice(22));
    expect(await places({})).toHaveLength(25);
  });
});
