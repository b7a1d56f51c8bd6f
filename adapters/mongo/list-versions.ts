// Sanctions list versions in MongoDB:
//   screening_lists        { _id: versionId, source, publicationDate, hashes, counts, report }: inserted last, never changed
//   screening_list_chunks  { _id: versionId/n, versionId, n, entities, data }: packed entities, inserted before the head
//   screening_active       { _id: source, revision, list, …, history }: the version in force, replaced by compare-and-set;
//                          of its history the last entries, those before are in screening_list_history
import { Binary, type Db, type Document } from 'mongodb';
import type { KeyRing } from '../../domain/seals/seal.ts';
import { CodedError } from '../../ports/fault.ts';
import { isSealedHead, sealActivation, sealHead } from '../../screening/versions/list-seals.ts';
import { packEntities, unpackEntities } from '../../screening/versions/packed.ts';
import type { Activation, ListStore, StoredActivation } from '../../screening/versions/store.ts';
import { headOf, type PackedVersion, referenceTo, type VersionHead } from '../../screening/versions/version.ts';
import { insertFree } from './claims.ts';
import { MAJORITY } from './client.ts';
import { guarded } from './fault.ts';
import { ensureIndexes } from './idempotent-store.ts';
import { type HistoryEntry, isSealedEntry, keepHistory, MAX_HISTORY } from './list-history.ts';
import { STAMP, unstamped } from './schema-version.ts';
import { isSealedAsActive } from './sealed-activation.ts';

export const LIST_VERSIONS = 'screening_lists';
const CHUNKS = 'screening_list_chunks';
export const ACTIVE_LISTS = 'screening_active';
/** Chunks in one insert: together far below the largest message. */
const CHUNKS_PER_INSERT = 20;
/** Entries of a history that nobody sealed, as many as are kept. */
const MAX_UNSEALED = 100;

type Stored = Document & { readonly _id: string };
type HeadDocument = Omit<VersionHead, 'versionId' | 'importedAt'> & {
  _id: string;
  importedAt: Date;
  chunks: number;
  seal?: string;
};
type ActiveDocument = Omit<Activation, 'source' | 'activatedAt'> & {
  _id: string;
  activatedAt: Date;
  seal?: string;
  /** The last versions that were in force, oldest first: who switched to it, and when, each under its seal. */
  history: HistoryEntry[];
  /** What stood in the history and was sealed by nobody: kept to be looked at, and proof of nothing. */
  unsealedHistory?: unknown[];
};

export interface ListStoreOptions {
  /** Seals versions as they are imported and put in force. */
  readonly operators: KeyRing;
}

export function listStore(db: Db, { operators }: ListStoreOptions): ListStore {
  const lists = db.collection<HeadDocument>(LIST_VERSIONS, MAJORITY);
  const chunks = db.collection<Stored>(CHUNKS, MAJORITY);
  const active = db.collection<ActiveDocument>(ACTIVE_LISTS, MAJORITY);

  async function headDocument(versionId: string): Promise<HeadDocument> {
    const found = await guarded(() => lists.findOne({ _id: versionId }));
    if (found) return found;
    throw new CodedError('LIST_VERSION_UNKNOWN', `there is no list version ${versionId}: see \`corridor lists show\``);
  }

  async function chunksOf(versionId: string): Promise<readonly Uint8Array[]> {
    const stored = await guarded(() => chunks.find({ versionId }).sort({ n: 1 }).toArray());
    // Copies: a view into the driver's buffer would drag all of it along to another thread.
    return stored.map(({ data }) => Uint8Array.from((data as Binary).value()));
  }

  async function isWhole({ _id, entitiesHash }: HeadDocument): Promise<boolean> {
    try {
      unpackEntities(await chunksOf(_id), entitiesHash);
      return true;
    } catch (error) {
      if (isTransient(error)) throw error;
      return false;
    }
  }

  async function inForce(): Promise<readonly StoredActivation[]> {
    const found = await guarded(() =>
      active.find({}).project<ActiveDocument>({ history: 0, unsealedHistory: 0 }).toArray(),
    );
    return found.map((document) => {
      const activation = toActivation(document);
      return { ...activation, isSealed: isSealedAsActive(operators, activation, document.seal) };
    });
  }

  const isSealed = (found: HeadDocument) => isSealedHead(operators, toHead(found), found.seal);

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
      if (found && isSealed(found) && (await isWhole(found))) return false;
      if (found) await guarded(() => chunks.deleteMany({ versionId }));
      const packed = [...packEntities(version.entities)].map(({ entities, data }, n) => ({
        _id: `${versionId}/${n}`,
        versionId,
        n,
        entities,
        data: new Binary(data),
        ...STAMP,
      }));
      for (let from = 0; from < packed.length; from += CHUNKS_PER_INSERT) {
        await insertFree(chunks as never, packed.slice(from, from + CHUNKS_PER_INSERT));
      }
      const seal = sealHead(operators, head);
      const document = {
        _id: versionId,
        ...rest,
        importedAt: new Date(importedAt),
        chunks: packed.length,
        seal,
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
      const [head, stored] = await Promise.all([headDocument(versionId), chunksOf(versionId)]);
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
      return (await guarded(() => lists.find(filter).sort({ importedAt: -1 }).limit(limit).toArray())).map((found) => ({
        ...toHead(found),
        isSealed: isSealed(found),
      }));
    },
    active: inForce,
    async current() {
      const found = await inForce();
      const forged = found.find((each) => !each.isSealed);
      if (!forged) return found.map(({ list }) => list);
      // Nothing is cleared against a list that nobody has put in force.
      const message = `what is in force of ${forged.source} was changed in the database: activate it again (corridor lists show)`;
      throw new CodedError('LIST_ACTIVATION_NOT_SEALED', message, {
        faultClass: 'transient-dependency',
        dependency: 'screening-lists',
      });
    },
    async activate(head, expected, by, now, revision = expected + 1) {
      const made = {
        revision,
        list: referenceTo(head, revision),
        entities: head.counts.entities,
        names: head.counts.names,
        activatedAt: new Date(now),
        activatedBy: by,
        published: false,
      };
      const { published: _, ...facts } = made;
      const seal = sealActivation(operators, { ...facts, source: head.source, activatedAt: now });
      const entry = { versionId: head.versionId, ...facts, seal };
      const _id = head.source;
      if (expected === 0) {
        const first = { _id, ...made, seal, history: [entry], ...STAMP };
        const taken = await insertFree(active as never, [first]);
        if (taken.size === 0) return toActivation(first);
        // Another was faster, or somebody wrote one that counts as none.
      }
      // By what stands there: somebody may have written no number.
      const filter = { _id, revision: { $eq: expected ?? null } };
      const before = await guarded(() => active.findOne(filter));
      if (!before) return undefined;
      const earlier = splitHistory(operators, before, revision);
      const kept = earlier.sealed.slice(-MAX_HISTORY + 1);
      // First what leaves: an activation that does not come about has only copied it.
      await keepHistory(db, _id, earlier.sealed.slice(0, -MAX_HISTORY + 1));
      const history = [...kept, entry];
      const change = {
        ...made,
        seal,
        history,
        ...STAMP,
        ...(earlier.other.length > 0 && { unsealedHistory: earlier.other }),
      };
      const result = await guarded(() => active.updateOne(filter, { $set: change }));
      return result.matchedCount === 1 ? toActivation({ _id, ...made, history }) : undefined;
    },
    async markPublished(source, revision) {
      await guarded(() => active.updateOne({ _id: source, revision }, { $set: { published: true } }));
    },
  };
}

/** What is wrong with the seals of a stored version, or of what was in force of a source; undefined: nothing. */
export const flawOfHead = (operators: KeyRing, found: HeadDocument): 'LIST_VERSION_NOT_SEALED' | undefined =>
  isSealedHead(operators, toHead(found), found.seal) ? undefined : 'LIST_VERSION_NOT_SEALED';

export function flawOfActivation(operators: KeyRing, found: ActiveDocument): 'LIST_ACTIVATION_NOT_SEALED' | undefined {
  const isTold = (entry: HistoryEntry, index: number) =>
    isSealedEntry(operators, found._id, entry) && entry.revision > (found.history[index - 1]?.revision ?? 0);
  const isLast = found.history.at(-1)?.seal === found.seal;
  const isTrue = isSealedAsActive(operators, toActivation(found), found.seal) && isLast && found.history.every(isTold);
  return isTrue ? undefined : 'LIST_ACTIVATION_NOT_SEALED';
}

/** The history before a new activation: what counts, rising, and what somebody else wrote into it. */
function splitHistory(operators: KeyRing, { _id, history, unsealedHistory }: ActiveDocument, next: number) {
  const sealed: HistoryEntry[] = [];
  const other: unknown[] = Array.isArray(unsealedHistory) ? [...unsealedHistory] : [];
  for (const entry of Array.isArray(history) ? history : []) {
    const rises = entry?.revision > (sealed.at(-1)?.revision ?? 0) && entry.revision < next;
    if (rises && isSealedEntry(operators, _id, entry)) sealed.push(entry);
    else other.push(entry);
  }
  return { sealed, other: other.slice(-MAX_UNSEALED) };
}

const isTransient = (error: unknown) => error instanceof CodedError && error.faultClass === 'transient-dependency';

const toHead = ({ _id, importedAt, chunks: _, seal: __, ...rest }: HeadDocument): VersionHead => ({
  versionId: _id,
  ...unstamped(rest),
  importedAt: importedAt.getTime(),
});

/** Never throws: of another shape than any that was ever written, it bears no true seal. */
const toActivation = ({ _id, activatedAt, history: _, seal: __, ...rest }: ActiveDocument): Activation => ({
  source: _id,
  ...unstamped(rest),
  activatedAt: activatedAt instanceof Date ? activatedAt.getTime() : Number.NaN,
});
