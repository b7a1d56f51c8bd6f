// Limits as data. A rule says whose use of what is counted in which window, what happens above it, and who says so.
import { DomainError } from '../fault.ts';
import { currencyOf } from '../money/currencies.ts';
import { type LimitWindow, windowFinder } from './windows.ts';

/** Who is limited. `provider`: the float that was paid in to one. */
export const LIMIT_SUBJECTS = ['sender', 'beneficiary', 'pair', 'funding-account', 'producer', 'provider'] as const;
export type LimitSubject = (typeof LIMIT_SUBJECTS)[number];

export type LimitMetric =
  /** Money in minor units of a currency: the debit (fees included), the principal, or the credit. */
  | { readonly kind: 'amount'; readonly of: 'debit' | 'principal' | 'credit'; readonly currency: string }
  /** Transfers. */
  | { readonly kind: 'count' }
  /** Different beneficiaries. */
  | { readonly kind: 'beneficiaries' };

/** Above the limit: decline; let a person decide; let one decide once documents are there; or record it and do nothing. */
export const LIMIT_ACTIONS = ['reject', 'hold', 'documents', 'shadow'] as const;
export type LimitAction = (typeof LIMIT_ACTIONS)[number];

/** Which transfers a rule counts; what is left out does not matter to it. */
export interface LimitWhere {
  readonly corridors?: readonly string[] | undefined;
  /** ISO 4217 codes. */
  readonly sourceCurrencies?: readonly string[] | undefined;
  /** Arrangements that the intent names, such as MTSS. */
  readonly arrangements?: readonly string[] | undefined;
  /** Tiers of the sender that the intent names; `NONE`: it names none. */
  readonly kycTiers?: readonly string[] | undefined;
}

export interface LimitRule {
  /** What is counted under an id stays what it is: a rule that counts something else needs another id. */
  readonly ruleId: string;
  readonly subject: LimitSubject;
  /** Of a rule on a provider: which. */
  readonly provider?: string | undefined;
  readonly where: LimitWhere;
  readonly metric: LimitMetric;
  readonly window: LimitWindow;
  /** Minor units, transfers or beneficiaries in one window, this transfer included. */
  readonly limitMinor: bigint;
  readonly action: LimitAction;
  /** What the sender declares to have used elsewhere counts too. */
  readonly declaredUse: boolean;
  /** Whether money that comes back after it was paid frees the limit again. */
  readonly freedByReturn: boolean;
  /** Who says so, and where it is to be read; null: the house itself. */
  readonly authority: string;
  readonly link: string | null;
  /** First day (UTC) on which it holds, and the first on which it holds no more; null: until further notice. */
  readonly validFrom: string;
  readonly validTo: string | null;
  readonly status: 'TO_CONFIRM_WITH_COUNSEL' | 'CONFIRMED';
}

/** A set of rules as events name it. */
export interface LimitRuleSet {
  readonly name: string;
  readonly version: string;
  readonly rules: readonly LimitRule[];
}

export const ruleSetName = ({ name, version }: Pick<LimitRuleSet, 'name' | 'version'>): string => `${name}@${version}`;

/** @throws DomainError LIMIT_RULES_INVALID with every mistake */
export function checkLimitRules(rules: readonly LimitRule[]): readonly LimitRule[] {
  const faults: string[] = [];
  const seen = new Set<string>();
  for (const rule of rules) {
    if (seen.has(rule.ruleId)) faults.push(`${rule.ruleId} is there twice`);
    seen.add(rule.ruleId);
    faults.push(...faultsOf(rule).map((fault) => `${rule.ruleId}: ${fault}`));
  }
  if (faults.length > 0) throw new DomainError('LIMIT_RULES_INVALID', `correct the limit rules: ${faults.join('; ')}`);
  return rules;
}

const MAX_LIMIT = 2n ** 52n;

function faultsOf(rule: LimitRule): readonly string[] {
  const { ruleId, subject, provider, metric, window, limitMinor, declaredUse, validFrom, validTo } = rule;
  const faults: string[] = [];
  if (!/^[a-z0-9-]{1,48}$/.test(ruleId)) faults.push('use lower-case letters, digits and hyphens');
  if (limitMinor <= 0n || limitMinor >= MAX_LIMIT) faults.push('the limit is not above zero and below 2^52');
  if (metric.kind === 'amount' && currencyOf(metric.currency) === undefined)
    faults.push(`${metric.currency} is no currency code that is known`);
  if ((subject === 'provider') !== (provider !== undefined))
    faults.push('a provider is named by rules on providers alone');
  if (provider !== undefined && !/^[A-Za-z0-9_-]{1,48}$/.test(provider)) faults.push('the name of the provider');
  if (window.kind === 'transfer' && metric.kind !== 'amount') faults.push('one transfer has an amount, and no number');
  if (declaredUse && (metric.kind !== 'amount' || subject !== 'sender'))
    faults.push('a declared use is an amount of the sender');
  if (metric.kind === 'beneficiaries' && (subject === 'beneficiary' || subject === 'pair'))
    faults.push('a beneficiary has no number of beneficiaries');
  if (window.kind === 'calendar' && window.unit === 'year' && !(window.yearStart >= 1 && window.yearStart <= 12))
    faults.push('a year begins in month 1 to 12');
  if (validTo !== null && validTo <= validFrom) faults.push('it ends before it begins');
  try {
    windowFinder(window)(0);
  } catch (error) {
    faults.push((error as Error).message);
  }
  return faults;
}

const HOUSE = {
  authority: 'House rule',
  link: null,
  validFrom: '1970-01-01',
  validTo: null,
  status: 'CONFIRMED',
} as const;

/** What one rule of the first form says: a sender's debits in their own currency, by day in UTC. */
export interface SenderDayRule {
  readonly ruleId: string;
  readonly corridors?: readonly string[] | undefined;
  readonly currency: string;
  readonly limitMinor: bigint;
  readonly action: 'reject' | 'hold';
  readonly freedByReturn: boolean;
}

export const senderDayRule = ({
  ruleId,
  corridors,
  currency,
  limitMinor,
  action,
  freedByReturn,
}: SenderDayRule): LimitRule => ({
  ruleId,
  subject: 'sender',
  where: { ...(corridors ? { corridors } : {}), sourceCurrencies: [currency] },
  metric: { kind: 'amount', of: 'debit', currency },
  window: { kind: 'calendar', unit: 'day', timeZone: 'UTC' },
  limitMinor,
  action,
  declaredUse: false,
  freedByReturn,
  ...HOUSE,
});

/** Per sender and calendar day: above the first amount a person looks, above the second it is declined. */
const dailyRules = (currency: string, reviewAbove: number, limit: number): LimitRule[] =>
  (['hold', 'reject'] as const).map((action) =>
    senderDayRule({
      ruleId: `sender-day-${currency.toLowerCase()}${action === 'hold' ? '-review' : ''}`,
      currency,
      limitMinor: BigInt(action === 'hold' ? reviewAbove : limit) * 100n,
      action,
      freedByReturn: true,
    }),
  );

export const LIMIT_RULES: readonly LimitRule[] = [
  ...dailyRules('GBP', 8_000, 10_000),
  ...dailyRules('EUR', 9_000, 12_000),
  ...dailyRules('USD', 9_000, 12_000),
  ...dailyRules('AED', 35_000, 45_000),
  ...dailyRules('INR', 800_000, 1_000_000),
];

export const BUILT_IN_LIMITS: LimitRuleSet = { name: 'built-in', version: '1', rules: LIMIT_RULES };
