// Payout dispatch: the last look inside the chain before money moves. Pure.
import { nextEnvelope } from '../../domain/envelope.ts';
import { priceFaults } from '../../domain/pricing.ts';
import { reason } from '../../domain/reasons.ts';
import type { Decision, Disposition, EmittedTo, ReceivedFrom } from '../contract.ts';
import type { Topology } from '../topology.ts';

export type DispatchInput = ReceivedFrom<Topology['payout-dispatch']['reads']>;
export type DispatchEvent = EmittedTo<Topology['payout-dispatch']['writes']>;

export interface DispatchContext {
  /** ms since 1970 */
  readonly now: number;
  readonly rules: DispatchRules;
}

export interface DispatchRules {
  /** A price must hold for at least this long, in ms, so that the executor has time to submit. */
  readonly minRemainingMs: number;
  /** Quotes that a transfer may have in all. */
  readonly maxAttempts: number;
}

export const DEFAULT_DISPATCH_RULES: DispatchRules = { minRemainingMs: 30_000, maxAttempts: 5 };

export function decide(input: DispatchInput, { now, rules }: DispatchContext): Decision<DispatchEvent> {
  const { value, causationId } = input;
  const { envelope, instruction, screening, price } = value;
  const following = (topic: string) => nextEnvelope(envelope, { topic, causationId, occurredAt: now });
  if (instruction.amountSide === 'UNKNOWN' || screening.outcome === 'UNKNOWN') {
    return {
      kind: 'stop',
      cause: { code: 'SYMBOL_UNKNOWN', detail: 'an enum symbol that this version does not know' },
    };
  }
  if (screening.outcome !== 'CLEAR' && screening.outcome !== 'APPROVED') {
    return refuse('SCREENING_NOT_CLEAR', `screening ended as ${screening.outcome}: this must never be paid`);
  }
  const { instructedAmount: amount, sourceCurrency, targetCurrency, amountSide: side } = instruction;
  const faults = priceFaults({ side, amount, sourceCurrency, targetCurrency }, price);
  if (faults.length > 0) return refuse('PRICE_INCONSISTENT', faults.join('; '));
  if (price.expiresAt - now >= rules.minRemainingMs) {
    return [{ to: 'payout.requested', value: { ...value, envelope: following('payout.requested') } }];
  }
  if (envelope.attempt < rules.maxAttempts) {
    const topic = 'transfer.requote-requested';
    return [{ to: topic, value: { ...value, envelope: following(topic), reason: reason('XPRD') } }];
  }
  return [
    {
      to: 'transfer.rejected',
      value: {
        ...value,
        envelope: following('transfer.rejected'),
        payout: null,
        stage: 'PAYOUT_DISPATCH',
        reasons: [reason('QUOT')],
      },
    },
  ];
}

const refuse = (code: string, detail: string): Disposition => ({ kind: 'dead-letter', cause: { code, detail } });
