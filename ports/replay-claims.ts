// Who replayed a dead letter: a stage claims each replay before it handles it.

/** Which record of a replay topic may have a dead letter decided again. Never changes once made. */
export interface ReplayClaim {
  /** The letter; another one when its record fails again. */
  readonly deadLetterId: string;
  /** The processor whose letter it is. */
  readonly owner: string;
  /** The operation by which an operator replayed it. */
  readonly replayId: string;
  /** topicId:partition:offset of the replay record. */
  readonly position: string;
  /** ms since 1970 */
  readonly claimedAt: number;
}

/** Durable, atomic claims on dead letters. */
export interface ReplayClaims {
  /**
   * Claims letters that no replay claimed before; at most one claim a letter in a batch. One round trip when all are free.
   * @returns for each given claim, in order, the claim that stands: the given one or an earlier one
   * @throws CodedError MONGO_UNAVAILABLE
   */
  claim(claims: readonly ReplayClaim[]): Promise<readonly ReplayClaim[]>;
}
