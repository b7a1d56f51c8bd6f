// What the count of open positions needs from outside.

/** The sum of fx.position up to some offsets: the same for whoever reads the log up to there. */
export interface PositionCount {
  /** Id of the topic that was counted; its name where the cluster gives none. */
  readonly topicId: string;
  /** The first offset of each partition that is not counted. */
  readonly offsets: ReadonlyMap<number, number>;
  /** Open exposure by currency, in minor units: above zero is held, below zero is owed. */
  readonly open: ReadonlyMap<string, bigint>;
  readonly records: number;
  /** Records left out: nothing proves who wrote them, or they cannot be read. */
  readonly unproven: number;
  /** False: the log had forgotten positions before they were counted, so the sums lack them. */
  readonly isWhole: boolean;
  /** ms since 1970 */
  readonly countedAt: number;
  /** Rises with each count that is kept. */
  readonly version: number;
}

/** Keeps the latest count. Every method throws a coded error when the store cannot be asked. */
export interface PositionCounts {
  /** Undefined: nothing was counted yet, or what is kept is of another shape. */
  find(): Promise<PositionCount | undefined>;
  /** @returns false when another count was kept meanwhile; again is the same */
  keep(count: PositionCount): Promise<boolean>;
}
