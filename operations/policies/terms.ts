// Terms as a policy: they fit the corridors, a name is never of two contents, and what changes is said row by row. Pure.
import type { HolidaysOf } from '../../domain/calendars/business-days.ts';
import type { Corridor } from '../../domain/corridors/corridors.ts';
import { checkCorridorsOf } from '../../domain/terms/check-terms.ts';
import { termBook } from '../../domain/terms/term-book.ts';
import { type TermSet, termSetName } from '../../domain/terms/terms.ts';
import { termsFile } from '../../processors/fx-pricing/terms-file.ts';
import { canonicalJson } from '../approvals/acts.ts';
import type { PolicyTerms } from './ports.ts';

/** @param configured the set that the configuration holds @param corridors those that there are */
export function termsPolicy(
  configured: () => TermSet,
  corridors: () => readonly Corridor[],
  holidaysOf: HolidaysOf,
): PolicyTerms<TermSet> {
  return {
    kind: 'terms',
    configured,
    nameOf: termSetName,
    read: (content) => termsFile.parse(content),
    faults: (set, before) => [...unfit(set, corridors(), holidaysOf), ...reusedName(set, before)],
    changes: (from, to) => changesOf(rowsOf(from), rowsOf(to)),
  };
}

function unfit(set: TermSet, corridors: readonly Corridor[], holidaysOf: HolidaysOf): readonly string[] {
  try {
    termBook(checkCorridorsOf(set, corridors), corridors, holidaysOf);
    return [];
  } catch (error) {
    return [(error as Error).message];
  }
}

function reusedName(set: TermSet, before: readonly TermSet[]): readonly string[] {
  const said = canonicalJson(set);
  const other = before.find((known) => termSetName(known) === termSetName(set) && canonicalJson(known) !== said);
  return other === undefined ? [] : [`${termSetName(set)} is the name of other terms: raise their version`];
}

type Row = Readonly<Record<string, unknown>>;

/** Every row and calendar by what it is and is called. */
function rowsOf({ calendars, name: _, version: __, ...kinds }: TermSet): ReadonlyMap<string, Row> {
  const rows = Object.entries(kinds).flatMap(([kind, list]) =>
    (list as readonly ({ readonly termId: string } & object)[]).map(
      ({ termId, ...row }) => [`${kind} ${termId}`, row as Row] as const,
    ),
  );
  return new Map([...calendars.map(({ id, ...row }) => [`calendars ${id}`, row as Row] as const), ...rows]);
}

function changesOf(from: ReadonlyMap<string, Row>, to: ReadonlyMap<string, Row>): readonly string[] {
  return [
    ...[...to].filter(([id]) => !from.has(id)).map(([id, row]) => `+ ${id}: ${canonicalJson(row)}`),
    ...[...from].filter(([id]) => !to.has(id)).map(([id, row]) => `- ${id}: ${canonicalJson(row)}`),
    ...[...to].flatMap(([id, row]) => fieldsChanged(id, from.get(id), row)),
  ];
}

function fieldsChanged(id: string, from: Row | undefined, to: Row): readonly string[] {
  if (from === undefined) return [];
  return [...new Set([...Object.keys(from), ...Object.keys(to)])].flatMap((name) => {
    const [was, is] = [canonicalJson(from[name] ?? null), canonicalJson(to[name] ?? null)];
    return was === is ? [] : [`~ ${id}.${name}: ${was} -> ${is}`];
  });
}
