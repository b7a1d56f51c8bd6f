// Record headers: only what must be read without decoding.
export const HEADER = {
  eventId: 'event-id',
  eventType: 'event-type',
  originPosition: 'origin-position',
  traceparent: 'traceparent',
} as const;
