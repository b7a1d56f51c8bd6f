// Corridors, limit rules and the policy of cases: those built in, or the ones of a file. Minor units in a file are strings of
// digits. A key that is not known is refused, as is a rule that nothing here can count.
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { CORRIDORS } from '../domain/corridors/corridor-table.ts';
import { type Corridor, type CorridorBook, corridorBook } from '../domain/corridors/corridors.ts';
import {
  BUILT_IN_LIMITS,
  checkLimitRules,
  type LimitRule,
  type LimitRuleSet,
  senderDayRule,
} from '../domain/limits/limit-rules.ts';
import { DEFAULT_RATE_TERMS } from '../domain/pricing/agreement.ts';
import { type CasePolicy, casePolicyFile, casePolicyFrom } from '../operations/cases/inbox/policy.ts';
import { type DisclosureRules, disclosureRulesFile } from '../operations/disclosure/rules.ts';
import { type TransferRules, transferRulesFile } from '../processors/intake/rules/rule-set.ts';
import { limitRulesFile } from '../processors/limits/rule-file.ts';
import { type NeedsTwo, needsTwoBy } from '../processors/second-person.ts';
import type { Config } from '../runtime/config/config.ts';
import { countryCode, currencyCode, minorUnits, parsed, readTerms, unusable } from './terms-files.ts';

const MAX_ENTRIES = 1_000;
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const some = <S extends z.ZodType>(item: S) => z.array(item).min(1).max(MAX_ENTRIES);
const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,47}$/, 'use letters, digits, hyphens, underscores: 48 at most');
const bps = z.int().min(0).max(9_999);

const account = z.strictObject({
  scheme: z.enum(['IBAN', 'BBAN', 'VPA']),
  agent: z.enum(['NONE', 'IFSC', 'SORT_CODE', 'ABA']),
});
const side = z.strictObject({
  currency: currencyCode,
  countries: some(countryCode),
  amount: z.strictObject({ minMinor: minorUnits, maxMinor: minorUnits }),
  accounts: some(account),
});
const chargeBearer = z.enum(['DEBT', 'SHAR', 'SLEV']);
const fixing = z.strictObject({
  source: z.string().min(1).max(64),
  calendar: z.literal('T2'),
  dueAt: z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time of day is written as in 16:00'),
  graceMs: z.int().min(0).max(DAY_MS),
});
const corridorsFile = some(
  z.strictObject({
    id: name,
    source: side,
    target: side,
    chargeBearers: some(chargeBearer),
    purposeCodes: some(z.string().regex(/^[A-Z0-9]{4}$/, 'a purpose is an ISO 20022 code, such as SALA')),
    marginBps: bps,
    fees: z
      .array(z.strictObject({ code: name, flatMinor: minorUnits, bps, bearers: some(chargeBearer).optional() }))
      .max(20),
    priceTtlMs: z.int().min(1).max(DAY_MS),
    maxRateAgeMs: z
      .int()
      .min(1)
      .max(30 * DAY_MS),
    rates: z
      .strictObject({
        sources: some(z.string().min(1).max(64)).optional(),
        quorum: z.int().min(1).max(100).default(DEFAULT_RATE_TERMS.quorum),
        maxDistanceBps: z.int().min(0).max(10_000).default(DEFAULT_RATE_TERMS.maxDistanceBps),
        maxJumpBps: z.int().min(1).max(10_000).default(DEFAULT_RATE_TERMS.maxJumpBps),
        maxClosedRateAgeMs: z
          .int()
          .min(1)
          .max(7 * DAY_MS)
          .optional(),
        fixings: z
          .array(fixing)
          .max(20)
          .default([...DEFAULT_RATE_TERMS.fixings]),
        pivots: z
          .array(currencyCode)
          .max(20)
          .default([...DEFAULT_RATE_TERMS.pivots]),
      })
      .prefault({}),
    open: z.literal('ALWAYS'),
  }),
);

/** The first form of a limit rule: a sender's debits in their own currency, by day in UTC. It means what it always meant. */
const senderDay = z
  .strictObject({
    ruleId: z.string(),
    subject: z.literal('sender'),
    corridors: some(name).optional(),
    metric: z.literal('amount'),
    currency: currencyCode,
    window: z.strictObject({ kind: z.literal('calendar'), unit: z.literal('day'), timeZone: z.literal('UTC') }),
    limitMinor: minorUnits,
    action: z.enum(['reject', 'review']),
    freedByReturn: z.boolean(),
  })
  .transform(({ action, ...rule }) => senderDayRule({ ...rule, action: action === 'review' ? 'hold' : action }));
const senderDays = some(senderDay).transform((rules): LimitRuleSet => ({ ...UNNAMED, rules }));
const UNNAMED = { name: 'limits-file', version: '1' };

/** The corridors in force. `corridorBook` checks them. @throws CodedError TERMS_UNREADABLE (fatal) */
export function corridors({ transfers: { corridorsFile: file } }: Config): readonly Corridor[] {
  return file === undefined ? CORRIDORS : readTerms(file, corridorsFile);
}

/** The same as a book. @throws CodedError TERMS_UNREADABLE, DomainError CORRIDORS_INVALID */
export const corridorBookOf = (config: Config): CorridorBook => corridorBook(corridors(config));

/** The limit rules in force, checked. @throws CodedError TERMS_UNREADABLE, DomainError LIMIT_RULES_INVALID */
export function limitRuleSet(config: Config): LimitRuleSet {
  const { limitsFile: file } = config.transfers;
  if (file === undefined) return BUILT_IN_LIMITS;
  const set = limitRulesOf(file);
  const known = new Set(corridors(config).map(({ id }) => id));
  const strange = set.rules.flatMap(({ where }) => (where.corridors ?? []).filter((id) => !known.has(id)));
  if (strange.length > 0)
    throw unusable(file, `there is no corridor ${[...new Set(strange)].join(', ')}: it would count nothing`);
  return set;
}

/** The rules of a file, of either form. `example`: the set of examples that is shipped. */
export function limitRulesOf(file: string): LimitRuleSet {
  const content = readTerms(file === 'example' ? EXAMPLE_LIMITS : file, z.unknown());
  const set = parsed(file, content, Array.isArray(content) ? senderDays : limitRulesFile);
  checkLimitRules(set.rules);
  return set;
}

export const limitRules = (config: Config): readonly LimitRule[] => limitRuleSet(config).rules;

const EXAMPLE_LIMITS = fileURLToPath(new URL('../processors/limits/example-rules.json', import.meta.url));

/** The set of examples that is shipped. */
const EXAMPLE_RULES = fileURLToPath(new URL('../processors/intake/rules/example-rules.json', import.meta.url));

/** What a transfer must say, checked; undefined: nothing. @throws CodedError TERMS_UNREADABLE (fatal) */
export function transferRules({ transfers: { rulesFile } }: Config): TransferRules | undefined {
  if (rulesFile === undefined || rulesFile === 'none') return undefined;
  return readTerms(rulesFile === 'example' ? EXAMPLE_RULES : rulesFile, transferRulesFile);
}

/** The set of examples that is shipped. */
const EXAMPLE_DISCLOSURE = fileURLToPath(new URL('../operations/disclosure/example-rules.json', import.meta.url));
const NO_DISCLOSURE: DisclosureRules = { name: 'none', version: '0', note: '', rules: [] };

/** What a sender must be told. @throws CodedError TERMS_UNREADABLE (fatal) */
export function disclosureRules({ transfers: { disclosureFile: file } }: Config): DisclosureRules {
  if (file === undefined || file === 'none') return NO_DISCLOSURE;
  return readTerms(file === 'example' ? EXAMPLE_DISCLOSURE : file, disclosureRulesFile);
}

/** What is asked of people who work on cases. @throws CodedError TERMS_UNREADABLE (fatal) */
export function casePolicy({ cases: { policyFile: file } }: Config): CasePolicy {
  return casePolicyFrom(file === undefined ? {} : readTerms(file, casePolicyFile));
}

/** Which holds take two persons, as the stages look at it. @throws CodedError TERMS_UNREADABLE (fatal) */
export const needsTwo = (config: Config): NeedsTwo => needsTwoBy(casePolicy(config), corridorBookOf(config));
