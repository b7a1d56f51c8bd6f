// Failpoints of the log: whoever implements it calls them, for each batch.

/**
 * In the order in which an exactly-once batch passes them (after-send and after-send-offsets side by side), then those of an
 * at-least-once batch. One with outputs passes the first between the latter.
 */
export const LOG_FAILPOINTS = [
  /** The previous owner is fenced; the committed offset is not read yet (exactly once). */
  'eos.after-fence',
  /** The handler is done; nothing is sent. */
  'eos.before-send',
  /** Outputs are in the log, in an open transaction; the offsets, sent meanwhile, may be in it or not. */
  'eos.after-send',
  /** Offsets are in the open transaction; the outputs, sent meanwhile, may be in it or not. */
  'eos.after-send-offsets',
  /** The commit is on its way; its answer is not awaited. An error thrown here loses the answer. */
  'eos.commit-sent',
  /** The transaction is committed; nobody was told. */
  'eos.after-commit',
  /** The handler is done; offsets are not committed. */
  'alo.before-commit',
  /** Offsets are committed. */
  'alo.after-commit',
] as const;

export type LogFailpoint = (typeof LOG_FAILPOINTS)[number];
