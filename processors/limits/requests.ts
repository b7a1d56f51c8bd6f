// What each input asks of the ledger. Pure.
import { type LimitRule, rulesFor, windowOf } from '../../domain/limits/limit-rules.ts';
import type { TransferPriced } from '../../schemas/types.generated.ts';
import type { ReceivedFrom } from '../contract.ts';
import type { Topology } from '../topology.ts';
import type { LimitOperation, LimitRequest, Settle } from './ports.ts';
import { mayHoldReservation, settledUses } from './rebuild.ts';

export type LimitsInput = ReceivedFrom<Topology['limits']['reads']>;

/** Rules by corridor. */
export interface RuleBook {
  readonly rules: readonly LimitRule[];
  readonly freedByReturn: ReadonlySet<string>;
  corridorIdOf(sourceCurrency: string, targetCurrency: string): string;
}

/** The limits that a priced transfer counts against; the append time decides the windows. */
export function requestsOf(value: TransferPriced, appendedAt: number, book: RuleBook): readonly LimitRequest[] {
  const { instruction, price } = value;
  const { sourceCurrency, targetCurrency } = instruction;
  const rules = rulesFor(book.rules, book.corridorIdOf(sourceCurrency, targetCurrency), sourceCurrency);
  return rules.map((rule) => ({
    ruleId: rule.ruleId,
    subjectToken: instruction.debtorToken,
    window: windowOf(rule.window, appendedAt),
    currency: rule.currency,
    minor: price.debit.minor,
    limitMinor: rule.limitMinor,
    action: rule.action,
  }));
}

/** The operation that an input leads to; undefined when the ledger has no part in it. */
export function operationOf(input: LimitsInput, book: RuleBook): LimitOperation | undefined {
  switch (input.topic) {
    case 'transfer.priced': {
      const { transferId, attempt } = input.value.envelope;
      return { kind: 'reserve', transferId, attempt, requests: requestsOf(input.value, input.appendedAt, book) };
    }
    case 'transfer.rejected':
      return mayHoldReservation(input.value) ? settle(input.value, 'released', book) : undefined;
    case 'transfer.completed':
      return settle(input.value, 'committed', book);
    case 'transfer.returned':
      return settle(input.value, 'returned', book);
    case 'review.decided':
      return undefined;
  }
}

type Ended = Exclude<LimitsInput, { topic: 'transfer.priced' | 'review.decided' }>['value'];

function settle({ envelope, reservation }: Ended, state: Settle['state'], book: RuleBook): Settle {
  const { transferId, attempt } = envelope;
  return { kind: 'settle', transferId, attempt, state, uses: settledUses(reservation, book.freedByReturn) };
}
