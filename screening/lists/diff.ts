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

/** What a version takes off another: parties may no longer be found who are found today. */
export interface ListLoss {
  /** Entities that are gone. */
  readonly entities: number;
  /** Entities of which something is another that a party is compared with. */
  readonly weakened: number;
}

/** Of these, more is found, never less. What else of an entity is compared may clear a party whatever is done to it. */
const MAY_GROW = ['names', 'identifiers'] as const satisfies readonly (keyof ListEntity)[];
/** Nobody is compared with these. */
const NOT_COMPARED: readonly (keyof ListEntity)[] = ['programmes', 'title', 'remarks', 'sourceId', 'source'];

export function lossIn({ removed, changed }: ListDiff): ListLoss {
  const isWeakened = ({ before, after, fields }: ChangedEntity) =>
    fields.some((field) => {
      if (NOT_COMPARED.includes(field)) return false;
      const grows = MAY_GROW.find((each) => each === field);
      return grows === undefined || !isGrown(before[grows], after[grows]);
    });
  return { entities: removed.length, weakened: changed.filter(isWeakened).length };
}

function isGrown(before: readonly unknown[], after: readonly unknown[]): boolean {
  const kept = new Set(after.map(canonicalJson));
  return before.every((one) => kept.has(canonicalJson(one)));
}

/** Largest share of entities or names a new version may lose against the one before. */
const MAX_SHRINK = 0.1;

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
