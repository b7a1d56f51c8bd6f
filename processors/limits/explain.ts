// Limits in sentences that may be read out to a customer: who, what was used, asked, what is left, and when it frees.
import type { LimitRule, LimitSubject, LimitWhere } from '../../domain/limits/limit-rules.ts';
import { UNSTATED } from '../../domain/limits/windows.ts';
import { formatMoney } from '../../domain/money/currencies.ts';
import type { LimitUse } from '../../schemas/types.generated.ts';
import { countedBy } from './requests.ts';

/** Whether a use asks for a person. `usedMinor` has this transfer in it. */
export const exceeds = ({ action, window, usedMinor, declaredMinor, limitMinor }: LimitUse): boolean =>
  action !== 'SHADOW' && (window === UNSTATED || usedMinor + (declaredMinor ?? 0n) > limitMinor);

const WHOSE: Readonly<Record<LimitSubject, string>> = {
  sender: 'the sender',
  beneficiary: 'the beneficiary',
  pair: 'the sender and this beneficiary together',
  'funding-account': 'the account that pays',
  producer: 'the producer',
  provider: 'the provider',
};

/** @param rule of the use, as far as it is known: what ran again may be of a set of before. */
export function explainRefusal(use: LimitUse, rule: LimitRule | undefined): string {
  const { usedMinor, declaredMinor, limitMinor, reservedMinor, window } = use;
  const whole = `${shownOf(use, limitMinor)} ${lengthOf(rule, window)} (${use.ruleId})`;
  const used = usedMinor + (declaredMinor ?? 0n);
  if (window === 'transfer') return `${whole} may be sent, and ${shownOf(use, reservedMinor)} were asked for.`;
  const left = used > limitMinor ? 0n : limitMinor - used;
  const elsewhere = declaredMinor === null ? '' : `, ${shownOf(use, declaredMinor)} of it elsewhere as declared`;
  const asked = use.metric === 'AMOUNT' ? `${shownOf(use, reservedMinor)} were asked for` : 'one more was asked for';
  return `Of ${whole}, ${whose(rule)} has used ${shownOf(use, used)}${elsewhere}; ${asked}, ${leftOver(use, left)}. ${freed(use)}`;
}

/** Above what passes by itself; `usedMinor` has this transfer in it. */
export function explainHold(use: LimitUse, rule: LimitRule | undefined): string {
  const { usedMinor, declaredMinor, limitMinor, window, ruleId, currency } = use;
  if (window === UNSTATED)
    return `${ruleId} counts in ${currency}, and no rate of the price leads there: a person decides`;
  const elsewhere = declaredMinor === null ? '' : ` and ${shownOf(use, declaredMinor)} elsewhere as declared`;
  const what = use.action === 'DOCUMENTS' ? 'documents are asked for' : 'a person decides';
  const span = `${lengthOf(rule, window)} (${ruleId})`;
  return `${whose(rule)} has used ${shownOf(use, usedMinor)} with this transfer${elsewhere}; above ${shownOf(use, limitMinor)} ${span} ${what}`;
}

/** What is used, left and free again of one rule in one window: minor units, transfers or beneficiaries. */
export interface Used {
  readonly window: string;
  readonly used: bigint;
  readonly left: bigint;
  /** When more is left, ms since 1970, and how much then; null: not by time alone, or it cannot be told. */
  readonly frees: { readonly at: number; readonly left: bigint } | null;
}

const ABOVE = {
  reject: '',
  hold: '; above that a person decides',
  documents: '; above that documents are asked for',
  shadow: '; the rule is on trial and refuses nothing',
} as const;

/** How a subject stands, before anything is asked. */
export function explainStanding(rule: LimitRule, { window, used, left, frees }: Used): string {
  const of = countedBy(rule);
  const whole = `${shownOf(of, rule.limitMinor)} ${lengthOf(rule, window)} (${rule.ruleId})`;
  const elsewhere = rule.declaredUse ? ' What the sender declares to have used elsewhere counts beside it.' : '';
  if (window === 'transfer') return `${whole} may be sent${ABOVE[rule.action]}.${elsewhere}`;
  const again = frees === null ? '' : `, and ${shownOf(of, frees.left)} from ${minuteOf(frees.at)} on`;
  const never = frees === null && used > 0n ? ` ${notByTime(window)}` : '';
  return `Of ${whole}, ${whose(rule)} has used ${shownOf(of, used)}; ${leftOver(of, left)}${again}${ABOVE[rule.action]}.${never}${elsewhere}`;
}

/** Which transfers a rule counts; null: each. */
export function explainWhere({ corridors, sourceCurrencies, arrangements, kycTiers }: LimitWhere): string | null {
  const parts = [
    corridors && `in ${corridors.join(' or ')}`,
    sourceCurrencies && `from ${sourceCurrencies.join(' or ')}`,
    arrangements && `under ${arrangements.join(' or ')}`,
    kycTiers && `of senders of tier ${kycTiers.join(' or ')}`,
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? null : `Only transfers ${parts.join(', ')}.`;
}

const whose = (rule: LimitRule | undefined) => WHOSE[rule?.subject ?? 'sender'];

const leftOver = (of: Pick<LimitUse, 'metric' | 'currency'>, minor: bigint): string =>
  `${shownOf(of, minor)} ${of.metric !== 'AMOUNT' && minor === 1n ? 'is' : 'are'} left`;

/** A quantity for people. */
export function shownOf({ metric, currency }: Pick<LimitUse, 'metric' | 'currency'>, minor: bigint): string {
  if (metric === 'COUNT') return `${minor} ${minor === 1n ? 'transfer' : 'transfers'}`;
  if (metric === 'BENEFICIARIES') return `${minor} ${minor === 1n ? 'beneficiary' : 'beneficiaries'}`;
  return formatMoney({ minor, currency });
}

function lengthOf(rule: LimitRule | undefined, window: string): string {
  if (rule === undefined) return `in ${window}`;
  const { window: of } = rule;
  switch (of.kind) {
    case 'transfer':
      return 'in one transfer';
    case 'lifetime':
      return 'in all';
    case 'rolling':
      return `in ${of.length} ${of.unit}${of.length === 1 ? '' : 's'}`;
    case 'calendar':
      return `a calendar ${of.unit} (${of.timeZone}, ${window.replace(/^[a-z]+-/, '')})`;
  }
}

function freed({ freesAt, window, reservedMinor, limitMinor, declaredMinor }: LimitUse): string {
  if (reservedMinor > limitMinor - (declaredMinor ?? 0n))
    return 'It is more than the whole limit: waiting does not help.';
  return freesAt === null ? notByTime(window) : `Enough is free again from ${minuteOf(freesAt)} on.`;
}

const notByTime = (window: string): string =>
  window === 'lifetime' ? 'It does not free by time.' : 'It frees as what was used grows old.';

const minuteOf = (at: number): string => `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
