// Pricing again, by the rates of then: those on which the price was made, since the log keeps no history of rates.
import type { CorridorBook } from '../../../domain/corridors/corridors.ts';
import type { Money } from '../../../domain/money/money.ts';
import type { TermBook } from '../../../domain/terms/term-book.ts';
import { isDisposition } from '../../../processors/contract.ts';
import { isDiscard } from '../../../processors/discard.ts';
import {
  DEFAULT_PRICING_RULES,
  decide,
  type PricingContext,
  type PricingInput,
} from '../../../processors/fx-pricing/decide.ts';
import type { Policy } from '../../../processors/policies.ts';
import type { Price, TransferPriced, TransferRejected } from '../../../schemas/types.generated.ts';
import { canonicalJson } from '../../approvals/acts.ts';
import type { Pair } from '../pairs.ts';
import { type Judgement, type Outcome, outcome } from '../report.ts';
import { failed, type Judge } from './judge.ts';

export interface PricingTermsOfNow {
  readonly corridors: CorridorBook;
  /** By version: an event is priced by the one of its time. */
  readonly terms: Policy<TermBook>;
}

export function pricingJudge(of: PricingTermsOfNow): Judge {
  return async (pairs) => pairs.map((pair) => judged(pair, of));
}

function judged({ input, decided }: Pair, of: PricingTermsOfNow): Judgement {
  if (decided.topic === 'transfer.priced') return pricedAgain(input as PricingInput, decided.value, of);
  return rejectedAgain(input as PricingInput, decided.value as TransferRejected, of);
}

const contextOf = (
  { value, appendedAt }: PricingInput,
  { corridors, terms }: PricingTermsOfNow,
  { now, route, quote }: Pick<PricingContext, 'now' | 'route' | 'quote'>,
): PricingContext => ({
  ...{ now, route, quote, rules: DEFAULT_PRICING_RULES, terms: terms.at(appendedAt).content },
  corridor: corridors.between(value.instruction.sourceCurrency, value.instruction.targetCurrency),
});

function pricedAgain(
  input: PricingInput,
  { price, envelope, instruction }: TransferPriced,
  of: PricingTermsOfNow,
): Judgement {
  const route = { kind: 'fresh', legs: price.legs, taken: [] } as const;
  // A quote was given before, by the terms of its time: no others reach it.
  const quote =
    instruction.quoteId === null ? undefined : ({ kind: 'honoured', price, at: envelope.occurredAt } as const);
  const decision = decide(input, contextOf(input, of, { now: price.lockedAt, route, quote }));
  const was = outcome('PASSED');
  if (isDisposition(decision)) return { kind: 'compared', was, would: failed(decision) };
  const [event] = decision;
  if (event?.to !== 'transfer.priced') return { kind: 'compared', was, would: rejectionOf(event!.value as never) };
  const fields = differing(price, event.value.price);
  if (fields.length === 0) return { kind: 'compared', was, would: was };
  const difference = [lessThen(event.value.price.debit, price.debit), lessThen(event.value.price.credit, price.credit)];
  return { kind: 'compared', was, would: outcome('REPRICED', fields), difference: difference.flat() };
}

/** Without a price there are no rates: what needs none is decided again, the rest is not. */
function rejectedAgain(input: PricingInput, then: TransferRejected, of: PricingTermsOfNow): Judgement {
  if (isDiscard(then.reasons)) return { kind: 'not-comparable', code: 'ENDED_BY_OPERATORS' };
  const was = rejectionOf(then);
  // Who had used it, and when it was looked at, is not in the log.
  if (then.instruction.quoteId !== null) return { kind: 'not-comparable', code: `QUOTED ${was.codes.join(' ')}` };
  const decision = decide(input, contextOf(input, of, { now: then.envelope.occurredAt, route: { kind: 'none' } }));
  if (isDisposition(decision)) return { kind: 'not-comparable', code: `NO_RATES ${was.codes.join(' ')}` };
  return { kind: 'compared', was, would: rejectionOf(decision[0]!.value as TransferRejected) };
}

const rejectionOf = ({ reasons }: TransferRejected): Outcome =>
  outcome(
    'REJECTED',
    reasons.map(({ code }) => code),
  );

/** All that binds somebody. Which version of the terms said so does not. */
const PLAIN = ['marginBps', 'midRate', 'customerRate', 'rounding', 'residual', 'expiresAt'] as const;
const AMOUNTS = ['debit', 'credit', 'principal', 'margin'] as const;
const ROWS = ['fees', 'taxes'] as const;
/** Dates are told since terms are named in a price. */
const DATES = ['valueDate', 'availableAt', 'cancelUntil'] as const;

function differing(then: Price, now: Price): readonly string[] {
  const dates = then.terms === null ? [] : DATES.filter((field) => then[field] !== now[field]);
  return [
    ...PLAIN.filter((field) => then[field] !== now[field]),
    // A margin in money is told later than prices are.
    ...AMOUNTS.filter((field) => then[field] !== null && !isSameMoney(then[field], now[field])),
    ...ROWS.filter((field) => !isSameRows(then[field], now[field])),
    ...dates,
  ];
}

const isSameMoney = (one: Money | null, other: Money | null): boolean =>
  one?.minor === other?.minor && one?.currency === other?.currency;
const isSameRows = (one: readonly unknown[], other: readonly unknown[]): boolean =>
  one.length === other.length && (one.length === 0 || canonicalJson(one) === canonicalJson(other));

const lessThen = (now: Money, then: Money): readonly Money[] =>
  now.minor === then.minor ? [] : [{ currency: now.currency, minor: now.minor - then.minor }];
