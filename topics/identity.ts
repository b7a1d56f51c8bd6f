// What a decoded record says of itself, by the contract of its topic. Of a topic without a contract nothing is known.
import { contractOf } from './catalogue.ts';

/** The id of an event or a command; undefined for what is neither. */
export const idOf = (topic: string, value: unknown): string | undefined => contractOf(topic)?.idOf(value as never);

/** The transfer that a record belongs to. */
export const transferIdOf = (topic: string, value: unknown): string | undefined =>
  contractOf(topic)?.transferIdOf(value as never);

/** The partition that a record of the chain must stand on. */
export const homePartitionOf = (topic: string, value: unknown): number | undefined =>
  contractOf(topic)?.homePartitionOf(value as never);
