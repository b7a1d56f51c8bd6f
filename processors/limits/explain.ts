// Limits in sentences that may be read out to a customer: who, what was used, asked, what is left, and when it frees.
import type { LimitRule, LimitSubject } from '../../domain/limits/limit-rules.ts';
import { UNSTATED } from '../../domain/limits/windows.ts';
import { formatMoney } from '../../domain/money/currencies.ts';
import type { LimitUse } from '../../schemas/types.generated.ts';

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
  const whole = `${shown(use, limitMinor)} ${lengthOf(rule, window)} (${use.ruleId})`;
  const used = usedMinor + (declaredMinor ?? 0n);
  if (window === 'transfer') return `${whole} may be sent, and ${shown(use, reservedMinor)} were asked for.`;
  const left = used > limitMinor ? 0n : limitMinor - used;
  const elsewhere = declaredMinor === null ? '' : `, ${shown(use, declaredMinor)} of it elsewhere as declared`;
  const asked = use.metric === 'AMOUNT' ? `${shown(use, reservedMinor)} were asked for` : 'one more was asked for';
  return `Of ${whole}, ${whose(rule)} has used ${shown(use, used)}${elsewhere}; ${asked}, ${shown(use, left)} are left. ${freed(use)}`;
}

/** Above what passes by itself; `usedMinor` has this transfer in it. */
export function explainHold(use: LimitUse, rule: LimitRule | undefined): string {
  const { usedMinor, declaredMinor, limitMinor, window, ruleId, currency } = use;
  if (window === UNSTATED)
    return `${ruleId} counts in ${currency}, and no rate of the price leads there: a person decides`;
  const elsewhere = declaredMinor === null ? '' : ` and ${shown(use, declaredMinor)} elsewhere as declared`;
  const what = use.action === 'DOCUMENTS' ? 'documents are asked for' : 'a person decides';
  const span = `${lengthOf(rule, window)} (${ruleId})`;
  return `${whose(rule)} has used ${shown(use, usedMinor)} with this transfer${elsewhere}; above ${shown(use, limitMinor)} ${span} ${what}`;
}

const whose = (rule: LimitRule | undefined) => WHOSE[rule?.subject ?? 'sender'];

function shown({ metric, currency }: LimitUse, minor: bigint): string {
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
  if (freesAt !== null)
    return `Enough is free again from ${new Date(freesAt).toISOString().slice(0, 16).replace('T', ' ')} UTC on.`;
  return window === 'lifetime' ? 'It does not free by time.' : 'It frees as what was used grows old.';
}
