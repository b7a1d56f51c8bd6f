// What a transfer costs and what arrives, on a terminal.
import { transferEvents } from '../adapters/mongo/transfer-events.ts';
import { formatMoney } from '../domain/money/currencies.ts';
import { type DisclosedTax, type Disclosure, disclosureOf } from '../operations/disclosure/disclosure.ts';
import { type Requirement, requirementsOf } from '../operations/disclosure/rules.ts';
import { transferHistory } from '../operations/queries/transfer.ts';
import { disclosureRules } from '../services/configured-rules.ts';
import type { Connections } from '../services/connections.ts';
import { EVENTS } from '../services/process-parts/sinks.ts';
import { print, printRows, toJson } from './output.ts';

/** @throws CodedError TRANSFER_UNKNOWN, TRANSFER_UNPRICED */
export async function printDisclosure({ db, config }: Connections, id: string, json: boolean): Promise<void> {
  const { events } = await transferHistory(transferEvents(await db(), EVENTS), id);
  const record = disclosureOf(id, events);
  const requirements = requirementsOf(record, disclosureRules(config));
  if (json) {
    console.log(toJson({ ...record, requirements }));
    return;
  }
  for (const line of linesOf(record)) print(line);
  if (requirements.length === 0) return;
  print('');
  printRows(requirements.map(requirementRow), ['rule', 'when', 'cite', 'label', 'is', 'why']);
}

const requirementRow = ({ ruleId, when, cite, label, state, why }: Requirement) => ({
  ...{ rule: ruleId, when, cite, label, is: state, why: why ?? '' },
});

/** In plain words, the sender's side first. Pure. */
export function linesOf(record: Disclosure): readonly string[] {
  const { transferAmount, fees, taxes, taxesByProducer, total, totalToRecipient, difference, paid, returned } = record;
  const at = (ms: number | null) => (ms === null ? 'the terms do not say' : new Date(ms).toISOString());
  const tax = ({ kind, authority, amount }: DisclosedTax) => `${kind} (${authority})  ${formatMoney(amount)}`;
  return [
    `Transfer ${record.transferId}, ${record.state}${record.deadLettered ? ' (a dead letter stands behind it)' : ''}, price ${record.attempt}, terms ${record.terms ?? 'not known'}`,
    `  transfer amount      ${formatMoney(transferAmount)}`,
    ...fees.map(({ code, amount }) => `  fee ${code}  ${formatMoney(amount)}`),
    ...taxes.map((each) => `  tax ${tax(each)}`),
    `  total                ${formatMoney(total)}`,
    ...taxesByProducer.map((each) => `  beside it, by the producer: ${tax(each)}`),
    `  exchange rate        ${record.shownRate} (exactly ${record.customerRate}; mid ${record.midRate})`,
    `  difference to mid    ${difference === null ? 'not known' : formatMoney(difference)}`,
    `  total to recipient   ${formatMoney(totalToRecipient)}${record.otherFeesMayApply ? ', less what their side may charge' : ''}`,
    `  value date           ${record.valueDate ?? 'the terms do not say'}`,
    `  available            ${at(record.availableAt)}`,
    `  may be cancelled     ${record.cancelUntil === null ? at(null) : `until ${at(record.cancelUntil)}`}`,
    ...(paid === null ? [] : [`  paid                 ${formatMoney(paid)}`]),
    ...(returned === null ? [] : [`  came back            ${formatMoney(returned)}`]),
  ];
}
