// Operators end what could not be handled: the stage that put a record aside makes the rejection, since it alone gives the next
// sequence, in the transaction in which the letter counts as decided. Nothing is decided on the record again.
import { type DiscardReason, reason } from '../domain/reasons.ts';
import { nextEnvelope } from '../domain/transfers/envelope.ts';
import type { Reason, Stage } from '../schemas/types.generated.ts';
import type { TopicName } from '../topics/catalogue.ts';
import type { Cause, Discardable, Received } from './contract.ts';
import { type ReviewsOptions, type ReviewVerdict, verdictsIn } from './holds.ts';
import { intentRejection, NO_ID } from './intake/decide.ts';
import { type ChainEvent, eventIn } from './lifecycle.ts';

const WHY = 'it could not be handled, and operators ended it';

export interface Ending extends Omit<Extract<Discardable, { kind: 'reject' }>, 'kind'> {
  readonly stage: Stage;
  readonly code: DiscardReason;
}

/** Whether operators ended it: no stage decided it. */
export const isDiscard = (reasons: readonly Reason[]): boolean => reasons.some(({ detail }) => detail === WHY);

/** The rejection with which a stage ends this input. @throws Error when the input is of no transfer */
export function rejectionOf(
  input: Received<unknown>,
  { stage, code, occurredAt, producerId = null, corridorId = null, shownId = NO_ID }: Ending,
): { readonly to: TopicName; readonly value: unknown } {
  const reasons: readonly Reason[] = [reason(code, WHY)];
  if (input.topic === 'transfer.requested') {
    return intentRejection(input as never, reasons, { now: occurredAt, producerId, corridorId, shownId }, undefined);
  }
  const event = eventIn(input.topic, input.value) as (ChainEvent & Partial<Carried>) | undefined;
  if (event === undefined) throw new Error(`${input.topic} is of no transfer that could be rejected`);
  const { instruction, parties, screening = null, price = null, reservation = null } = event;
  const terms = { topic: 'transfer.rejected', causationId: input.causationId, occurredAt };
  const envelope = nextEnvelope(event.envelope, terms);
  const carried = { envelope, instruction, parties, screening, price, reservation };
  return { to: 'transfer.rejected', value: { ...carried, payout: null, stage, reasons, limitsRefusal: null } };
}

interface Carried {
  readonly parties: unknown;
  readonly reservation: unknown;
}

const refused = (detail: string): Discardable => ({ kind: 'dead-letter', cause: refusal(detail) });
export const refusal = (detail: string): Cause => ({ code: 'DISCARD_REFUSED', detail });

/** What may be ended of a stage that holds: its event, and a decision of a person where the hold is this decision's. */
export async function discardableOf(
  batch: Parameters<typeof verdictsIn>[0],
  event: TopicName,
  options: ReviewsOptions,
): Promise<readonly Discardable[]> {
  const verdicts = await verdictsIn(batch, options);
  return batch.map(({ topic }, i) => {
    const verdict = verdicts[i];
    if (verdict) return ofVerdict(verdict);
    if (topic === event) return { kind: 'reject', occurredAt: options.now };
    return refused(`${topic} has to be handled, whatever becomes of its transfer: replay it`);
  });
}

/** The hold is claimed by the decision, as ever: what resumed it before stands. */
function ofVerdict(verdict: ReviewVerdict): Discardable {
  if (verdict.kind === 'honour') return { kind: 'reject', occurredAt: verdict.occurredAt };
  if (verdict.kind === 'halt') return refused('this decision cannot be told to count yet: replay it');
  return { kind: 'nothing' };
}
