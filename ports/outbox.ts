// Where changes wait for the log.
/** Where the changes are kept. */
export interface OutboxSource<I> {
  /**
   * Items with changes stored at or before `before` (ms) that are not known to be in the log, the oldest first.
   * @param after an item that an earlier call gave: only what comes behind it. Absent: from the oldest on
   */
  pending(limit: number, before: number, after?: I): Promise<readonly I[]>;
  /** The log has the changes of these items as they were read; what was added since stays pending. */
  markPublished(items: readonly I[]): Promise<void>;
}
