// Which holds one person alone may not approve. The stage that holds looks at it itself, on what it has sealed: who can write a
// decision with the keys of operators names two persons, or has it refused. Pure.
import { AMOUNT_BANDS, type AmountBand, bandOf } from '../domain/corridors/amount-bands.ts';
import type { CorridorBook } from '../domain/corridors/corridors.ts';
import type { TransferHeld } from '../schemas/types.generated.ts';

export interface HoldPolicy {
  /** From this amount on for its corridor, or NEVER. */
  readonly approveFrom: AmountBand | 'NEVER';
  /** Where screening called it a true match, at any look. */
  readonly onTrueMatch: boolean;
}

/** Why a second person has to agree to an approval. */
export type HoldSecondReason = 'AMOUNT' | 'TRUE_MATCH';
export type NeedsTwo = (held: TransferHeld) => readonly HoldSecondReason[];

/** By this policy; empty: one person may. */
export const needsTwoBy =
  ({ approveFrom, onTrueMatch }: HoldPolicy, book: CorridorBook): NeedsTwo =>
  (held) => [
    ...(isFrom(approveFrom, held, book) ? (['AMOUNT'] as const) : []),
    ...(onTrueMatch && isTrueMatch(held) ? (['TRUE_MATCH'] as const) : []),
  ];

function isFrom(from: HoldPolicy['approveFrom'], { instruction }: TransferHeld, book: CorridorBook): boolean {
  if (from === 'NEVER') return false;
  const corridor = book.between(instruction.sourceCurrency, instruction.targetCurrency)?.id ?? null;
  return AMOUNT_BANDS.indexOf(bandOf(instruction.instructedAmount, corridor, book)) >= AMOUNT_BANDS.indexOf(from);
}

function isTrueMatch({ screening }: TransferHeld): boolean {
  if (!screening) return false;
  const looks = [screening, ...screening.rechecks];
  return looks.some(({ parties }) => parties.some(({ outcome }) => outcome === 'TRUE_MATCH'));
}
