// Each price against the terms that it names: which rows count is found again, and everything that follows from them.
import { priceOf, sizeOf } from '../../domain/pricing/pricing.ts';
import type { TermBook } from '../../domain/terms/term-book.ts';
import type { Instruction, Price } from '../../schemas/types.generated.ts';
import type { Check } from '../check.ts';
import type { KnownTerms } from '../ports.ts';
import { positionOf } from '../transfer.ts';

const NAME = 'terms';

/** One of a run: it keeps which terms nobody knows. */
export function terms(): Check {
  const unknown = new Set<string>();
  return {
    name: NAME,
    proves:
      'Each price is what the terms that it names come to: the rows that count for the transfer, fees, taxes, how long it binds, and its dates.',
    skips: ({ terms: known }) => (known ? undefined : 'no terms were given'),
    record(seen, run) {
      if (seen.topic !== 'transfer.priced') return;
      const { envelope, instruction, price } = seen.value;
      // Priced before prices named their terms.
      if (price.terms === null) return;
      const known = run.sources.terms!;
      const book = known.named(price.terms.set);
      if (book === undefined) {
        unknown.add(price.terms.set);
        return;
      }
      // What was quoted is taken back from when it was used on.
      const at = instruction.quoteId === null ? price.lockedAt : envelope.occurredAt;
      const differing = differingIn(instruction, price, { book, at }, known);
      if (differing.length === 0) return;
      const position = positionOf(seen.topic, seen.record.partition, seen.record.offset);
      const detail = `${price.terms.set} comes to another ${differing.join(', ')}`;
      run.findings.add(NAME, { code: 'PRICE_NOT_BY_TERMS', transferId: envelope.transferId, position, detail });
    },
    end(run) {
      for (const set of unknown)
        run.findings.add(NAME, {
          code: 'TERMS_UNKNOWN',
          severity: 'warning',
          detail: `prices name ${set}, which is not known here`,
        });
    },
  };
}

/** What is another one than the terms come to. */
function differingIn(
  instruction: Instruction,
  price: Price,
  { book, at }: { readonly book: TermBook; readonly at: number },
  { corridors }: KnownTerms,
): readonly string[] {
  const { amountSide: side, instructedAmount: amount, sourceCurrency, targetCurrency, funding, kycTier } = instruction;
  const corridor = corridors.between(sourceCurrency, targetCurrency);
  if (side === 'UNKNOWN' || corridor === undefined) return ['corridor'];
  const { legs, lockedAt } = price;
  try {
    const fixed = { side, amount, sourceCurrency, targetCurrency, legs };
    const sizeMinor = sizeOf(fixed);
    const chosen = book.choose({
      ...{ corridor, bearer: instruction.chargeBearer, kycTier, fundingMethod: funding?.method ?? null },
      ...{ sizeMinor, at: lockedAt, declared: instruction.taxes },
    });
    const { marginBps, fees, taxes, bindsForMs, cancellation, set, termIds, market } = chosen;
    const made = priceOf({ ...fixed, marginBps }, fees, taxes);
    if (!made.ok) return ['amount'];
    const dates = book.datesOf(chosen, lockedAt);
    const right: Stated = {
      ...made.pricing,
      terms: { set, termIds, market, sizeMinor },
      ...{ marginBps, lockedAt, expiresAt: lockedAt + bindsForMs },
      ...{ valueDate: dates?.valueDate ?? null, availableAt: dates?.availableAt ?? null },
      cancelUntil: cancellation === undefined ? null : at + cancellation.windowMs,
    };
    const [stated, reckoned] = [partsOf(price), partsOf(right)];
    return Object.keys(reckoned).filter((name) => stated[name] !== reckoned[name]);
  } catch {
    // Rates that cannot be computed with are a finding of the check of money.
    return [];
  }
}

type Stated = Omit<Price, 'snapshotId' | 'legs' | 'midRate' | 'customerRate' | 'positioned' | 'rounding' | 'residual'>;

/** What of a price follows from terms, by name, as texts. */
function partsOf({
  terms: by,
  fees,
  taxes,
  debit,
  principal,
  credit,
  ...price
}: Stated): Readonly<Record<string, string>> {
  return {
    rows: by!.termIds.join(),
    market: by!.market,
    size: String(by!.sizeMinor),
    margin: String(price.marginBps),
    lifetime: String(price.expiresAt - price.lockedAt),
    amounts: [debit, principal, credit].map(({ minor }) => minor).join(),
    fees: fees.map(({ code, amount }) => `${code} ${amount.minor}`).join(),
    taxes: taxes
      .map((tax) => [tax.termId, tax.kind, tax.authority, tax.base, tax.rateBps, tax.amount.minor].join(' '))
      .join(),
    'value date': String(price.valueDate),
    availability: String(price.availableAt),
    cancellation: String(price.cancelUntil),
  };
}
