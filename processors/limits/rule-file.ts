// A file of limit rules, read strictly: what it says is what is meant, and a key that is not known is refused.
import { z } from 'zod';
import { LIMIT_ACTIONS, LIMIT_SUBJECTS, type LimitRuleSet } from '../../domain/limits/limit-rules.ts';
import { WEEKDAYS } from '../../domain/limits/windows.ts';

const some = <S extends z.ZodType>(item: S) => z.array(item).min(1).max(100);
const id = z.string().regex(/^[a-z0-9][a-z0-9-]{0,47}$/, 'must be lower-case letters, digits and hyphens: 48 at most');
const code = z.string().regex(/^[A-Z][A-Z0-9_]{0,15}$/, 'must be a name in capitals');
const currency = z.string().regex(/^[A-Z]{3}$/, 'a currency is an ISO 4217 code, such as GBP');
const timeZone = z.string().min(1).max(64);
/** A JSON number is a double, and not every amount is one. */
const digits = z
  .string()
  .regex(/^(0|[1-9]\d{0,17})$/, 'a limit is a string of at most 18 digits, such as "250000"')
  .transform(BigInt);

const window = z.union([
  z.strictObject({ kind: z.literal('transfer') }),
  z.strictObject({ kind: z.literal('lifetime') }),
  z.strictObject({
    kind: z.literal('rolling'),
    unit: z.enum(['minute', 'hour', 'day']),
    length: z.int().min(1).max(600_000),
  }),
  z.strictObject({ kind: z.literal('calendar'), unit: z.enum(['day', 'month']), timeZone }),
  z.strictObject({ kind: z.literal('calendar'), unit: z.literal('week'), timeZone, weekStart: z.enum(WEEKDAYS) }),
  z.strictObject({
    kind: z.literal('calendar'),
    unit: z.literal('year'),
    timeZone,
    yearStart: z.int().min(1).max(12),
  }),
]);

const metric = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('amount'), of: z.enum(['debit', 'principal', 'credit']), currency }),
  z.strictObject({ kind: z.literal('count') }),
  z.strictObject({ kind: z.literal('beneficiaries') }),
]);

const rule = z.strictObject({
  ruleId: id,
  subject: z.enum(LIMIT_SUBJECTS),
  provider: z.string().min(1).max(48).optional(),
  where: z.strictObject({
    corridors: some(z.string().min(1).max(48)).optional(),
    sourceCurrencies: some(currency).optional(),
    arrangements: some(code).optional(),
    kycTiers: some(code).optional(),
  }),
  metric,
  window,
  limitMinor: digits,
  action: z.enum(LIMIT_ACTIONS),
  declaredUse: z.boolean(),
  freedByReturn: z.boolean(),
  /** Who says so. */
  authority: z.string().min(1).max(200),
  /** Where it is to be read; null: the house itself says so. */
  link: z.url().nullable(),
  validFrom: z.iso.date(),
  validTo: z.iso.date().nullable(),
  /** Nobody here gives legal advice. */
  status: z.enum(['TO_CONFIRM_WITH_COUNSEL', 'CONFIRMED']),
});

export const limitRulesFile = z
  .strictObject({
    name: id,
    version: z.string().regex(/^[0-9A-Za-z.-]{1,32}$/, 'must be letters, digits, dots and hyphens'),
    /** For people. */
    note: z.string().max(2_000),
    rules: z.array(rule).min(1).max(100),
  })
  .transform(({ name, version, rules }): LimitRuleSet => ({ name, version, rules }));
