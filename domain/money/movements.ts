// What moved by a lifecycle row, as movements on accounts that sum to zero in each currency. Pure.
import { deterministicId } from '../transfers/event-id.ts';
import { currencyOf } from './currencies.ts';

export type AccountRole = 'DEBTOR' | 'FEES' | 'TAXES' | 'MARGIN' | 'CONVERSION' | 'CREDITOR' | 'RETURNED';

/** A lifecycle row, as far as money goes. Amounts in minor units. */
export interface MoneyRow {
  readonly eventId: string;
  readonly state: string;
  /** The state before; null where the row does not say. */
  readonly previousState: string | null;
  readonly sourceCurrency: string;
  readonly targetCurrency: string;
  readonly debitMinor: bigint | null;
  readonly creditMinor: bigint | null;
  readonly feesMinor: bigint | null;
  /** Absent in rows of version 1, which say their sum alone. */
  readonly fees: readonly { readonly code: string; readonly minor: bigint }[];
  /** Taxes in the debit; absent in rows of versions 1 and 2, which had none. */
  readonly chargedTaxes: readonly { readonly kind: string; readonly minor: bigint }[];
  /** Null in rows of version 1. */
  readonly principalMinor: bigint | null;
  /** Null where the price does not say. */
  readonly marginMinor: bigint | null;
  /** Null in rows of version 1. */
  readonly returnedMinor: bigint | null;
}

/** One movement: what an account gains (below zero: gives), in minor units. */
export interface Movement {
  /** Follows from the row and the movement: who makes it again makes the same. */
  readonly movementId: string;
  readonly role: AccountRole;
  /** Which fee, or what is taxed; null of other roles, and where the row does not say. */
  readonly code: string | null;
  readonly currency: string;
  /** Decimals of the currency; null: it is not known. */
  readonly exponent: number | null;
  readonly minor: bigint;
}

type Leg = readonly [role: AccountRole, minor: bigint, code?: string];

/**
 * The movements that a row tells of: none unless money moved by it. A payout is told once, by COMPLETED, or by RETURNED where
 * that is the first that is heard of it; a return turns the target side round.
 */
export function movementsOf(row: MoneyRow): readonly Movement[] {
  if (row.state === 'COMPLETED') return paid(row);
  if (row.state !== 'RETURNED') return [];
  // A row of version 1 does not say what was before: nearly always the completion.
  const isFirstOfPayout = row.previousState !== null && row.previousState !== 'COMPLETED';
  return isFirstOfPayout ? [...paid(row), ...returned(row)] : returned(row);
}

function paid(row: MoneyRow): readonly Movement[] {
  const { sourceCurrency, targetCurrency, debitMinor, creditMinor } = row;
  if (debitMinor === null || creditMinor === null) return [];
  const fees = row.feesMinor ?? 0n;
  const principal = row.principalMinor ?? debitMinor - fees;
  const margin = row.marginMinor ?? 0n;
  const source: readonly Leg[] = [
    ['DEBTOR', -debitMinor],
    ...listed('FEES', row.fees, fees),
    ...listed(
      'TAXES',
      row.chargedTaxes.map(({ kind, minor }) => ({ code: kind, minor })),
      debitMinor - fees - principal,
    ),
    ['MARGIN', margin],
    ['CONVERSION', principal - margin],
  ];
  const target: readonly Leg[] = [
    ['CONVERSION', -creditMinor],
    ['CREDITOR', creditMinor],
  ];
  return [...made(row, sourceCurrency, source), ...made(row, targetCurrency, target)];
}

/** Each of what is listed; what the list lacks of the sum (a row of version 1 has no list) is of no code. */
function listed(role: AccountRole, parts: readonly { readonly code: string; readonly minor: bigint }[], sum: bigint) {
  const legs = parts.map(({ code, minor }): Leg => [role, minor, code]);
  const left = parts.reduce((rest, { minor }) => rest - minor, sum);
  return left === 0n ? legs : [...legs, [role, left] as Leg];
}

function returned(row: MoneyRow): readonly Movement[] {
  const { targetCurrency, returnedMinor, creditMinor } = row;
  const minor = returnedMinor ?? creditMinor;
  if (minor === null) return [];
  return made(row, targetCurrency, [
    ['CREDITOR', -minor],
    ['RETURNED', minor],
  ]);
}

/** What is nothing is no movement. */
function made({ eventId }: MoneyRow, currency: string, legs: readonly Leg[]): readonly Movement[] {
  const exponent = currencyOf(currency)?.exponent ?? null;
  const met = new Map<string, number>();
  return legs.flatMap(([role, minor, code = null]) => {
    // One code may be charged twice; a return of what was never told gives the creditor two of one row.
    const name = [eventId, role, currency, code ?? '', minor < 0n ? '-' : '+'].join('\n');
    const nth = met.get(name) ?? 0;
    met.set(name, nth + 1);
    if (minor === 0n) return [];
    const movementId = deterministicId(`movement\n${name}\n${nth}`);
    return [{ movementId, role, code, currency, exponent, minor }];
  });
}
