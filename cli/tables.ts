// What several tables say in the same way: money, ages, and what a list lacks. Pure.
import { formatMoney } from '../domain/money/currencies.ts';
import type { Missing } from '../operations/queries/gaps.ts';
import type { Tally } from '../operations/queries/tally.ts';

/** `12.00 EUR + 3 JPY, 2 without a known amount`; empty: there is nothing. */
export function moneyText({ money, withoutAmount }: Omit<Tally, 'count'>): string {
  const sums = money.map(formatMoney).join(' + ');
  const without = withoutAmount > 0 ? `${withoutAmount} without a known amount` : '';
  return [sums, without].filter((each) => each !== '').join(', ');
}

/** `3 transfers: 12.00 EUR`. */
export function tallyText(tally: Tally, one: string, many: string): string {
  const money = moneyText(tally);
  return `${tally.count} ${tally.count === 1 ? one : many}${money === '' ? '' : `: ${money}`}`;
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;

/** `45 s`, `12 min`, `3 h 5 min`, `2 d 4 h`; `-`: not known. */
export function age(since: number | null, now: number): string {
  if (since === null) return '-';
  const ms = Math.max(0, now - since);
  if (ms < 2 * MINUTE_MS) return `${Math.floor(ms / SECOND_MS)} s`;
  const minutes = Math.floor(ms / MINUTE_MS);
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 1_440) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return `${Math.floor(minutes / 1_440)} d ${Math.floor(minutes / 60) % 24} h`;
}

/** What stands under a list that is not whole. */
export function gapLines(missing: readonly Missing[]): readonly string[] {
  if (missing.length === 0) return [];
  return [
    'THIS LIST IS NOT COMPLETE:',
    ...missing.map(({ source, code, detail }) => `  ${source}: ${detail} (${code})`),
  ];
}

/** A line of CSV. A spreadsheet must not take a cell for a formula, whoever wrote it. */
export const csvCells = (values: readonly unknown[]): string =>
  values
    .map((value) => {
      const text = value === null ? '' : value instanceof Date ? value.toISOString() : String(value);
      const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
      return /[",\n\r]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
    })
    .join(',');
