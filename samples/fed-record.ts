// One record of a feed, with the end that it must come to.

/** How an input may end. Counted per input record, from the topics. */
export const ENDS = [
  'COMPLETED',
  'REJECTED',
  'HELD',
  'RETURNED',
  'DEAD_LETTERED',
  'INTENT_REJECTED',
  'DUPLICATE',
  'UNDECODABLE',
] as const;
export type End = (typeof ENDS)[number];

export interface FedRecord {
  /** Record key; also how a dead letter is matched to its input. */
  readonly key: string;
  /** Bytes on the wire; null for a tombstone. */
  readonly value: Buffer | null;
  /** Where the record belongs in the books: its transferId as far as it has one, else its key. */
  readonly account: string;
  readonly expected: End;
  /** What kind of input this is, for reports. */
  readonly kind: string;
}
