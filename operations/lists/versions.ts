// List versions as people look at them: which there are, which are in force, what changed between two.
import { diffLists, type ListEntity } from '../../screening/lists/index.ts';
import { unpackEntities } from '../../screening/versions/packed.ts';
import type { ListStore, StoredActivation, StoredHead } from '../../screening/versions/store.ts';
import type { VersionHead } from '../../screening/versions/version.ts';

/**
 * IMPORTED: kept, and in force nowhere. UNPUBLISHED: in force in the database, and not known to be in the log yet.
 * NOT SEALED, ACTIVATION NOT SEALED: no program of operators imported it, or put it in force, as it stands.
 */
export const LIST_STATUSES = [
  ...(['IMPORTED', 'IN FORCE', 'UNPUBLISHED', 'NOT SEALED', 'ACTIVATION NOT SEALED'] as const),
] as const;
export type ListStatus = (typeof LIST_STATUSES)[number];

export interface ListedVersion {
  readonly head: StoredHead;
  readonly status: ListStatus;
  /** When it was put in force, ms since 1970; undefined: it is not. */
  readonly inForceSince: number | undefined;
}

/** Versions, the newest import first. */
export async function listVersions(
  store: Pick<ListStore, 'heads' | 'active'>,
  filter: { readonly source?: string; readonly limit: number },
): Promise<readonly ListedVersion[]> {
  const [heads, inForce] = await Promise.all([store.heads(filter), inForceByVersion(store)]);
  return heads.map((head) => {
    const activation = inForce.get(head.versionId);
    const since = activation?.activatedAt;
    return { head, status: statusOf(head, activation), inForceSince: Number.isFinite(since) ? since : undefined };
  });
}

/** One version with its import report, and what is in force of it. @throws CodedError as `ListStore.head` */
export async function showVersion(
  store: Pick<ListStore, 'head' | 'active'>,
  versionId: string,
): Promise<{ readonly head: VersionHead; readonly activation: StoredActivation | undefined }> {
  const [head, inForce] = await Promise.all([store.head(versionId), inForceByVersion(store)]);
  return { head, activation: inForce.get(versionId) };
}

/** Pure. */
export function statusOf(
  { isSealed }: Pick<StoredHead, 'isSealed'>,
  activation: StoredActivation | undefined,
): ListStatus {
  if (!isSealed) return 'NOT SEALED';
  if (!activation) return 'IMPORTED';
  if (!activation.isSealed) return 'ACTIVATION NOT SEALED';
  return activation.published ? 'IN FORCE' : 'UNPUBLISHED';
}

/** The version of a source that is in force, sealed as it is; null: none is. */
export async function inForceOf(lists: Pick<ListStore, 'active'>, source: string): Promise<string | null> {
  const found = (await lists.active()).find((each) => each.source === source && each.isSealed);
  return found?.list.versionId ?? null;
}

export interface EntityChange {
  readonly what: 'added' | 'removed' | 'changed';
  readonly entity: ListEntity;
  /** Names of the fields that differ; empty unless it changed. */
  readonly fields: readonly string[];
}

/** What changed from one version to another: added, removed, then changed entities. @throws CodedError as `ListStore.load` */
export async function compareVersions(
  store: Pick<ListStore, 'load'>,
  before: string,
  after: string,
): Promise<readonly EntityChange[]> {
  const [old, now] = await Promise.all([entitiesOf(store, before), entitiesOf(store, after)]);
  const { added, removed, changed } = diffLists({ entities: old }, { entities: now });
  return [
    ...added.map((entity): EntityChange => ({ what: 'added', entity, fields: [] })),
    ...removed.map((entity): EntityChange => ({ what: 'removed', entity, fields: [] })),
    ...changed.map(({ after: entity, fields }): EntityChange => ({ what: 'changed', entity, fields })),
  ];
}

/** By version. What somebody else wrote may name no list. */
const inForceByVersion = async (store: Pick<ListStore, 'active'>) =>
  new Map((await store.active()).map((each) => [each.list?.versionId, each]));

/** @throws CodedError as `ListStore.load` */
export async function entitiesOf(store: Pick<ListStore, 'load'>, versionId: string): Promise<readonly ListEntity[]> {
  const { head, chunks } = await store.load(versionId);
  return unpackEntities(chunks, head.entitiesHash);
}
