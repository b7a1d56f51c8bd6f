// A backtest: the stages of this build decide again on what the log says that they were given, and what comes out is held
// against what was decided then. Slice by slice in bounded memory; nothing is written.
import type { Money } from '../../domain/money/money.ts';
import type { ErrorCode } from '../../ports/error-codes.ts';
import { CodedError } from '../../ports/fault.ts';
import type { LogRecord, RecordBatch } from '../../ports/log.ts';
import type { Received } from '../../processors/contract.ts';
import type { BacktestChange } from '../../processors/limits/backtest.ts';
import type { Price } from '../../schemas/types.generated.ts';
import type { BacktestAsked as LimitsAsked } from '../limits/backtest.ts';
import {
  type BacktestSources,
  type BacktestDone as LimitsDone,
  backtest as limitsBacktest,
} from '../limits/backtest.ts';
import { orderOf, type Placed, placesOf, type SlicedLog, slicesOf } from './log-slices.ts';
import { type AnyEvent, PAIR_TOPICS, type Pair, Pairing, type PairStage } from './pairs.ts';
import { BACKTEST_STAGES, type Change, type Judgement, outcome, type StageReport, StageTally } from './report.ts';
import type { Judge } from './stages/judge.ts';

/** A record as a stage would receive it. */
export interface BacktestRecord {
  readonly record: LogRecord;
  readonly received: Received<unknown> | undefined;
  readonly refusal: { readonly kind: string; readonly code: ErrorCode; readonly detail: string } | undefined;
}

export interface StageSources {
  readonly reader: SlicedLog;
  /** Decoded, sealed by their issuers, at their home: as the stages read. */
  readonly receive: (batch: RecordBatch) => Promise<readonly BacktestRecord[]>;
  readonly judges: Readonly<Record<PairStage, Judge>>;
  readonly limits: BacktestSources & Pick<LimitsAsked, 'book' | 'policy'>;
}

export interface BacktestAsked {
  /** By when the log took the event that a stage decided on, ms since 1970: from, and before to. */
  readonly from: number;
  readonly to: number;
  /** Events without an outcome, transfers that changed, and what limits remember, at most; default: 2,000,000. */
  readonly maxHeld?: number;
  /** Told of each change, stage after stage: the first three together, then limits. */
  readonly onChange: (change: Change) => void;
  readonly onProgress?: (records: number, at: number) => void;
}

export interface BacktestDone {
  readonly stages: readonly StageReport[];
  readonly compared: number;
  readonly changed: number;
  /** What stood in the log and was no event of a stage: nobody of ours sealed it, or it cannot be read. */
  readonly unproven: number;
  /** Records that cannot be read, but for intents that nobody could read then either. */
  readonly undecodable: number;
  /** Intents that cannot be read, and of which nothing came then. */
  readonly unreadIntents: number;
  readonly records: number;
  /** The log does not reach back to the beginning of the period, or of what limits count. */
  readonly isShort: boolean;
}

/** What comes later than this after the period is not waited for, ms: a stage that asks for a rate gives up before. */
const LATE_MS = 3_600_000;
const JUDGED_AT_ONCE = 500;
const MAX_HELD = 2_000_000;
const PAIR_STAGES = BACKTEST_STAGES.filter((stage): stage is PairStage => stage !== 'LIMITS');

/** @throws CodedError BACKTEST_TOO_LARGE, NEWER_SCHEMA, and what the log throws */
export async function backtest(sources: StageSources, asked: BacktestAsked): Promise<BacktestDone> {
  const run = new Run(sources, asked);
  const places = await placesOf(sources.reader, PAIR_TOPICS, asked.from);
  // While one slice is judged, the next one is read: an index of names is asked in another thread.
  let judging = Promise.resolve();
  for await (const { ranges, until } of slicesOf(sources.reader, places)) {
    const [pairs] = await Promise.all([run.pairsOf(ranges), judging]);
    judging = run.judge(pairs);
    judging.catch(() => undefined);
    asked.onProgress?.(run.records, until);
    if (until >= asked.to && (run.isSettled || until >= asked.to + LATE_MS)) break;
  }
  await judging;
  run.end();
  const limits = await run.limits();
  const stages = run.tallies.map((tally) => tally.report());
  const sum = (of: 'compared' | 'changed') => stages.reduce((total, stage) => total + stage[of], 0);
  return {
    ...{ stages, compared: sum('compared'), changed: sum('changed'), undecodable: run.undecodable },
    unreadIntents: run.unreadIntents,
    ...{ unproven: run.unproven + limits.unproven, records: run.records + limits.records },
    isShort: places.isShort || limits.isShort,
  };
}

interface Taken extends Placed {
  readonly received: Received<unknown>;
}

const inOrder = orderOf(PAIR_TOPICS);

class Run {
  readonly tallies = BACKTEST_STAGES.map((stage) => new StageTally(stage));
  records = 0;
  unproven = 0;
  undecodable = 0;
  unreadIntents = 0;
  /** Where they stand: of one of them something may have come, which this build would not have made. */
  readonly #unread = new Set<string>();
  readonly #pairing = new Pairing();
  /** Transfers that a stage would have treated otherwise: what is behind it would never have been as it was. */
  readonly #changed = new Set<string>();
  readonly #sources: StageSources;
  readonly #asked: BacktestAsked;

  constructor(sources: StageSources, asked: BacktestAsked) {
    this.#sources = sources;
    this.#asked = asked;
  }

  get isSettled(): boolean {
    return this.#pairing.pending === 0;
  }

  /** Reads a slice. @returns what was decided in it, each with what it was decided on */
  async pairsOf(ranges: Parameters<SlicedLog['read']>[0]): Promise<readonly Pair[]> {
    const { from, to } = this.#asked;
    const pairs: Pair[] = [];
    for (const { received, timestamp } of await this.#read(ranges)) {
      this.#noteOrigin(received);
      const pair = this.#pairing.outcome({ topic: received.topic, value: received.value } as AnyEvent);
      if (pair !== undefined) pairs.push(pair);
      if (timestamp >= from && timestamp < to) this.#pairing.input(received);
    }
    return pairs;
  }

  /** The stages decide side by side, and are counted one after the other: what changed in one is not compared in the next. */
  async judge(pairs: readonly Pair[]): Promise<void> {
    const { maxHeld = MAX_HELD } = this.#asked;
    const byStage = PAIR_STAGES.map((stage) => ({ stage, all: pairs.filter((pair) => pair.stage === stage) }));
    const judged = await Promise.all(byStage.map(({ stage, all }) => this.#judged(stage, this.#unchanged(all))));
    for (const [place, { stage, all }] of byStage.entries()) {
      const left = this.#unchanged(all);
      this.#tally(stage).changedBefore += all.length - left.length;
      for (const pair of left) this.#count(pair, judged[place]!.get(pair)!);
    }
    if (this.#pairing.pending + this.#changed.size > maxHeld)
      throw new CodedError('BACKTEST_TOO_LARGE', `more than ${maxHeld} transfers are to be remembered at once`);
  }

  /** What has no outcome yet will have none here. */
  end(): void {
    for (const stage of PAIR_STAGES) this.#tally(stage).open = this.#pairing.open(stage);
  }

  async limits(): Promise<LimitsDone> {
    const { limits } = this.#sources;
    const { from, to, maxHeld } = this.#asked;
    const tally = this.#tally('LIMITS');
    const onChange = (change: BacktestChange) => {
      if (this.#changed.has(change.transferId)) tally.changedBefore += 1;
      else this.#change(ofLimits(change));
    };
    const done = await limitsBacktest(limits, {
      ...{ from, to, onChange, book: limits.book },
      ...(limits.policy && { policy: limits.policy }),
      ...(maxHeld !== undefined && { maxHeld }),
    });
    for (const { was, transfers } of done.outcomes) {
      if (was === 'OPEN') tally.open += transfers;
      else tally.compared += transfers;
    }
    tally.compared -= tally.changedBefore;
    return done;
  }

  async #read(ranges: Parameters<SlicedLog['read']>[0]): Promise<readonly Taken[]> {
    const taken: Taken[] = [];
    await this.#sources.reader.read(ranges, async (batch) => {
      for (const { record, received, refusal } of await this.#sources.receive(batch)) {
        this.records += 1;
        if (refusal?.kind === 'stop')
          throw new CodedError(refusal.code, `${batch.topic}-${record.partition}@${record.offset}: ${refusal.detail}`, {
            faultClass: 'fatal',
          } as never);
        if (refusal?.kind === 'unproven') this.unproven += 1;
        else if (refusal?.kind === 'undecodable') this.#unreadable(batch.topic, record);
        if (refusal !== undefined || received === undefined) continue;
        const { topic, partition, offset, timestamp } = record;
        taken.push({ topic, partition, offset, timestamp, received });
      }
    });
    return taken.sort(inOrder);
  }

  #unreadable(topic: string, { partition, offset }: Pick<Placed, 'partition' | 'offset'>): void {
    if (topic !== 'transfer.requested' || this.#unread.size >= MAX_HELD) {
      this.undecodable += 1;
      return;
    }
    this.unreadIntents += 1;
    this.#unread.add(`${partition}:${offset}`);
  }

  #noteOrigin({ topic, originPosition }: Received<unknown>): void {
    if (topic !== 'transfer.accepted' && topic !== 'intent.rejected') return;
    if (!this.#unread.delete(originPosition.slice(originPosition.indexOf(':') + 1))) return;
    this.unreadIntents -= 1;
    this.undecodable += 1;
  }

  #unchanged(pairs: readonly Pair[]): readonly Pair[] {
    return pairs.filter(({ transferId }) => !this.#changed.has(transferId));
  }

  async #judged(stage: PairStage, pairs: readonly Pair[]): Promise<ReadonlyMap<Pair, Judgement>> {
    const judged = new Map<Pair, Judgement>();
    for (let first = 0; first < pairs.length; first += JUDGED_AT_ONCE) {
      const some = pairs.slice(first, first + JUDGED_AT_ONCE);
      const judgements = await this.#sources.judges[stage](some);
      for (const [i, pair] of some.entries()) judged.set(pair, judgements[i]!);
    }
    return judged;
  }

  #count(pair: Pair, judgement: Judgement): void {
    const tally = this.#tally(pair.stage);
    if (judgement.kind === 'not-comparable') {
      tally.notComparable(judgement.code);
      return;
    }
    tally.compared += 1;
    const { was, would, difference = [] } = judgement;
    if (isSame(was, would)) return;
    const { stage, transferId, input } = pair;
    const { appendedAt } = input;
    this.#change({ stage, transferId, appendedAt, was, would, money: moneyOf(pair), difference });
  }

  #change(change: Change): void {
    this.#tally(change.stage).change(change);
    this.#changed.add(change.transferId);
    this.#asked.onChange(change);
  }

  #tally(stage: StageReport['stage']): StageTally {
    return this.tallies[BACKTEST_STAGES.indexOf(stage)]!;
  }
}

const isSame = (one: Change['was'], other: Change['was']): boolean =>
  one.verdict === other.verdict &&
  one.codes.length === other.codes.length &&
  one.codes.every((code, i) => code === other.codes[i]);

/** The rules stand with what is worse, as the engine of limits tells them. */
function ofLimits({ transferId, appendedAt, was, would, rules, debit }: BacktestChange): Change {
  const isWorse = would !== 'PASSED' && was !== 'REJECTED';
  const [of, to] = isWorse ? [outcome(was), outcome(would, rules)] : [outcome(was, rules), outcome(would)];
  return { stage: 'LIMITS', transferId, appendedAt, was: of, would: to, money: debit, difference: [] };
}

/** The debit where there is a price, else what was instructed. A producer may have written anything for a currency. */
function moneyOf({ input, decided }: Pair): Money {
  if ('price' in decided.value && decided.value.price !== null) return (decided.value.price as Price).debit;
  const value = input.value as { readonly instructedAmount?: Money; readonly instruction?: Instructed };
  const { minor, currency } = value.instruction?.instructedAmount ?? value.instructedAmount!;
  return { minor, currency: /^[A-Z]{3}$/.test(currency) ? currency : 'XXX' };
}

interface Instructed {
  readonly instructedAmount: Money;
}
