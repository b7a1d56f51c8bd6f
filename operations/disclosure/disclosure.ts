// What a transfer cost and what arrives, as a sender must be told: one record, made of the rows of its lifecycle. Pure.
import { parseDecimal, power10 } from '../../domain/money/decimals.ts';
import type { Money } from '../../domain/money/money.ts';
import { CodedError } from '../../ports/fault.ts';
import type { TransferLifecycle } from '../../schemas/types.generated.ts';
import type { EventDocument } from '../../sinks/events/to-write.ts';
import { inOrder } from '../queries/timeline.ts';

/** Amounts are those that were priced and paid, to the minor unit: nothing here is rounded but `shownRate`. */
export interface Disclosure {
  readonly transferId: string;
  /** That its last transition took it to; a dead letter takes it nowhere. */
  readonly state: string;
  /** A dead letter stands behind its last transition. */
  readonly deadLettered: boolean;
  readonly attempt: number;
  /** When the state was taken that has this price, ms since 1970. */
  readonly asOf: number;
  readonly corridor: string | null;
  readonly sourceCountry: string;
  readonly targetCountry: string;
  readonly chargeBearer: string;
  /** What is exchanged; in the source currency, as are fees, taxes and total. */
  readonly transferAmount: Money;
  readonly fees: readonly { readonly code: string; readonly amount: Money }[];
  readonly feesTotal: Money;
  /** In the total. */
  readonly taxes: readonly DisclosedTax[];
  readonly taxesTotal: Money;
  /** Beside the total: what the producer takes by itself. */
  readonly taxesByProducer: readonly DisclosedTax[];
  /** What the sender pays: transfer amount, fees and taxes. */
  readonly total: Money;
  readonly midRate: string;
  readonly customerRate: string;
  /** The customer rate with four decimals, rounded half up: for people. Amounts are by the exact one. */
  readonly shownRate: string;
  /** What the customer rate costs against the mid rate; null: priced before prices said so. */
  readonly difference: Money | null;
  readonly totalToRecipient: Money;
  /** Whether the beneficiary's side may take charges from it: not where the sender bears them all. */
  readonly otherFeesMayApply: boolean;
  /** ISO 8601 date; this and the next two are null where the terms say nothing. */
  readonly valueDate: string | null;
  /** ms since 1970 */
  readonly availableAt: number | null;
  readonly cancelUntil: number | null;
  /** Name and version of the terms; null: priced before events named them. */
  readonly terms: string | null;
  /** What the provider has paid by now, and what came back. */
  readonly paid: Money | null;
  readonly returned: Money | null;
}

export interface DisclosedTax {
  readonly kind: string;
  readonly authority: string;
  readonly amount: Money;
}

/** A row as a store has it: numbers may be of 64 bits, and fields of later versions may be lacking. */
type StoredRow = Partial<TransferLifecycle> & Pick<EventDocument, 'topic'>;

/**
 * The price that was paid; where nothing was, that in force: of the transition with the highest sequence that has one. A payout
 * stays one whatever comes behind it.
 * @param events all that is stored of the transfer, in any order
 * @throws CodedError TRANSFER_UNPRICED when it has no price
 */
export function disclosureOf(transferId: string, events: readonly EventDocument[]): Disclosure {
  const rows = inOrder(
    (events as readonly unknown[] as readonly StoredRow[]).filter(isRow) as never,
  ) as readonly StoredRow[];
  const transitions = rows.filter((each) => !isMark(each));
  const last = transitions.at(-1) ?? rows.at(-1);
  const ends = transitions.filter(({ state }) => state === 'COMPLETED' || state === 'RETURNED');
  const returnedMinor = ends.findLast((each) => each.returnedMinor != null)?.returnedMinor;
  const row = ends.findLast(hasPrice) ?? transitions.findLast(hasPrice) ?? rows.findLast(hasPrice);
  if (row === undefined || last === undefined)
    throw new CodedError('TRANSFER_UNPRICED', `${transferId} has no price, so nothing of it can be disclosed`);
  const deadLettered = isMark(rows.at(-1)!);
  return recordOf(transferId, row, { state: last.state!, deadLettered, isPaid: ends.length > 0, returnedMinor });
}

const hasPrice = ({ debitMinor }: StoredRow): boolean => debitMinor != null;
const isMark = ({ state }: StoredRow): boolean => state === 'DEAD_LETTERED';

/** What came of the price. */
interface Outcome extends Pick<Disclosure, 'state' | 'deadLettered'> {
  readonly isPaid: boolean;
  readonly returnedMinor: StoredRow['returnedMinor'];
}

const isRow = ({ topic }: StoredRow): boolean => topic === 'transfer.lifecycle';

function recordOf(
  transferId: string,
  row: StoredRow,
  { state, deadLettered, isPaid, returnedMinor }: Outcome,
): Disclosure {
  const [source, target] = [row.sourceCurrency!, row.targetCurrency!];
  const inSource = (minor: bigint): Money => ({ minor: BigInt(minor), currency: source });
  const inTarget = (minor: bigint): Money => ({ minor: BigInt(minor), currency: target });
  const [debit, credit, fees] = [BigInt(row.debitMinor!), BigInt(row.creditMinor!), BigInt(row.feesMinor!)];
  // Rows of before have no taxes in the debit.
  const charged = BigInt(row.chargedTaxesMinor ?? 0n);
  return {
    ...{
      transferId,
      state,
      deadLettered,
      attempt: Number(row.attempt),
      asOf: Number(row.occurredAt),
      corridor: row.corridorId ?? null,
    },
    ...{ sourceCountry: row.sourceCountry!, targetCountry: row.targetCountry!, chargeBearer: row.chargeBearer! },
    transferAmount: inSource(row.principalMinor ?? debit - fees - charged),
    fees: (row.fees ?? []).map(({ code, minor }) => ({ code, amount: inSource(minor) })),
    feesTotal: inSource(fees),
    taxes: (row.chargedTaxes ?? []).map(taxOf),
    taxesTotal: inSource(charged),
    taxesByProducer: (row.taxes ?? []).map(taxOf),
    total: inSource(debit),
    ...{ midRate: row.midRate!, customerRate: row.customerRate!, shownRate: shown(row.customerRate!) },
    difference: row.marginMinor == null ? null : inSource(row.marginMinor),
    totalToRecipient: inTarget(credit),
    otherFeesMayApply: row.chargeBearer !== 'DEBT',
    valueDate: row.valueDate ?? null,
    availableAt: instantOf(row.availableAt),
    cancelUntil: instantOf(row.cancelUntil),
    terms: row.termsVersion ?? null,
    paid: isPaid ? inTarget(credit) : null,
    returned: returnedMinor == null ? null : inTarget(returnedMinor),
  };
}

const instantOf = (at: number | null | undefined): number | null => (at == null ? null : Number(at));

const taxOf = ({ kind, authority, currency, minor }: NonNullable<StoredRow['taxes']>[number]): DisclosedTax => ({
  ...{ kind, authority },
  amount: { minor: BigInt(minor), currency },
});

const SHOWN_DECIMALS = 4;

/** The rate with four decimals, rounded half up by its digits. */
function shown(rate: string): string {
  const { coef, scale } = parseDecimal(rate)!;
  const scaled =
    scale <= SHOWN_DECIMALS ? coef * power10(SHOWN_DECIMALS - scale) : halfUp(coef, power10(scale - SHOWN_DECIMALS));
  const digits = scaled.toString().padStart(SHOWN_DECIMALS + 1, '0');
  return `${digits.slice(0, -SHOWN_DECIMALS)}.${digits.slice(-SHOWN_DECIMALS)}`;
}

const halfUp = (coef: bigint, unit: bigint): bigint => (2n * coef + unit) / (2n * unit);
