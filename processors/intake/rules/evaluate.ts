// Whether an intent says all that the rules of data ask of it. Pure: the day is that on which the log has it.
import type { Corridor } from '../../../domain/corridors/corridors.ts';
import { type ReasonCode, reason } from '../../../domain/reasons.ts';
import type { Parties, Party, PostalAddress, Reason, TransferRequested } from '../../../schemas/types.generated.ts';
import type { Requirement, RequirementName, RuleWhere, TransferRules } from './rule-set.ts';

export interface Asked {
  readonly intent: TransferRequested;
  readonly parties: Parties;
  readonly corridor: Corridor;
  /** ISO 8601 date. */
  readonly day: string;
}

export interface RuleFindings {
  /** One for each rule that is not met; the detail begins with its id. */
  readonly reasons: readonly Reason[];
  /** Ids of these rules. */
  readonly brokenRules: readonly string[];
  /** Ids of the rules that ask for a person. */
  readonly reviewRules: readonly string[];
}

/** What the rules say of an intent. */
export function findingsOf(rules: TransferRules, asked: Asked): RuleFindings {
  const broken: { readonly id: string; readonly reason: Reason }[] = [];
  const add = (id: string, code: ReasonCode, detail: string) =>
    broken.push({ id, reason: reason(code, `rule ${id}: ${detail}`) });
  const { intent, day } = asked;
  if (intent.arrangement !== null) {
    const known = rules.arrangements.find(({ id }) => id === intent.arrangement);
    if (!known) broken.push({ id: 'arrangement', reason: reason('AG03', 'arrangement is not one that is offered') });
    else if (!isValid(known, day) || !holds(known.where, asked)) {
      add(known.id, 'AG03', 'the arrangement is not offered for this transfer');
    }
  }
  for (const { id, where, require, reason: code, authority, ...validity } of rules.required) {
    if (!isValid(validity, day) || !holds(where, asked)) continue;
    if (require.some((set) => set.every((each) => isMet(each, asked)))) continue;
    add(id, code, `${setsInWords(require)} required (${authority})`);
  }
  const result = intent.payeeVerification?.result;
  const reviewRules = rules.verification
    .filter((rule) => isValid(rule, day) && holds(rule.where, asked))
    .filter(({ holdOn }) => result !== undefined && (holdOn as readonly string[]).includes(result))
    .map(({ id }) => id);
  return { reasons: broken.map((each) => each.reason), brokenRules: broken.map(({ id }) => id), reviewRules };
}

const isValid = (
  { validFrom, validTo }: { readonly validFrom: string; readonly validTo: string | null },
  day: string,
) => day >= validFrom && (validTo === null || day < validTo);

const among = <T>(allowed: readonly T[] | undefined, value: T | null | undefined): boolean =>
  allowed === undefined || (value !== null && value !== undefined && allowed.includes(value));

function holds(where: RuleWhere, { intent, parties, corridor }: Asked): boolean {
  const { minor, currency } = intent.instructedAmount;
  const least = where.atLeastMinor?.get(currency);
  return (
    among(where.corridors, corridor.id) &&
    among(where.sourceCountries, parties.debtor.country) &&
    among(where.targetCountries, parties.creditor.country) &&
    among(where.arrangements, intent.arrangement) &&
    among<string>(where.debtorKinds, parties.debtor.kind) &&
    among<string>(where.fundingMethods, intent.funding?.method) &&
    (least === undefined || minor >= least)
  );
}

/** What of a list names an identity document or a registration that an authority gave out. */
const OFFICIAL = new Set(['PASSPORT', 'NATIONAL_ID', 'TAX_ID', 'LEI', 'REGISTRATION']);

/** Town and country, or for an address that is filled at all anything that can be found. */
const hasTown = (at: PostalAddress | null): boolean => at !== null && at.town !== null && at.country !== null;
const isFound = (at: PostalAddress | null): boolean =>
  hasTown(at) && (at!.street !== null || at!.building !== null || at!.postCode !== null || at!.lines.length > 0);

function hasIdentifier({ identifiers }: Party, { schemes }: Requirement): boolean {
  return identifiers.some(({ scheme }) => schemes === undefined || schemes.includes(scheme.toUpperCase()));
}

const IS_MET: Readonly<Record<RequirementName, (asked: Asked, requirement: Requirement) => boolean>> = {
  'debtor.postalAddress': ({ parties }) => isFound(parties.debtor.postalAddress),
  'debtor.townAndCountry': ({ parties }) => hasTown(parties.debtor.postalAddress),
  // To the day: a year tells nobody apart.
  'debtor.birthDate': ({ parties }) => parties.debtor.birthDate?.length === 10,
  'debtor.birthPlace': ({ parties }) => parties.debtor.birthPlace !== null,
  'debtor.officialDocument': ({ parties }) =>
    parties.debtor.identifiers.some(({ scheme }) => OFFICIAL.has(scheme.toUpperCase())),
  'debtor.customerNumber': ({ parties }) => parties.debtor.customerId.trim() !== '',
  'debtor.identifier': ({ parties }, requirement) => hasIdentifier(parties.debtor, requirement),
  'debtor.account': ({ parties }) => parties.debtor.account.value !== '',
  'creditor.postalAddress': ({ parties }) => isFound(parties.creditor.postalAddress),
  'creditor.townAndCountry': ({ parties }) => hasTown(parties.creditor.postalAddress),
  'creditor.account': ({ parties }) => parties.creditor.account.value !== '',
  'creditor.identifier': ({ parties }, requirement) => hasIdentifier(parties.creditor, requirement),
  // Of an agent its BIC says where it is.
  'intermediaries.townAndCountry': ({ parties }) =>
    parties.intermediaries.every(
      ({ postalAddress, role, identifiers }) =>
        hasTown(postalAddress) ||
        (role.endsWith('_AGENT') && identifiers.some(({ scheme }) => scheme.toUpperCase() === 'BIC')),
    ),
  'debtor.person': ({ parties }) => parties.debtor.kind === 'PERSON',
  'creditor.person': ({ parties }) => parties.creditor.kind === 'PERSON',
  purposeCode: ({ intent }, { except }) => intent.purposeCode !== '' && !(except ?? []).includes(intent.purposeCode),
  nationalPurpose: ({ intent: { nationalPurpose } }, { schemes, codePrefix }) =>
    nationalPurpose !== null &&
    (schemes === undefined || schemes.includes(nationalPurpose.scheme)) &&
    nationalPurpose.code.startsWith(codePrefix ?? ''),
  'nationalPurpose.relation': ({ intent }) =>
    intent.nationalPurpose !== null && intent.nationalPurpose.relation !== null,
  funding: ({ intent }) => intent.funding !== null,
  'funding.receivedAt': ({ intent }) => intent.funding !== null && intent.funding.receivedAt !== null,
  arrangement: ({ intent }) => intent.arrangement !== null,
  declaredUse: ({ intent }) => intent.declaredUse !== null,
  kycTier: ({ intent }) => intent.kycTier !== null,
  payeeVerification: ({ intent }) => intent.payeeVerification !== null,
  remittanceInformation: ({ parties }) => (parties.remittanceInformation ?? '').trim() !== '',
};

const isMet = (requirement: Requirement, asked: Asked): boolean => IS_MET[requirement.field](asked, requirement);

/** `a and b, or c` */
export const setsInWords = (sets: readonly (readonly Requirement[])[]): string =>
  sets.map((set) => set.map(inWords).join(' and ')).join(', or ');

function inWords({ field, schemes, codePrefix, except }: Requirement): string {
  const more = [
    ...(schemes ? [schemes.join('/')] : []),
    ...(codePrefix === undefined ? [] : [`${codePrefix}…`]),
    ...(except ? [`none of ${except.join(' ')}`] : []),
  ];
  return more.length === 0 ? field : `${field} (${more.join(' ')})`;
}

/** The rules that can hold on a corridor, whatever the amount, for people who want to know what is asked. */
export function rulesOn(rules: TransferRules, { id, source, target }: Corridor): TransferRules['required'] {
  const overlaps = (some: readonly string[] | undefined, all: readonly string[]) =>
    some === undefined || some.some((each) => all.includes(each));
  return rules.required.filter(
    ({ where }) =>
      among(where.corridors, id) &&
      overlaps(where.sourceCountries, source.countries) &&
      overlaps(where.targetCountries, target.countries) &&
      (where.arrangements === undefined ||
        rules.arrangements.some((each) => where.arrangements!.includes(each.id) && among(each.where.corridors, id))),
  );
}
