// Envelopes of events: one owner of the sequence, one rule for the next one.
import { eventIdOf } from './event-id.ts';

export interface Envelope {
  readonly eventId: string;
  readonly transferId: string;
  readonly sequence: number;
  readonly attempt: number;
  readonly causationId: string;
  readonly occurredAt: number;
  readonly homePartition: number;
}

/** Envelope of the first event of a transfer. */
export function firstEnvelope(
  topic: string,
  origin: Pick<Envelope, 'transferId' | 'causationId' | 'occurredAt' | 'homePartition'>,
): Envelope {
  return { ...origin, sequence: 1, attempt: 1, eventId: eventIdOf(topic, origin.transferId, 1, 1) };
}

export interface Following {
  readonly topic: string;
  readonly causationId: string;
  /** ms since 1970 */
  readonly occurredAt: number;
  /** The next pricing attempt; by default that of the event before. */
  readonly attempt?: number;
  /** By default one more than that of the event before. */
  readonly sequence?: number;
}

/** Envelope of the event that follows `previous`. */
export function nextEnvelope(previous: Envelope, following: Following): Envelope {
  const { topic, causationId, occurredAt } = following;
  const { transferId, homePartition } = previous;
  const attempt = following.attempt ?? previous.attempt;
  const sequence = following.sequence ?? previous.sequence + 1;
  const eventId = eventIdOf(topic, transferId, attempt, sequence);
  return { eventId, transferId, sequence, attempt, causationId, occurredAt, homePartition };
}
