// Rows of the inbox as people read them. Pure.
import { formatMoney } from '../../domain/money/currencies.ts';
import type { InboxPage } from '../../operations/cases/inbox/inbox.ts';
import type { InboxRow } from '../../operations/cases/inbox/row.ts';
import type { CaseDocument } from '../../sinks/cases/case.ts';

export const COLUMNS = [
  'due',
  'stage',
  'reason',
  'amount',
  'corridor',
  'sender',
  'beneficiary',
  'opened',
  'assigned',
  'case',
] as const;

/** One line of the table. What is not as a program of ours wrote it shows that, and its id. */
export function line(row: InboxRow, now: number): Readonly<Record<(typeof COLUMNS)[number], string>> {
  const { id, stage, flaw, names, dueAt, openedAt, assigned } = row;
  const whole = flaw === null;
  return {
    due: whole ? fromNow(dueAt, now) : 'at once',
    stage,
    reason: whole ? (row.reasonCodes[0] ?? '-') : flaw,
    amount: whole && row.amount ? formatMoney(row.amount) : '-',
    corridor: (whole && row.corridor) || '-',
    sender: names?.sender ?? '-',
    beneficiary: names?.beneficiary ?? '-',
    opened: whole ? fromNow(openedAt, now) : '-',
    assigned: assigned?.by ?? '-',
    case: id,
  };
}

/** What stands under the table: how much there is, what is missing, where the next page begins. */
export function footer({ total, next, complete, missing, unknownPayouts }: Omit<InboxPage, 'rows'>): readonly string[] {
  const money = total.money.map(formatMoney).join(' + ');
  const without = total.withoutAmount > 0 ? `${total.withoutAmount} without a known amount` : '';
  const about = [money, without].filter((each) => each !== '').join(', ');
  return [
    `${total.cases} open ${total.cases === 1 ? 'case' : 'cases'}${about === '' ? '' : `: ${about}`}`,
    ...(unknownPayouts === 0
      ? []
      : [
          `${unknownPayouts} ${unknownPayouts === 1 ? 'payout has' : 'payouts have'} an unknown outcome, not yet a case: corridor payouts list`,
        ]),
    ...(next === null ? [] : [`next page: --after ${next}`]),
    ...(complete ? [] : ['THIS LIST IS NOT COMPLETE:']),
    ...missing.map(({ source, code, detail }) => `  ${source}: ${detail} (${code})`),
  ];
}

/** Cases that are alike, under one line that says how many, and how much money. */
export function alikeLines(cases: readonly CaseDocument[]): readonly string[] {
  const sums = new Map<string, bigint>();
  for (const { instructedCurrency: currency, instructedMinor } of cases) {
    sums.set(currency, (sums.get(currency) ?? 0n) + instructedMinor);
  }
  const money = [...sums].map(([currency, minor]) => formatMoney({ minor, currency })).join(' + ');
  return [
    `${cases.length} ${cases.length === 1 ? 'case says' : 'cases say'} the same of the same parties: ${money}`,
    ...cases.map(({ _id, transferId, instructedMinor, instructedCurrency, openedAt }) => {
      const amount = formatMoney({ minor: instructedMinor, currency: instructedCurrency });
      return `  ${_id}  transfer ${transferId}  ${amount}  opened ${openedAt.toISOString()}`;
    }),
  ];
}

/** For programs: times in ISO 8601. */
export const jsonRow = ({ openedAt, dueAt, expiresAt, assigned, ...row }: InboxRow) => ({
  ...row,
  openedAt: new Date(openedAt),
  dueAt: new Date(dueAt),
  expiresAt: expiresAt === null ? null : new Date(expiresAt),
  assigned: assigned && { ...assigned, until: new Date(assigned.until) },
});

const MINUTE_MS = 60_000;

/** `in 2 h 5 min`, `3 d ago`. */
export function fromNow(at: number, now: number): string {
  const minutes = Math.round(Math.abs(at - now) / MINUTE_MS);
  const [days, hours, rest] = [Math.floor(minutes / 1_440), Math.floor(minutes / 60) % 24, minutes % 60];
  const text = days > 0 ? `${days} d ${hours} h` : hours > 0 ? `${hours} h ${rest} min` : `${rest} min`;
  return at >= now ? `in ${text}` : `${text} ago`;
}
