// What a verification found, and what it counted.
import type { FindingCode } from './finding-codes.ts';
import type { CurrencyTotals } from './money-totals.ts';

/** `error`: money or the record of it is wrong, or may be. `warning`: nothing is wrong yet, a person should look. */
export type Severity = 'error' | 'warning';

export interface Finding {
  /** The check that found it. */
  readonly check: string;
  /** Stable, upper case: what is wrong. */
  readonly code: FindingCode;
  readonly severity: Severity;
  readonly transferId?: string;
  /** Topic/partition/offset of the record in question. */
  readonly position?: string;
  /** One sentence. Holds no personal data. */
  readonly detail: string;
}

export interface CheckResult {
  readonly check: string;
  readonly proves: string;
  readonly errors: number;
  readonly warnings: number;
  /** Why it did not run; absent when it did. */
  readonly skipped?: string;
}

export interface VerifyReport {
  /** No errors. Says nothing about checks that were skipped. */
  readonly ok: boolean;
  readonly cut: CutSummary;
  readonly checks: readonly CheckResult[];
  /** The first findings of each code, errors first; the counts in `checks` cover all. */
  readonly findings: readonly Finding[];
  /** How often each code was found. */
  readonly codes: Readonly<Partial<Record<FindingCode, number>>>;
  readonly totals: VerifyTotals;
  readonly elapsedMs: number;
  readonly peakRssBytes: number;
}

export interface CutSummary {
  /** When the ends were taken, ms. */
  readonly takenAt: number;
  /** Hash of the checkpoint that the run went on from. */
  readonly from?: string;
  readonly ranges: readonly { readonly topic: string; readonly partition: number; from: number; to: number }[];
}

export interface VerifyTotals {
  /** Records read, by topic. */
  readonly records: Readonly<Record<string, number>>;
  /** Input records by what became of them; they add up to `inputs`. */
  readonly inputs: number;
  readonly inputsBy: Readonly<
    Record<'accepted' | 'rejected' | 'duplicated' | 'deadLettered' | 'underWay' | 'lost', number>
  >;
  readonly transfers: number;
  /** Transfers by where the log leaves them; they add up to `transfers`. */
  readonly byState: Readonly<Record<string, number>>;
  /** Transfers that are neither ended, held nor dead-lettered at the cut. */
  readonly inFlight: number;
  readonly currencies: Readonly<Record<string, CurrencyTotals>>;
  readonly provider: { readonly executions: number; readonly returns: number; readonly executedInFlight: number };
}

/** Subject of an excuse: any later activity will do. */
export const ANYTHING = '*';

/** Where a comparison with a store may be excused: the store is read after the cut and may be ahead of it. */
export interface Excuse {
  /** Transfer, origin position or customer token: excused when it has later activity in the log. */
  readonly subject?: string;
  /** Excused too while this record waits in a retry topic of its reader. */
  readonly source?: {
    readonly owner: string;
    readonly topic: string;
    readonly partition: number;
    readonly offset: number;
  };
}

type NewFinding = Omit<Finding, 'check' | 'severity'> & { readonly severity?: Severity };

/** Most deferred findings kept; beyond, they are reported without waiting for an excuse. */
const MAX_DEFERRED = 100_000;

/** Collects findings: all are counted, the first few of each code are kept. */
export class Findings {
  readonly #limit: number;
  readonly #kept: Finding[] = [];
  readonly #codes = new Map<FindingCode, number>();
  readonly #byCheck = new Map<string, { errors: number; warnings: number }>();
  readonly #subjects = new Set<string>();
  #deferred: { readonly finding: Finding; readonly excuse: Excuse }[] = [];

  /** @param limit findings kept of each code. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  add(check: string, { severity = 'error', ...rest }: NewFinding): void {
    this.#take({ check, severity, ...rest });
  }

  /** A difference between the log and a store that counts only if nothing later explains it. */
  defer(check: string, { severity = 'error', ...rest }: NewFinding, excuse: Excuse): void {
    const finding: Finding = { check, severity, ...rest };
    if (this.#deferred.length >= MAX_DEFERRED) this.#take(finding);
    else this.#deferred.push({ finding, excuse });
    if (rest.transferId !== undefined) this.#subjects.add(rest.transferId);
  }

  /** Whether something about this transfer was deferred. */
  isDeferred(transferId: string): boolean {
    return this.#subjects.has(transferId);
  }

  get hasDeferred(): boolean {
    return this.#deferred.length > 0;
  }

  /** Decides the deferred ones. @returns how many were excused */
  settle(isExcused: (excuse: Excuse) => boolean): number {
    let excused = 0;
    for (const { finding, excuse } of this.#deferred) {
      if (isExcused(excuse)) excused++;
      else this.#take(finding);
    }
    this.#deferred = [];
    return excused;
  }

  /** Kept findings, errors first. */
  list(): readonly Finding[] {
    return this.#kept.toSorted((a, b) => Number(a.severity === 'warning') - Number(b.severity === 'warning'));
  }

  get codes(): Readonly<Partial<Record<FindingCode, number>>> {
    return Object.fromEntries([...this.#codes].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  get errors(): number {
    let errors = 0;
    for (const count of this.#byCheck.values()) errors += count.errors;
    return errors;
  }

  of(check: string): { readonly errors: number; readonly warnings: number } {
    return this.#byCheck.get(check) ?? { errors: 0, warnings: 0 };
  }

  #take(finding: Finding): void {
    const seen = (this.#codes.get(finding.code) ?? 0) + 1;
    this.#codes.set(finding.code, seen);
    const counts = this.#byCheck.get(finding.check) ?? { errors: 0, warnings: 0 };
    counts[finding.severity === 'error' ? 'errors' : 'warnings']++;
    this.#byCheck.set(finding.check, counts);
    if (seen <= this.#limit) this.#kept.push(finding);
  }
}
