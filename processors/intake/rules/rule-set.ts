// Rules of what a transfer must say, as data: which fields, on which corridors, from which amount, since when, and who says so.
// Law is never a constant in code: a rule names its authority, where to read it, and that counsel has to confirm it.
import { z } from 'zod';
import { REASONS, type ReasonCode } from '../../../domain/reasons.ts';

/** What a rule can ask for; evaluate.ts says when each is there. */
export const REQUIREMENTS = [
  ...(['debtor.postalAddress', 'debtor.townAndCountry', 'debtor.birthDate', 'debtor.birthPlace'] as const),
  ...(['debtor.officialDocument', 'debtor.customerNumber', 'debtor.identifier', 'debtor.account'] as const),
  ...(['creditor.postalAddress', 'creditor.townAndCountry', 'creditor.account', 'creditor.identifier'] as const),
  ...(['intermediaries.townAndCountry', 'debtor.person', 'creditor.person', 'purposeCode'] as const),
  ...(['nationalPurpose', 'nationalPurpose.relation', 'funding', 'funding.receivedAt', 'arrangement'] as const),
  ...(['declaredUse', 'kycTier', 'payeeVerification', 'remittanceInformation'] as const),
] as const;
export type RequirementName = (typeof REQUIREMENTS)[number];

const id = z.string().regex(/^[a-z0-9][a-z0-9-]{0,47}$/, 'must be lower-case letters, digits and hyphens');
const day = z.iso.date();
const code = z.string().regex(/^[A-Z][A-Z0-9_]{0,15}$/, 'must be a name in capitals');
const country = z.string().regex(/^[A-Z]{2}$/, 'must be an ISO 3166-1 alpha-2 code');
const currency = z.string().regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code');
const reasonCode = z.enum(Object.keys(REASONS) as [ReasonCode, ...ReasonCode[]]);
const some = <T extends z.ZodType>(item: T) => z.array(item).min(1).max(100);

const requirement = z.strictObject({
  field: z.enum(REQUIREMENTS),
  /** Of identifiers and national purposes: one of these schemes. */
  schemes: some(z.string().min(1).max(64)).optional(),
  /** Of national purposes: how the code begins. */
  codePrefix: z.string().min(1).max(16).optional(),
  /** Of the ISO purpose: none of these. */
  except: some(z.string().regex(/^[A-Z0-9]{4}$/)).optional(),
});
export type Requirement = z.output<typeof requirement>;

/** Where a rule holds; what is left out does not matter to it. */
const where = z.strictObject({
  corridors: some(z.string().min(1).max(32)).optional(),
  sourceCountries: some(country).optional(),
  targetCountries: some(country).optional(),
  arrangements: some(code).optional(),
  debtorKinds: some(z.enum(['PERSON', 'ORGANISATION'])).optional(),
  fundingMethods: some(z.enum(['ACCOUNT', 'CARD', 'CASH', 'MONEY_ORDER', 'PREFUNDED'])).optional(),
  /** From this instructed amount on, in minor units of each currency. A currency that is not named: from the first unit. */
  atLeastMinor: z
    .record(currency, z.string().regex(/^\d{1,15}$/, 'must be digits'))
    .transform((amounts) => new Map(Object.entries(amounts).map(([name, minor]) => [name, BigInt(minor)])))
    .optional(),
});

const provenance = {
  id,
  /** Who says so. */
  authority: z.string().min(1).max(200),
  /** Where it is to be read. */
  link: z.url(),
  validFrom: day,
  /** First day on which it holds no more; null: until further notice. */
  validTo: day.nullable(),
  /** Nobody here gives legal advice. */
  status: z.enum(['TO_CONFIRM_WITH_COUNSEL', 'CONFIRMED']),
};

const required = z.strictObject({
  ...provenance,
  where,
  /** One of these sets has to be there as a whole: either, or. */
  require: some(some(requirement)),
  /** ISO 20022 reason of the rejection. */
  reason: reasonCode,
});
export type RequiredRule = z.output<typeof required>;

const verification = z.strictObject({
  ...provenance,
  where,
  /** Results on which a person has to look. It never refuses by itself. */
  holdOn: some(z.enum(['CMTC', 'NMTC', 'NOAP'])),
});
export type VerificationRule = z.output<typeof verification>;

const arrangement = z.strictObject({ ...provenance, id: code, title: z.string().min(1).max(200), where });

/** A file of rules. Unknown keys are refused. */
export const transferRulesFile = z
  .strictObject({
    name: id,
    version: z.string().regex(/^[0-9A-Za-z.-]{1,32}$/, 'must be letters, digits, dots and hyphens'),
    /** For people. */
    note: z.string().max(2_000),
    /** Arrangements that an intent may name; another is refused. */
    arrangements: z.array(arrangement).max(100),
    required: z.array(required).max(500),
    verification: z.array(verification).max(100),
  })
  .superRefine(({ arrangements, required: rules, verification: checks }, context) => {
    const all = [...arrangements, ...rules, ...checks];
    const seen = new Set<string>();
    for (const { id: each, validFrom, validTo } of all) {
      if (seen.has(each)) context.addIssue({ code: 'custom', message: `${each} is there twice` });
      seen.add(each);
      if (validTo !== null && validTo <= validFrom)
        context.addIssue({ code: 'custom', message: `${each} ends before it begins` });
    }
    for (const { id: each, where: at } of [...rules, ...checks]) {
      for (const name of at.arrangements ?? [])
        if (!arrangements.some((known) => known.id === name))
          context.addIssue({ code: 'custom', message: `${each}: no arrangement ${name}` });
    }
  });
export type TransferRules = z.output<typeof transferRulesFile>;
export type RuleWhere = z.output<typeof where>;

/** Reads a set of rules. Unknown keys are refused. @throws z.ZodError naming what is wrong */
export const transferRulesFrom = (file: unknown): TransferRules => transferRulesFile.parse(file);

/** How events name a set of rules. */
export const versionOf = ({ name, version }: TransferRules): string => `${name}@${version}`;
