// The transfer intent as JSON, version 1: what `corridor produce` reads.
import { z } from 'zod';
import type { TransferRequested } from '../../schemas/types.generated.ts';

/** JSON can hold half of a character (`"\\ud800"`), which is no text. */
const text = z.string().refine((value) => value.isWellFormed(), 'holds half of a surrogate pair');

/** Minor units: a string of digits, or an integer that JSON holds exactly. */
const minor = z
  .union([z.string().regex(/^-?\d{1,19}$/, 'an integer number of minor units'), z.int()])
  .transform((value) => BigInt(value))
  .refine((value) => BigInt.asIntN(64, value) === value, 'does not fit into 64 bits');

const account = z.strictObject({ scheme: text, value: text, agent: text.nullable().default(null) });
const identifier = z.strictObject({
  scheme: text,
  value: text,
  country: text.nullable().default(null),
});
/** ISO 8601 with an offset. */
const time = z.iso.datetime({ offset: true }).transform((value) => Date.parse(value));
const money = z.strictObject({ minor, currency: text });
const postalAddress = z.strictObject({
  street: text.nullable().default(null),
  building: text.nullable().default(null),
  postCode: text.nullable().default(null),
  town: text.nullable().default(null),
  subdivision: text.nullable().default(null),
  country: text.nullable().default(null),
  lines: z.array(text).default([]),
});
/** What is said of everybody beside their names. */
const places = {
  address: text.nullable().default(null).describe('Deprecated: one line, for people to read. Fill postalAddress.'),
  postalAddress: postalAddress.nullable().default(null),
  birthPlace: z.strictObject({ town: text, country: text }).nullable().default(null),
};
/** What is declared beside who pays whom how much. */
const declarations = {
  nationalPurpose: z
    .strictObject({ scheme: text, code: text, relation: text.nullable().default(null) })
    .nullable()
    .default(null),
  funding: z
    .strictObject({
      method: z.enum(['ACCOUNT', 'CARD', 'CASH', 'MONEY_ORDER', 'PREFUNDED']),
      receivedAt: time.nullable().default(null),
      reference: text.nullable().default(null),
    })
    .nullable()
    .default(null),
  arrangement: text.nullable().default(null),
  taxes: z.array(z.strictObject({ kind: text, authority: text, amount: money, basis: money })).default([]),
  kycTier: text.nullable().default(null),
  declaredUse: money.nullable().default(null),
  quoteId: text
    .nullable()
    .default(null)
    .describe('A guaranteed quote of your own: the transfer has its price, or is declined.'),
};
const party = z.strictObject({
  customerId: text,
  kind: z.enum(['PERSON', 'ORGANISATION']).default('PERSON'),
  name: text,
  birthDate: text.nullable().default(null),
  country: text,
  nationalities: z.array(text).default([]),
  identifiers: z.array(identifier).default([]),
  ...places,
  account,
});

const intermediary = z.strictObject({
  role: z.enum([
    'ULTIMATE_DEBTOR',
    'ULTIMATE_CREDITOR',
    'INITIATING_PARTY',
    'DEBTOR_AGENT',
    'INTERMEDIARY_AGENT',
    'CREDITOR_AGENT',
  ]),
  customerId: text.nullable().default(null),
  kind: z.enum(['PERSON', 'ORGANISATION']),
  name: text,
  birthDate: text.nullable().default(null),
  country: text.nullable().default(null),
  nationalities: z.array(text).default([]),
  identifiers: z.array(identifier).default([]),
  ...places,
});

/**
 * The shape only: whether an intent makes sense (currencies, limits, check digits) is for intake to say, with a reason
 * code on intent.rejected.
 */
export const transferIntentV1 = z.strictObject({
  transferId: text,
  endToEndId: text,
  requestedAt: z.iso.datetime({ offset: true }).optional(),
  instructedAmount: money,
  amountSide: z.enum(['SOURCE', 'TARGET']).default('SOURCE'),
  sourceCurrency: text,
  targetCurrency: text,
  chargeBearer: z.enum(['DEBT', 'CRED', 'SHAR', 'SLEV']).default('SLEV'),
  purposeCode: text.default(''),
  requestedExecutionDate: text.nullable().default(null),
  debtor: party,
  creditor: party,
  intermediaries: z.array(intermediary).default([]),
  remittanceInformation: text.nullable().default(null),
  ...declarations,
  payeeVerification: z
    .strictObject({
      scheme: text,
      result: z.enum(['MTCH', 'CMTC', 'NMTC', 'NOAP']),
      matchedName: text.nullable().default(null).describe('The name that the check found. It stays with the parties.'),
      checkedAt: time,
      payerProceeded: z.boolean().default(false),
    })
    .nullable()
    .default(null),
});

/** The same as the body of a request, whose key is the transfer's id. */
export const submittedIntentV1 = transferIntentV1
  .extend({ transferId: text.optional().describe('May be left out; else it is the Idempotency-Key.') })
  .meta({
    id: 'TransferIntent',
    description: 'docs/producers.md says what each field means, GET /v1/corridors its bounds.',
  });

/** The record for transfer.requested. `now` (ms) stands in where the intent names no time. */
export function toTransferRequested(dto: z.output<typeof transferIntentV1>, now: number): TransferRequested {
  const { debtor, creditor, intermediaries, remittanceInformation, requestedAt, payeeVerification, ...rest } = dto;
  const { matchedName: verifiedPayeeName = null, ...verification } = payeeVerification ?? {};
  return {
    ...rest,
    requestedAt: requestedAt === undefined ? now : Date.parse(requestedAt),
    payeeVerification: payeeVerification && (verification as Omit<typeof payeeVerification, 'matchedName'>),
    parties: { 'corridor.Parties': { debtor, creditor, remittanceInformation, intermediaries, verifiedPayeeName } },
  };
}
