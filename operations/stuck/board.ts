// The board of what is stuck: transfers that do not go on by themselves now, whatever the reason. Each place says why, since
// when, how many, and how much money producers have instructed.
import type { Money } from '../../domain/money/money.ts';
import type { HoldBrief } from '../cases/inbox/ports.ts';
import { letterGroups } from '../dead-letters/groups.ts';
import { Gaps, type Missing } from '../queries/gaps.ts';
import { summedPayouts } from '../queries/payouts.ts';
import { type Tally, Tallying, tallyOf } from '../queries/tally.ts';
import type { StuckSources } from './ports.ts';
import type { CutPartition, Unhandled } from './unhandled.ts';

/** Open holds that are looked at, the oldest first. */
const MAX_HOLDS = 5_000;

/**
 * RETRY: put aside for a while, and tried again. REPLAY: sent back, and not handled yet. BEHIND: nobody has come to it yet.
 * HOLD: it waits for a person. PAYOUT_UNKNOWN: money may have moved. DEAD_LETTER: it waits for operators.
 */
export const STUCK_KINDS = ['PAYOUT_UNKNOWN', 'DEAD_LETTER', 'HOLD', 'RETRY', 'REPLAY', 'BEHIND'] as const;
export type StuckKind = (typeof STUCK_KINDS)[number];
export type StuckSource = 'RECORDS' | 'HOLDS' | 'PAYOUTS' | 'DEAD_LETTERS';

/** Transfers that are stuck in one place for one reason. */
export interface StuckLine extends Tally {
  readonly kind: StuckKind;
  /** Processor, executor or sink. */
  readonly owner: string;
  /** Why; null: nobody has looked at them yet. */
  readonly code: string | null;
  /** The longest; ms since 1970; null: not known. */
  readonly since: number | null;
  /** Where to go on. */
  readonly next: string;
}

export interface StuckBoard {
  /** Kind by kind, the longest stuck first. */
  readonly lines: readonly StuckLine[];
  readonly total: Tally;
  /** Unknown outcomes that are no cases yet, so that the inbox has not got them. */
  readonly unknownWithoutCase: number;
  /** False: records that wait were read without the keys that tell true ones from forged ones. */
  readonly isProven: boolean;
  /** False: `missing` says what is not here, and why. */
  readonly complete: boolean;
  readonly missing: readonly Missing<StuckSource>[];
}

export interface StuckQuery {
  /** ms since 1970 */
  readonly now: number;
  /** Only these kinds. */
  readonly kinds?: readonly StuckKind[] | undefined;
  /** Only what is stuck since this or longer; ms since 1970. */
  readonly since?: number | undefined;
  /** For tests. */
  readonly maxHolds?: number;
}

/** Everything that is stuck, four questions side by side. What cannot be read is told. @throws what is no coded error */
export async function stuckBoard(sources: StuckSources, query: StuckQuery): Promise<StuckBoard> {
  const gaps = new Gaps<StuckSource>();
  const wants = (...kinds: readonly StuckKind[]) => kinds.some((kind) => query.kinds?.includes(kind) ?? true);
  const none = async <T>(value: T) => value;
  const [records, holds, payouts, letters] = await Promise.all([
    wants('RETRY', 'REPLAY', 'BEHIND') ? recordLines(sources, gaps) : none(NO_RECORDS),
    wants('HOLD') ? holdLines(sources, gaps, query.maxHolds ?? MAX_HOLDS) : none([]),
    wants('PAYOUT_UNKNOWN') ? payoutLines(sources, gaps) : none(NO_PAYOUTS),
    wants('DEAD_LETTER') ? letterLines(sources, gaps, query.now) : none([]),
  ]);
  const { since } = query;
  const lines = [...records.lines, ...holds, ...payouts.lines, ...letters]
    .filter(({ kind }) => wants(kind))
    .filter((line) => since === undefined || line.since === null || line.since <= since)
    .sort(byKindAndAge);
  return {
    lines,
    total: tallyOf(lines),
    unknownWithoutCase: payouts.withoutCase,
    isProven: records.isProven,
    complete: gaps.missing.length === 0,
    missing: gaps.missing,
  };
}

const byKindAndAge = (a: StuckLine, b: StuckLine): number =>
  STUCK_KINDS.indexOf(a.kind) - STUCK_KINDS.indexOf(b.kind) ||
  (a.since ?? 0) - (b.since ?? 0) ||
  (`${a.owner} ${a.code}` < `${b.owner} ${b.code}` ? -1 : 1);

const NO_RECORDS = { lines: [] as readonly StuckLine[], isProven: true };

async function recordLines({ unhandled }: StuckSources, gaps: Gaps<StuckSource>): Promise<typeof NO_RECORDS> {
  const { records, cut, isProven } = await gaps.read('RECORDS', { records: [], cut: [], isProven: true }, unhandled);
  for (const each of cut) gaps.cut('RECORDS', cutText(each));
  const lines = linesOf(records, ({ kind, owner, code }) => ({ kind, owner, code, next: nextOf[kind](owner) }));
  return { lines, isProven };
}

const cutText = ({ owner, topic, partition, read, waiting }: CutPartition): string =>
  `${owner} has up to ${waiting} records of ${topic}/${partition} to handle: the first ${read} were looked at`;

const nextOf = {
  RETRY: () => 'goes on by itself; `corridor status` names what is away',
  REPLAY: () => '`corridor dlq replays list`',
  BEHIND: (owner: string) => `\`corridor status\`: does ${owner} run, and what does it wait for?`,
} satisfies Readonly<Record<Unhandled['kind'], (owner: string) => string>>;

interface Found {
  readonly since: number;
  readonly amount: Money | null;
}

/** One line for each place and reason. */
function linesOf<T extends Found>(
  found: readonly T[],
  lineOf: (each: T) => Pick<StuckLine, 'kind' | 'owner' | 'code' | 'next'>,
): readonly StuckLine[] {
  const groups = Map.groupBy(found, (each) => {
    const { kind, owner, code } = lineOf(each);
    return `${kind} ${owner} ${code}`;
  });
  return [...groups.values()].map((group) => {
    const tallying = new Tallying();
    let since = Number.POSITIVE_INFINITY;
    for (const each of group) {
      tallying.add(each.amount);
      since = Math.min(since, each.since);
    }
    return { ...lineOf(group[0]!), since, ...tallying.tally };
  });
}

async function holdLines(
  { holds }: StuckSources,
  gaps: Gaps<StuckSource>,
  most: number,
): Promise<readonly StuckLine[]> {
  const found = await gaps.read('HOLDS', [], () => holds.briefs(most + 1));
  if (found.length > most) gaps.cut('HOLDS', `more than ${most} are open: those that were opened first are counted`);
  const looked = found.slice(0, most).map((hold) => ({ hold, since: hold.openedAt, amount: amountOf(hold) }));
  return linesOf(looked, ({ hold }) => ({
    kind: 'HOLD',
    owner: String(hold.stage).toLowerCase().replaceAll('_', '-'),
    code: hold.reasonCodes[0] ?? null,
    next: `\`corridor cases list --stage ${hold.stage}\``,
  }));
}

/** A case of another shape has blanks. */
const amountOf = ({ amount }: HoldBrief): Money | null => (amount.currency === '' ? null : amount);

const NO_PAYOUTS = { lines: [] as readonly StuckLine[], withoutCase: 0 };

async function payoutLines({ payouts }: StuckSources, gaps: Gaps<StuckSource>): Promise<typeof NO_PAYOUTS> {
  const { tally, oldestAt, withoutCase } = await summedPayouts(payouts, 'OUTCOME_UNKNOWN', gaps, undefined, 'PAYOUTS');
  if (tally.count === 0) return NO_PAYOUTS;
  const line: StuckLine = {
    ...{ kind: 'PAYOUT_UNKNOWN', owner: 'payout-executor', code: 'OUTCOME_UNKNOWN' },
    ...{ since: oldestAt?.getTime() ?? null, next: '`corridor payouts list --phase OUTCOME_UNKNOWN`' },
    ...tally,
  };
  return { lines: [line], withoutCase };
}

async function letterLines(
  { deadLetters }: StuckSources,
  gaps: Gaps<StuckSource>,
  now: number,
): Promise<readonly StuckLine[]> {
  const found = await gaps.read('DEAD_LETTERS', undefined, () => letterGroups(deadLetters, { now }));
  if (found && !found.complete) gaps.cut('DEAD_LETTERS', found.reason ?? 'the groups are not all counted');
  return (found?.groups ?? []).map((group) => ({
    kind: 'DEAD_LETTER',
    owner: group.owner,
    code: group.code,
    since: group.oldestAt.getTime(),
    next: `\`corridor dlq list --group ${group.id}\``,
    count: group.letters,
    money: group.money
      .map(({ currency, minor }) => ({ minor, currency }))
      .sort((a, b) => (a.currency < b.currency ? -1 : 1)),
    withoutAmount: group.withoutAmount,
  }));
}
