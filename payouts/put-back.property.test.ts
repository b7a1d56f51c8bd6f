// The database puts a payout back to any older state of its own, at any moment, under workers that come and go, whose view
// of the log may lag behind: no key is sent twice, and no transfer is paid twice.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { PayoutWorld, QUIET_CONFIG } from '../test/kit/payouts/world.ts';
import { times } from '../test/kit/times.ts';
import type { PayoutExecutor } from './executor.ts';
import { brokenInvariant } from './invariants.ts';
import type { Payout, SubmitResult } from './payout.ts';
import { MemoryClaimLog } from './testing/memory-claims.ts';

const ID = 'transfer-1';
const PRICE_MS = 120_000;

const act = fc.oneof(
  { weight: 5, arbitrary: fc.record({ type: fc.constant('pass' as const), ms: fc.constantFrom(300, 2_000, 21_000) }) },
  { weight: 6, arbitrary: fc.record({ type: fc.constant('work' as const), who: fc.nat(1) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('submits' as const),
      fault: fc.constantFrom(
        'none' as const,
        'none' as const,
        'timeout-before' as const,
        'timeout-after' as const,
        'not-sent' as const,
      ),
      settles: fc.constantFrom('PAID' as const, 'ACCEPTED' as const, 'EXPIRED' as const),
    }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('put-back' as const), to: fc.nat(40) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('price' as const) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('again' as const) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('lag' as const), sees: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('log' as const), down: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('pays' as const) }) },
);
type Act = typeof act extends fc.Arbitrary<infer A> ? A : never;

class World extends PayoutWorld {
  readonly log = new MemoryClaimLog(this.clock.now);
  /** Every state that was ever stored, which is what the database can put back. */
  readonly states: readonly Payout[] = this.recordStates();
  readonly workers: readonly PayoutExecutor[];
  #sees = true;
  #price = 1;

  constructor(guarded: boolean, firstIsSent: boolean, knowsOutages = false) {
    super({ config: { ...QUIET_CONFIG, admitWaitMs: 0 }, priceMs: PRICE_MS, turns: 40 });
    this.provider.isReady = firstIsSent;
    this.workers = [0, 1].map(() =>
      this.worker(guarded ? { attempts: this.log.follower(() => this.#sees, knowsOutages) } : {}),
    );
  }

  async begin(): Promise<void> {
    await this.workers[0]!.handle([this.request(ID, this.#price)]);
    this.provider.isReady = true;
    await this.rest();
  }

  async run(one: Act): Promise<void> {
    const { clock, provider, store, states, log } = this;
    const stored = store.payouts.get(ID);
    if (one.type === 'pass') clock.pass(one.ms);
    if (one.type === 'work') await this.workers[one.who]!.pollNow([ID]);
    if (one.type === 'submits') {
      provider.submitFault = one.fault;
      provider.settles = one.settles;
    }
    if (one.type === 'put-back') store.payouts.set(ID, states[one.to % states.length]!);
    if (one.type === 'lag') this.#sees = one.sees;
    if (one.type === 'log') log.down = one.down;
    if (one.type === 'pays') {
      const taken = [...provider.keys].find(([, { state, closed }]) => state === 'ACCEPTED' && !closed);
      if (taken) provider.pays(taken[0]);
    }
    if (one.type === 'again') await this.workers[1]!.handle([this.request(ID, this.#price)]);
    // The log asks for a new price only once the payout has reported that the old one is over.
    if (one.type === 'price' && stored?.phase === 'EXPIRED' && stored.pricingAttempt === this.#price) {
      this.#price++;
      await this.workers[0]!.handle([this.request(ID, this.#price)]);
    }
    await this.rest();
  }

  get sentTwice(): readonly string[] {
    const submits = this.provider.calls.filter((call) => call.startsWith('submit'));
    return submits.filter((call, index) => submits.indexOf(call) !== index);
  }
}

async function play(guarded: boolean, firstIsSent: boolean, acts: readonly Act[]): Promise<World> {
  const world = new World(guarded, firstIsSent);
  await world.begin();
  for (const one of acts) await world.run(one);
  return world;
}

const RUNS = times(400);

it('pays once, and sends each key once, whatever older state is put back, and when', async () => {
  let stopped = 0;
  await fc.assert(
    fc.asyncProperty(fc.boolean(), fc.array(act, { maxLength: 40, size: 'max' }), async (firstIsSent, acts) => {
      const world = await play(true, firstIsSent, acts);
      expect(world.provider.executionsOf(ID)).toBeLessThanOrEqual(1);
      expect(world.sentTwice).toEqual([]);
      for (const state of world.states) expect(brokenInvariant(state)).toBeUndefined();
      if (world.states.some(({ cases }) => cases.some(({ code }) => code === 'ROLLED_BACK'))) stopped++;
    }),
    { numRuns: RUNS },
  );
  expect(stopped).toBeGreaterThan(RUNS / 20);
});

it('stops nothing that was not put back', async () => {
  await fc.assert(
    fc.asyncProperty(fc.boolean(), fc.array(act, { maxLength: 40, size: 'max' }), async (firstIsSent, acts) => {
      const world = await play(
        true,
        firstIsSent,
        acts.filter(({ type }) => type !== 'put-back'),
      );
      expect(world.provider.executionsOf(ID)).toBeLessThanOrEqual(1);
      const codes = world.states.flatMap(({ cases }) => cases.map(({ code }) => code));
      expect(codes).not.toContain('ROLLED_BACK');
    }),
    { numRuns: RUNS },
  );
});

/** Attempt 1 never leaves, attempt 2 is paid, and then the payout is as it was before both. */
const SECOND_PAYMENT: readonly Act[] = [
  { type: 'submits', fault: 'not-sent', settles: 'PAID' },
  { type: 'pass', ms: 2_000 },
  { type: 'work', who: 0 },
  { type: 'submits', fault: 'none', settles: 'PAID' },
  { type: 'pass', ms: 2_000 },
  { type: 'work', who: 0 },
  { type: 'put-back', to: 0 },
  { type: 'pass', ms: 2_000 },
  { type: 'work', who: 1 },
];

it('negative control: without claims, a key is sent that the provider never saw, beside one that it has paid', async () => {
  expect((await play(false, false, SECOND_PAYMENT)).provider.executionsOf(ID)).toBe(2);
  const { provider, store } = await play(true, false, SECOND_PAYMENT);
  expect(provider.executionsOf(ID)).toBe(1);
  expect(store.payouts.get(ID)).toMatchObject({ phase: 'NEW', nextPollAt: null, cases: [{ code: 'ROLLED_BACK' }] });
});

/**
 * Attempt 2 cannot be claimed and is not sent; its document is put back, attempt 2 begins anew within the millisecond, and is
 * paid; then the first of the two is put back.
 */
const TWICE_IN_A_MILLISECOND: readonly Act[] = [
  { type: 'log', down: true },
  { type: 'work', who: 0 },
  { type: 'pass', ms: 21_000 },
  { type: 'work', who: 0 },
  { type: 'put-back', to: 2 },
  { type: 'log', down: false },
  { type: 'work', who: 0 },
  { type: 'put-back', to: 4 },
  { type: 'pass', ms: 21_000 },
  { type: 'work', who: 0 },
];

it('an attempt is not taken for another of its number that began in the same millisecond', async () => {
  const { provider, store } = await play(true, false, TWICE_IN_A_MILLISECOND);
  expect(provider.executionsOf(ID)).toBe(1);
  expect(store.payouts.get(ID)).toMatchObject({ phase: 'NEW', nextPollAt: null, cases: [{ code: 'ROLLED_BACK' }] });
});

/** Attempt 1 is claimed and paid; then the payout is as it was before, for a worker that has not read of the claim. */
const PUT_BACK_UNSEEN: readonly Act[] = [
  { type: 'submits', fault: 'none', settles: 'PAID' },
  { type: 'pass', ms: 2_000 },
  { type: 'work', who: 0 },
  { type: 'lag', sees: false },
  { type: 'put-back', to: 0 },
];
/** An attempt that cannot be claimed, and is not sent: the document counts on by itself. */
const UNCLAIMED: readonly Act[] = [
  { type: 'log', down: true },
  { type: 'pass', ms: 21_000 },
  { type: 'work', who: 1 },
  { type: 'log', down: false },
];
const NEXT: readonly Act[] = [
  { type: 'pass', ms: 21_000 },
  { type: 'work', who: 1 },
];

it.each([
  ['by the worker that counted on', [...PUT_BACK_UNSEEN, ...UNCLAIMED, ...NEXT]],
  [
    'by one that sees every claim',
    [...PUT_BACK_UNSEEN, ...UNCLAIMED, ...UNCLAIMED, { type: 'lag', sees: true }, ...NEXT],
  ],
] as [string, Act[]][])('a document that has counted past its claims is not paid again: %s', async (_, acts) => {
  const { provider, store } = await play(true, false, acts);
  expect(provider.executionsOf(ID)).toBe(1);
  expect(store.payouts.get(ID)!.lastAttempt).toBeGreaterThan(1);
  expect(store.payouts.get(ID)).toMatchObject({ nextPollAt: null, cases: [{ code: 'ROLLED_BACK' }] });
});

/**
 * Attempt 1 hangs, its lease is over, it is found unseen and closed; then its answer comes after all: paid. The payout is
 * put back to when it was only closed, so that nothing of the answer is in the document any more.
 */
async function contradictedAndPutBack(more: { readonly logIsDown?: boolean } = {}): Promise<World> {
  const world = new World(true, true);
  const { clock, provider, store, log } = world;
  const answers = Promise.withResolvers<SubmitResult>();
  const submit = provider.submit.bind(provider);
  provider.submit = () => answers.promise;
  await world.begin();
  await world.run({ type: 'pass', ms: 21_000 });
  await world.run({ type: 'work', who: 1 });
  await world.run({ type: 'pass', ms: 21_000 });
  await world.run({ type: 'work', who: 1 });
  await world.run({ type: 'pass', ms: 300 });
  await world.run({ type: 'work', who: 1 });
  const closed = store.payouts.get(ID)!;
  expect(closed).toMatchObject({ phase: 'NEW', attempts: [{ end: { how: 'cancelled' } }], cases: [] });
  if (more.logIsDown) log.down = true;
  provider.pays(`${ID}:1`);
  answers.resolve({ kind: 'observed', state: 'PAID', reference: null, reasonCode: null });
  await world.rest();
  expect(store.payouts.get(ID)).toMatchObject({ cases: [{ code: 'CONTRADICTION' }] });
  provider.submit = submit;
  store.payouts.set(ID, closed);
  log.down = false;
  await world.rest();
  clock.pass(2_000);
  return world;
}

it.each([{}, { logIsDown: true }])('a contradiction outlives its document, which is put back: %j', async (how) => {
  const world = await contradictedAndPutBack(how);
  for (const who of [0, 1]) await world.run({ type: 'work', who });
  const { provider, store } = world;
  expect(provider.executionsOf(ID)).toBe(1);
  expect(store.payouts.get(ID)).toMatchObject({ phase: 'NEW', nextPollAt: null, cases: [{ code: 'ROLLED_BACK' }] });
});

it('negative control: where the log does not know of the contradiction, the transfer is paid twice', async () => {
  const world = await contradictedAndPutBack();
  world.log.forget();
  for (const who of [0, 1]) await world.run({ type: 'work', who });
  expect(world.provider.executionsOf(ID)).toBe(2);
});

it('an outage of the log uses up no attempt of a payout that waits', async () => {
  const world = new World(true, false, true);
  await world.begin();
  await world.run({ type: 'log', down: true });
  for (let i = 0; i < 50; i++) {
    await world.run({ type: 'pass', ms: 2_000 });
    await world.run({ type: 'work', who: i % 2 });
  }
  expect(world.store.payouts.get(ID)).toMatchObject({ phase: 'NEW', lastAttempt: 0, cases: [] });
  await world.run({ type: 'log', down: false });
  await world.run({ type: 'work', who: 0 });
  expect(world.store.payouts.get(ID)).toMatchObject({ phase: 'PAID', lastAttempt: 1, cases: [] });
});
