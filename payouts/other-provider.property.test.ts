// Two executors of two providers over one database, as when the configured provider is changed while payouts are open: a
// payout is sent to the provider that it was opened with, and only that one is asked about it.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PayoutWorld, QUIET_CONFIG } from '../test/kit/payouts/world.ts';
import { times } from '../test/kit/times.ts';
import type { PayoutExecutorConfig } from './config.ts';
import type { PayoutExecutor } from './executor.ts';

const CONFIG: PayoutExecutorConfig = {
  ...QUIET_CONFIG,
  policy: { ...QUIET_CONFIG.policy, returnPollsMs: [1_000] },
  admitWaitMs: 0,
  sweepEveryMs: 1,
};

class World extends PayoutWorld {
  readonly executors: readonly PayoutExecutor[];

  constructor(names: readonly string[]) {
    super({ config: CONFIG, providers: names, turns: 40 });
    this.executors = this.providers.map((provider) => this.worker({ provider }));
  }

  async ask(who: number, transferId: string, attempt = 1): Promise<void> {
    await this.executors[who]!.handle([this.request(transferId, attempt)]);
    await this.rest();
  }

  async work(who: number, transferId: string): Promise<void> {
    await this.executors[who]!.pollNow([transferId]);
    await this.rest();
  }

  executions(transferId: string): number {
    return this.providers.reduce((sum, provider) => sum + provider.executionsOf(transferId), 0);
  }

  /** Calls to a provider about a payout that was opened with another. */
  strayCalls(): readonly string[] {
    return this.providers.flatMap(({ name, calls }) =>
      calls.filter((call) => this.store.payouts.get(call.split(' ')[1]!.split(':')[0]!)?.provider !== name),
    );
  }
}

const IDS = ['transfer-1', 'transfer-2'];
const who = fc.nat(1);
const id = fc.constantFrom(...IDS);
const act = fc.oneof(
  { weight: 5, arbitrary: fc.record({ type: fc.constant('work' as const), who, id }) },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant('request' as const), who, id, attempt: fc.integer({ min: 1, max: 3 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('pass' as const), ms: fc.constantFrom(300, 7_000, 21_000, 700_000) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('fault' as const),
      who,
      submit: fc.constantFrom(
        'none' as const,
        'timeout-before' as const,
        'timeout-after' as const,
        'not-sent' as const,
      ),
      settles: fc.constantFrom('PAID' as const, 'ACCEPTED' as const),
    }),
  },
);
type Act = typeof act extends fc.Arbitrary<infer A> ? A : never;

async function play(names: readonly string[], acts: readonly Act[]): Promise<World> {
  const world = new World(names);
  for (const one of acts) {
    if (one.type === 'work') await world.work(one.who, one.id);
    if (one.type === 'request') await world.ask(one.who, one.id, one.attempt);
    if (one.type === 'pass') world.clock.pass(one.ms);
    if (one.type === 'fault') {
      world.providers[one.who]!.submitFault = one.submit;
      world.providers[one.who]!.settles = one.settles;
    }
    await world.rest();
  }
  return world;
}

describe('a payout that was opened with another provider', () => {
  it('is never sent to this one or asked about here, and is paid once at most, whatever comes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 30, size: 'max' }), async (acts) => {
        const world = await play(['old-bank', 'new-bank'], acts);
        expect(world.strayCalls()).toEqual([]);
        for (const one of IDS) expect(world.executions(one)).toBeLessThanOrEqual(1);
      }),
      { numRuns: times(300) },
    );
  });

  /** Sent to the first without an answer, so that its outcome is open; then the second is configured. */
  async function openAtFirst(names: readonly string[]): Promise<World> {
    const world = new World(names);
    world.providers[0]!.submitFault = 'timeout-after';
    await world.ask(0, 'transfer-1');
    for (let look = 0; look < 40; look++) {
      world.clock.pass(7_000);
      await world.work(1, 'transfer-1');
    }
    return world;
  }

  it('would be paid twice if both had one name: the second does not know the key, and says so', async () => {
    const world = await openAtFirst(['one-name', 'one-name']);
    expect(world.executions('transfer-1')).toBe(2);
  });

  it('stays as it is until an executor of that provider takes it up', async () => {
    const world = await openAtFirst(['old-bank', 'new-bank']);
    expect(world.store.payouts.get('transfer-1')).toMatchObject({ phase: 'OUTCOME_UNKNOWN', polls: 0 });
    expect(world.providers[1]!.calls).toEqual([]);
    for (let look = 0; look < 4; look++) {
      world.clock.pass(7_000);
      await world.work(0, 'transfer-1');
    }
    expect(world.store.payouts.get('transfer-1')).toMatchObject({ provider: 'old-bank', phase: 'PAID' });
    expect(world.executions('transfer-1')).toBe(1);
  });

  it('keeps its provider with a new price, and a new payout gets the one that is configured', async () => {
    const world = new World(['old-bank', 'new-bank']);
    world.providers[0]!.isReady = false;
    await world.ask(0, 'transfer-1');
    await world.ask(1, 'transfer-1', 2);
    await world.work(1, 'transfer-1');
    await world.ask(1, 'transfer-2');
    const { payouts } = world.store;
    expect(payouts.get('transfer-1')).toMatchObject({ provider: 'old-bank', phase: 'NEW', pricingAttempt: 2 });
    expect(payouts.get('transfer-2')).toMatchObject({ provider: 'new-bank', phase: 'PAID' });
    expect(world.providers[1]!.calls).toEqual(['submit transfer-2:1']);
  });

  it('is counted while it is due, and does not hold up what the sweeper has to find', async () => {
    const world = new World(['old-bank', 'new-bank']);
    const [first, second] = world.providers;
    first!.submitFault = 'timeout-after';
    second!.submitFault = 'timeout-after';
    await world.ask(0, 'transfer-1');
    await world.ask(1, 'transfer-2');
    world.clock.pass(60_000);
    await world.executors[1]!.start();
    await expect.poll(() => world.store.payouts.get('transfer-2')?.phase, { timeout: 60_000 }).toBe('PAID');
    expect(world.events).toContainEqual({ kind: 'of-other-provider', count: 1 });
    await world.executors[1]!.stop(1_000);
    expect(world.store.payouts.get('transfer-1')?.phase).toBe('OUTCOME_UNKNOWN');
    expect(world.strayCalls()).toEqual([]);
  });
});
