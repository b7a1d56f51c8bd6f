// What faults are aimed at.

/** Processes of the pipeline: two that run the chain, two that run sinks, payouts and cases. */
export const SLOTS = ['chain-1', 'chain-2', 'back-1', 'back-2'] as const;
/** The process that people work with. */
export const API_SLOT = 'api-1';
export type SlotName = (typeof SLOTS)[number] | typeof API_SLOT;
export type NetworkTarget = 'kafka' | 'mongo' | 'redisLimits' | 'redisQueue' | 'registry' | 'provider';
export type ServerTarget = 'kafka-1' | 'kafka-2' | 'kafka-3' | 'mongo' | 'redisLimits' | 'redisQueue' | 'registry';
