// The executor's surroundings in memory, for tests: a store that guards as MongoDB does, a clock that is moved by hand, and
// a provider that keeps the contract but for duplicate protection, which it does not have.

import type {
  CancelResult,
  Observation,
  Payout,
  PayoutInstruction,
  QueryResult,
  SubmitResult,
} from '../../../payouts/payout.ts';
import type { OutcomeOutbox, PayoutStore, PollTimer, ProviderClient, RequestCodec } from '../../../payouts/ports.ts';
import { dependencyDown } from '../../../ports/fault.ts';
import type { PayoutRequested } from '../../../schemas/types.generated.ts';

export class MemoryStore implements PayoutStore {
  readonly payouts = new Map<string, Payout>();
  writes = 0;
  /** Every write fails while this is set. */
  down = false;
  /** Ids of payouts that somebody else has changed: they are there, and not given out. */
  readonly forged = new Set<string>();

  async insert(payouts: readonly Payout[]): Promise<readonly boolean[]> {
    await this.#trip();
    return payouts.map((payout) => {
      if (this.payouts.has(payout.payoutId)) return false;
      this.payouts.set(payout.payoutId, payout);
      return true;
    });
  }

  async apply(changes: readonly { from: number; next: Payout }[]): Promise<readonly boolean[]> {
    await this.#trip();
    return changes.map(({ from, next }) => {
      if (this.payouts.get(next.payoutId)?.revision !== from) return false;
      this.payouts.set(next.payoutId, next);
      return true;
    });
  }

  async load(payoutIds: readonly string[]): Promise<readonly Payout[]> {
    await this.#trip();
    return payoutIds.flatMap((id) => (this.forged.has(id) ? [] : (this.payouts.get(id) ?? [])));
  }

  /** Clock of the store, when it is not to agree with that of the test. */
  clock: () => number = () => Number.MAX_SAFE_INTEGER;

  async now(): Promise<number> {
    await this.#trip();
    return this.clock();
  }

  async overdue(
    before: number,
    limit: number,
    { provider, withNew }: { provider: string; withNew: boolean },
  ): Promise<readonly string[]> {
    return [...this.payouts.values()]
      .filter((payout) => payout.provider === provider)
      .filter(({ nextPollAt, phase }) => nextPollAt !== null && nextPollAt <= before && (withNew || phase !== 'NEW'))
      .slice(0, limit)
      .map(({ payoutId }) => payoutId);
  }

  async countOfOthers(before: number, limit: number, provider: string): Promise<number> {
    const due = ({ nextPollAt }: Payout) => nextPollAt !== null && nextPollAt <= before;
    const others = [...this.payouts.values()].filter((payout) => payout.provider !== provider && due(payout));
    return Math.min(limit, others.length);
  }

  async #trip(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    if (this.down) throw dependencyDown('mongo', 'MONGO_UNAVAILABLE', 'down');
    this.writes++;
  }
}

export class ManualClock {
  #at = 1_800_000_000_000;
  now = () => this.#at;
  monotonic = () => this.#at;
  #sleepers: { readonly until: number; readonly wake: () => void }[] = [];
  sleep = (ms: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      this.#sleepers.push({ until: this.#at + ms, wake: resolve });
      signal.addEventListener('abort', () => resolve());
    });
  pass(ms: number): void {
    this.#at += ms;
    for (const { until, wake } of this.#sleepers) if (until <= this.#at) wake();
    this.#sleepers = this.#sleepers.filter(({ until }) => until > this.#at);
  }
}

interface Key {
  state: Observation['state'] | undefined;
  closed: boolean;
  executions: number;
  submits: number;
  expiresAt: number;
}

/** Pays at once what it accepts, unless told otherwise. */
export class MemoryProvider implements ProviderClient {
  readonly name: string;
  readonly keys = new Map<string, Key>();
  readonly #now: () => number;
  isReady = true;
  /** What the next calls meet; `timeout-*` are answered by silence, before or after it takes effect. */
  submitFault: 'none' | 'timeout-before' | 'timeout-after' | 'not-sent' = 'none';
  askFault: 'none' | 'timeout' = 'none';
  /** What becomes of an accepted payout. */
  settles: Observation['state'] = 'PAID';
  calls: string[] = [];

  constructor(now: () => number, name = 'memory') {
    this.#now = now;
    this.name = name;
  }

  ready = () => this.isReady;

  async submit(instruction: PayoutInstruction, mayStart: () => boolean): Promise<SubmitResult> {
    await new Promise((resolve) => setImmediate(resolve));
    if (this.submitFault === 'not-sent' || !mayStart())
      return { kind: 'not-sent', code: 'TOO_LATE_TO_SEND', detail: '' };
    this.calls.push(`submit ${instruction.key}`);
    if (this.submitFault === 'timeout-before') return { kind: 'unknown', code: 'TIMEOUT', detail: '' };
    const key = this.#key(instruction.key);
    key.submits++;
    if (key.closed) return seen('CANCELLED');
    if (this.#now() >= instruction.expiresAt) return seen('EXPIRED');
    key.state = this.settles;
    key.expiresAt = instruction.expiresAt;
    if (key.state === 'PAID') key.executions++;
    if (this.submitFault === 'timeout-after') return { kind: 'unknown', code: 'TIMEOUT', detail: '' };
    return seen(key.state);
  }

  async query(id: string): Promise<QueryResult> {
    this.calls.push(`query ${id}`);
    if (this.askFault === 'timeout') return { kind: 'no-answer', code: 'TIMEOUT', detail: '' };
    const { state } = this.#key(id);
    return state === undefined ? { kind: 'not-found', asOf: this.#now() } : seen(state);
  }

  async cancel(id: string): Promise<CancelResult> {
    this.calls.push(`cancel ${id}`);
    if (this.askFault === 'timeout') return { kind: 'no-answer', code: 'TIMEOUT', detail: '' };
    const key = this.#key(id);
    if (key.executions > 0) return { kind: 'too-late' };
    key.closed = true;
    key.state ??= 'CANCELLED';
    if (key.state === 'ACCEPTED') key.state = 'CANCELLED';
    return seen(key.state);
  }

  /** What was accepted is paid. */
  pays(id: string): void {
    const key = this.#key(id);
    key.state = 'PAID';
    key.executions++;
  }

  executionsOf(transferId: string): number {
    const own = [...this.keys].filter(([key]) => key.startsWith(`${transferId}:`));
    return own.reduce((sum, [, { executions }]) => sum + executions, 0);
  }

  #key(id: string): Key {
    const known = this.keys.get(id);
    if (known) return known;
    const key = { state: undefined, closed: false, executions: 0, submits: 0, expiresAt: Number.POSITIVE_INFINITY };
    this.keys.set(id, key);
    return key;
  }
}

const seen = (state: Observation['state']): Observation => ({
  kind: 'observed',
  state,
  reference: null,
  reasonCode: null,
});

/** A timer that forgets everything: only the sweeper wakes payouts up. */
export const forgetfulTimer: PollTimer = {
  schedule: () => Promise.reject(dependencyDown('redis-queue', 'REDIS_QUEUE_UNAVAILABLE', 'down')),
  start: async () => {},
  stop: async () => {},
};

/** Keeps events by reference instead of encoding them. */
export function memoryCodec(): RequestCodec {
  const values: PayoutRequested[] = [];
  return {
    encode: (value) => {
      values.push(value);
      return new Uint8Array(new Uint32Array([values.length - 1]).buffer);
    },
    keep: (_, value) => {
      values.push(value);
      return new Uint8Array(new Uint32Array([values.length - 1]).buffer);
    },
    decode: async (all) => all.map((bytes) => values[new Uint32Array(bytes.slice().buffer)[0]!]!),
  };
}

export class MemoryOutbox implements OutcomeOutbox {
  readonly offered: Payout[] = [];
  offer(payouts: readonly Payout[]): void {
    this.offered.push(...payouts);
  }
}
