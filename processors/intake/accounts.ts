// Accounts and banks: form and check digits. Whether the account exists, only its bank can say.
import { isValidBIC, isValidIBAN } from 'ibantools';
import type { AccountRule, CorridorSide } from '../../domain/corridors/corridors.ts';
import type { ReasonCode } from '../../domain/reasons.ts';
import type { Account } from '../../schemas/types.generated.ts';
import { MAX_CHARACTERS } from './bounds.ts';
import type { Violations } from './violations.ts';

/** Reason codes for one side of the transfer. */
export interface AccountCodes {
  readonly number: ReasonCode;
  readonly scheme: ReasonCode;
  readonly bic: ReasonCode;
  readonly bankCode: ReasonCode;
}
export const DEBTOR_CODES: AccountCodes = { number: 'AC02', scheme: 'AC13', bic: 'RC06', bankCode: 'RC09' };
export const CREDITOR_CODES: AccountCodes = { number: 'AC03', scheme: 'AC14', bic: 'RC07', bankCode: 'RC10' };

const BANK_CODES = {
  IFSC: { code: /^[A-Z]{4}0[A-Z0-9]{6}$/, number: /^[0-9A-Z]{6,18}$/, name: 'an IFSC' },
  SORT_CODE: { code: /^\d{6}$/, number: /^\d{8}$/, name: 'a sort code of six digits' },
  ABA: { code: /^\d{9}$/, number: /^\d{4,17}$/, name: 'an ABA routing number' },
} as const satisfies Partial<Record<AccountRule['agent'], { code: RegExp; number: RegExp; name: string }>>;
const VPA = /^[A-Za-z0-9._-]{2,256}@[A-Za-z][A-Za-z0-9]{1,63}$/;

export const isIfsc = (code: string): boolean => BANK_CODES.IFSC.code.test(code);

/** Adds what is wrong with an account, as far as the side of the corridor demands. */
export function checkAccount(
  violations: Violations,
  account: Account,
  field: string,
  codes: AccountCodes,
  side: CorridorSide | undefined,
): void {
  const { scheme, value } = account;
  if (!violations.unless(value !== '', codes.number, `${field}.value is empty`)) return;
  if (scheme === 'IBAN') {
    checkIban(violations, account, field, codes, side);
  } else if (scheme === 'VPA') {
    const fits = value.length <= MAX_CHARACTERS['party.account.value'] && VPA.test(value);
    violations.unless(fits, codes.number, `${field}.value is no virtual payment address`);
  } else if (!violations.unless(scheme === 'BBAN', codes.scheme, `${field}.scheme is not IBAN, BBAN or VPA`)) {
    return;
  }
  const rule = side?.accounts.find((candidate) => candidate.scheme === scheme);
  if (side === undefined) return;
  if (rule === undefined) {
    violations.add(codes.scheme, `${field}: ${side.currency} is carried with ${schemesOf(side)} accounts`);
    return;
  }
  checkAgent(violations, account, field, codes, rule);
}

/** The institution is passed on to the provider, also where the account alone would do: it must be one. */
function checkAgent(
  violations: Violations,
  { scheme, value, agent }: Account,
  field: string,
  codes: AccountCodes,
  rule: AccountRule,
): void {
  if (rule.agent === 'NONE') {
    if (agent === null || isValidBIC(agent)) return;
    if (scheme !== 'VPA') violations.add(codes.bic, `${field}.agent is no valid BIC`);
    else violations.unless(isIfsc(agent), codes.bankCode, `${field}.agent is neither an IFSC nor a BIC`);
    return;
  }
  const bank = BANK_CODES[rule.agent];
  const known = agent !== null && bank.code.test(agent) && (rule.agent !== 'ABA' || hasAbaChecksum(agent));
  violations.unless(known, codes.bankCode, `${field}.agent must be ${bank.name}`);
  violations.unless(
    bank.number.test(value),
    codes.number,
    `${field}.value does not have the form of an account number there`,
  );
}

function checkIban(
  violations: Violations,
  { value }: Account,
  field: string,
  codes: AccountCodes,
  side: CorridorSide | undefined,
): void {
  if (!violations.unless(value.length <= 34 && isValidIBAN(value), codes.number, `${field}.value is no valid IBAN`))
    return;
  if (side === undefined || !side.accounts.some(({ scheme }) => scheme === 'IBAN')) return;
  const at = side.countries.includes(value.slice(0, 2));
  violations.unless(at, codes.number, `${field}.value is an IBAN of a country outside of the corridor`);
}

const schemesOf = (side: CorridorSide): string => side.accounts.map((rule: AccountRule) => rule.scheme).join(' or ');

/** 3, 7, 1 weights over the nine digits give a multiple of ten. */
function hasAbaChecksum(code: string): boolean {
  const weights = [3, 7, 1];
  let total = 0;
  for (let at = 0; at < code.length; at += 1) total += Number(code[at]) * weights[at % 3]!;
  return total % 10 === 0;
}
