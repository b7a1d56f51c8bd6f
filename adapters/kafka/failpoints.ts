// Places between two side effects where a crash test may kill, freeze or fail the process.

/**
 * Every failpoint, in the order in which an exactly-once batch passes them (after-send and after-send-offsets side by side),
 * then those of an at-least-once batch. One with outputs passes the first between the latter.
 */
export const FAILPOINTS = [
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

export type FailpointName = (typeof FAILPOINTS)[number];

/** Called at each failpoint; may be slow, may throw, may never return. */
export type Failpoint = (name: FailpointName) => void | Promise<void>;

/** What stands in when there are none. */
export const NO_FAILPOINT: Failpoint = () => {};
