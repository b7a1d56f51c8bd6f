// What a transition changes of the open position of the house: a price opens one, and whatever ends the price otherwise than
// by a payout takes it back. Pure, and of the event alone, so that whoever reads the event reckons the same.
import { positionIdOf } from '../domain/transfers/event-id.ts';
import type { FxPosition, PositionChange, Stage } from '../schemas/types.generated.ts';
import type { ChainEvent } from './lifecycle.ts';

type Change = Exclude<PositionChange, 'UNKNOWN'>;

/** The topic whose event makes each change. */
export const TOPIC_OF_CHANGE: Readonly<Record<Change, string>> = {
  OPENED: 'transfer.priced',
  EXPIRED: 'transfer.requote-requested',
  REJECTED: 'transfer.rejected',
  RETURNED: 'transfer.returned',
};
const CHANGE_OF_TOPIC: ReadonlyMap<string, Change> = new Map(
  (Object.entries(TOPIC_OF_CHANGE) as [Change, string][]).map(([change, topic]) => [topic, change]),
);

/**
 * The position that goes with a transition; undefined: it changes none. Pricing declines what has no price, or one that the
 * request for another has taken back already.
 */
export function positionOf(topic: string, event: ChainEvent & { readonly stage?: Stage }): FxPosition | undefined {
  const change = CHANGE_OF_TOPIC.get(topic);
  const { price, envelope, instruction } = event;
  if (change === undefined || !price?.positioned) return undefined;
  if (change === 'REJECTED' && event.stage === 'FX_PRICING') return undefined;
  const { transferId, attempt, sequence, occurredAt } = envelope;
  const isOpened = change === 'OPENED';
  const { principal, credit } = price;
  return {
    eventId: positionIdOf(transferId, attempt, isOpened),
    ...{ transferId, attempt, sequence, change, occurredAt },
    corridorId: instruction.corridorId,
    sourceCurrency: principal.currency,
    sourceMinor: isOpened ? principal.minor : -principal.minor,
    targetCurrency: credit.currency,
    targetMinor: isOpened ? -credit.minor : credit.minor,
  };
}
