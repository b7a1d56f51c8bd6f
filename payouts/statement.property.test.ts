// A payout that its provider says nothing of, settled by what the provider states in writing: whatever it says afterwards, how
// late, in which order and by which call, nothing begins any more, settlement hears one end, and what contradicts the statement
// is a case. Where the statement is true, nobody is paid twice, also when the database is put back to before it.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { closeCase } from '../operations/cases/payouts/decide.ts';
import { times } from '../test/kit/times.ts';
import { isBehind, isToBeStopped, STOPPED } from './attempt-ledger.ts';
import {
  after,
  beginAttempt,
  expire,
  giveUp,
  giveUpLease,
  type Learnt,
  nextStep,
  openPayout,
  supersede,
} from './decide.ts';
import { brokenInvariant } from './invariants.ts';
import type { Observation, Payout, ProviderStatement } from './payout.ts';
import { DEFAULT_PAYOUT_POLICY, type PayoutPolicy } from './policy.ts';
import { dueNow } from './polling.ts';
import { stopRolledBack } from './put-back.ts';
import { statementOf } from './statement.ts';

const POLICY: PayoutPolicy = { ...DEFAULT_PAYOUT_POLICY, attemptTtlMs: 60_000, returnPollsMs: [1_000, 60_000] };
const T0 = Date.UTC(2026, 10, 30, 12);
const KEY = 't-1:1';
const STATES = ['ACCEPTED', 'PAID', 'RETURNED', 'FAILED', 'REFUSED', 'EXPIRED', 'CANCELLED'] as const;
const SAYS_UNPAID: readonly Observation['state'][] = ['FAILED', 'REFUSED', 'EXPIRED', 'CANCELLED'];
const SAYS_PAID: readonly Observation['state'][] = ['ACCEPTED', 'PAID', 'RETURNED'];

const request = (pricingAttempt: number, priceExpiresAt: number) => ({
  ...{ payoutId: 't-1', provider: 'p', homePartition: 0, pricingAttempt, priceExpiresAt },
  requested: new Uint8Array(),
});
const seen = (state: Observation['state'], differs: boolean): Observation => ({
  ...{ kind: 'observed', state, reference: null, reasonCode: null },
  ...(differs && { differs: ['amount'] }),
});

type Answer =
  | {
      readonly type: 'says';
      readonly state: Observation['state'];
      readonly call: 'submit' | 'query' | 'cancel';
      readonly differs: boolean;
    }
  | { readonly type: 'not-sent' | 'not-claimed' | 'not-found' | 'silence' | 'too-late' };
type Act =
  | Answer
  | { readonly type: 'tick'; readonly ms: number }
  | { readonly type: 'webhook' | 'work' | 'requote' | 'close' | 'put-back' | 'look' };

const answers: fc.Arbitrary<Act> = fc.oneof(
  fc.record({
    type: fc.constant('says' as const),
    state: fc.constantFrom(...STATES),
    call: fc.constantFrom('submit' as const, 'query' as const, 'cancel' as const),
    differs: fc.boolean(),
  }),
  fc.constantFrom<Act>(
    { type: 'not-sent' },
    { type: 'not-claimed' },
    { type: 'not-found' },
    { type: 'silence' },
    { type: 'too-late' },
  ),
);
const others: fc.Arbitrary<Act> = fc.oneof(
  fc.record({ type: fc.constant('tick' as const), ms: fc.constantFrom(1_000, 61_000, 3_600_000, 86_400_000) }),
  fc.constantFrom<Act>({ type: 'webhook' }, { type: 'work' }, { type: 'requote' }, { type: 'close' }, { type: 'look' }),
);

/** A payout whose attempt was sent and is unknown for long; what the provider did with it is `executions`. */
class World {
  now = T0;
  executions: number;
  payout: Payout;
  stopped = false;
  readonly before: Payout;

  constructor(outcome: ProviderStatement['outcome'], isAccepted: boolean, isTrue = true) {
    this.executions = (outcome === 'PAID') === isTrue ? 1 : 0;
    this.payout = beginAttempt(openPayout(request(1, T0 + 90_000), T0), T0, POLICY);
    this.learn({ call: 'submit', key: KEY, result: { kind: 'unknown', code: 'TIMEOUT', detail: '' }, at: this.now });
    if (isAccepted) this.say({ type: 'says', state: 'ACCEPTED', call: 'query', differs: false });
    while (this.payout.cases.length === 0) {
      this.now += 30_000;
      this.learn({ call: 'query', key: KEY, result: { kind: 'no-answer', code: 'TIMEOUT', detail: '' }, at: this.now });
    }
    expect(this.payout.cases.map(({ code }) => code)).toEqual(['NO_PROOF']);
    this.before = this.payout;
    const statement = { outcome, reference: 'L-88', date: '2026-11-30', documentSha256: 'a'.repeat(64) };
    const closing = { number: 1, by: 'amara', agreedBy: 'bela', reason: 'r', statement } as const;
    this.payout = closeCase(this.payout, closing, this.now);
  }

  learn(learnt: Learnt): void {
    this.payout = after(this.payout, learnt, POLICY);
  }

  say(one: Answer): void {
    const at = this.now;
    if (one.type === 'says') this.learn({ call: one.call, key: KEY, result: seen(one.state, one.differs), at });
    else if (one.type === 'not-claimed') this.learn({ call: 'claim', key: KEY, at });
    else if (one.type === 'too-late') this.learn({ call: 'cancel', key: KEY, result: { kind: 'too-late' }, at });
    else if (one.type === 'not-found') {
      this.learn({ call: 'query', key: KEY, result: { kind: 'not-found', asOf: at }, at });
    } else {
      const silence = { code: 'TIMEOUT', detail: '' } as const;
      if (one.type === 'not-sent')
        this.learn({ call: 'submit', key: KEY, result: { kind: 'not-sent', ...silence }, at });
      else this.learn({ call: 'query', key: KEY, result: { kind: 'no-answer', ...silence }, at });
    }
  }

  run(one: Act, knowsLog = true): void {
    const at = this.now;
    switch (one.type) {
      case 'tick':
        this.now += one.ms;
        return;
      case 'webhook':
        this.payout = dueNow(this.payout, at);
        return;
      case 'requote':
        this.payout = supersede(this.payout, request(this.payout.pricingAttempt + 1, at + 90_000), at);
        return;
      case 'put-back':
        this.payout = this.before;
        return;
      case 'close':
        this.#close();
        return;
      case 'look':
        this.#look(knowsLog);
        return;
      case 'work':
        this.#look(knowsLog);
        this.#work();
        return;
      default:
        this.say(one);
    }
  }

  /** Whoever loads it tells the log that it is stopped, and holds it against the log. */
  #look(knowsLog: boolean): void {
    if (!knowsLog) return;
    const claimed = this.stopped ? { attempt: STOPPED, startedAt: 0, at: 0 } : undefined;
    if (isToBeStopped(this.payout, claimed)) this.stopped = true;
    if (claimed && isBehind(this.payout, claimed)) this.payout = stopRolledBack(this.payout, claimed, this.now);
  }

  #work(): void {
    const { payout, now } = this;
    const step = nextStep(payout, now, POLICY);
    if (step === 'give-up') this.payout = giveUp(payout, now);
    if (step === 'expire') this.payout = expire(payout, now);
    if (step === 'give-up-lease') this.payout = giveUpLease(payout, now);
    if (step !== 'submit') return;
    this.payout = beginAttempt(payout, now, POLICY);
    // No duplicate protection: what is sent is paid.
    if (this.payout.phase === 'SUBMITTING') this.executions++;
  }

  #close(): void {
    const index = this.payout.cases.findIndex(({ closedAt }) => closedAt === null);
    if (index < 0) return;
    try {
      this.payout = closeCase(this.payout, { number: index + 1, by: 'amara', agreedBy: 'bela', reason: 'r' }, this.now);
    } catch {
      // Not while it guards the payout.
    }
  }
}

const isOpenCase = ({ cases }: Payout): boolean =>
  cases.some(({ code, closedAt }) => closedAt === null && (code === 'CONTRADICTION' || code === 'ANSWER_DIFFERS'));

/** Whether what was said is not what was stated. */
function contradictsStatement(outcome: ProviderStatement['outcome'], one: Act): boolean {
  if (one.type === 'says') return (outcome === 'PAID' ? SAYS_UNPAID : SAYS_PAID).includes(one.state);
  return outcome === 'PAID' && (one.type === 'not-sent' || one.type === 'not-claimed');
}

const outcomes = fc.constantFrom('PAID' as const, 'UNPAID' as const);

describe('a payout that is settled by the statement of its provider', () => {
  it('begins nothing any more, and lets no contradiction pass in silence', { timeout: 120_000 }, () => {
    const reached = { contradicted: 0, returned: 0, quiet: 0 };
    fc.assert(
      fc.property(
        outcomes,
        fc.boolean(),
        fc.boolean(),
        fc.array(fc.oneof(answers, others), { maxLength: 60 }),
        (outcome, isAccepted, isTrue, acts) => {
          const world = new World(outcome, isAccepted, isTrue);
          const { executions } = world;
          for (const one of acts) {
            const { phase } = world.payout;
            world.run(one);
            const { payout } = world;
            expect([payout.lastAttempt, world.executions, brokenInvariant(payout)]).toEqual([1, executions, undefined]);
            expect(outcome === 'PAID' ? ['PAID', 'RETURNED'] : ['FAILED']).toContain(payout.phase);
            expect(statementOf(payout)?.outcome).toBe(outcome);
            if (contradictsStatement(outcome, one)) {
              expect(isOpenCase(payout), `${JSON.stringify(one)} in ${phase}`).toBe(true);
              reached.contradicted++;
            }
          }
          const { updates, cases, phase } = world.payout;
          const ends = updates.filter(({ status }) => status === 'PAID' || status === 'FAILED');
          expect(ends.map(({ status }) => status)).toEqual([outcome === 'PAID' ? 'PAID' : 'FAILED']);
          if (phase === 'RETURNED') reached.returned++;
          if (cases.length === 1) reached.quiet++;
        },
      ),
      { numRuns: times(3_000) },
    );
    for (const count of Object.values(reached)) expect(count).toBeGreaterThan(20);
  });

  it('is asked about for as long as it says nothing, a month at most', () => {
    for (const outcome of ['PAID', 'UNPAID'] as const) {
      const world = new World(outcome, true);
      let polls = 0;
      while (world.payout.nextPollAt !== null && polls < 10_000) {
        world.now = world.payout.nextPollAt;
        expect(nextStep(world.payout, world.now, POLICY)).toBe('query');
        world.say({ type: 'silence' });
        polls++;
      }
      expect(polls).toBeGreaterThan(30 * 24 - 5);
      expect(polls).toBeLessThan(30 * 24 + 5);
      world.run({ type: 'webhook' });
      expect(world.payout.nextPollAt).toBe(world.now);
    }
  });

  // A database that is put back to before the statement, once somebody has looked at the payout, and a provider that lost it.
  const putBack = fc.array(
    fc.constantFrom<Act>(
      { type: 'put-back' },
      { type: 'look' },
      { type: 'work' },
      { type: 'not-found' },
      { type: 'tick', ms: 61_000 },
      { type: 'requote' },
      { type: 'close' },
      { type: 'says', state: 'CANCELLED', call: 'cancel', differs: false },
    ),
    { minLength: 4, maxLength: 40 },
  );
  const paysOnceAtMost = (knowsLog: boolean) =>
    fc.check(
      fc.property(fc.boolean(), putBack, (isAccepted, acts) => {
        const world = new World('PAID', isAccepted);
        world.run({ type: 'look' }, knowsLog);
        for (const one of acts) world.run(one, knowsLog);
        return world.executions <= 1;
      }),
      { numRuns: times(3_000) },
    );

  it('is not paid a second time by a database that is put back', { timeout: 120_000 }, () => {
    expect(paysOnceAtMost(true).failed).toBe(false);
  });

  it('negative control: it is, when the log does not know of the statement', { timeout: 120_000 }, () => {
    expect(paysOnceAtMost(false).failed).toBe(true);
  });
});
