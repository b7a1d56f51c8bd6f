// What a backtest would have decided otherwise, as rows for analysts: one a transfer.
import type { Cell, Column } from '../analytics/table.ts';
import type { Change } from './report.ts';

export const CHANGE_FORMATS = ['ndjson', 'parquet'] as const;
export type ChangeFormat = (typeof CHANGE_FORMATS)[number];

/** In the order of `changeCells`. Codes and differences are JSON text, amounts are minor units. */
export const CHANGE_COLUMNS: readonly Column[] = [
  { name: 'stage', kind: 'text' },
  { name: 'transferId', kind: 'text' },
  { name: 'appendedAt', kind: 'timestamp' },
  { name: 'wasVerdict', kind: 'text' },
  { name: 'wasCodes', kind: 'list' },
  { name: 'wouldVerdict', kind: 'text' },
  { name: 'wouldCodes', kind: 'list' },
  { name: 'currency', kind: 'text' },
  { name: 'moneyMinor', kind: 'long' },
  { name: 'difference', kind: 'list' },
];

export function changeCells(change: Change): readonly Cell[] {
  const { stage, transferId, appendedAt, was, would, money, difference } = change;
  return [
    ...[stage, transferId, appendedAt],
    ...[was.verdict, JSON.stringify(was.codes), would.verdict, JSON.stringify(would.codes)],
    ...[money.currency, money.minor],
    JSON.stringify(difference.map(({ minor, currency }) => ({ minor: minor.toString(), currency }))),
  ];
}
