// A file of terms, read strictly: what it says is what is meant, and a key that is not known is refused.
import { z } from 'zod';
import { type CalendarTerms, WEEKDAYS } from '../../domain/calendars/business-days.ts';
import { isDay } from '../../domain/calendars/days.ts';
import { secondOfDay } from '../../domain/calendars/zones.ts';
import { checkTerms } from '../../domain/terms/check-terms.ts';
import { MARKET_STATES, TAX_BASES, TAX_ROUNDINGS, type TermSet } from '../../domain/terms/terms.ts';

const MAX_ROWS = 500;
const DAY_MS = 86_400_000;
const some = <S extends z.ZodType>(item: S) => z.array(item).min(1).max(100);
const rows = <S extends z.ZodType>(item: S) => z.array(item).max(MAX_ROWS);
const id = z.string().regex(/^[a-z0-9][a-z0-9-]{0,47}$/, 'must be lower-case letters, digits and hyphens: 48 at most');
const code = z.string().regex(/^[A-Z][A-Z0-9_]{0,15}$/, 'must be a name in capitals: 16 characters at most');
const currency = z.string().regex(/^[A-Z]{3}$/, 'a currency is an ISO 4217 code, such as GBP');
/** A JSON number is a double, and not every amount is one. */
const minor = z
  .string()
  .regex(/^(0|[1-9]\d{0,17})$/, 'minor units are a string of at most 18 digits, such as "99"')
  .transform(BigInt);
const bps = z.int().min(0).max(10_000);
const day = z.string().refine(isDay, 'a day is written as in 2026-12-25');
const time = z
  .string()
  .refine((text) => secondOfDay(text) !== undefined, 'a time of day is written as in 16:00 or 16:00:01');
const timeZone = z.string().min(1).max(64);
const weekday = z.enum(WEEKDAYS);
const calendarId = z.string().regex(/^[A-Z0-9][A-Z0-9-]{0,31}$/, 'must be capitals, digits and hyphens: 32 at most');

const anyWhere = {
  corridors: some(z.string().min(1).max(48)).optional(),
  kycTiers: some(code).optional(),
  fundingMethods: some(z.enum(['ACCOUNT', 'CARD', 'CASH', 'MONEY_ORDER', 'PREFUNDED', 'NONE'])).optional(),
  amount: z.strictObject({ currency, fromMinor: minor, belowMinor: minor.nullable() }).optional(),
  markets: some(z.enum(MARKET_STATES)).optional(),
};
const where = z.strictObject(anyWhere);
const whereOfFee = z.strictObject({ ...anyWhere, bearers: some(z.enum(['DEBT', 'SHAR', 'SLEV'])).optional() });
const whereOfMarket = z.strictObject({ corridors: anyWhere.corridors });

/** Nobody here gives legal advice. */
const provenance = {
  title: z.string().min(1).max(200),
  /** Where it is to be read; null: the house itself says so. */
  link: z.url().nullable(),
  validFrom: day,
  validTo: day.nullable(),
  status: z.enum(['TO_CONFIRM_WITH_COUNSEL', 'CONFIRMED']),
};

const calendar = z.discriminatedUnion('kind', [
  z.strictObject({ id: calendarId, kind: z.literal('every-day') }),
  z.strictObject({ id: calendarId, kind: z.literal('T2') }),
  z.strictObject({
    ...{ id: calendarId, kind: z.literal('yearly'), weekend: z.array(weekday).max(6) },
    days: z
      .array(z.string().regex(/^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/, 'a day of every year is written as in 12-25'))
      .max(366),
  }),
  z.strictObject({
    ...{ id: calendarId, kind: z.literal('country') },
    country: z.string().regex(/^[A-Z]{2}$/, 'a country is an ISO 3166-1 alpha-2 code, such as GB'),
    region: z
      .string()
      .regex(/^[A-Z0-9]{1,3}$/, 'a region is what ISO 3166-2 has behind the hyphen, such as ENG')
      .optional(),
    weekend: z.array(weekday).max(6),
    closed: z.array(day).max(366),
    open: z.array(day).max(366),
  }),
]);
const calendarIds = z.array(calendarId).max(20);
const inWeek = z.strictObject({ weekday, time });

const market = z.strictObject({
  termId: id,
  where: whereOfMarket,
  timeZone,
  opens: inWeek,
  closes: inWeek,
  calendars: calendarIds,
});
const margin = z.strictObject({ termId: id, where, marginBps: z.int().min(0).max(9_999) });
const fee = z.strictObject({
  ...{ termId: id, where: whereOfFee, code, currency, flatMinor: minor, bps },
  minMinor: minor.nullable(),
  maxMinor: minor.nullable(),
});
const tax = z.strictObject({
  ...{ termId: id, where, kind: code },
  authority: z.string().regex(/^[A-Z][A-Z0-9_]{0,34}$/, 'must be a name in capitals: 35 characters at most'),
  base: z.enum(TAX_BASES),
  rateBps: bps,
  rounding: z.enum(TAX_ROUNDINGS),
  ...provenance,
});
const lifetime = z.strictObject({ termId: id, where, bindsForMs: z.int().min(1_000).max(DAY_MS) });
const rail = z.strictObject({
  ...{ timeZone, calendars: calendarIds, opens: time, cutOff: time },
  takesMs: z
    .int()
    .min(0)
    .max(30 * DAY_MS),
});
const settlement = z.strictObject({
  ...{ termId: id, where, timeZone, cutOff: time, calendars: calendarIds },
  valueDays: z.int().min(0).max(10),
  rail,
});
const cancellation = z.strictObject({
  ...{ termId: id, where, authority: z.string().min(1).max(100) },
  windowMs: z
    .int()
    .min(0)
    .max(30 * DAY_MS),
  ...provenance,
});

/** A file of terms. */
export const termsFile = z
  .strictObject({
    name: id,
    version: z.string().regex(/^[0-9A-Za-z.-]{1,32}$/, 'must be letters, digits, dots and hyphens'),
    /** For people. */
    note: z.string().max(2_000),
    calendars: z.array(calendar).max(50),
    markets: rows(market),
    margins: rows(margin).min(1),
    fees: rows(fee),
    taxes: rows(tax),
    lifetimes: rows(lifetime).min(1),
    settlements: rows(settlement),
    cancellations: rows(cancellation),
  })
  .transform(
    ({ note: _, calendars, ...set }): TermSet =>
      checkTerms({ ...set, calendars: calendars as readonly CalendarTerms[] }),
  );
