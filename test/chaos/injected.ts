// A fault as it was injected, for the report and the judge.

/** Times are ms since the run began. */
export interface InjectedFault {
  readonly id: string;
  readonly kind: string;
  readonly what: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** What it really did: which failpoint, how many connections; or that it did nothing. */
  readonly outcome: string;
  /** Counted under these names, once each time that a name is there. */
  readonly counts: readonly string[];
}

export type Done = Pick<InjectedFault, 'outcome' | 'counts'>;
