// Screening without servers: list versions, exceptions and what is in force, in memory; indexes on the test's own thread.

import { CodedError } from '../../ports/fault.ts';
import { screeningTerms } from '../../screening/configuration.ts';
import type { ScreeningException } from '../../screening/exceptions.ts';
import { openInProcessIndex } from '../../screening/index/in-process.ts';
import { entitiesHashOf, type ListEntity, type ListVersion } from '../../screening/lists/index.ts';
import type { ActiveLists } from '../../screening/ports.ts';
import { type ClosableScreener, createScreener, type ScreenerOptions } from '../../screening/screener.ts';
import { packEntities } from '../../screening/versions/packed.ts';
import type { Activation, ListStore } from '../../screening/versions/store.ts';
import { headOf, type PackedVersion, referenceTo, versionIdOf } from '../../screening/versions/version.ts';
import { AT } from './builders.ts';

export interface MemoryLists extends ListStore {
  /** Stores a version and puts it in force, as the commands would. */
  put(version: ListVersion): Promise<void>;
  readonly exceptions: ScreeningException[];
  /** Reads of what is in force, so far. */
  readonly reads: { active: number; loads: number };
}

export function memoryLists(): MemoryLists {
  const versions = new Map<string, PackedVersion>();
  const active = new Map<string, Activation>();
  const reads = { active: 0, loads: 0 };
  const find = (versionId: string): PackedVersion => {
    const found = versions.get(versionId);
    if (found) return found;
    throw new CodedError('LIST_VERSION_UNKNOWN', `there is no list version ${versionId}`);
  };
  const store: MemoryLists = {
    exceptions: [],
    reads,
    ensureIndexes: async () => undefined,
    async save(version, by, now) {
      const head = headOf(version, now, by);
      if (versions.has(head.versionId)) return false;
      versions.set(head.versionId, { head, chunks: [...packEntities(version.entities)].map(({ data }) => data) });
      return true;
    },
    async load(versionId) {
      reads.loads += 1;
      return find(versionId);
    },
    head: async (versionId) => find(versionId).head,
    async heads({ source, limit }) {
      const heads = [...versions.values()].map(({ head }) => head).toReversed();
      const wanted = heads.filter((head) => source === undefined || head.source === source).slice(0, limit);
      return wanted.map((head) => ({ ...head, isSealed: true }));
    },
    active: async () => [...active.values()].map((each) => ({ ...each, isSealed: true })),
    async current() {
      reads.active += 1;
      return [...active.values()].map(({ list }) => list);
    },
    async activate(head, expected, by, now, revision = expected + 1) {
      const { source, counts } = head;
      if ((active.get(source)?.revision ?? 0) !== expected) return undefined;
      const list = referenceTo(head, revision);
      const made = { source, revision, list, ...counts, activatedAt: now, activatedBy: by, published: false };
      active.set(source, made);
      return made;
    },
    async markPublished(source, revision) {
      const found = active.get(source);
      if (found?.revision === revision) active.set(source, { ...found, published: true });
    },
    async put(version) {
      await store.save(version, 'test', AT);
      const before = active.get(version.source)?.revision ?? 0;
      await store.activate(await store.head(versionIdOf(version)), before, 'test', AT);
    },
  };
  return store;
}

/** A screener over what is in force in `lists`, or over what `active` says is. */
export function screenerOver(
  lists: MemoryLists,
  over: Partial<ScreenerOptions> & { readonly active?: ActiveLists } = {},
): ClosableScreener {
  const clock = over.clock ?? (() => AT);
  return createScreener({
    active: lists,
    versions: lists,
    exceptions: {
      find: async (tokens) =>
        lists.exceptions.filter(({ token, expiresAt }) => tokens.includes(token) && expiresAt > clock()),
    },
    openIndex: openInProcessIndex,
    terms: screeningTerms(),
    clock,
    ...over,
  });
}

/** The version with other entities, as the publisher's next one. */
export function nextVersion(
  before: ListVersion,
  entities: readonly ListEntity[],
  publicationDate: string,
): ListVersion {
  const names = entities.reduce((sum, entity) => sum + entity.names.length, 0);
  return {
    ...before,
    publicationDate,
    entities,
    entitiesHash: entitiesHashOf(entities),
    counts: { entities: entities.length, names },
  };
}

/** A listed person of this name. */
export const listedPerson = (sourceId: string, full: string, over: Partial<ListEntity> = {}): ListEntity => ({
  id: `CORRIDOR:${sourceId}`,
  source: 'CORRIDOR',
  sourceId,
  type: 'person',
  names: [{ full, kind: 'primary', quality: 'strong' }],
  birthDates: [],
  birthPlaces: [],
  nationalities: [],
  countries: [],
  identifiers: [],
  programmes: [],
  ...over,
});
