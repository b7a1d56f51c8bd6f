// The part of ISO 4217 that corridors use, with the dates between which a code was legal tender.

export interface Currency {
  readonly code: string;
  /** Digits of the minor unit: 2 for GBP (pence), 0 for JPY, 3 for KWD (fils). */
  readonly exponent: number;
  /** First day on which the code is valid, ISO 8601; absent: always so far. */
  readonly from?: string;
  /** Last day on which the code is valid. */
  readonly until?: string;
}

const TABLE: readonly Currency[] = [
  { code: 'AED', exponent: 2 },
  { code: 'AUD', exponent: 2 },
  { code: 'BDT', exponent: 2 },
  { code: 'BGN', exponent: 2, from: '1999-07-05', until: '2025-12-31' },
  { code: 'BHD', exponent: 3 },
  { code: 'CAD', exponent: 2 },
  { code: 'CHF', exponent: 2 },
  { code: 'CLP', exponent: 0 },
  { code: 'CNY', exponent: 2 },
  { code: 'CZK', exponent: 2 },
  { code: 'DKK', exponent: 2 },
  { code: 'EUR', exponent: 2, from: '1999-01-01' },
  { code: 'GBP', exponent: 2 },
  { code: 'HKD', exponent: 2 },
  { code: 'HRK', exponent: 2, from: '1994-05-30', until: '2022-12-31' },
  { code: 'HUF', exponent: 2 },
  { code: 'IDR', exponent: 2 },
  { code: 'INR', exponent: 2 },
  { code: 'IQD', exponent: 3 },
  { code: 'ISK', exponent: 0 },
  { code: 'JOD', exponent: 3 },
  { code: 'JPY', exponent: 0 },
  { code: 'KRW', exponent: 0 },
  { code: 'KWD', exponent: 3 },
  { code: 'LKR', exponent: 2 },
  { code: 'LYD', exponent: 3 },
  { code: 'MXN', exponent: 2 },
  { code: 'MYR', exponent: 2 },
  { code: 'NOK', exponent: 2 },
  { code: 'NPR', exponent: 2 },
  { code: 'NZD', exponent: 2 },
  { code: 'OMR', exponent: 3 },
  { code: 'PHP', exponent: 2 },
  { code: 'PKR', exponent: 2 },
  { code: 'PLN', exponent: 2 },
  { code: 'QAR', exponent: 2 },
  { code: 'RON', exponent: 2, from: '2005-07-01' },
  { code: 'SAR', exponent: 2 },
  { code: 'SEK', exponent: 2 },
  { code: 'SGD', exponent: 2 },
  { code: 'THB', exponent: 2 },
  { code: 'TND', exponent: 3 },
  { code: 'TRY', exponent: 2, from: '2005-01-01' },
  { code: 'UGX', exponent: 0 },
  { code: 'USD', exponent: 2 },
  { code: 'VND', exponent: 0 },
  { code: 'XAF', exponent: 0 },
  { code: 'XOF', exponent: 0 },
  { code: 'ZAR', exponent: 2 },
];

const BY_CODE = new Map(TABLE.map((currency) => [currency.code, currency]));

/** The currency of a code that is legal tender on a day (ISO 8601; absent: the table's present), else undefined. */
export function currencyOf(code: string, on?: string): Currency | undefined {
  const currency = BY_CODE.get(code);
  if (currency === undefined) return undefined;
  if (on === undefined) return currency.until === undefined ? currency : undefined;
  if (currency.from !== undefined && on < currency.from) return undefined;
  if (currency.until !== undefined && on > currency.until) return undefined;
  return currency;
}

/** Minor units as people write them: 1234567n GBP is "12345.67 GBP". Unknown currencies are shown in minor units. */
export function formatMoney(amount: { readonly minor: bigint; readonly currency: string }): string {
  const exponent = BY_CODE.get(amount.currency)?.exponent;
  if (exponent === undefined) return `${amount.minor} minor units of ${amount.currency}`;
  if (exponent === 0) return `${amount.minor} ${amount.currency}`;
  const sign = amount.minor < 0n ? '-' : '';
  const digits = (amount.minor < 0n ? -amount.minor : amount.minor).toString().padStart(exponent + 1, '0');
  return `${sign}${digits.slice(0, -exponent)}.${digits.slice(-exponent)} ${amount.currency}`;
}
