// What is compared: ways to copy a topic, each run in a process of its own.

export const VARIANTS = {
  'corridor-eos': 'exactly once',
  'corridor-eos-2': 'exactly once, two processes',
  'corridor-eos-apart': 'exactly once, a transaction for each partition by itself',
  'corridor-eos-500': 'exactly once, batches of 500: the default of processors',
  'corridor-eos-zstd': 'exactly once, zstd level 1',
  'corridor-eos-stock-client': 'exactly once, over kafkajs as released (timers patched only)',
  'corridor-at-least-once': 'at least once, outputs acknowledged before the offset',
  'corridor-handle-only': 'at least once without outputs: what a sink costs',
  'kafkajs-at-least-once': 'plain kafkajs at least once: eachBatch, send, commitOffsets',
  'streams-1': 'Kafka Streams exactly_once_v2, one thread, warmed up',
  'streams-2': 'Kafka Streams exactly_once_v2, two threads, warmed up',
} as const;

export type Variant = keyof typeof VARIANTS;

/** Handed to a copy process as JSON. */
export interface CopyTask {
  readonly variant: Variant;
  readonly brokers: readonly string[];
  readonly name: string;
  readonly input: string;
  readonly output: string;
  readonly records: number;
  readonly batchRecords: number;
  readonly lingerMs: number;
}

interface Reading {
  /** Wall time, ms. */
  readonly at: number;
  /** Processor time of the process so far, ms. */
  readonly cpuMs: number;
}

/** What a copy process tells of a pass, a line of JSON each. */
export type CopyEvent =
  | ({ readonly event: 'began' } & Reading)
  /** `transactions`: this partition's share of one. */
  | ({ readonly event: 'committed'; readonly records: number; readonly transactions: number } & Reading)
  | { readonly event: 'fault'; readonly code: string };
