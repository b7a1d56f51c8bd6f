// What a sender must be told, as data: which fields, from where, by whose rule; and whether a record has them.
import { z } from 'zod';
import type { Disclosure } from './disclosure.ts';

/** Fields that a record of Corridor can have, and when one lacks them. */
const OF_RECORD = {
  transferAmount: () => null,
  fees: () => null,
  taxes: () => null,
  total: () => null,
  exchangeRate: () => null,
  midRate: () => null,
  difference: ({ difference }) => (difference === null ? 'it was priced before prices said so' : null),
  totalToRecipient: () => null,
  otherFees: () => null,
  availableAt: ({ availableAt }) =>
    availableAt === null ? 'the terms that it was priced by name no settlement' : null,
  cancelUntil: ({ cancelUntil }) =>
    cancelUntil === null ? 'the terms that it was priced by name no cancellation' : null,
} as const satisfies Record<string, (record: Disclosure) => string | null>;

/** What only the producer can say: Corridor's record has no names, and no words of the house. */
const OF_PRODUCER = ['recipient', 'providerContact', 'senderRights', 'agencyContact', 'transferDate'] as const;

const FIELDS = [...(Object.keys(OF_RECORD) as (keyof typeof OF_RECORD)[]), ...OF_PRODUCER] as const;

const id = z.string().regex(/^[a-z0-9][a-z0-9-]{0,47}$/, 'must be lower-case letters, digits and hyphens: 48 at most');
const countries = z
  .array(z.string().regex(/^[A-Z]{2}$/, 'must be an ISO 3166-1 alpha-2 code'))
  .min(1)
  .max(100);

const rule = z.strictObject({
  ruleId: id,
  authority: z.string().min(1).max(200),
  link: z.url(),
  validFrom: z.iso.date(),
  /** First day on which it holds no more; null: until further notice. */
  validTo: z.iso.date().nullable(),
  /** Nobody here gives legal advice. */
  status: z.enum(['TO_CONFIRM_WITH_COUNSEL', 'CONFIRMED']),
  where: z.strictObject({ sourceCountries: countries.optional(), targetCountries: countries.optional() }),
  /** Before the sender pays, or on the receipt. */
  when: z.enum(['BEFORE', 'RECEIPT']),
  fields: z
    .array(
      z.strictObject({
        /** The place in the rule, such as (b)(1)(i). */
        cite: z.string().min(1).max(64),
        /** The words that the rule has for it. */
        label: z.string().min(1).max(100),
        field: z.enum(FIELDS),
      }),
    )
    .min(1)
    .max(50),
});

export const disclosureRulesFile = z.strictObject({
  name: id,
  version: z.string().regex(/^[0-9A-Za-z.-]{1,32}$/, 'must be letters, digits, dots and hyphens'),
  /** For people. */
  note: z.string().max(2_000),
  rules: z.array(rule).max(100),
});
export type DisclosureRules = z.output<typeof disclosureRulesFile>;

/** MET: it is in the record. PRODUCER: who shows it to the sender has to add it. MISSING: it should be there, and is not. */
export const REQUIREMENT_STATES = ['MET', 'PRODUCER', 'MISSING'] as const;

export interface Requirement {
  readonly ruleId: string;
  readonly authority: string;
  readonly link: string;
  readonly status: DisclosureRules['rules'][number]['status'];
  readonly when: 'BEFORE' | 'RECEIPT';
  readonly cite: string;
  readonly label: string;
  readonly field: string;
  readonly state: (typeof REQUIREMENT_STATES)[number];
  /** Of what is missing: why. */
  readonly why: string | null;
}

/** Every field that a rule asks of this transfer, and whether its record has it. Days are those of UTC, by when it was priced. */
export function requirementsOf(record: Disclosure, { rules }: DisclosureRules): readonly Requirement[] {
  const day = new Date(record.asOf).toISOString().slice(0, 10);
  return rules
    .filter(({ where: { sourceCountries, targetCountries }, validFrom, validTo }) => {
      if (sourceCountries?.includes(record.sourceCountry) === false) return false;
      if (targetCountries?.includes(record.targetCountry) === false) return false;
      return validFrom <= day && (validTo === null || day < validTo);
    })
    .flatMap(({ ruleId, authority, link, status, when, fields }) =>
      fields.map(({ cite, label, field }): Requirement => {
        const base = { ruleId, authority, link, status, when, cite, label, field };
        if (!isOfRecord(field)) return { ...base, state: 'PRODUCER', why: null };
        const why = OF_RECORD[field](record);
        return { ...base, state: why === null ? 'MET' : 'MISSING', why };
      }),
    );
}

const isOfRecord = (field: string): field is keyof typeof OF_RECORD => Object.hasOwn(OF_RECORD, field);
