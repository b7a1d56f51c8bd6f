// Sanctions list versions in MongoDB:
//   screening_lists        { _id: versionId, source, publicationDate, hashes, counts, report }: inserted last, never changed
//   screening_list_chunks  { _id: versionId/n, versionId, n, entities, data }: packed entities, inserted before the head
//   screening_active       { _id: source, revision, list, …, history }: the version in force, replaced by compare-and-set
import { Binary, type Db, type Document, MongoServerError } from 'mongodb';
import { packEntities } from '../../processors/screening/versions/packed.ts';
import type { Activation, ListStore } from '../../processors/screening/versions/store.ts';
import {
  headOf,
  type PackedVersion,
  referenceTo,
  type VersionHead,
} from '../../processors/screening/versions/version.ts';
import { CodedError } from '../../runtime/ports/fault.ts';
import { insertFree } from './claims.ts';
import { MAJORITY } from './client.ts';
import { mongoFault } from './fault.ts';
import { ensureIndexes } from './idempotent-store.ts';

const LISTS = 'screening_lists';
const CHUNKS = 'screening_list_chunks';
const ACTIVE = 'screening_active';
const DUPLICATE_KEY = 11_000;
/** Chunks in one insert: together far below the largest message. */
const CHUNKS_PER_INSERT = 20;

type Stored = Document & { readonly _id: string };
type HeadDocument = Omit<VersionHead, 'versionId' | 'importedAt'> & { _id: string; importedAt: Date; chunks: number };
type ActiveDocument = Omit<Activation, 'source' | 'activatedAt'> & {
  _id: string;
  activatedAt: Date;
  /** Every version that was in force, oldest first: who switched to it, and when. */
  history: { versionId: string; revision: number; activatedAt: Date; activatedBy: string }[];
};

export function listStore(db: Db): ListStore {
  const lists = db.collection<HeadDocument>(LISTS, MAJORITY);
  const chunks = db.collection<Stored>(CHUNKS, MAJORITY);
  const active = db.collection<ActiveDocument>(ACTIVE, MAJORITY);
  const guarded = <T>(run: Promise<T>): Promise<T> =>
    run.catch((error: unknown) => {
      throw mongoFault(error);
    });

  async function headDocument(versionId: string): Promise<HeadDocument> {
    const found = await guarded(lists.findOne({ _id: versionId }));
    if (found) return found;
    throw new CodedError('LIST_VERSION_UNKNOWN', `there is no list version ${versionId}: see \`corridor lists show\``);
  }

  return {
    ensureIndexes: async () => {
      await ensureIndexes(db, CHUNKS, [
        { name: 'versionId_n', keys: { versionId: 1, n: 1 }, servedQuery: 'the chunks of a version, in order' },
      ]);
    },
    async save(version, by, now) {
      const head = headOf(version, now, by);
      const { versionId, importedAt, ...rest } = head;
      const packed = [...packEntities(version.entities)].map(({ entities, data }, n) => ({
        _id: `${versionId}/${n}`,
        versionId,
        n,
        entities,
        data: new Binary(data),
      }));
      for (let from = 0; from < packed.length; from += CHUNKS_PER_INSERT) {
        await insertFree(chunks as never, packed.slice(from, from + CHUNKS_PER_INSERT));
      }
      const document = { _id: versionId, ...rest, importedAt: new Date(importedAt), chunks: packed.length };
      const taken = await insertFree(lists as never, [document]);
      return taken.size === 0;
    },
    async load(versionId): Promise<PackedVersion> {
      const [head, stored] = await Promise.all([
        headDocument(versionId),
        guarded(chunks.find({ versionId }).sort({ n: 1 }).toArray()),
      ]);
      if (stored.length !== head.chunks) {
        throw new CodedError('LIST_VERSION_DAMAGED', `${versionId} is not complete: import it again`, {
          faultClass: 'fatal',
        });
      }
      // Copies: a view into the driver's buffer would drag all of it along to another thread.
      return { head: toHead(head), chunks: stored.map(({ data }) => Uint8Array.from((data as Binary).value())) };
    },
    head: async (versionId) => toHead(await headDocument(versionId)),
    async heads({ source, limit }) {
      const filter = source === undefined ? {} : { source };
      return (await guarded(lists.find(filter).sort({ importedAt: -1 }).limit(limit).toArray())).map(toHead);
    },
    active: async () =>
      (await guarded(active.find({}).project<ActiveDocument>({ history: 0 }).toArray())).map(toActivation),
    async current() {
      const found = await guarded(active.find({}).project<ActiveDocument>({ list: 1 }).toArray());
      return found.map(({ list }) => list);
    },
    async activate(head, expected, by, now) {
      const revision = expected + 1;
      const made = {
        revision,
        list: referenceTo(head, revision),
        entities: head.counts.entities,
        names: head.counts.names,
        activatedAt: new Date(now),
        activatedBy: by,
        published: false,
      };
      const entry = { versionId: head.versionId, revision, activatedAt: made.activatedAt, activatedBy: by };
      const _id = head.source;
      if (expected === 0) {
        const first = { _id, ...made, history: [entry] };
        const inserted = await active.insertOne(first).then(
          () => true,
          (error: unknown) => {
            if (error instanceof MongoServerError && error.code === DUPLICATE_KEY) return false;
            throw mongoFault(error);
          },
        );
        return inserted ? toActivation(first) : undefined;
      }
      const before = await guarded(active.findOne({ _id, revision: expected }));
      if (!before) return undefined;
      const history = [...before.history, entry];
      const result = await guarded(active.updateOne({ _id, revision: expected }, { $set: { ...made, history } }));
      return result.matchedCount === 1 ? toActivation({ _id, ...made, history }) : undefined;
    },
    async markPublished(source, revision) {
      await guarded(active.updateOne({ _id: source, revision }, { $set: { published: true } }));
    },
  };
}

const toHead = ({ _id, importedAt, chunks: _, ...rest }: HeadDocument): VersionHead => ({
  versionId: _id,
  ...rest,
  importedAt: importedAt.getTime(),
});

const toActivation = ({ _id, activatedAt, history: _, ...rest }: ActiveDocument): Activation => ({
  source: _id,
  ...rest,
  activatedAt: activatedAt.getTime(),
});
