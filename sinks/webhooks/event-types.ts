// The types of events that a producer can have sent to it: one for each state of a transfer, and the mark of a dead letter.
import { STATES } from '../../domain/transfers/transfer-states.ts';

const MARKS = ['DEAD_LETTERED'] as const;

/** `transfer.completed` for COMPLETED. */
export const eventTypeOf = (state: string): string => `transfer.${state.toLowerCase().replaceAll('_', '-')}`;

export const EVENT_TYPES: readonly string[] = [...STATES, ...MARKS].map(eventTypeOf);
