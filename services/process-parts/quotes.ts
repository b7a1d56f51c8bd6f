// Answers to requests for quotes, beside the stage that prices: there are the rates, the terms and the stages' keys.
import { safeText } from '../../domain/text/text.ts';
import { type AnsweringComponents, answerQuotes } from '../../operations/quotes/answer.ts';
import { systemClock } from '../../ports/clock.ts';
import type { ErrorCode } from '../../ports/error-codes.ts';
import { isOutage } from '../../ports/fault.ts';
import { faultOf } from '../../runtime/fault.ts';
import type { DependencyTrouble, Host } from '../../runtime/hosts/host.ts';
import type { HostRuntime } from '../../runtime/hosts/processor-host.ts';
import type { Table } from '../../runtime/hosts/table.ts';
import { loopingHost } from './background.ts';

const PART = 'quotes';
/** Whose prices they are: paused, it makes none. */
const STAGE = 'fx-pricing';
/** Where requests lie. */
const QUOTES_PLACE = 'fx_quotes';
/** How long a request may lie before it is looked at. */
const EVERY_MS = 250;
/** After a fault. */
const AFTER_FAULT_MS = 5_000;
/** Requests that are answered at a time; what is more follows at once. */
const MAX_REQUESTS = 200;
/** A request that lies for longer is in health; at 60 s it is refused. */
const LATE_MS = 20_000;
/** So long after the log was last known to hold no more a table counts as all there is, ms. A rest of a follower is 2.5 s. */
const CURRENT_MS = 10_000;

export interface QuotesHostComponents extends Omit<AnsweringComponents, 'onFailed'> {
  /** Rates, what was gone by, and terms. */
  readonly tables: readonly Pick<Table<unknown>, 'topic' | 'currentAt'>[];
  readonly ensureIndexes: () => Promise<void>;
}

type Runtime = Pick<HostRuntime, 'metrics' | 'logger' | 'controls'>;

export function quotesHost(parts: QuotesHostComponents, runtime: Runtime): Host {
  const { metrics, logger } = runtime;
  const work = new Answering(parts, runtime);
  async function loop(stopping: AbortSignal): Promise<void> {
    while (!stopping.aborted) {
      let restMs = AFTER_FAULT_MS;
      try {
        restMs = await work.look();
      } catch (error) {
        work.waits();
        const { code, detail } = faultOf(error);
        metrics.faults.inc({ consumer: PART, code });
        logger.warn({ stage: PART, code, detail }, 'quotes were not answered');
      }
      if (restMs > 0) await systemClock.sleep(restMs, stopping);
    }
  }
  return loopingHost({
    name: PART,
    troubles: () => work.troubles(),
    loop,
  });
}

class Answering {
  readonly #parts: QuotesHostComponents;
  readonly #runtime: Runtime;
  #isIndexed = false;
  /** Since when requests may wait: that of the oldest, or when answering first failed. Undefined: none does. */
  #waitingSince: number | undefined;
  /** Of the last look: a request that is found a second time has waited. */
  #oldestBefore: string | undefined;

  constructor(parts: QuotesHostComponents, runtime: Runtime) {
    this.#parts = parts;
    this.#runtime = runtime;
  }

  /** Nothing is answered from now on. */
  waits(): void {
    this.#waitingSince ??= this.#parts.clock();
  }

  /** Answers what is there. @returns how long to rest before the next look, ms */
  async look(): Promise<number> {
    // Who has lost the log prices by rates and terms of then, which nothing would tell: transfers need the log to be priced.
    if (this.#pause() !== undefined || this.#unread() !== undefined) {
      this.waits();
      return EVERY_MS;
    }
    await this.#index();
    const onFailed = (requestId: string, error: unknown) => this.#refused(requestId, error);
    const { count, oldest } = await answerQuotes({ ...this.#parts, onFailed }, MAX_REQUESTS);
    const hasWaited = count >= MAX_REQUESTS || oldest?.requestId === this.#oldestBefore;
    this.#waitingSince = hasWaited ? oldest?.askedAt : undefined;
    this.#oldestBefore = oldest?.requestId;
    return count < MAX_REQUESTS ? EVERY_MS : 0;
  }

  troubles(): readonly DependencyTrouble[] {
    const now = this.#parts.clock();
    const since = this.#waitingSince ?? now;
    const waitedMs = Math.max(0, now - since);
    this.#runtime.metrics.quotesOldestUnanswered.set(waitedMs / 1_000);
    const trouble = (code: ErrorCode, detail: string) => {
      const where = { topic: QUOTES_PLACE, partition: 0, lastMetAt: performance.now() };
      return [{ dependency: 'quotes', code, detail, since, ...where }];
    };
    const pause = this.#pause();
    if (pause) return trouble(pause.code, `no quotes are given: ${pause.detail}`);
    if (waitedMs < LATE_MS) return [];
    const topic = this.#unread();
    const why = topic === undefined ? '' : `; nobody knows whether ${topic} is read to its end`;
    const late = `requests for quotes are not answered since ${Math.round(waitedMs / 1_000)} s`;
    return trouble('QUOTES_LATE', `${late}; after a minute they are refused${why}`);
  }

  #pause() {
    return this.#runtime.controls?.processorPause(STAGE);
  }

  /** A topic of which more may be there than this process knows. */
  #unread(): string | undefined {
    return this.#parts.tables.find((table) => !isCurrent(table))?.topic;
  }

  #refused(requestId: string, error: unknown): void {
    const { metrics, logger } = this.#runtime;
    const why = error === undefined ? 'what is kept is no request' : faultOf(error).detail;
    metrics.quotesRefusedUnread.inc();
    const detail = `${safeText(String(requestId), 64)}: ${why}`;
    logger.error({ stage: PART, code: 'QUOTE_UNREADABLE', detail }, 'a request for a quote was refused unread');
  }

  /** Answers are found without an index too, only slowly: who may not make it is told, and answers. */
  async #index(): Promise<void> {
    if (this.#isIndexed) return;
    try {
      await this.#parts.ensureIndexes();
    } catch (error) {
      if (isOutage(error)) throw error;
      const { metrics, logger } = this.#runtime;
      const { code, detail } = faultOf(error);
      metrics.faults.inc({ consumer: PART, code });
      logger.error({ stage: PART, code, detail }, 'the indexes of quotes could not be made');
    }
    this.#isIndexed = true;
  }
}

/** Whether the log has said of late that the table holds all there is. */
const isCurrent = (table: Pick<Table<unknown>, 'currentAt'>): boolean =>
  performance.now() - (table.currentAt() ?? Number.NEGATIVE_INFINITY) < CURRENT_MS;
