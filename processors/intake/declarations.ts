// What a producer declares of a transfer beside who pays whom how much: purpose in national codes, funding, the check of name
// and account, arrangement, taxes. The form only: what must be there is for the rules of the transfer to say. Pure.
import { currencyOf } from '../../domain/money/currencies.ts';
import { isRelation, RELATIONS } from '../../domain/people/relations.ts';
import type { Money, TransferRequested } from '../../schemas/types.generated.ts';
import { MAX_CHARACTERS, MAX_ITEMS } from './bounds.ts';
import { dayOf } from './dates.ts';
import type { Violations } from './violations.ts';

/** A name of something in capitals: RBI, EPC_VOP, TIER_2. */
const NAME = /^[A-Z][A-Z0-9_]*$/;
/** The same with digits first and hyphens: US_IRC_4475, IN-194. */
const AUTHORITY = /^[A-Z0-9][A-Z0-9_-]*$/;
const CODE = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
/** A UUID, as the API gives it. */
const QUOTE_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** No blank, no @ and no letters with marks: what is no reference but a name or a sentence does not pass. */
const REFERENCE = /^[A-Za-z0-9][A-Za-z0-9._/-]*$/;

type Bounded = keyof typeof MAX_CHARACTERS;

/** Adds what is wrong with the declarations. Times are ms since 1970, the skew of clocks ms. */
export function checkDeclarations(
  violations: Violations,
  intent: TransferRequested,
  appendedAt: number,
  { maxClockSkewMs }: { readonly maxClockSkewMs: number },
): void {
  const { nationalPurpose, funding, payeeVerification, arrangement, kycTier, declaredUse, quoteId } = intent;
  const today = dayOf(appendedAt);
  const coded = (value: string, field: Bounded, form: RegExp) => {
    const fits = value.length <= MAX_CHARACTERS[field] && form.test(value);
    violations.unless(fits, 'CH16', `${field} must be a code of at most ${MAX_CHARACTERS[field]} letters and digits`);
  };
  const past = (at: number, field: string) =>
    violations.unless(at > 0 && at <= appendedAt + maxClockSkewMs, 'DT01', `${field} is no time of the past`);
  if (nationalPurpose !== null) {
    const { scheme, code, relation } = nationalPurpose;
    coded(scheme, 'nationalPurpose.scheme', NAME);
    coded(code, 'nationalPurpose.code', CODE);
    const known = relation === null || isRelation(relation);
    violations.unless(known, 'CH16', `nationalPurpose.relation must be one of ${RELATIONS.join(', ')}`);
  }
  if (funding !== null) {
    const { method, receivedAt, reference } = funding;
    violations.unless(method !== 'UNKNOWN', 'CH16', 'funding.method is not one that this version knows');
    if (receivedAt !== null) past(receivedAt, 'funding.receivedAt');
    if (reference !== null) coded(reference, 'funding.reference', REFERENCE);
  }
  if (payeeVerification !== null) {
    const { scheme, result, checkedAt } = payeeVerification;
    coded(scheme, 'payeeVerification.scheme', NAME);
    violations.unless(result !== 'UNKNOWN', 'CH16', 'payeeVerification.result is not one that this version knows');
    past(checkedAt, 'payeeVerification.checkedAt');
  }
  if (arrangement !== null) coded(arrangement, 'arrangement', NAME);
  if (kycTier !== null) coded(kycTier, 'kycTier', NAME);
  if (declaredUse !== null) checkMoney(violations, declaredUse, 'declaredUse', today);
  violations.unless(quoteId === null || QUOTE_ID.test(quoteId), 'CH16', 'quoteId is not the id of a quote');
  checkTaxes(violations, intent, today, coded);
}

function checkTaxes(
  violations: Violations,
  { taxes, sourceCurrency }: TransferRequested,
  today: string,
  coded: (value: string, field: Bounded, form: RegExp) => void,
): void {
  const most = MAX_ITEMS.taxes;
  if (!violations.unless(taxes.length <= most, 'CH16', `there are more than ${most} taxes`)) return;
  const lines = new Set<string>();
  for (const { kind, authority, amount, basis } of taxes) {
    coded(kind, 'taxes.kind', NAME);
    coded(authority, 'taxes.authority', AUTHORITY);
    checkMoney(violations, amount, 'taxes.amount', today);
    checkMoney(violations, basis, 'taxes.basis', today);
    const ofSource = amount.currency === sourceCurrency && basis.currency === sourceCurrency;
    violations.unless(ofSource, 'AM11', 'taxes are taken with the debit: in the source currency');
    lines.add(`${kind}\n${authority}`);
  }
  // Two lines of one tax would count it twice.
  violations.unless(lines.size === taxes.length, 'CH16', 'taxes has two lines of one kind under one authority');
}

function checkMoney(violations: Violations, { minor, currency }: Money, field: string, today: string): void {
  violations.unless(minor >= 0n, 'AM12', `${field} is negative`);
  violations.unless(currencyOf(currency, today) !== undefined, 'AM03', `the currency of ${field} is not known`);
}

/** What a check of name and account found, and by which name: the one makes no sense without the other. */
export function checkVerifiedName(
  violations: Violations,
  name: string | null,
  { payeeVerification }: Pick<TransferRequested, 'payeeVerification'>,
): void {
  if (name === null) return;
  violations.text(name, 'verifiedPayeeName', MAX_CHARACTERS.verifiedPayeeName);
  violations.unless(payeeVerification !== null, 'CH17', 'verifiedPayeeName stands without payeeVerification');
}
