// What other rules would have done with transfers that were: the engine of the stage over the log, in the order in which the
// broker took everything. Pure but for what it remembers, which is bounded.
import type { LimitRuleSet } from '../../domain/limits/limit-rules.ts';
import type { Money } from '../../domain/money/money.ts';
import type { LimitUse, TransferHeld, TransferPriced, TransferRejected } from '../../schemas/types.generated.ts';
import type { Policy } from '../policies.ts';
import { standingOf } from './decide.ts';
import type { LimitRequest, ReserveOutcome } from './ports.ts';
import { MAX_COUNTED_MINOR } from './ports.ts';
import type { LedgerEvents } from './rebuild.ts';
import { type RuleBook, requestsOf } from './requests.ts';
import { TallyLedger } from './tally-ledger.ts';

/** The topics that a backtest reads, with their values. */
export interface BacktestEvents extends LedgerEvents {
  'transfer.priced': TransferPriced;
}
export type BacktestTopic = keyof BacktestEvents;
/** In this order where the broker took them in the same millisecond: what an event led to comes behind it. */
export const BACKTEST_TOPICS: readonly BacktestTopic[] = [
  'transfer.priced',
  'transfer.reserved',
  'transfer.held',
  'transfer.rejected',
  'transfer.completed',
  'transfer.returned',
];

export const VERDICTS = ['PASSED', 'HELD', 'REJECTED'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** One transfer that other rules would have treated otherwise. */
export interface BacktestChange {
  readonly transferId: string;
  readonly attempt: number;
  /** ms since 1970 */
  readonly appendedAt: number;
  readonly was: Verdict;
  readonly would: Verdict;
  /** Rules that stand against it: the new ones where it is treated worse, else those of then. */
  readonly rules: readonly string[];
  readonly debit: Money;
}

/** Transfers and their debits, by currency. */
export interface Sum {
  readonly transfers: number;
  readonly money: Readonly<Record<string, bigint>>;
}

export interface BacktestReport {
  readonly rules: string;
  /** Priced transfers of the period, by what was and what would have been. */
  readonly outcomes: readonly ({ readonly was: Verdict | 'OPEN'; readonly would: Verdict } & Sum)[];
  /** Of each new rule: what it would have stopped, held or (a shadow) noted. */
  readonly byRule: readonly ({ readonly ruleId: string; readonly verdict: Verdict | 'NOTED' } & Sum)[];
}

/** The same rules, whatever their days: as though they had been in force all the time. */
export const allTheTime = (set: LimitRuleSet): LimitRuleSet => ({
  ...set,
  rules: set.rules.map((rule) => ({ ...rule, validFrom: '1970-01-01', validTo: null })),
});

interface Pending {
  readonly value: Pick<TransferPriced, 'price'>;
  readonly appendedAt: number;
  readonly would: Verdict;
  readonly rules: readonly string[];
}

export interface BacktestOptions {
  readonly book: RuleBook;
  /** Where given, a transfer is asked by the version of its time, and `book` names the rules alone. */
  readonly policy?: Policy<RuleBook>;
  /** Told of transfers that were taken from then on and before `to`, ms since 1970; what is before counts and is not told. */
  readonly from: number;
  readonly to: number;
  /** Counters and transfers that may be in memory. */
  readonly maxHeld?: number;
  readonly onChange: (change: BacktestChange) => void;
}

/** At about a KiB each. */
const MAX_HELD = 2_000_000;
/** What comes late by the clocks of brokers, ms. */
const LATE_MS = 3_600_000;

export class Backtest {
  readonly #ledger = new TallyLedger();
  readonly #pending = new Map<string, Pending>();
  /** Transfers that the new rules hold and a person has yet to decide. */
  readonly #held = new Set<string>();
  readonly #outcomes = new Map<string, SumOf>();
  readonly #byRule = new Map<string, SumOf>();
  readonly #options: BacktestOptions;
  #forgetAt = 50_000;

  constructor(options: BacktestOptions) {
    this.#options = options;
  }

  /** Of those in the period, how many wait for what was made of them. */
  get pending(): number {
    return this.#pending.size;
  }

  /**
   * Takes one event; they come in the order of their append times.
   * @throws RangeError when more is to be remembered than may be
   */
  add<T extends BacktestTopic>(topic: T, value: BacktestEvents[T], appendedAt: number): void {
    this.#ledger.now = appendedAt;
    if (topic === 'transfer.priced') this.#priced(value as TransferPriced, appendedAt);
    else this.#outcome(topic as keyof LedgerEvents, value as LedgerEvents[keyof LedgerEvents]);
    if (this.#ledger.size < this.#forgetAt) return;
    this.#ledger.forget(appendedAt - LATE_MS);
    const { maxHeld = MAX_HELD } = this.#options;
    if (this.#ledger.size > maxHeld)
      throw new RangeError(`more than ${maxHeld} counters and transfers are open at once`);
    this.#forgetAt = Math.max(50_000, Math.min(2 * this.#ledger.size, maxHeld + 1));
  }

  report(): BacktestReport {
    // What nobody has decided by the end of the log.
    for (const { value, would } of this.#pending.values())
      this.#sum(this.#outcomes, `OPEN ${would}`, value.price.debit);
    this.#pending.clear();
    const rows = (sums: ReadonlyMap<string, SumOf>) =>
      [...sums].map(([key, { transfers, money }]) => ({
        key: key.split(' '),
        transfers,
        money: Object.fromEntries(money),
      }));
    return {
      rules: this.#options.book.name,
      outcomes: rows(this.#outcomes).map(({ key: [was, would], ...sum }) => ({
        ...{ was: was as Verdict | 'OPEN', would: would as Verdict, ...sum },
      })),
      byRule: rows(this.#byRule).map(({ key: [ruleId, verdict], ...sum }) => ({
        ...{ ruleId: ruleId!, verdict: verdict as Verdict | 'NOTED', ...sum },
      })),
    };
  }

  #priced(value: TransferPriced, appendedAt: number): void {
    const { from, to, policy } = this.#options;
    const book = policy?.at(appendedAt).content ?? this.#options.book;
    const { transferId, attempt } = value.envelope;
    const requests = requestsOf(value, appendedAt, book);
    const known = this.#ledger.find(transferId);
    // The same record twice in the log was decided once.
    if (known?.attempt === attempt) return;
    const outcome = this.#ask(transferId, attempt, requests);
    if (outcome === undefined) return;
    const { verdict, rules } = this.#verdictOf(value, outcome);
    if (verdict === 'HELD') this.#held.add(transferId);
    else this.#held.delete(transferId);
    if (appendedAt < from || appendedAt >= to) return;
    this.#pending.set(`${transferId}:${attempt}`, { value: { price: value.price }, appendedAt, would: verdict, rules });
    for (const use of outcome.kind === 'reserved' ? outcome.uses : []) {
      if (use.action === 'SHADOW' && isAbove(use)) this.#sum(this.#byRule, `${use.ruleId} NOTED`, value.price.debit);
    }
    for (const ruleId of rules) this.#sum(this.#byRule, `${ruleId} ${verdict}`, value.price.debit);
  }

  /** Undefined: the transfer would not have come here, since it was stopped before, or has ended. */
  #ask(transferId: string, attempt: number, requests: readonly LimitRequest[]): Asked | undefined {
    if (requests.some(({ minor }) => minor < 0n || minor >= MAX_COUNTED_MINOR)) return { kind: 'not-countable' };
    const outcome = this.#ledger.applyNow({ kind: 'reserve', transferId, attempt, requests });
    return outcome.kind === 'reserved' || outcome.kind === 'refused' ? outcome : undefined;
  }

  #verdictOf(value: TransferPriced, outcome: Asked): { readonly verdict: Verdict; readonly rules: readonly string[] } {
    if (outcome.kind === 'not-countable') return { verdict: 'REJECTED', rules: [] };
    if (outcome.kind === 'refused') return { verdict: 'REJECTED', rules: outcome.refused };
    const { over, isHeld } = standingOf(value, outcome.uses);
    return isHeld ? { verdict: 'HELD', rules: over.map(({ ruleId }) => ruleId) } : { verdict: 'PASSED', rules: [] };
  }

  /** What became of a transfer: what the stage of then made of it, and how it ended. */
  #outcome(topic: keyof LedgerEvents, value: LedgerEvents[keyof LedgerEvents]): void {
    const { transferId, attempt } = value.envelope;
    const key = `${transferId}:${attempt}`;
    if (topic === 'transfer.completed') this.#ledger.end(transferId, 'committed');
    else if (topic === 'transfer.returned') this.#ledger.end(transferId, 'returned');
    else if (topic === 'transfer.rejected') this.#rejected(value as TransferRejected);
    // A person may have let it through: then it was held before, and that was told.
    else if (topic === 'transfer.reserved') this.#was(key, 'PASSED', []);
    else if ((value as TransferHeld).hold.stage === 'LIMITS') {
      const uses = (value as TransferHeld).reservation?.uses ?? [];
      this.#was(
        key,
        'HELD',
        uses.filter(isAbove).map(({ ruleId }) => ruleId),
      );
    }
  }

  #rejected({ envelope, stage, limitsRefusal }: TransferRejected): void {
    const { transferId, attempt } = envelope;
    if (stage !== 'LIMITS') {
      this.#ledger.end(transferId, 'released');
      return;
    }
    const stood = (limitsRefusal?.uses ?? []).map(({ ruleId }) => ruleId);
    this.#was(`${transferId}:${attempt}`, 'REJECTED', stood);
    // A person said no to what was held: they would have said it again. What the rules of then refused is not over by that.
    if (limitsRefusal === null && this.#held.delete(transferId)) this.#ledger.end(transferId, 'released');
  }

  #was(key: string, was: Verdict, stood: readonly string[]): void {
    const pending = this.#pending.get(key);
    if (pending === undefined) return;
    this.#pending.delete(key);
    const { value, appendedAt, would, rules } = pending;
    this.#sum(this.#outcomes, `${was} ${would}`, value.price.debit);
    if (was === would) return;
    const at = key.lastIndexOf(':');
    this.#options.onChange({
      ...{ transferId: key.slice(0, at), attempt: Number(key.slice(at + 1)), appendedAt, was, would },
      rules: VERDICTS.indexOf(would) > VERDICTS.indexOf(was) ? rules : stood,
      debit: value.price.debit,
    });
  }

  #sum(sums: Map<string, SumOf>, key: string, { minor, currency }: Money): void {
    const sum = sums.get(key) ?? { transfers: 0, money: new Map<string, bigint>() };
    sums.set(key, sum);
    sum.transfers += 1;
    sum.money.set(currency, (sum.money.get(currency) ?? 0n) + minor);
  }
}

type Asked = Extract<ReserveOutcome, { kind: 'reserved' | 'refused' }> | { readonly kind: 'not-countable' };

interface SumOf {
  transfers: number;
  readonly money: Map<string, bigint>;
}

/** `usedMinor` has the transfer in it. */
const isAbove = ({ usedMinor, declaredMinor, limitMinor }: LimitUse): boolean =>
  usedMinor + (declaredMinor ?? 0n) > limitMinor;
