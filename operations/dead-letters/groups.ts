// Dead letters by cause: what broke, since when, and how much money stands still for it.
import { safeText } from '../../domain/text/text.ts';
import { CodedError } from '../../ports/fault.ts';
import { type CountedGroup, type DeadLetters, type GroupNote, MAX_GROUP_MINUTES } from './ports.ts';

const HOUR_MS = 3_600_000;
const MAX_NOTE = 2_000;
const MAX_NAME = 200;

export interface MoneyStanding {
  readonly currency: string;
  /** Minor units. */
  readonly minor: bigint;
  readonly letters: number;
}

export interface LetterGroup {
  readonly id: string;
  readonly owner: string;
  readonly code: string;
  readonly class: string;
  readonly cause: string;
  /** Whether every letter bears the seal of the processor that put it aside. */
  readonly proven: boolean;
  readonly letters: number;
  /** Instructed amounts by currency, largest count first. */
  readonly money: readonly MoneyStanding[];
  /** Letters whose amount is unknown, because they do not decode. */
  readonly withoutAmount: number;
  readonly corridors: readonly string[];
  readonly firstFailedAt: Date;
  readonly lastFailedAt: Date;
  readonly oldestAt: Date;
  /** Letters put aside within the last hour, or since the instant that was asked for, to the minute. */
  readonly recent: number;
  /** Those of them that are still open, by the hour, to a tenth: over the time that was counted. */
  readonly perHour: number;
  /** False: letters have come or changed since it was counted. */
  readonly isCurrent: boolean;
  readonly countedAt: Date;
  readonly note: GroupNote | undefined;
}

export interface GroupsQuery {
  /** Count as recent what was put aside since then. Default: one hour ago. */
  readonly newSince?: Date;
  /** Wall clock, ms. */
  readonly now: number;
}

export interface LetterGroups {
  readonly groups: readonly LetterGroup[];
  /** False: a count is behind, or a group is missing. */
  readonly complete: boolean;
  /** Why it is not complete. */
  readonly reason: string | undefined;
}

/** Groups with open letters: the one with the latest failure first. */
export async function letterGroups(
  store: Pick<DeadLetters, 'groups'>,
  { now, newSince }: GroupsQuery,
): Promise<LetterGroups> {
  const { counted, uncounted, isCut } = await store.groups();
  const since = newSince ?? new Date(now - HOUR_MS);
  const groups = counted.filter(({ parts }) => parts.length > 0).map((group) => groupOf(group, since));
  groups.sort((a, b) => b.lastFailedAt.getTime() - a.lastFailedAt.getTime() || (a.id < b.id ? -1 : 1));
  const behind = groups.filter(({ isCurrent }) => !isCurrent).length;
  const reasons = [
    ...(behind > 0 ? [`${behind} groups have changed since they were counted`] : []),
    ...(uncounted > 0 ? [`${uncounted} groups were not counted yet`] : []),
    ...(isCut ? [`there are more than these ${groups.length} groups`] : []),
  ];
  return { groups, complete: reasons.length === 0, reason: reasons.join('; ') || undefined };
}

/** Pure. */
export function groupOf(counted: CountedGroup, newSince: Date): LetterGroup {
  const { group: id, owner, code, class: letterClass, cause, parts, note, isCurrent, countedAt } = counted;
  const money = new Map<string, MoneyStanding>();
  for (const { currency, amountMinor, letters } of parts) {
    if (currency === null) continue;
    const known = money.get(currency) ?? { currency, minor: 0n, letters: 0 };
    money.set(currency, { currency, minor: known.minor + amountMinor, letters: known.letters + letters });
  }
  const sum = (of: (part: (typeof parts)[number]) => number) => parts.reduce((total, part) => total + of(part), 0);
  const times = (of: (part: (typeof parts)[number]) => Date) => parts.map((part) => of(part).getTime());
  const recent = counted.minutes.reduce((total, { at, letters }) => total + (isNew(at, newSince) ? letters : 0), 0);
  return {
    id,
    owner,
    code,
    class: letterClass,
    cause,
    proven: parts.every(({ proven }) => proven),
    letters: sum(({ letters }) => letters),
    money: [...money.values()].sort((a, b) => b.letters - a.letters || (a.currency < b.currency ? -1 : 1)),
    withoutAmount: sum(({ currency, letters }) => (currency === null ? letters : 0)),
    corridors: [...new Set(parts.flatMap(({ corridor }) => corridor ?? []))].sort(),
    firstFailedAt: new Date(Math.min(...times(({ firstFailedAt }) => firstFailedAt))),
    lastFailedAt: new Date(Math.max(...times(({ lastFailedAt }) => lastFailedAt))),
    oldestAt: new Date(Math.min(...times(({ oldestAt }) => oldestAt))),
    recent,
    perHour: rateOf(recent, countedAt.getTime() - countedFrom(counted, newSince)),
    isCurrent,
    countedAt,
    note,
  };
}

const MINUTE_MS = 60_000;
/** Where so many minutes are kept, what was before them is not counted; ms since 1970. */
const countedFrom = ({ minutes }: CountedGroup, newSince: Date): number =>
  minutes.length < MAX_GROUP_MINUTES ? newSince.getTime() : Math.max(newSince.getTime(), minutes.at(-1)!.at.getTime());
/** Of less than a minute nobody can tell more than of one. */
const rateOf = (letters: number, overMs: number): number =>
  Math.round((letters * HOUR_MS * 10) / Math.max(overMs, MINUTE_MS)) / 10;
/** A minute counts as new when any of it is. */
const isNew = (minute: Date, since: Date) => minute.getTime() + MINUTE_MS > since.getTime();

export interface Annotation {
  readonly group: string;
  readonly by: string;
  /** What is not given stays as it is; an empty text takes it away. */
  readonly note?: string;
  readonly assignee?: string;
  readonly incident?: string;
  readonly at: Date;
}

/**
 * Writes a note, who looks after a group, or its incident.
 * @throws CodedError LETTER_GROUP_UNKNOWN, LETTER_GROUP_MOVED when somebody wrote at the same time
 */
export async function annotateGroup(
  store: Pick<DeadLetters, 'noteOf' | 'list' | 'annotate'>,
  annotation: Annotation,
): Promise<GroupNote> {
  const { group, by, at } = annotation;
  const known = await store.noteOf(group);
  const letters = known ? [] : await store.list({ group }, 1);
  if (!known && letters.length === 0) {
    throw new CodedError('LETTER_GROUP_UNKNOWN', `there is no group ${safeText(group, MAX_NAME)}`);
  }
  const text = (given: string | undefined, before: string | null | undefined, most: number) =>
    given === undefined ? (before ?? null) : safeText(given.trim(), most) || null;
  const written: GroupNote = {
    group,
    note: text(annotation.note, known?.note, MAX_NOTE),
    assignee: text(annotation.assignee, known?.assignee, MAX_NAME),
    incident: text(annotation.incident, known?.incident, MAX_NAME),
    by,
    at,
    version: (known?.version ?? 0) + 1,
  };
  if (await store.annotate(written)) return written;
  throw new CodedError('LETTER_GROUP_MOVED', `somebody else wrote on group ${group} at the same time`);
}
