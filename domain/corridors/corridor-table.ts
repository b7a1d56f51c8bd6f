// The corridors that Corridor carries. Caps follow the rails: IMPS up to 5 lakh rupees is the common case, RTGS above.
import { DEFAULT_RATE_TERMS } from '../pricing/agreement.ts';
import type { Corridor, CorridorSide } from './corridors.ts';

const MINUTE_MS = 60_000;

/** ISO 20022 external purpose codes. Support of a family is DEPD (somebody who depends on the sender) or GIFT. */
const FAMILY_AND_SERVICES = [
  'CHAR',
  'DEPD',
  'EDUC',
  'GDDS',
  'INTC',
  'MDCS',
  'RENT',
  'GIFT',
  'SALA',
  'SAVG',
  'SUPP',
  'TAXS',
  'OTHR',
];

const INDIA: Pick<CorridorSide, 'currency' | 'countries' | 'accounts'> = {
  currency: 'INR',
  countries: ['IN'],
  accounts: [
    { scheme: 'BBAN', agent: 'IFSC' },
    { scheme: 'VPA', agent: 'NONE' },
  ],
};
const UNITED_KINGDOM: Pick<CorridorSide, 'currency' | 'countries' | 'accounts'> = {
  currency: 'GBP',
  countries: ['GB'],
  accounts: [
    { scheme: 'BBAN', agent: 'SORT_CODE' },
    { scheme: 'IBAN', agent: 'NONE' },
  ],
};
const EURO_AREA: Pick<CorridorSide, 'currency' | 'countries' | 'accounts'> = {
  currency: 'EUR',
  countries: 'AT BE BG CY DE EE ES FI FR GR HR IE IT LT LU LV MT NL PT SI SK'.split(' '),
  accounts: [{ scheme: 'IBAN', agent: 'NONE' }],
};
const UNITED_STATES: Pick<CorridorSide, 'currency' | 'countries' | 'accounts'> = {
  currency: 'USD',
  countries: ['US'],
  accounts: [{ scheme: 'BBAN', agent: 'ABA' }],
};
const EMIRATES: Pick<CorridorSide, 'currency' | 'countries' | 'accounts'> = {
  currency: 'AED',
  countries: ['AE'],
  accounts: [{ scheme: 'IBAN', agent: 'NONE' }],
};

const COMMON = {
  chargeBearers: ['DEBT', 'SHAR', 'SLEV'],
  purposeCodes: FAMILY_AND_SERVICES,
  priceTtlMs: 30 * MINUTE_MS,
  maxRateAgeMs: 60 * MINUTE_MS,
  rates: DEFAULT_RATE_TERMS,
  open: 'ALWAYS',
} as const;

/** What a sender who bears all charges (DEBT) pays for those of the beneficiary's side, so that the credit arrives whole. */
const fullAmount = (flatMinor: bigint) => ({ code: 'FULL_AMOUNT', flatMinor, bps: 0, bearers: ['DEBT'] as const });
/** Minor units of a currency with two digits. */
const units = (whole: number): bigint => BigInt(whole) * 100n;
/** What may arrive in India in one transfer. */
const INTO_INDIA = { minMinor: units(100), maxMinor: units(5_000_000) };

export const CORRIDORS: readonly Corridor[] = [
  {
    ...COMMON,
    id: 'GB-IN',
    source: { ...UNITED_KINGDOM, amount: { minMinor: units(1), maxMinor: units(25_000) } },
    target: { ...INDIA, amount: INTO_INDIA },
    marginBps: 45,
    fees: [{ code: 'TRANSFER', flatMinor: 99n, bps: 10 }, fullAmount(99n)],
  },
  {
    ...COMMON,
    id: 'EU-IN',
    source: { ...EURO_AREA, amount: { minMinor: units(1), maxMinor: units(30_000) } },
    target: { ...INDIA, amount: INTO_INDIA },
    marginBps: 50,
    fees: [{ code: 'TRANSFER', flatMinor: 119n, bps: 10 }, fullAmount(119n)],
  },
  {
    ...COMMON,
    id: 'US-IN',
    source: { ...UNITED_STATES, amount: { minMinor: units(1), maxMinor: units(30_000) } },
    target: { ...INDIA, amount: INTO_INDIA },
    marginBps: 60,
    fees: [{ code: 'TRANSFER', flatMinor: 149n, bps: 15 }, fullAmount(149n)],
  },
  {
    ...COMMON,
    id: 'AE-IN',
    source: { ...EMIRATES, amount: { minMinor: units(10), maxMinor: units(100_000) } },
    target: { ...INDIA, amount: INTO_INDIA },
    marginBps: 55,
    fees: [{ code: 'TRANSFER', flatMinor: 1_500n, bps: 0 }, fullAmount(1_500n)],
  },
  {
    ...COMMON,
    id: 'IN-GB',
    source: { ...INDIA, amount: { minMinor: units(500), maxMinor: units(2_500_000) } },
    target: { ...UNITED_KINGDOM, amount: { minMinor: units(1), maxMinor: units(25_000) } },
    marginBps: 80,
    fees: [{ code: 'TRANSFER', flatMinor: 9_900n, bps: 20 }, fullAmount(9_900n)],
  },
];
