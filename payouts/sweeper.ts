// The sweeper finds payouts that are overdue, when the timer did not, and counts those that nobody here may touch.
import { dependencyDown } from '../ports/fault.ts';
import type { ExecutorContext, PayoutExecutorDependencies } from './dependencies.ts';
import type { Flights, Sight } from './flights.ts';

const SWEPT_AGAIN_MS = 10_000;
/** How long the sweeper passes over a payout that is not as the executor wrote it, and over how many at once, at most. */
const REFUSED_FOR_MS = 60_000;
const MAX_REFUSED = 5_000;
/** How often payouts of other providers are counted, ms, and to how many at most. */
const OTHERS_COUNTED_MS = 10_000;
const MAX_OTHERS_COUNTED = 1_000;

/** What was handed to the timer did not come back in time: it takes jobs, and nobody works them. */
const timerSilent = () =>
  dependencyDown(
    'redis-queue',
    'REDIS_QUEUE_UNAVAILABLE',
    'it takes jobs and gives none back; payouts go on without it',
  );

type SweptFlights = Pick<Flights, 'canBegin' | 'isBusy' | 'takeUp'>;

export class Sweeper {
  readonly #deps: PayoutExecutorDependencies;
  readonly #context: ExecutorContext;
  readonly #flights: SweptFlights;
  /** When a payout was last handed to the timer, so that a slow queue does not fill with the same ones. */
  readonly #swept = new Map<string, number>();
  /** Payouts that the store does not give out, the longest refused first, and until when (monotonic ms) they are passed over. */
  readonly #refused = new Map<string, number>();
  #othersCountAt = Number.NEGATIVE_INFINITY;
  #timeout: NodeJS.Timeout | undefined;

  constructor(deps: PayoutExecutorDependencies, context: ExecutorContext, flights: SweptFlights) {
    this.#deps = deps;
    this.#context = context;
    this.#flights = flights;
  }

  start(): void {
    if (this.#context.ending.aborted) return;
    const { sweepEveryMs } = this.#deps.config;
    this.#timeout = setTimeout(() => this.#context.background.run(this.#round()), sweepEveryMs);
  }

  stop(): void {
    clearTimeout(this.#timeout);
  }

  /** Somebody here took it up: it may be swept again. */
  takenUp(payoutId: string, sight: Sight): void {
    if (sight === 'missing' && this.#swept.has(payoutId)) this.#refuse(payoutId);
    this.#swept.delete(payoutId);
  }

  async #round(): Promise<void> {
    await this.#sweep()
      .finally(() => this.#countOfOthers())
      .finally(() => this.start());
  }

  /** The sweeper found it, and the store does not give it out. */
  #refuse(payoutId: string): void {
    this.#refused.delete(payoutId);
    this.#refused.set(payoutId, this.#deps.clock.monotonic() + REFUSED_FOR_MS);
    if (this.#refused.size > MAX_REFUSED) this.#refused.delete(this.#refused.keys().next().value!);
  }

  async #sweep(): Promise<void> {
    const { clock, config, payouts, provider, timer } = this.#deps;
    const now = clock.now();
    for (const [id, until] of this.#refused) if (until <= clock.monotonic()) this.#refused.delete(id);
    // The refused may well be the longest overdue: as many more are asked for, so that they never hide the rest.
    const page = config.sweepPage + this.#refused.size;
    const overdue = await payouts.overdue(now - config.overdueMs, page, {
      provider: provider.name,
      withNew: this.#flights.canBegin,
    });
    const silent = this.#sweptBefore(now - SWEPT_AGAIN_MS);
    const mine = overdue.filter((id) => !this.#flights.isBusy(id) && !this.#swept.has(id) && !this.#refused.has(id));
    if (mine.length === 0) return;
    for (const id of mine) this.#swept.set(id, now);
    this.#context.reports.emit({ kind: 'swept', count: mine.length });
    try {
      if (mine.some((id) => silent.has(id))) throw timerSilent();
      await timer.schedule(mine.map((payoutId) => ({ payoutId, dueAt: now })));
    } catch (error) {
      this.#context.reports.fault(error);
      // Without the timer, this process takes them itself.
      await this.#flights.takeUp(mine);
    }
  }

  /** Those that the timer was given before this time and has not given back; they are swept again. */
  #sweptBefore(time: number): ReadonlySet<string> {
    const silent = new Set<string>();
    for (const [id, at] of this.#swept) {
      if (at >= time) continue;
      this.#swept.delete(id);
      silent.add(id);
    }
    return silent;
  }

  /** Nobody here looks at payouts of other providers; so that somebody does, they are counted. */
  async #countOfOthers(): Promise<void> {
    const { clock, config, payouts, provider } = this.#deps;
    if (clock.monotonic() < this.#othersCountAt) return;
    this.#othersCountAt = clock.monotonic() + OTHERS_COUNTED_MS;
    const count = await payouts.countOfOthers(clock.now() - config.overdueMs, MAX_OTHERS_COUNTED, provider.name);
    this.#context.reports.emit({ kind: 'of-other-provider', count });
  }
}
