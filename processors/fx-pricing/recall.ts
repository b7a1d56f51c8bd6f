// What corridors last went by, out of the prices that were made: for a memory that somebody has deleted. Pure.
import type { CorridorBook } from '../../domain/corridors/corridors.ts';
import { parseDecimal, showRatio } from '../../domain/money/decimals.ts';
import { pairKey } from '../../domain/pricing/jumps.ts';
import { crossRate } from '../../domain/pricing/rates.ts';
import type { AcceptedRate, RateLeg, TransferPriced } from '../../schemas/types.generated.ts';

/**
 * The rates of the latest price of each corridor and pair, as records of a memory that begins anew, by `pairKey`. Legs over a
 * pivot come with what they come to between the two ends.
 */
export function ratesOfPrices(
  prices: Iterable<Pick<TransferPriced, 'instruction' | 'price'>>,
  corridors: CorridorBook,
): ReadonlyMap<string, AcceptedRate> {
  const latest = new Map<string, AcceptedRate>();
  for (const { instruction, price } of prices) {
    const { sourceCurrency, targetCurrency } = instruction;
    const corridor = corridors.between(sourceCurrency, targetCurrency)?.id;
    if (corridor === undefined) continue;
    const whole = price.legs.length > 1 ? wholeOf(sourceCurrency, targetCurrency, price.legs) : undefined;
    for (const { base, quote, rate, source, observedAt } of whole ? [...price.legs, whole] : price.legs) {
      const record = {
        ...{ corridor, base, quote, rate, source, observedAt },
        ...{ version: 1, acceptedAt: price.lockedAt, approvalId: null },
      };
      const known = latest.get(pairKey(record));
      if (known === undefined || known.acceptedAt < record.acceptedAt) latest.set(pairKey(record), record);
    }
  }
  return latest;
}

/** Undefined: too small or too large to be remembered. */
function wholeOf(base: string, quote: string, legs: readonly RateLeg[]): RateLeg | undefined {
  const rate = showRatio(crossRate(base, quote, legs));
  const shown = parseDecimal(rate);
  if (shown === undefined || shown.coef <= 0n) return undefined;
  const [first] = legs;
  const pivot = first!.base === base ? first!.quote : first!.base;
  const observedAt = Math.min(...legs.map((leg) => leg.observedAt));
  return { base, quote, rate, source: `over ${pivot}`, observedAt, agreement: null };
}
