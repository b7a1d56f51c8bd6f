// Which list version is in force, in MongoDB:
//   screening_active       { _id: source, revision, list, …, history }: the version in force, replaced by compare-and-set;
//                          of its history the last entries, those before are in screening_list_history
import type { Db } from 'mongodb';
import type { KeyRing } from '../../domain/seals/seal.ts';
import { CodedError } from '../../ports/fault.ts';
import { sealActivation } from '../../screening/versions/list-seals.ts';
import type { Activation, ListStore, StoredActivation } from '../../screening/versions/store.ts';
import { referenceTo, type VersionHead } from '../../screening/versions/version.ts';
import { insertFree } from './claims.ts';
import { MAJORITY } from './client.ts';
import { guarded } from './fault.ts';
import { type HistoryEntry, isSealedEntry, keepHistory, MAX_HISTORY } from './list-history.ts';
import { STAMP, unstamped } from './schema-version.ts';
import { isSealedAsActive } from './sealed-activation.ts';

export const ACTIVE_LISTS = 'screening_active';
/** Entries of a history that nobody sealed, as many as are kept. */
const MAX_UNSEALED = 100;

type ActiveDocument = Omit<Activation, 'source' | 'activatedAt'> & {
  _id: string;
  activatedAt: Date;
  seal?: string;
  /** The last versions that were in force, oldest first: who switched to it, and when, each under its seal. */
  history: HistoryEntry[];
  /** What stood in the history and was sealed by nobody: kept to be looked at, and proof of nothing. */
  unsealedHistory?: unknown[];
};

type ActivationStore = Pick<ListStore, 'active' | 'current' | 'activate' | 'markPublished'>;

/** @param operators seals versions as they are put in force */
export function listActivations(db: Db, { operators }: { readonly operators: KeyRing }): ActivationStore {
  const active = db.collection<ActiveDocument>(ACTIVE_LISTS, MAJORITY);

  async function inForce(): Promise<readonly StoredActivation[]> {
    const found = await guarded(() =>
      active.find({}).project<ActiveDocument>({ history: 0, unsealedHistory: 0 }).toArray(),
    );
    return found.map((document) => {
      const activation = toActivation(document);
      return { ...activation, isSealed: isSealedAsActive(operators, activation, document.seal) };
    });
  }

  return {
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
      const made = activationOf(head, { by, now, revision });
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
      const other = earlier.other.length > 0 && { unsealedHistory: earlier.other };
      const change = { ...made, seal, history, ...STAMP, ...other };
      const result = await guarded(() => active.updateOne(filter, { $set: change }));
      return result.matchedCount === 1 ? toActivation({ _id, ...made, history }) : undefined;
    },
    async markPublished(source, revision) {
      await guarded(() => active.updateOne({ _id: source, revision }, { $set: { published: true } }));
    },
  };
}

interface Activating {
  readonly by: string;
  /** ms since 1970 */
  readonly now: number;
  readonly revision: number;
}

const activationOf = (head: VersionHead, { by, now, revision }: Activating) => ({
  revision,
  list: referenceTo(head, revision),
  entities: head.counts.entities,
  names: head.counts.names,
  activatedAt: new Date(now),
  activatedBy: by,
  published: false,
});

/** What is wrong with the seals of what is or was in force of a source; undefined: nothing. */
export function flawOfActivation(operators: KeyRing, found: ActiveDocument): 'LIST_ACTIVATION_NOT_SEALED' | undefined {
  const isTrueEntry = (entry: HistoryEntry, index: number) =>
    isSealedEntry(operators, found._id, entry) && entry.revision > (found.history[index - 1]?.revision ?? 0);
  const isLast = found.history.at(-1)?.seal === found.seal;
  const isTrue =
    isSealedAsActive(operators, toActivation(found), found.seal) && isLast && found.history.every(isTrueEntry);
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

/** Never throws: of another shape than any that was ever written, it bears no true seal. */
const toActivation = ({ _id, activatedAt, history: _, seal: __, ...rest }: ActiveDocument): Activation => ({
  source: _id,
  ...unstamped(rest),
  activatedAt: activatedAt instanceof Date ? activatedAt.getTime() : Number.NaN,
});
