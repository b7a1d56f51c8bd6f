// Sanctions list versions in MongoDB:
//   screening_lists        { _id: versionId, source, publicationDate, hashes, counts, report }: inserted last, never changed
//   screening_list_chunks  { _id: versionId/n, versionId, n, entities, data }: packed entities, inserted before the head
// Which of them is in force is in list-activations.ts.
import { Binary, type Db, type Document } from 'mongodb';
import type { KeyRing } from '../../domain/seals/seal.ts';
import { CodedError, isOutage } from '../../ports/fault.ts';
import { isSealedHead, sealHead } from '../../screening/versions/list-seals.ts';
import { packEntities, unpackEntities } from '../../screening/versions/packed.ts';
import type { ListStore } from '../../screening/versions/store.ts';
import { headOf, type PackedVersion, type VersionHead } from '../../screening/versions/version.ts';
import { insertFree } from './claims.ts';
import { MAJORITY } from './client.ts';
import { guarded } from './fault.ts';
import { ensureIndexes } from './idempotent-store.ts';
import { listActivations } from './list-activations.ts';
import { STAMP, unstamped } from './schema-version.ts';

export const LIST_VERSIONS = 'screening_lists';
const CHUNKS = 'screening_list_chunks';
/** Chunks in one insert: together far below the largest message. */
const CHUNKS_PER_INSERT = 20;

type Stored = Document & { readonly _id: string };
type HeadDocument = Omit<VersionHead, 'versionId' | 'importedAt'> & {
  _id: string;
  importedAt: Date;
  chunks: number;
  seal?: string;
};

export interface ListStoreOptions {
  /** Seals versions as they are imported and put in force. */
  readonly operators: KeyRing;
}

/** Versions and which of them are in force. */
export const listStore = (db: Db, options: ListStoreOptions): ListStore => ({
  ...listActivations(db, options),
  ...listVersions(db, options),
});

type VersionStore = Pick<ListStore, 'ensureIndexes' | 'save' | 'load' | 'head' | 'heads'>;

function listVersions(db: Db, { operators }: ListStoreOptions): VersionStore {
  const lists = db.collection<HeadDocument>(LIST_VERSIONS, MAJORITY);
  const chunks = chunksIn(db);
  const isSealed = (found: HeadDocument) => isSealedHead(operators, toHead(found), found.seal);

  async function headDocument(versionId: string): Promise<HeadDocument> {
    const found = await guarded(() => lists.findOne({ _id: versionId }));
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
      const found = await guarded(() => lists.findOne({ _id: versionId }));
      if (found && isSealed(found) && (await chunks.isWhole(found))) return false;
      if (found) await chunks.clear(versionId);
      const document = {
        _id: versionId,
        ...rest,
        importedAt: new Date(importedAt),
        chunks: await chunks.insert(versionId, version.entities),
        seal: sealHead(operators, head),
        ...STAMP,
      };
      if (found && !isSealed(found)) {
        await guarded(() => lists.replaceOne({ _id: versionId }, document));
        return true;
      }
      const taken = await insertFree(lists as never, [document]);
      return taken.size === 0;
    },
    async load(versionId): Promise<PackedVersion> {
      const [head, stored] = await Promise.all([headDocument(versionId), chunks.of(versionId)]);
      if (stored.length !== head.chunks) {
        // It passes: also while the version is being imported again.
        throw new CodedError('LIST_VERSION_DAMAGED', `${versionId} is not complete: import it again`, {
          faultClass: 'transient-dependency',
          dependency: 'screening-lists',
        });
      }
      return { head: toHead(head), chunks: stored };
    },
    async head(versionId) {
      const found = await headDocument(versionId);
      if (isSealed(found)) return toHead(found);
      throw new CodedError(
        'LIST_VERSION_NOT_SEALED',
        `${versionId} was not imported through this program, or was changed in the database: import it again`,
      );
    },
    async heads({ source, limit }) {
      const filter = source === undefined ? {} : { source };
      const found = await guarded(() => lists.find(filter).sort({ importedAt: -1 }).limit(limit).toArray());
      return found.map((each) => ({ ...toHead(each), isSealed: isSealed(each) }));
    },
  };
}

/** The packed entities of versions. */
function chunksIn(db: Db) {
  const chunks = db.collection<Stored>(CHUNKS, MAJORITY);

  async function of(versionId: string): Promise<readonly Uint8Array[]> {
    const stored = await guarded(() => chunks.find({ versionId }).sort({ n: 1 }).toArray());
    // Copies: a view into the driver's buffer would drag all of it along to another thread.
    return stored.map(({ data }) => Uint8Array.from((data as Binary).value()));
  }

  return {
    of,
    async isWhole({ _id, entitiesHash }: HeadDocument): Promise<boolean> {
      try {
        unpackEntities(await of(_id), entitiesHash);
        return true;
      } catch (error) {
        if (isOutage(error)) throw error;
        return false;
      }
    },
    /** @returns how many they are */
    async insert(versionId: string, entities: Parameters<typeof packEntities>[0]): Promise<number> {
      const packed = [...packEntities(entities)].map(({ entities: count, data }, n) => ({
        _id: `${versionId}/${n}`,
        versionId,
        n,
        entities: count,
        data: new Binary(data),
        ...STAMP,
      }));
      for (let from = 0; from < packed.length; from += CHUNKS_PER_INSERT) {
        await insertFree(chunks as never, packed.slice(from, from + CHUNKS_PER_INSERT));
      }
      return packed.length;
    },
    clear: (versionId: string) => guarded(() => chunks.deleteMany({ versionId })),
  };
}

/** What is wrong with the seal of a stored version; undefined: nothing. */
export const flawOfHead = (operators: KeyRing, found: HeadDocument): 'LIST_VERSION_NOT_SEALED' | undefined =>
  isSealedHead(operators, toHead(found), found.seal) ? undefined : 'LIST_VERSION_NOT_SEALED';

const toHead = ({ _id, importedAt, chunks: _, seal: __, ...rest }: HeadDocument): VersionHead => ({
  versionId: _id,
  ...unstamped(rest),
  importedAt: importedAt.getTime(),
});
