// Retry, replay and dead-letter topics: derived from the name of a processor or sink. They carry raw bytes.
import { DAY_MS, DEAD_LETTER_HEADROOM_BYTES, INTENT_MAX_MESSAGE_BYTES } from './contract.ts';

/** Delays of the retry tiers, shortest first. */
export const RETRY_TIERS = [
  { suffix: '5s', delayMs: 5_000 },
  { suffix: '60s', delayMs: 60_000 },
] as const;

export type RecoveryKind = 'retry' | 'replay' | 'dlq';

/** A topic of raw records that belongs to one processor or sink. As many partitions as the chain has. */
export interface RecoveryTopic {
  readonly name: string;
  readonly kind: RecoveryKind;
  readonly owner: string;
  /** Milliseconds that a record waits here; 0 for replay and dead letters. */
  readonly delayMs: number;
  readonly retentionMs: number;
  readonly maxMessageBytes: number;
}

/** Name of the retry topic of a tier (0 is the shortest). */
export const retryTopic = (owner: string, tier: number) => `${owner}.retry.${RETRY_TIERS[tier]!.suffix}`;
export const replayTopic = (owner: string) => `${owner}.replay`;
export const isReplayTopic = (topic: string) => topic.endsWith(replayTopic(''));
export const deadLetterTopic = (owner: string) => `${owner}.dlq`;

/** Every recovery topic of a processor or sink. */
export function recoveryTopics(owner: string): readonly RecoveryTopic[] {
  const maxMessageBytes = INTENT_MAX_MESSAGE_BYTES + DEAD_LETTER_HEADROOM_BYTES;
  const retries = RETRY_TIERS.map(({ delayMs }, tier) => ({
    name: retryTopic(owner, tier),
    kind: 'retry' as const,
    owner,
    delayMs,
    retentionMs: 7 * DAY_MS,
    maxMessageBytes,
  }));
  return [
    ...retries,
    { name: replayTopic(owner), kind: 'replay', owner, delayMs: 0, retentionMs: 30 * DAY_MS, maxMessageBytes },
    { name: deadLetterTopic(owner), kind: 'dlq', owner, delayMs: 0, retentionMs: 365 * DAY_MS, maxMessageBytes },
  ];
}

/** The topics that a processor or sink consumes: its contract topics, its retries and its replays. */
export function inputTopics(owner: string, reads: readonly string[]): readonly string[] {
  return [...reads, ...RETRY_TIERS.map((_, tier) => retryTopic(owner, tier)), replayTopic(owner)];
}
