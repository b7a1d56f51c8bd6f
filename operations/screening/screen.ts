// Parties and pairs that a person or a program has compared, as plain objects in and out. Pure, but for the lists in force.
import { CodedError } from '../../ports/fault.ts';
import {
  type Candidate,
  compareParties,
  DEFAULT_CONFIG,
  type IndexSource,
  type Party,
  type Screening,
  wordsOf,
} from '../../screening/engine/index.ts';
import { isRecord, plainParty, schemaOf } from '../../screening/plain-party.ts';
import { unpackEntities } from '../../screening/versions/packed.ts';
import type { ListStore } from '../../screening/versions/store.ts';
import { engineReference, versionIdOf } from '../../screening/versions/version.ts';

/** What is in force, to be searched. @throws CodedError NO_ACTIVE_LIST, and as the store */
export async function listsInForce(store: Pick<ListStore, 'current' | 'load'>): Promise<readonly IndexSource[]> {
  const active = await store.current();
  if (active.length === 0) {
    throw new CodedError('NO_ACTIVE_LIST', 'no sanctions list is in force: activate one, or name files of lists');
  }
  return Promise.all(
    active.map(async (list) => ({
      list: engineReference(list),
      entities: unpackEntities((await store.load(list.versionId)).chunks, list.contentHash),
    })),
  );
}

/**
 * The answer to a pair: `{ id, score, match, features }`, or with an error that names the line. What could not be compared
 * is never told as "somebody else".
 * @param otherwise what a party is when neither the pair nor a side says it
 */
export function comparedPair(
  { id, schema, query, candidate }: Readonly<Record<string, unknown>>,
  line: number,
  otherwise: string,
): object {
  if (!isSide(query) || !isSide(candidate)) {
    const message = 'A pair needs query and candidate, each an object with a name.';
    return { ...known(id), line, error: 'PAIR_INCOMPLETE', message };
  }
  const what = schemaOf(schema, schemaIn(query), schemaIn(candidate)) ?? otherwise;
  const sides = [plainParty(what, query), plainParty(what, candidate)] as const;
  const { score, match, features } = compareParties(...sides, DEFAULT_CONFIG);
  const compared = { ...known(id), score, match, features };
  // What was not compared must not be taken for "somebody else".
  const code = match ? undefined : sides.map(unreadable).find((each) => each !== undefined);
  return code === undefined ? compared : { ...compared, line, error: code, message: UNREADABLE[code] };
}

type Side = Readonly<Record<string, unknown>> | string;
const isSide = (value: unknown): value is Side => typeof value === 'string' || isRecord(value);
const schemaIn = (side: Side): unknown => (typeof side === 'string' ? undefined : (side['schema'] ?? side['kind']));
const known = (id: unknown): object => (id === undefined ? {} : { id });

const UNREADABLE = {
  NAME_MISSING: 'One side has no name with a letter or digit that could be compared.',
  NAME_TOO_LONG: 'A name is longer than what is compared; the rest was not looked at.',
} as const;

function unreadable({ names, weakNames }: Party): keyof typeof UNREADABLE | undefined {
  const whole = names.map(({ name, given, family }) => name ?? `${given ?? ''} ${family ?? ''}`);
  const read = [...whole, ...weakNames].map(wordsOf);
  if (read.every(({ words }) => words.length === 0)) return 'NAME_MISSING';
  return read.some(({ cut }) => cut) ? 'NAME_TOO_LONG' : undefined;
}

/** The answer to a party: its hits, and the lists that it was screened against. */
export function screeningResult(id: unknown, { outcome, code, hits, lists }: Screening): object {
  return {
    ...known(id),
    outcome,
    ...(code === undefined ? {} : { code }),
    hits: hits.map(hitOf),
    lists: lists.map(versionIdOf),
  };
}

const hitOf = ({ entity, listedName, score, threshold, features }: Candidate): object => ({
  entity: entity.id,
  type: entity.type,
  name: listedName.full,
  quality: listedName.quality,
  score,
  threshold,
  features,
});
