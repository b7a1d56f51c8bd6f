// Limits as data. A rule says whose use of what is counted in which window, and what happens above it.
import { DomainError } from '../fault.ts';

export interface LimitRule {
  readonly ruleId: string;
  /** Who is limited. */
  readonly subject: 'sender';
  /** Corridors that it counts (corridor ids); absent: all with this source currency. */
  readonly corridors?: readonly string[] | undefined;
  /** What is counted: the debit, fees included. */
  readonly metric: 'amount';
  /** ISO 4217; the rule counts debits in this currency. */
  readonly currency: string;
  readonly window: LimitWindow;
  /** Minor units that may be used in one window, this transfer included. */
  readonly limitMinor: bigint;
  /** Above the limit: decline, or let a person decide. */
  readonly action: 'reject' | 'review';
  /** Whether money that comes back after it was paid frees the limit again. */
  readonly freedByReturn: boolean;
}

/** A calendar window, in a fixed zone. */
export interface LimitWindow {
  readonly kind: 'calendar';
  readonly unit: 'day';
  readonly timeZone: 'UTC';
}

/** Identifier of the window that an instant (ms since 1970) falls into, such as 2026-11-23. */
export function windowOf(window: LimitWindow, at: number): string {
  switch (window.unit) {
    case 'day':
      return new Date(at).toISOString().slice(0, 10);
  }
}

/** The rules that count a transfer. */
export function rulesFor(
  rules: readonly LimitRule[],
  corridorId: string,
  sourceCurrency: string,
): readonly LimitRule[] {
  return rules.filter(
    (rule) => rule.currency === sourceCurrency && (rule.corridors === undefined || rule.corridors.includes(corridorId)),
  );
}

/** @throws DomainError LIMIT_RULES_INVALID with every mistake */
export function checkLimitRules(rules: readonly LimitRule[]): readonly LimitRule[] {
  const faults: string[] = [];
  const seen = new Set<string>();
  for (const { ruleId, limitMinor, currency } of rules) {
    if (seen.has(ruleId)) faults.push(`${ruleId} is there twice`);
    seen.add(ruleId);
    if (!/^[a-z0-9-]{1,48}$/.test(ruleId)) faults.push(`${ruleId}: use lower-case letters, digits and hyphens`);
    if (limitMinor <= 0n || limitMinor >= MAX_LIMIT)
      faults.push(`${ruleId}: the limit is not above zero and below 2^52`);
    if (!/^[A-Z]{3}$/.test(currency)) faults.push(`${ruleId}: ${currency} is no currency code`);
  }
  if (faults.length > 0) throw new DomainError('LIMIT_RULES_INVALID', `correct the limit rules: ${faults.join('; ')}`);
  return rules;
}

const MAX_LIMIT = 2n ** 52n;

const DAY: LimitWindow = { kind: 'calendar', unit: 'day', timeZone: 'UTC' };

/** Per sender and calendar day: above the first amount a person looks, above the second it is declined. */
const dailyRules = (currency: string, reviewAbove: number, limit: number): LimitRule[] =>
  (['review', 'reject'] as const).map((action) => ({
    ruleId: `sender-day-${currency.toLowerCase()}${action === 'review' ? '-review' : ''}`,
    subject: 'sender',
    metric: 'amount',
    currency,
    window: DAY,
    limitMinor: BigInt(action === 'review' ? reviewAbove : limit) * 100n,
    action,
    freedByReturn: true,
  }));

export const LIMIT_RULES: readonly LimitRule[] = [
  ...dailyRules('GBP', 8_000, 10_000),
  ...dailyRules('EUR', 9_000, 12_000),
  ...dailyRules('USD', 9_000, 12_000),
  ...dailyRules('AED', 35_000, 45_000),
  ...dailyRules('INR', 800_000, 1_000_000),
];
