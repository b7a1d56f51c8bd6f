// Decimal strings and exact fractions. Nothing here rounds unless its name says so.
import { DomainError } from '../fault.ts';

/** coef / 10^scale, exactly as written: "96.0853" is { coef: 960853n, scale: 4 }. */
export interface Decimal {
  readonly coef: bigint;
  readonly scale: number;
}

/** An exact fraction; the denominator is positive. */
export interface Ratio {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

/** More digits than any published rate has; a longer string is no rate but an attack on the arithmetic. */
const MAX_DIGITS = 40;
const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?$/;

/** The decimal in a string such as "96.0853"; undefined for any other text (signs, exponents and spaces are refused). */
export function parseDecimal(text: string): Decimal | undefined {
  if (text.length > MAX_DIGITS + 2) return undefined;
  const match = DECIMAL.exec(text);
  if (match === null) return undefined;
  const [, sign, whole, fraction = ''] = match;
  const coef = BigInt(whole! + fraction);
  return { coef: sign === '-' ? -coef : coef, scale: fraction.length };
}

/** The decimal as a string, digits kept as they are ("1.10" stays "1.10"). */
export function formatDecimal({ coef, scale }: Decimal): string {
  const sign = coef < 0n ? '-' : '';
  const digits = (coef < 0n ? -coef : coef).toString().padStart(scale + 1, '0');
  return scale === 0 ? `${sign}${digits}` : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

export const power10 = (exponent: number): bigint => 10n ** BigInt(exponent);

export const ratioOf = ({ coef, scale }: Decimal): Ratio => ({ numerator: coef, denominator: power10(scale) });

export const ONE: Ratio = { numerator: 1n, denominator: 1n };

export const multiply = (a: Ratio, b: Ratio): Ratio => ({
  numerator: a.numerator * b.numerator,
  denominator: a.denominator * b.denominator,
});

/** a / b. @throws DomainError RATE_NOT_POSITIVE when b is not above zero */
export function divide(a: Ratio, b: Ratio): Ratio {
  if (b.numerator <= 0n) throw new DomainError('RATE_NOT_POSITIVE', 'cannot divide by a rate that is not above zero');
  return { numerator: a.numerator * b.denominator, denominator: a.denominator * b.numerator };
}

/** The largest integer not above the fraction. */
export function floor({ numerator, denominator }: Ratio): bigint {
  const quotient = numerator / denominator;
  return numerator < 0n && quotient * denominator !== numerator ? quotient - 1n : quotient;
}

/** The smallest integer not below the fraction. */
export const ceil = (ratio: Ratio): bigint => -floor({ ...ratio, numerator: -ratio.numerator });

/** Digits after the point with which fractions that never end are shown. */
export const SHOWN_DIGITS = 18;

/**
 * The fraction as a decimal string without trailing zeros: exact when it ends within SHOWN_DIGITS digits, else cut there
 * (towards zero). For people and analytics; amounts are computed from the fraction.
 */
export function showRatio({ numerator, denominator }: Ratio): string {
  const negative = numerator < 0n;
  const scaled = ((negative ? -numerator : numerator) * power10(SHOWN_DIGITS)) / denominator;
  const text = formatDecimal({ coef: scaled, scale: SHOWN_DIGITS }).replace(/\.?0+$/, '');
  return negative && text !== '0' ? `-${text}` : text;
}
