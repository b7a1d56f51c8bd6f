/** Builds the searchable form of one or more list versions, or of any subset of their entities. */
import {
  identifierKey,
  type ListEntity,
  type ListedName,
  type ListVersion,
  type ListVersionRef,
  refOf,
} from '../lists/entity.ts';
import { checkConfig, configHash, type ScreeningConfig } from './config.ts';
import { type NameClass, noPool, type PreparedName, SpellingPool } from './name.ts';
import { prepareName } from './pair.ts';
import { Partition } from './partition.ts';
import type { IndexedName } from './word-filing.ts';

/** Changes whenever the same input could score differently: part of every piece of evidence. */
export const ENGINE_VERSION = '1.4.0';

export interface ScreeningIndex {
  readonly lists: readonly ListVersionRef[];
  readonly config: ScreeningConfig;
  readonly configHash: string;
  readonly engineVersion: string;
  readonly entities: readonly ListEntity[];
  readonly partitions: Readonly<Record<NameClass, Partition>>;
  /** Numbers of the entities that carry an identifier, by its comparable form. */
  readonly byIdentifier: ReadonlyMap<string, readonly number[]>;
}

/** What an index is built from: whole versions, or some entities of a version (a difference between two). */
export type IndexSource = ListVersion | { readonly list: ListVersionRef; readonly entities: readonly ListEntity[] };

const CLASSES: Readonly<Record<ListEntity['type'], readonly NameClass[]>> = {
  person: ['person'],
  organisation: ['organisation'],
  vessel: ['object'],
  aircraft: ['object'],
  unknown: ['person', 'organisation', 'object'],
};
const MIN_IDENTIFIER_LENGTH = 5;

/**
 * @throws RangeError for a configuration that makes no sense
 */
export function buildIndex(sources: readonly IndexSource[], config: ScreeningConfig): ScreeningIndex {
  checkConfig(config);
  const entities: ListEntity[] = sources.flatMap((source) => source.entities);
  const pool = new SpellingPool();
  const names: Record<NameClass, IndexedName[]> = { person: [], organisation: [], object: [] };
  const byIdentifier = new Map<string, number[]>();
  entities.forEach((entity, number) => {
    // Listed in letters as well: then the form without vowels serves those who write without vowels themselves.
    const readable = entity.names.some(({ full, quality }) => quality === 'strong' && /\p{Script=Latin}/u.test(full));
    for (const kind of CLASSES[entity.type]) {
      entity.names.forEach((listed, at) => {
        for (const prepared of prepareListed(listed, kind, config, pool)) {
          if (prepared.parts.length === 0) continue;
          const weak = listed.quality === 'weak';
          names[kind].push({ prepared, entity: number, name: at, weak, sameScript: readable && isVowelPoor(prepared) });
        }
      });
    }
    for (const { value } of entity.identifiers) {
      const key = identifierKey(value);
      if (key.length < MIN_IDENTIFIER_LENGTH) continue;
      const known = byIdentifier.get(key);
      if (known === undefined) byIdentifier.set(key, [number]);
      else if (known.at(-1) !== number) known.push(number);
    }
  });
  return {
    lists: sources.map((source) => ('list' in source ? source.list : refOf(source))),
    config,
    configHash: configHash(config),
    engineVersion: ENGINE_VERSION,
    entities,
    partitions: {
      person: new Partition(names.person, true),
      organisation: new Partition(names.organisation, false),
      object: new Partition(names.object, false),
    },
    byIdentifier,
  };
}

/** Has a word without vowels. */
export const isVowelPoor = ({ parts }: PreparedName): boolean =>
  parts.some(({ spelling }) => spelling.writing === 'poor');

/** A listed name as it is compared: the same for the index and for the reproduction from evidence. */
export function prepareListed(
  listed: Pick<ListedName, 'full' | 'family' | 'given'>,
  kind: NameClass,
  config: ScreeningConfig,
  pool: Pick<SpellingPool, 'of'> = noPool,
): PreparedName[] {
  const parts =
    listed.family !== undefined && listed.given !== undefined ? { family: listed.family, given: listed.given } : {};
  return prepareName({ name: listed.full, ...parts }, kind, config, pool, false);
}
