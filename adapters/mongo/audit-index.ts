// The index of the audit log in MongoDB. Who owns the database can change it: nothing is proven by it.
import { Binary, type Db, type Document } from 'mongodb';
import { hashedId } from '../../operations/audit/entry.ts';
import type { AuditFilter, AuditIndex, IndexedEntry } from '../../operations/audit/ports.ts';
import type { IndexSpec } from '../../sinks/idempotent-writes.ts';
import { MAJORITY } from './client.ts';
import { guarded } from './fault.ts';
import { ensureIndexes } from './idempotent-store.ts';
import { STAMP } from './schema-version.ts';

const ENTRIES = 'audit_entries';
const PAGE = 2_000;
/** Before the first place: how far the index is. */
const STANDING = -1;

const indexes: readonly IndexSpec[] = [
  { name: 'subject', keys: { subject: 1, _id: -1 }, servedQuery: 'what one person did, latest first' },
  {
    name: 'object',
    keys: { objectKind: 1, objectId: 1, _id: -1 },
    servedQuery: 'what was done to one thing, latest first (corridor audit list --on)',
  },
  { name: 'action', keys: { action: 1, _id: -1 }, servedQuery: 'acts of one kind, latest first' },
  { name: 'outcome', keys: { outcome: 1, _id: -1 }, servedQuery: 'all that was denied or failed, latest first' },
  { name: 'request', keys: { requestId: 1, _id: -1 }, servedQuery: 'the entries of one request' },
  { name: 'partOf', keys: { partOf: 1, _id: -1 }, servedQuery: 'the items and the end of one act' },
  { name: 'entryId', keys: { entryId: 1 }, servedQuery: 'one entry by its id' },
];

interface Stored extends Omit<IndexedEntry, 'index' | 'at' | 'leafHash'> {
  readonly _id: number;
  readonly at: Date;
  readonly leafHash: Binary;
}

/** The index of this database. */
export function auditIndex(db: Db): AuditIndex {
  const all = db.collection<Document & { _id: number }>(ENTRIES, MAJORITY);
  const read = { promoteLongs: true } as const;

  return {
    ensureIndexes: () => ensureIndexes(db, ENTRIES, indexes),
    async standing() {
      const found = await guarded(() => all.findOne({ _id: STANDING }, read));
      return { next: Number(found?.['next'] ?? 0), offset: Number(found?.['offset'] ?? 0) };
    },
    async write(entries, standing) {
      const writes = [
        ...entries.map((entry) => ({
          replaceOne: { filter: { _id: entry.index }, replacement: toStore(entry) as never, upsert: true },
        })),
        // Last, and in order: what it says is there.
        { updateOne: { filter: { _id: STANDING }, update: { $max: { ...standing }, $set: STAMP }, upsert: true } },
      ];
      await guarded(() => all.bulkWrite(writes, { ordered: true }));
    },
    async list(filter, limit, before) {
      const query = {
        $and: [...queryOf(filter), { _id: { $gte: 0, ...(before === undefined ? {} : { $lt: before }) } }],
      };
      const found = await guarded(() => all.find(query, read).sort({ _id: -1 }).limit(limit).toArray());
      return found.map((stored) => fromStore(stored as unknown as Stored));
    },
    async find(which) {
      const query = typeof which === 'number' ? { _id: which } : { entryId: which };
      const found = await guarded(() => all.findOne({ $and: [query, { _id: { $gte: 0 } }] }, read));
      return found ? fromStore(found as unknown as Stored) : undefined;
    },
    async *leaves() {
      for (let from = 0; ; ) {
        const query = { _id: { $gte: from } };
        const page = await guarded(() => all.find(query, read).sort({ _id: 1 }).limit(PAGE).toArray());
        for (const stored of page) {
          const { index, leafHash, offset: _, ...entry } = fromStore(stored as unknown as Stored);
          yield { index, leafHash, entry };
        }
        const last = page.at(-1);
        if (last === undefined || page.length < PAGE) return;
        from = last._id + 1;
      }
    },
  };
}

function queryOf({
  subject,
  action,
  objectKind,
  objectId,
  outcome,
  requestId,
  act,
  since,
  until,
}: AuditFilter): Document[] {
  const wanted: Document[] = [];
  if (subject !== undefined) wanted.push({ subject });
  if (action !== undefined) wanted.push({ action });
  if (objectKind !== undefined) wanted.push({ objectKind });
  if (objectId !== undefined) wanted.push({ objectId: { $in: [objectId, hashedId(objectId)] } });
  if (outcome !== undefined) wanted.push({ outcome });
  if (requestId !== undefined) wanted.push({ requestId });
  if (act !== undefined) wanted.push({ $or: [{ entryId: act }, { partOf: act }] });
  if (since !== undefined) wanted.push({ at: { $gte: new Date(since) } });
  if (until !== undefined) wanted.push({ at: { $lt: new Date(until) } });
  return wanted;
}

const toStore = ({ index, at, leafHash, ...entry }: IndexedEntry): Document => ({
  _id: index,
  ...entry,
  at: new Date(at),
  leafHash: new Binary(leafHash),
  ...STAMP,
});

function fromStore({ _id, at, leafHash, offset, ...stored }: Stored): IndexedEntry {
  const { entryId, program, subject, roles, credential, action, objectKind, objectId } = stored;
  const { outcome, reasonCode, reference, decidedOn, requestId, partOf, count } = stored;
  return {
    ...{
      index: _id,
      offset: Number(offset),
      leafHash: bytesOf(leafHash),
      at: at instanceof Date ? at.getTime() : Number.NaN,
    },
    ...{ entryId, program, subject, roles, credential, action, objectKind, objectId },
    ...{ outcome, reasonCode, reference, decidedOn, requestId, partOf, count: Number(count) },
  };
}

const bytesOf = (stored: unknown): Buffer => (stored instanceof Binary ? Buffer.from(stored.buffer) : Buffer.alloc(0));
