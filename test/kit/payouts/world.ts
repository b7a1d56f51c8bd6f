// Payout executors in memory, over one store: as many as a test wants, of as many providers as it names.
import { setImmediate as turn } from 'node:timers/promises';
import { DEFAULT_EXECUTOR_CONFIG, type PayoutExecutorConfig } from '../../../payouts/config.ts';
import type { PayoutExecutorDependencies } from '../../../payouts/dependencies.ts';
import { createPayoutExecutor, type PayoutExecutor } from '../../../payouts/executor.ts';
import type { Payout } from '../../../payouts/payout.ts';
import { DEFAULT_PAYOUT_POLICY } from '../../../payouts/policy.ts';
import type { PayoutEvent } from '../../../payouts/ports.ts';
import { forgetfulTimer, ManualClock, MemoryOutbox, MemoryProvider, MemoryStore, memoryCodec } from './memory.ts';
import { payoutRequestedFor, received } from './requested.ts';

/** Nobody asks whether a payment came back. */
export const QUIET_CONFIG: PayoutExecutorConfig = {
  ...DEFAULT_EXECUTOR_CONFIG,
  policy: { ...DEFAULT_PAYOUT_POLICY, returnPollsMs: [] },
};

export interface PayoutWorldOptions {
  readonly config?: PayoutExecutorConfig;
  readonly clock?: ManualClock;
  /** How long prices are good for, ms. */
  readonly priceMs?: number;
  /** A provider for each name; two of one name are two providers all the same. */
  readonly providers?: readonly string[];
  /** Turns of the event loop after which everything that needs no timer has come to rest. */
  readonly turns?: number;
}

export class PayoutWorld {
  readonly clock: ManualClock;
  readonly store = new MemoryStore();
  readonly outbox = new MemoryOutbox();
  readonly codec = memoryCodec();
  readonly events: PayoutEvent[] = [];
  readonly providers: readonly MemoryProvider[];
  readonly config: PayoutExecutorConfig;
  readonly #priceMs: number;
  readonly #turns: number;

  constructor(options: PayoutWorldOptions = {}) {
    const { config = QUIET_CONFIG, priceMs = 600_000, providers = ['memory'], turns = 60 } = options;
    this.config = config;
    this.clock = options.clock ?? new ManualClock();
    this.providers = providers.map((name) => new MemoryProvider(this.clock.now, name));
    this.#priceMs = priceMs;
    this.#turns = turns;
  }

  /** The first one. */
  get provider(): MemoryProvider {
    return this.providers[0]!;
  }

  readonly worker = (more: Partial<PayoutExecutorDependencies> = {}): PayoutExecutor => {
    const { config, store: payouts, provider, outbox, codec, clock, events } = this;
    const onEvent = (event: PayoutEvent) => void events.push(event);
    const timer = forgetfulTimer;
    return createPayoutExecutor({ config, payouts, provider, timer, outbox, codec, clock, onEvent, ...more });
  };

  readonly request = (transferId: string, attempt = 1) => {
    const now = this.clock.now();
    return received(payoutRequestedFor({ transferId, attempt, now, expiresAt: now + this.#priceMs }));
  };

  readonly phase = (transferId: string) => this.store.payouts.get(transferId)?.phase;

  /** Lets everything that needs no timer come to rest. */
  readonly rest = async (): Promise<void> => {
    for (let i = 0; i < this.#turns; i++) await turn();
  };

  /** Every state that is stored from now on, which is what a database can put back. */
  recordStates(): readonly Payout[] {
    const states: Payout[] = [];
    const { store } = this;
    const { insert, apply } = store;
    store.insert = async (payouts) => {
      const won = await insert.call(store, payouts);
      states.push(...payouts.filter((_, index) => won[index]));
      return won;
    };
    store.apply = async (changes) => {
      const won = await apply.call(store, changes);
      states.push(...changes.flatMap(({ next }, index) => (won[index] ? [next] : [])));
      return won;
    };
    return states;
  }
}
