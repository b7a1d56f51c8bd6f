// A provider that keeps its contract and nothing more, workers that crash, stop and wake up, a clock that runs: whatever
// happens in whatever order, no transfer is paid twice, and each comes to an end.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { closeCase } from '../operations/cases/payouts/decide.ts';
import { times } from '../test/kit/times.ts';
import {
  afterCancel,
  afterQuery,
  afterSubmit,
  beginAttempt,
  expire,
  giveUp,
  giveUpLease,
  nextStep,
  openPayout,
  sendBefore,
  supersede,
} from './decide.ts';
import { brokenInvariant } from './invariants.ts';
import type { CancelResult, Observation, Payout, QueryResult, SubmitResult } from './payout.ts';
import { DEFAULT_PAYOUT_POLICY, type PayoutPolicy } from './policy.ts';

const POLICY: PayoutPolicy = { ...DEFAULT_PAYOUT_POLICY, attemptTtlMs: 60_000, returnPollsMs: [1_000] };
const PRICE_MS = 90_000;

type ProviderState = Observation['state'];

/** What the provider has under one key. Without duplicate protection: every submit it takes executes. */
interface Key {
  state: ProviderState | undefined;
  closed: boolean;
  executions: number;
  expiresAt: number;
  visibleAt: number;
  settlesAt: number;
  outcome: 'pay' | 'fail' | 'stall';
}

class Provider {
  readonly keys = new Map<string, Key>();
  submits = new Map<string, number>();

  key(key: string): Key {
    let found = this.keys.get(key);
    if (!found) {
      found = {
        state: undefined,
        closed: false,
        executions: 0,
        expiresAt: Number.POSITIVE_INFINITY,
        visibleAt: 0,
        settlesAt: 0,
        outcome: 'pay',
      };
      this.keys.set(key, found);
    }
    return found;
  }

  settle(key: Key, now: number): void {
    if (key.state !== 'ACCEPTED') return;
    if (now >= key.settlesAt && key.settlesAt < key.expiresAt && key.outcome !== 'stall') {
      key.state = key.outcome === 'pay' ? 'PAID' : 'FAILED';
      if (key.outcome === 'pay') key.executions++;
    } else if (now >= key.expiresAt) key.state = 'EXPIRED';
    if (key.state !== 'ACCEPTED') key.closed = true;
  }

  /** A submit arrives. */
  submit(
    id: string,
    now: number,
    expiresAt: number,
    how: Pick<Key, 'outcome'> & { delay: number; lag: number },
  ): Observation {
    const key = this.key(id);
    this.settle(key, now);
    this.submits.set(id, (this.submits.get(id) ?? 0) + 1);
    if (key.closed) return seen(key.state === 'CANCELLED' || key.state === undefined ? 'CANCELLED' : key.state);
    if (now >= expiresAt) {
      key.closed = true;
      key.state ??= 'EXPIRED';
      return seen(key.state);
    }
    key.state = 'ACCEPTED';
    key.expiresAt = Math.min(key.expiresAt, expiresAt);
    key.visibleAt = now + how.lag;
    key.settlesAt = now + how.delay;
    key.outcome = how.outcome;
    this.settle(key, now);
    return seen(key.state);
  }

  /** @param ahead how wrong the clock is that it tells; what it enforces, it enforces in time */
  query(id: string, now: number, ahead = 0): QueryResult {
    const key = this.key(id);
    this.settle(key, now);
    const asOf = now + ahead;
    if (key.state === undefined || key.visibleAt > now) return { kind: 'not-found', asOf };
    return { ...seen(key.state), asOf };
  }

  cancel(id: string, now: number): CancelResult {
    const key = this.key(id);
    this.settle(key, now);
    if (key.state === 'PAID') return { kind: 'too-late' };
    if (!key.closed) key.state = 'CANCELLED';
    key.closed = true;
    return seen(key.state ?? 'CANCELLED');
  }

  get executions(): number {
    return [...this.keys.values()].reduce((sum, { executions }) => sum + executions, 0);
  }
}

const seen = (state: ProviderState): Observation => ({ kind: 'observed', state, reference: null, reasonCode: null });

/** A worker between its compare-and-set and its outcome: what it is about to do, and what it has learnt. */
interface InFlight {
  readonly payout: Payout;
  readonly key: string;
  readonly sendBefore: number;
  sent: boolean;
  /** Bytes on their way that the provider gets later, whatever the worker does. */
  arrivesAt: number | undefined;
  result: SubmitResult | undefined;
  /** What a query has said since, before anything was stored. */
  asked: ((payout: Payout) => Payout) | undefined;
}

const act = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('tick' as const), ms: fc.integer({ min: 1, max: 30_000 }) }) },
  { weight: 6, arbitrary: fc.record({ type: fc.constant('work' as const) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('send' as const),
      who: fc.nat(3),
      /** Past its lease, and too late to look: the window between the last check and the write. */
      zombie: fc.boolean(),
      how: fc.constantFrom('answered', 'timeout-before', 'timeout-after', 'late', 'not-sent'),
      outcome: fc.constantFrom('pay' as const, 'fail' as const, 'stall' as const),
      delay: fc.constantFrom(0, 500, 20_000),
      lag: fc.constantFrom(0, 4_999),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant('report' as const),
      who: fc.nat(3),
      /** Asks before it stores what the submit has said: one write for both, or none. */
      asks: fc.constantFrom(undefined, 'answered' as const, 'timeout-before' as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('crash' as const), who: fc.nat(3) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('ask' as const),
      how: fc.constantFrom('answered', 'timeout-before', 'timeout-after'),
      crash: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('requote' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('clock' as const),
      /** The clock that the provider tells, that of the workers, or both: it jumps. */
      whose: fc.constantFrom('provider' as const, 'ours' as const, 'both' as const),
      aheadMs: fc.constantFrom(0, 20_000, 80_000, -80_000, 19_800_000, -19_800_000, Number.NaN),
    }),
  },
);
type Act = typeof act extends fc.Arbitrary<infer A> ? A : never;

class World {
  /** True time, which the provider enforces and the store's clock tells. */
  now = 100_000_000;
  /** How wrong the clock is that the provider tells, and ours. */
  theirAhead = 0;
  ourAhead = 0;
  readonly policy: PayoutPolicy;
  stored: Payout;
  readonly provider = new Provider();
  readonly flights: InFlight[] = [];

  constructor(policy: PayoutPolicy = POLICY) {
    this.policy = policy;
    this.stored = openPayout(this.#request(1), this.now);
  }

  /** What our clock says. */
  get at(): number {
    return this.now + this.ourAhead;
  }

  #request(pricingAttempt: number) {
    const priceExpiresAt = this.at + PRICE_MS;
    return {
      payoutId: 't-1',
      provider: 'p',
      homePartition: 0,
      pricingAttempt,
      priceExpiresAt,
      requested: new Uint8Array(),
    };
  }

  /** Compare-and-set. */
  write(from: Payout, next: Payout): boolean {
    if (next === from || this.stored.revision !== from.revision) return false;
    this.stored = next;
    return true;
  }

  run(one: Act): void {
    if (one.type === 'tick') this.now += one.ms;
    if (one.type === 'work') this.work();
    if (one.type === 'send') this.send(one);
    if (one.type === 'report') this.report(one.who, one.asks);
    if (one.type === 'crash' && this.flights.length > 0) {
      const flight = this.flights[one.who % this.flights.length]!;
      // What is on its way stays on its way.
      if (flight.arrivesAt === undefined) this.flights.splice(this.flights.indexOf(flight), 1);
      else flight.result = undefined;
    }
    if (one.type === 'ask') this.ask(one.how, one.crash);
    if (one.type === 'clock') {
      // What our own clock is never, is no number.
      if (one.whose !== 'provider') this.ourAhead = Number.isNaN(one.aheadMs) ? 0 : one.aheadMs;
      if (one.whose !== 'ours') this.theirAhead = one.aheadMs;
    }
    if (one.type === 'requote' && this.stored.phase === 'EXPIRED') {
      const payout = this.stored;
      this.write(payout, supersede(payout, this.#request(payout.pricingAttempt + 1), this.at));
    }
    this.arrivals();
  }

  /** What one worker does that needs no provider. */
  work(): void {
    const payout = this.stored;
    const step = nextStep(payout, this.at, this.policy);
    if (step === 'give-up') this.write(payout, giveUp(payout, this.at));
    if (step === 'expire') this.write(payout, expire(payout, this.at));
    if (step === 'give-up-lease') this.write(payout, giveUpLease(payout, this.at));
    if (step !== 'submit') return;
    const next = beginAttempt(payout, this.at, this.policy);
    if (!this.write(payout, next) || next.phase !== 'SUBMITTING') return;
    const attempt = next.attempts.at(-1)!;
    this.flights.push({
      payout: next,
      key: attempt.key,
      sendBefore: sendBefore(attempt),
      sent: false,
      arrivesAt: undefined,
      result: undefined,
      asked: undefined,
    });
  }

  send(one: Extract<Act, { type: 'send' }>): void {
    const flight = this.flights[one.who % Math.max(1, this.flights.length)];
    if (!flight || flight.sent) return;
    flight.sent = true;
    if ((this.at >= flight.sendBefore && !one.zombie) || one.how === 'not-sent') {
      flight.result = { kind: 'not-sent', code: 'TIMEOUT', detail: '' };
      return;
    }
    const expiresAt = flight.payout.attempts.at(-1)!.expiresAt;
    if (one.how === 'late') flight.arrivesAt = this.now + 25_000;
    if (one.how === 'answered' || one.how === 'timeout-after') {
      const answer = this.provider.submit(flight.key, this.now, expiresAt, one);
      if (one.how === 'answered') flight.result = answer;
    }
    flight.result ??= { kind: 'unknown', code: 'TIMEOUT', detail: '' };
  }

  arrivals(): void {
    for (const flight of this.flights) {
      if (flight.arrivesAt === undefined || flight.arrivesAt > this.now) continue;
      flight.arrivesAt = undefined;
      const expiresAt = flight.payout.attempts.at(-1)!.expiresAt;
      this.provider.submit(flight.key, this.now, expiresAt, { outcome: 'pay', delay: 0, lag: 0 });
    }
  }

  /** Stores what the submit has said; or asks first about what was accepted, so that the next report stores both. */
  report(who: number, asks?: 'answered' | 'timeout-before'): void {
    const flight = this.flights[who % Math.max(1, this.flights.length)];
    if (!flight?.result) return;
    const { result, key, asked } = flight;
    const sent = (payout: Payout) => afterSubmit(payout, { key, result, at: this.at }, this.policy);
    if (asks && !asked && sent(flight.payout).phase === 'ACCEPTED') {
      const { at, now } = this;
      const silence = { kind: 'no-answer', code: 'TIMEOUT', detail: '' } as const;
      const answer = asks === 'answered' ? this.provider.query(key, now, this.theirAhead) : silence;
      flight.asked = (payout) => afterQuery(payout, { key, result: answer, at, earliest: now }, this.policy);
      return;
    }
    const decide = (payout: Payout) => (asked ? asked(sent(payout)) : sent(payout));
    if (!this.write(flight.payout, decide(flight.payout))) this.write(this.stored, decide(this.stored));
    flight.result = undefined;
    if (flight.arrivesAt === undefined) this.flights.splice(this.flights.indexOf(flight), 1);
  }

  ask(how: 'answered' | 'timeout-before' | 'timeout-after', crash: boolean): void {
    const payout = this.stored;
    const step = nextStep(payout, this.at, this.policy);
    const key = payout.attempts.at(-1)?.key;
    if (key === undefined || (step !== 'query' && step !== 'cancel')) return;
    const silence = { kind: 'no-answer', code: 'TIMEOUT', detail: '' } as const;
    if (step === 'query') {
      const result = how === 'answered' ? this.provider.query(key, this.now, this.theirAhead) : silence;
      if (!crash) this.write(payout, afterQuery(payout, { key, result, at: this.at, earliest: this.now }, this.policy));
      return;
    }
    const answer = how === 'timeout-before' ? silence : this.provider.cancel(key, this.now);
    const result = how === 'answered' ? answer : silence;
    if (!crash) this.write(payout, afterCancel(payout, { key, result, at: this.at }, this.policy));
  }

  /** A person closes what a person has to close. */
  #closeCases(): void {
    const payout = this.stored;
    const index = payout.cases.findIndex(({ code, closedAt }) => code === 'ATTEMPTS_DIED' && closedAt === null);
    if (index < 0) return;
    this.write(payout, closeCase(payout, { number: index + 1, by: 'a', reason: 'r' }, this.at));
  }

  /** Faults are over: time goes on and everything is answered. */
  drain(): void {
    this.ourAhead = 0;
    this.theirAhead = 0;
    // Our clock may have been hours ahead when it said when to look again.
    for (let i = 0; i < 30_000; i++) {
      this.arrivals();
      const ended = ['FAILED', 'RETURNED', 'EXPIRED'].includes(this.stored.phase);
      if (ended || (this.stored.phase === 'PAID' && this.stored.nextPollAt === null)) return;
      this.#closeCases();
      this.work();
      this.ask('answered', false);
      for (const [who] of this.flights.entries()) {
        const outcome = { outcome: 'pay', delay: 0, lag: 0, how: 'answered', zombie: false } as const;
        this.send({ type: 'send', who, ...outcome });
        this.report(who);
      }
      this.now += 1_000;
    }
  }
}

const TOLERATED: readonly string[] = ['NO_PROOF', 'PROVIDER_CLOCK', 'ATTEMPTS_DIED'];

function checkAlways(world: World): void {
  const { stored, provider } = world;
  expect(provider.executions).toBeLessThanOrEqual(1);
  for (const [, count] of provider.submits) expect(count).toBe(1);
  expect(brokenInvariant(stored)).toBeUndefined();
  expect(stored.cases.filter(({ code }) => !TOLERATED.includes(code))).toEqual([]);
  const dead = stored.attempts.filter(({ end }) => end && end.how !== 'paid' && end.how !== 'not-sent');
  expect(dead.length).toBeLessThanOrEqual(world.policy.maxDeadAttempts);
}

describe('payout state machine', () => {
  it('never pays twice and always ends, whatever provider, network and workers do', { timeout: 120_000 }, () => {
    const reached = { paid: 0, expired: 0, failed: 0, several: 0 };
    fc.assert(
      fc.property(fc.array(act, { minLength: 5, maxLength: 120 }), (acts) => {
        const world = new World();
        for (const one of acts) {
          world.run(one);
          checkAlways(world);
        }
        world.drain();
        // What is still on its way arrives after the end.
        world.now += 10 * PRICE_MS;
        world.arrivals();
        checkAlways(world);
        const { phase } = world.stored;
        expect(['PAID', 'FAILED', 'EXPIRED', 'RETURNED']).toContain(phase);
        expect(world.provider.executions).toBe(phase === 'PAID' || phase === 'RETURNED' ? 1 : 0);
        if (phase === 'PAID') reached.paid++;
        if (phase === 'EXPIRED') reached.expired++;
        if (phase === 'FAILED') reached.failed++;
        if (world.stored.lastAttempt > 1) reached.several++;
      }),
      { numRuns: times(10_000) },
    );
    // The search went where it matters.
    for (const count of Object.values(reached)) expect(count).toBeGreaterThan(50);
  });

  // Fewer things happen than above, those among which a wrong clock of the provider is dangerous.
  const clockActs = fc.array(
    fc.constantFrom<Act>(
      { type: 'clock', whose: 'provider', aheadMs: 19_800_000 },
      { type: 'tick', ms: 1_000 },
      { type: 'tick', ms: 21_000 },
      { type: 'work' },
      { type: 'send', who: 0, zombie: false, how: 'late', outcome: 'pay', delay: 0, lag: 0 },
      { type: 'send', who: 0, zombie: false, how: 'timeout-after', outcome: 'pay', delay: 0, lag: 4_999 },
      { type: 'send', who: 1, zombie: false, how: 'answered', outcome: 'pay', delay: 0, lag: 0 },
      { type: 'report', who: 0, asks: undefined },
      { type: 'ask', how: 'answered', crash: false },
    ),
    { minLength: 10, maxLength: 40 },
  );
  const paysOnceAtMost = (policy: PayoutPolicy) =>
    fc.check(
      fc.property(clockActs, (acts) => {
        const world = new World(policy);
        for (const one of acts) world.run(one);
        return world.provider.executions <= 1;
      }),
      { numRuns: times(10_000) },
    );

  it('a clock of the provider that is hours ahead makes nobody pay twice', { timeout: 120_000 }, () => {
    expect(paysOnceAtMost(POLICY).failed).toBe(false);
  });

  it('negative control: without our own clock it does', { timeout: 120_000 }, () => {
    expect(paysOnceAtMost({ ...POLICY, unsafe: { noOwnClock: true } }).failed).toBe(true);
  });
});
