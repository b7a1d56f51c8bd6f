import { canonicalJson, type ListEntity, type ListVersion } from './entity.ts';
import { ListRefused } from './fault.ts';

export interface ChangedEntity {
  readonly before: ListEntity;
  readonly after: ListEntity;
  /** Names of the fields that differ. */
  readonly fields: readonly (keyof ListEntity)[];
}

export interface ListDiff {
  readonly added: readonly ListEntity[];
  readonly removed: readonly ListEntity[];
  readonly changed: readonly ChangedEntity[];
}

/** What changed between two versions of one list, by entity id. */
export function diffLists(before: Pick<ListVersion, 'entities'>, after: Pick<ListVersion, 'entities'>): ListDiff {
  const old = new Map(before.entities.map((entity) => [entity.id, entity]));
  const added: ListEntity[] = [];
  const changed: ChangedEntity[] = [];
  for (const entity of after.entities) {
    const previous = old.get(entity.id);
    old.delete(entity.id);
    if (previous === undefined) {
      added.push(entity);
      continue;
    }
    const fields = changedFields(previous, entity);
    if (fields.length > 0) changed.push({ before: previous, after: entity, fields });
  }
  return { added, removed: [...old.values()], changed };
}

function changedFields(before: ListEntity, after: ListEntity): (keyof ListEntity)[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)] as (keyof ListEntity)[]);
  return [...keys].filter((key) => canonicalJson(before[key]) !== canonicalJson(after[key])).sort();
}

/** The entities of a difference that parties must be screened against: what is new, and what changed, as it is now. */
export const entitiesToScreen = (diff: ListDiff): ListEntity[] => [
  ...diff.added,
  ...diff.changed.map(({ after }) => after),
];

/** Largest share of entities or names a new version may lose against the one before. */
export const MAX_SHRINK = 0.1;

/**
 * Refuses a version that lost too much: a download that was cut off at a row's end looks like a good file otherwise.
 * @throws ListRefused LIST_SHRANK
 */
export function refuseShrunk(
  before: Pick<ListVersion, 'source' | 'counts'>,
  after: Pick<ListVersion, 'source' | 'counts'>,
  maxShare: number = MAX_SHRINK,
): void {
  for (const what of ['entities', 'names'] as const) {
    const lost = before.counts[what] - after.counts[what];
    if (lost <= before.counts[what] * maxShare) continue;
    const share = ((100 * lost) / before.counts[what]).toFixed(1);
    throw new ListRefused(
      'LIST_SHRANK',
      `The ${after.source} list would lose ${lost} of ${before.counts[what]} ${what} (${share} %), more than ${100 * maxShare} %. ` +
        'Check the download; if the publisher did remove them, import with a larger share.',
    );
  }
}
