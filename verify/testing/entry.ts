// A record of a log that a test writes by itself.

/** Any chain event, as far as a history needs to know it. */
// biome-ignore lint/suspicious/noExplicitAny: values of ten topics, built step by step
export type Event = any;

export interface Entry {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  key: string;
  /** Undefined for raw bytes. */
  value: Event;
  bytes: Buffer | null | undefined;
  headers: Record<string, string>;
  /** When the broker took it, ms since 1970; absent: when all of them were. */
  timestamp?: number;
}
