// Money by transfer and by currency.
import { priceFaults } from '../../domain/pricing/pricing.ts';
import type { Check } from '../check.ts';
import { MIXED } from '../provider.ts';
import { lastEvent, positionOf } from '../transfer.ts';

const NAME = 'money';

export const money: Check = {
  name: NAME,
  proves:
    'Each price follows from its own rates; per currency, what senders gave up is what was exchanged plus fees and taxes, and what beneficiaries were to get is what the provider says it paid (and what came back, what it says came back).',
  record(seen, run) {
    if (seen.topic !== 'transfer.priced') return;
    const { envelope, instruction, price } = seen.value;
    const { instructedAmount: amount, sourceCurrency, targetCurrency, amountSide: side } = instruction;
    const faults =
      side === 'UNKNOWN'
        ? ['the amount side is unknown']
        : stated(() => priceFaults({ side, amount, sourceCurrency, targetCurrency }, price));
    if (faults.length === 0) return;
    const position = positionOf(seen.topic, seen.record.partition, seen.record.offset);
    run.findings.add(NAME, {
      code: 'PRICE_WRONG',
      transferId: envelope.transferId,
      position,
      detail: faults.join('; '),
    });
  },
  transfer(transfer, run) {
    const last = lastEvent(transfer);
    const { price } = transfer;
    if (last === undefined || price === undefined) return;
    if (last.state !== 'COMPLETED' && last.state !== 'RETURNED') return;
    const before = transfer.events.find(({ sequence }) => sequence === transfer.verifiedThrough)?.state;
    const paid = run.provider?.match(transfer.id);
    const source = run.totals.of(price.source);
    const target = run.totals.of(price.target);
    if (before !== 'COMPLETED' && before !== 'RETURNED') {
      source.debited += price.debit;
      source.principal += price.principal;
      source.fees += price.fees;
      source.taxes += price.taxes ?? 0n;
      target.credited += price.credit;
      if (paid && paid.currency !== MIXED) run.totals.of(paid.currency ?? price.target).executed += paid.executedMinor;
    }
    if (last.state === 'RETURNED' && before !== 'RETURNED') {
      target.returned += price.credit;
      if (paid && paid.currency !== MIXED)
        run.totals.of(paid.currency ?? price.target).returnedByProvider += paid.returnedMinor;
    }
  },
  end(run) {
    for (const [currency, totals] of run.totals.entries()) {
      const { debited, principal, fees, taxes, credited, executed, returned, returnedByProvider } = totals;
      const unequal = (what: string, one: bigint, other: bigint) => {
        if (one === other) return;
        const detail = `${currency}: ${what} (${one} and ${other} minor units)`;
        run.findings.add(NAME, { code: 'DEBITS_NOT_CREDITS', detail });
      };
      unequal('debits are not principal plus fees and taxes', debited, principal + fees + taxes);
      if (run.provider === undefined) continue;
      unequal('credits are not what the provider executed', credited, executed);
      unequal('returns are not what the provider returned', returned, returnedByProvider);
    }
  },
};

/** Rates that cannot be computed with are wrong too. */
function stated(faults: () => readonly string[]): readonly string[] {
  try {
    return faults();
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}
