// A list version as it is kept and referred to. Immutable: the same content of the same day has the same id.
import type { ListReference } from '../../schemas/types.generated.ts';
import type { ImportReport, ListVersion, ListVersionRef } from '../lists/index.ts';

/** Everything of a version but its entities. */
export interface VersionHead extends ListVersionRef {
  readonly versionId: string;
  readonly counts: { readonly entities: number; readonly names: number };
  readonly report: ImportReport;
  /** ms since 1970 */
  readonly importedAt: number;
  readonly importedBy: string;
}

/** A version with its entities, packed. */
export interface PackedVersion {
  readonly head: VersionHead;
  readonly chunks: readonly Uint8Array[];
}

/** Such as `OFAC-2024-05-03-1f2e3d4c5b6a`. */
export const versionIdOf = ({ source, publicationDate, entitiesHash }: ListVersionRef): string =>
  `${source}-${publicationDate ?? 'undated'}-${entitiesHash.slice(0, 12)}`;

export const headOf = (version: ListVersion, importedAt: number, importedBy: string): VersionHead => ({
  versionId: versionIdOf(version),
  source: version.source,
  ...(version.publicationDate === undefined ? {} : { publicationDate: version.publicationDate }),
  contentHash: version.contentHash,
  entitiesHash: version.entitiesHash,
  counts: version.counts,
  report: version.report,
  importedAt,
  importedBy,
});

/** How events refer to a version that is in force. */
export const referenceTo = (version: ListVersionRef, activation: number): ListReference => ({
  source: version.source,
  versionId: versionIdOf(version),
  publishedOn: version.publicationDate ?? '',
  contentHash: version.entitiesHash,
  activation,
});

/** How the engine refers to the same. Its file hash is not needed to decide. */
export const engineReference = (list: ListReference): ListVersionRef => ({
  source: list.source,
  ...(list.publishedOn === '' ? {} : { publicationDate: list.publishedOn }),
  contentHash: list.contentHash,
  entitiesHash: list.contentHash,
});

/** What changed of one source; without `from`, all of it is new. */
export interface VersionChange {
  readonly from: ListReference | undefined;
  readonly to: ListReference;
}

/**
 * What the active versions hold that `covered` does not. A version that became active after the one known here counts as
 * covered: whoever screened was ahead.
 */
export function changesSince(
  covered: readonly ListReference[],
  active: readonly ListReference[],
): readonly VersionChange[] {
  const known = new Map(covered.map((list) => [list.source, list]));
  return active.flatMap((to) => {
    const from = known.get(to.source);
    const same = from !== undefined && from.versionId === to.versionId;
    const ahead = from !== undefined && from.activation > to.activation && to.activation > 0;
    return same || ahead ? [] : [{ from, to }];
  });
}

/** The versions that parties are screened against after a look at the changes: of each source the later one. */
export function coveredAfter(
  covered: readonly ListReference[],
  active: readonly ListReference[],
): readonly ListReference[] {
  const changed = new Set(changesSince(covered, active).map(({ to }) => to.source));
  const known = new Map(covered.map((list) => [list.source, list]));
  return active.map((list) => (changed.has(list.source) ? list : (known.get(list.source) ?? list)));
}
