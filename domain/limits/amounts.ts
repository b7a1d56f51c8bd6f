// A transfer's money in the currency of a rule: by the rates of its own price, rounded up, once. The event keeps the result.
import { currencyOf } from '../money/currencies.ts';
import { ceil, divide, multiply, ONE, type Ratio } from '../money/decimals.ts';
import type { Money } from '../money/money.ts';
import { perMinor, type QuotedRate, rateValue } from '../pricing/rates.ts';

/**
 * An amount in another currency, rounded up.
 * @param legs of the price, from its source currency to its target currency
 * @returns undefined when no rate of the price leads there, or a currency is not known
 */
export function amountIn(
  currency: string,
  amount: Money,
  source: string,
  legs: readonly QuotedRate[],
): bigint | undefined {
  if (amount.currency === currency) return amount.minor;
  const worths = worthsOf(source, legs);
  const [from, to] = [worths.get(amount.currency), worths.get(currency)];
  const [here, there] = [currencyOf(amount.currency), currencyOf(currency)];
  if (from === undefined || to === undefined || here === undefined || there === undefined) return undefined;
  const rate = perMinor(divide(to, from), here.exponent, there.exponent);
  return ceil(multiply(rate, { numerator: amount.minor, denominator: 1n }));
}

/** Units of each currency on the way for one unit of the source currency: mid rates, exact. */
function worthsOf(source: string, legs: readonly QuotedRate[]): ReadonlyMap<string, Ratio> {
  const worths = new Map<string, Ratio>([[source, ONE]]);
  let [reached, worth] = [source, ONE];
  for (const leg of legs) {
    const forth = leg.base === reached;
    if (!forth && leg.quote !== reached) return worths;
    worth = forth ? multiply(worth, rateValue(leg.rate)) : divide(worth, rateValue(leg.rate));
    reached = forth ? leg.quote : leg.base;
    worths.set(reached, worth);
  }
  return worths;
}
