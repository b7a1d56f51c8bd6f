// Stops a consumer that would otherwise move its whole input to the dead letters.
import type { DeadLetterClass } from './recovery-records.ts';

export interface BreakerLimits {
  /** Records that the ratios are taken over. */
  readonly window: number;
  /** Dead letters in a row. */
  readonly maxRun: number;
  /** Share of dead letters in a window, 0 to 1. */
  readonly maxRatio: number;
  /** Share of undecodable and unproven records from outside in a whole window, 0 to 1. */
  readonly maxOutsideRatio: number;
}

export const DEFAULT_BREAKER: BreakerLimits = { window: 1_000, maxRun: 25, maxRatio: 0.1, maxOutsideRatio: 0.9 };

/** What counts: `ours` points at our code or data, `outside` at a producer that sends rubbish. */
export type BreakerEntry = 'fine' | 'ours' | 'outside';

/** Rubbish and forgeries from outside have a laxer limit: nobody who may write may stop what all others wrote. */
export function breakerEntry(deadLetter: DeadLetterClass, fromOutside: boolean): BreakerEntry {
  if (deadLetter === 'unproven' || deadLetter === 'repeated') return 'outside';
  return deadLetter === 'undecodable' && fromOutside ? 'outside' : 'ours';
}

/** What opened it, or undefined. */
export type BreakerVerdict =
  | { readonly reason: 'run' | 'ratio' | 'outside-ratio'; readonly detail: string }
  | undefined;

/**
 * Counts each record once, by its position, however often its batch is handed in. One per process and consumer: a bug
 * meets records of every partition.
 */
export class DeadLetterBreaker {
  readonly #limits: BreakerLimits;
  readonly #ring: BreakerEntry[] = [];
  readonly #counts = { fine: 0, ours: 0, outside: 0 };
  readonly #counted = new Map<string, number>();
  #next = 0;
  #run = 0;
  #opened = false;
  /** Records since a restart after it had opened; undefined: in normal times. */
  #probe: { seen: number; fine: number } | undefined;

  constructor(limits: BreakerLimits = DEFAULT_BREAKER) {
    this.#limits = limits;
  }

  /** Length of the present run of dead letters of our own. */
  get run(): number {
    return this.#run;
  }

  /**
   * The processor starts again. When it was stopped by this breaker, its records run again, and the limits hold for the
   * few that are seen from now on: otherwise each restart would move another window's worth aside.
   */
  restarted(): void {
    if (!this.#opened) return;
    this.#opened = false;
    this.#probe = { seen: 0, fine: 0 };
    this.#ring.length = 0;
    this.#next = 0;
    this.#run = 0;
    Object.assign(this.#counts, { fine: 0, ours: 0, outside: 0 });
    this.#counted.clear();
  }

  /** Since a restart nothing has gone through yet: a dead letter may only be written beside a record that does. */
  get unproven(): boolean {
    return this.#probe?.fine === 0;
  }

  /** Opens it at a record that must not be written. */
  open(detail: string): NonNullable<BreakerVerdict> {
    this.#opened = true;
    return { reason: 'run', detail };
  }

  /** Counts the record at `offset` of an input partition (its name and number as one text). */
  record(partition: string, offset: number, entry: BreakerEntry): BreakerVerdict {
    if (offset <= (this.#counted.get(partition) ?? -1)) return undefined;
    this.#counted.set(partition, offset);
    this.#push(entry);
    if (this.#probe) this.#probe.seen++;
    const verdict = this.#judged(entry);
    if (verdict) this.#opened = true;
    else if (this.#probe && this.#probe.seen >= this.#limits.window / 10) this.#probe = undefined;
    return verdict;
  }

  #judged(entry: BreakerEntry): BreakerVerdict {
    if (entry === 'fine') {
      if (this.#probe) this.#probe.fine++;
      this.#run = 0;
      return undefined;
    }
    if (entry === 'ours') this.#run++;
    return this.#verdict(entry);
  }

  #push(entry: BreakerEntry): void {
    const replaced = this.#ring[this.#next];
    if (replaced !== undefined) this.#counts[replaced]--;
    this.#ring[this.#next] = entry;
    this.#counts[entry]++;
    this.#next = (this.#next + 1) % this.#limits.window;
  }

  #verdict(entry: BreakerEntry): BreakerVerdict {
    const { window, maxRun, maxRatio, maxOutsideRatio } = this.#limits;
    const { ours, outside } = this.#counts;
    if (entry === 'ours' && this.#run > maxRun) {
      return { reason: 'run', detail: `more than ${maxRun} records in a row became dead letters` };
    }
    const seen = this.#probe?.seen ?? window;
    if (entry === 'ours' && ours > (this.#probe ? 1 : 0) + seen * maxRatio) {
      return { reason: 'ratio', detail: `${ours} of the last ${this.#ring.length} records became dead letters` };
    }
    const enough = this.#probe ? window / 20 : window;
    if (entry === 'outside' && this.#ring.length >= enough && outside > this.#ring.length * maxOutsideRatio) {
      const of = `${outside} of the last ${this.#ring.length} records`;
      return { reason: 'outside-ratio', detail: `${of} could not be decoded, or nothing proved who wrote them` };
    }
    return undefined;
  }
}

/** Breakers by consumer, each handed out again (as restarted) when its consumer is made anew. */
export function keptBreakers(limits: BreakerLimits): (name: string) => DeadLetterBreaker {
  const kept = new Map<string, DeadLetterBreaker>();
  return (name) => {
    const known = kept.get(name);
    known?.restarted();
    const breaker = known ?? new DeadLetterBreaker(limits);
    kept.set(name, breaker);
    return breaker;
  };
}
