// How large an amount is for its corridor, without a rate. Pure.
import type { Money } from '../money/money.ts';
import type { CorridorBook } from './corridors.ts';

/**
 * SMALL below a tenth of the most that one transfer of the corridor may carry, LARGE from a half. What is not known counts as
 * LARGE.
 */
export const AMOUNT_BANDS = ['SMALL', 'MEDIUM', 'LARGE'] as const;
export type AmountBand = (typeof AMOUNT_BANDS)[number];

/** The band of an amount in its corridor. */
export function bandOf(amount: Money | null, corridor: string | null, { corridors }: CorridorBook): AmountBand {
  const found = corridors.find(({ id }) => id === corridor);
  const side = found && [found.source, found.target].find(({ currency }) => currency === amount?.currency);
  if (!side || !amount) return 'LARGE';
  const { maxMinor } = side.amount;
  if (amount.minor * 2n >= maxMinor) return 'LARGE';
  return amount.minor * 10n >= maxMinor ? 'MEDIUM' : 'SMALL';
}
