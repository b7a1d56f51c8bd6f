// What a transfer cost and what arrives, as the API tells it.
import { z } from 'zod';
import type { DisclosedTax, Disclosure } from '../../operations/disclosure/disclosure.ts';
import { REQUIREMENT_STATES, type Requirement } from '../../operations/disclosure/rules.ts';
import { instant, instantOf, moneyDto, moneyOf } from './dto.ts';
import { STATES } from './transfer-dto.ts';

const taxDto = z.object({
  kind: z.string(),
  authority: z.string().describe('The rule that it is owed under.'),
  amount: moneyDto,
});

export const disclosureDto = z
  .object({
    transferId: z.string(),
    state: z.enum(STATES).describe('That its last transition took it to.'),
    deadLettered: z.boolean().describe('A dead letter stands behind that: it goes on when operators send it again.'),
    attempt: z.int().describe('Pricing attempt: a price that expired is made again.'),
    asOf: instant.describe('When the state was taken that has this price.'),
    corridor: z.string().nullable(),
    chargeBearer: z.string(),
    transferAmount: moneyDto.describe('What is exchanged.'),
    fees: z.array(z.object({ code: z.string(), amount: moneyDto })),
    feesTotal: moneyDto,
    taxes: z.array(taxDto).describe('In the total.'),
    taxesTotal: moneyDto,
    taxesByProducer: z.array(taxDto).describe('Beside the total: what the intent declared.'),
    total: moneyDto.describe('What the sender pays: transfer amount, fees and taxes.'),
    midRate: z.string().describe('Decimal text: units of the target currency for one of the source.'),
    customerRate: z.string().describe('Decimal text, exact: amounts are by this one.'),
    shownRate: z.string().describe('The customer rate with four decimals, rounded half up.'),
    difference: moneyDto.nullable().describe('What the customer rate costs against the mid rate; null: not known.'),
    totalToRecipient: moneyDto,
    otherFeesMayApply: z.boolean().describe("Charges of the beneficiary's side may be taken from it."),
    valueDate: z.string().nullable().describe('ISO 8601 date; null: the terms do not say.'),
    availableAt: instant.nullable().describe('When the beneficiary has it at the latest; null: the terms do not say.'),
    cancelUntil: instant.nullable().describe('Until when the sender may take it back; null: the terms do not say.'),
    terms: z.string().nullable().describe('Name and version of the terms; null: not known.'),
    paid: moneyDto.nullable().describe('What was paid to the beneficiary by now, also where it came back.'),
    returned: moneyDto.nullable(),
    requirements: z
      .array(
        z.object({
          ruleId: z.string(),
          authority: z.string(),
          link: z.string(),
          status: z.enum(['TO_CONFIRM_WITH_COUNSEL', 'CONFIRMED']),
          when: z.enum(['BEFORE', 'RECEIPT']),
          cite: z.string(),
          label: z.string(),
          field: z.string(),
          state: z
            .enum(REQUIREMENT_STATES)
            .describe('MET: it is above. PRODUCER: who shows it to the sender adds it. MISSING: it should be above.'),
          why: z.string().nullable(),
        }),
      )
      .describe('What rules ask to be told of this transfer; empty: none is configured, or none holds.'),
  })
  .meta({ id: 'Disclosure' });

const taxesOf = (taxes: readonly DisclosedTax[]) =>
  taxes.map(({ kind, authority, amount }) => ({ kind, authority, amount: moneyOf(amount.minor, amount.currency) }));

export function disclosureDtoOf(
  record: Disclosure,
  requirements: readonly Requirement[],
): z.output<typeof disclosureDto> {
  const money = ({ minor, currency }: Disclosure['total']) => moneyOf(minor, currency);
  const known = (amount: Disclosure['difference']) => (amount === null ? null : money(amount));
  const time = (at: number | null) => (at === null ? null : instantOf(at));
  const { transferId, deadLettered, attempt, corridor, chargeBearer, midRate, customerRate, shownRate } = record;
  const { otherFeesMayApply, valueDate, terms } = record;
  return {
    ...{ transferId, deadLettered, attempt, corridor, chargeBearer, midRate, customerRate, shownRate },
    ...{ otherFeesMayApply, valueDate, terms },
    // A state of a newer version stops the record at the sink: it never gets here.
    state: record.state as z.output<typeof disclosureDto>['state'],
    asOf: instantOf(record.asOf),
    transferAmount: money(record.transferAmount),
    fees: record.fees.map(({ code, amount }) => ({ code, amount: money(amount) })),
    feesTotal: money(record.feesTotal),
    taxes: taxesOf(record.taxes),
    taxesTotal: money(record.taxesTotal),
    taxesByProducer: taxesOf(record.taxesByProducer),
    total: money(record.total),
    difference: known(record.difference),
    totalToRecipient: money(record.totalToRecipient),
    availableAt: time(record.availableAt),
    cancelUntil: time(record.cancelUntil),
    paid: known(record.paid),
    returned: known(record.returned),
    requirements: requirements.map((each) => ({ ...each })),
  };
}
