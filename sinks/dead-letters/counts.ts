// The counts of groups of dead letters: kept beside the letters, because counting 100,000 at every look would take seconds.

/** What keeps the counts of groups. */
export interface GroupCounts {
  /** Says that letters of these groups have come or changed. Call it when that is stored, before it counts as done. */
  touch(groups: readonly string[]): Promise<void>;
  /** Counts groups that were touched since they were counted, `limit` at most. @returns how many it counted */
  recount(limit: number): Promise<number>;
}
