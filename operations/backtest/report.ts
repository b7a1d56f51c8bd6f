// What a backtest has found: sums by stage and by what changed, and the first changes of each kind. Ids, codes and money alone.
import type { Money } from '../../domain/money/money.ts';

export const BACKTEST_STAGES = ['INTAKE', 'SCREENING', 'FX_PRICING', 'LIMITS'] as const;
export type BacktestStage = (typeof BACKTEST_STAGES)[number];

/** REPRICED: it goes on with another price. FAILED: the stage would put it aside, wait or stop. */
export type BacktestVerdict = 'PASSED' | 'HELD' | 'REJECTED' | 'REPRICED' | 'DUPLICATED' | 'FAILED';

/** What a stage decides, as far as a backtest compares it. */
export interface Outcome {
  readonly verdict: BacktestVerdict;
  /** Codes of reasons, ids of rules, entities of lists, or fields of a price: sorted, each once. */
  readonly codes: readonly string[];
}

/** What came of one comparison. */
export type Judgement =
  | {
      readonly kind: 'compared';
      readonly was: Outcome;
      readonly would: Outcome;
      /** What moves, less what moved: by currency, of a price that changed. */
      readonly difference?: readonly Money[];
    }
  /** Nothing that this build decides: a claim on an id, a person, or what the log no longer tells. */
  | { readonly kind: 'not-comparable'; readonly code: string };

/** One transfer of which a stage would decide otherwise. */
export interface Change {
  readonly stage: BacktestStage;
  readonly transferId: string;
  /** When the log took the event that the stage decided on, ms since 1970. */
  readonly appendedAt: number;
  readonly was: Outcome;
  readonly would: Outcome;
  /** Instructed, or the debit where there is a price. */
  readonly money: Money;
  readonly difference: readonly Money[];
}

export interface ChangeSum {
  readonly was: Outcome;
  readonly would: Outcome;
  readonly transfers: number;
  readonly money: Readonly<Record<string, bigint>>;
  readonly difference: Readonly<Record<string, bigint>>;
}

export interface StageReport {
  readonly stage: BacktestStage;
  readonly compared: number;
  readonly changed: number;
  /** They changed at a stage before, where they are counted. */
  readonly changedBefore: number;
  /** The stage had decided nothing on them by the end of what was read. */
  readonly open: number;
  readonly notComparable: Readonly<Record<string, number>>;
  readonly changes: readonly ChangeSum[];
}

/** Kinds of changes that are told one by one; what is beyond is one sum. */
const MAX_KINDS = 1_000;
const OTHERS: Outcome = { verdict: 'FAILED', codes: ['OTHERS'] };

interface Growing {
  readonly was: Outcome;
  readonly would: Outcome;
  transfers: number;
  readonly money: Map<string, bigint>;
  readonly difference: Map<string, bigint>;
}

export class StageTally {
  readonly stage: BacktestStage;
  compared = 0;
  changed = 0;
  changedBefore = 0;
  open = 0;
  readonly #notComparable = new Map<string, number>();
  readonly #kinds = new Map<string, Growing>();

  constructor(stage: BacktestStage) {
    this.stage = stage;
  }

  notComparable(code: string): void {
    this.#notComparable.set(code, (this.#notComparable.get(code) ?? 0) + 1);
  }

  change({ was, would, money, difference }: Change): void {
    this.changed += 1;
    const kind = this.#kindOf(was, would);
    kind.transfers += 1;
    addTo(kind.money, money);
    for (const each of difference) addTo(kind.difference, each);
  }

  report(): StageReport {
    const { stage, compared, changed, changedBefore, open } = this;
    const changes = [...this.#kinds.values()].map(({ money, difference, ...kind }) => ({
      ...kind,
      money: Object.fromEntries(money),
      difference: Object.fromEntries(difference),
    }));
    return {
      ...{ stage, compared, changed, changedBefore, open },
      notComparable: Object.fromEntries(this.#notComparable),
      changes: changes.toSorted((one, other) => other.transfers - one.transfers),
    };
  }

  #kindOf(was: Outcome, would: Outcome): Growing {
    const key = `${outcomeText(was)} > ${outcomeText(would)}`;
    const known = this.#kinds.get(key);
    if (known !== undefined) return known;
    if (this.#kinds.size >= MAX_KINDS && was !== OTHERS) return this.#kindOf(OTHERS, OTHERS);
    const made = { was, would, transfers: 0, money: new Map<string, bigint>(), difference: new Map<string, bigint>() };
    this.#kinds.set(key, made);
    return made;
  }
}

function addTo(sums: Map<string, bigint>, { currency, minor }: Money): void {
  sums.set(currency, (sums.get(currency) ?? 0n) + minor);
}

export const outcome = (verdict: BacktestVerdict, codes: Iterable<string> = []): Outcome => ({
  verdict,
  codes: [...new Set(codes)].toSorted(),
});

export const outcomeText = ({ verdict, codes }: Outcome): string => [verdict, ...codes].join(' ');
