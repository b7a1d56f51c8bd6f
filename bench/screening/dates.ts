/** What a date of birth does to an exactly listed name, by how exactly the list knows it. */
import { readParty, type ScreeningIndex, screenParty } from '../../screening/engine/index.ts';
import type { ListEntity, ListVersion, PartialDate } from '../../screening/lists/index.ts';

export interface DateRow {
  /** How the list gives the date. */
  readonly kind: string;
  readonly persons: number;
  /** Share of the listed persons that are held under their own name, by how many years off the customer's date is. */
  readonly held: Readonly<Record<number, number>>;
  /** Share of namesakes born in any year from 1940 to 2005 that are held. */
  readonly namesakes: number;
}

const OFF = [0, 1, 2, 3, 5, 8, 12, 20];
const FIRST_YEAR = 1940;
const LAST_YEAR = 2005;

function kindOf(date: PartialDate): string {
  if (date.circa) return 'circa';
  if (date.toYear !== undefined) return 'range';
  if (date.month === undefined || (date.month === 1 && date.day === 1)) return 'year only';
  return 'exact';
}

/** Persons with one listed date, so that the years off are known. */
export function dateRows(index: ScreeningIndex, lists: readonly ListVersion[], most: number): DateRow[] {
  const byKind = new Map<string, ListEntity[]>();
  for (const entity of lists.flatMap(({ entities }) => entities)) {
    if (entity.type !== 'person' || entity.birthDates.length !== 1 || entity.names[0]!.quality === 'weak') continue;
    const kind = kindOf(entity.birthDates[0]!);
    byKind.set(kind, [...(byKind.get(kind) ?? []), entity]);
  }
  return [...byKind].map(([kind, all]) => {
    const step = Math.max(1, Math.floor(all.length / most));
    const persons = all.filter((_, place) => place % step === 0).slice(0, most);
    const share = (born: (entity: ListEntity, place: number) => string) =>
      persons.filter((entity, place) => isHeld(index, entity, born(entity, place))).length / persons.length;
    return {
      kind,
      persons: persons.length,
      held: Object.fromEntries(OFF.map((years) => [years, share(({ birthDates }) => offBy(birthDates[0]!, years))])),
      namesakes: share((_, place) => `${FIRST_YEAR + ((place * 31) % (LAST_YEAR - FIRST_YEAR + 1))}-07-19`),
    };
  });
}

/** A date this many years after the listed one (after the end of a range), on the listed day where there is one. */
function offBy(date: PartialDate, years: number): string {
  const year = (date.toYear ?? date.year) + years;
  // Another day than the listed one, so that a mistyped year is not what is measured.
  return years === 0 && date.day !== undefined
    ? `${year}-${two(date.month!)}-${two(date.day)}`
    : `${year}-${(date.month ?? 4) === 7 ? '09' : '07'}-19`;
}

const two = (value: number): string => String(value).padStart(2, '0');

function isHeld(index: ScreeningIndex, entity: ListEntity, birthDate: string): boolean {
  const name = entity.names[0]!.full;
  const { hits } = screenParty(index, readParty('Person', { name, birthDate, nationality: entity.nationalities[0] }));
  return hits.some(({ entity: found }) => found.id === entity.id);
}
