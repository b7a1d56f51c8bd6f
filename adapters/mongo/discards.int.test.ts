// Discards of dead letters over a real database and a log in memory: wherever the runner dies, each letter is ended once, what
// may have been paid is left alone, and nobody discards by writing into the database.
import fc from 'fast-check';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { sealRecord } from '../../domain/seals/record-seal.ts';
import { cancelReplay, withdrawReplay } from '../../operations/dead-letters/replays/control.ts';
import {
  askForReplay,
  DEFAULT_TERMS,
  dryRunReplay,
  findReplay,
  freezeReplay,
} from '../../operations/dead-letters/replays/prepare.ts';
import type { ReplayRunner } from '../../operations/dead-letters/replays/run.ts';
import { openCase } from '../../payouts/changes.ts';
import { expire, openPayout } from '../../payouts/decide.ts';
import { ringOf } from '../../ports/seals.ts';
import { dryRunner, OWNER, type ReplayWorld, replayWorld, TARGET } from '../../test/kit/replay-world.ts';
import { testRings } from '../../test/kit/rings.ts';
import { DEAD_LETTERS } from './dead-letters.ts';
import { discardedLetters } from './discarded-letters.ts';
import { mongoPayoutStore } from './payouts.ts';
import { payoutKeys, transfersNow } from './transfers-now.ts';

let client: MongoClient;
const operators = ringOf(testRings, 'operators');
const QUICK = { ratePerSecond: 1_000, canary: 4, maxFailureRatio: 0 };

beforeAll(async () => {
  client = await MongoClient.connect(inject('stack').mongoUri);
});
afterAll(async () => {
  await client.close();
});

/** What `corridor verify` says of letters that were discarded. */
async function flaws({ db }: ReplayWorld): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const page of discardedLetters(db, operators)) {
    for (const { id, flaw } of page) if (flaw) found.push(`${flaw} ${id}`);
  }
  return found;
}

describe('a discard', () => {
  it('sends each letter once as an order to end it, and knows that it was ended', async () => {
    const here = await replayWorld(client, 40);
    const id = await here.approved(QUICK, 'AC04');
    await here.run(here.runner('one'));
    expect(here.log.all(TARGET).map(({ headers }) => String(headers['discard-reason']))).toEqual(
      Array(40).fill('AC04'),
    );
    expect(here.sent().toSorted()).toEqual(here.ids.toSorted());
    expect(await here.states()).toEqual({ DISCARDED: 40 });
    expect(await findReplay(here.stores.replays, id)).toMatchObject({ state: 'ENDED', discard: { reason: 'AC04' } });
    expect(await here.stores.replays.counts(id)).toEqual([
      { state: 'SENT', outcome: 'REJECTED', reason: null, letters: 40 },
    ]);
    expect(await flaws(here)).toEqual([]);
  });

  it('takes out what has ended or moved on with nothing sent, also when it dies between the two stores', async () => {
    const here = await replayWorld(client, 6);
    for (const n of [0, 1]) await here.stand(`T-${n}`, 'COMPLETED', 9);
    await here.stand('T-2', 'RESERVED', 4);
    const id = await here.approved(QUICK, 'DISC');
    const broken = { ...here.stores.replays, mark: () => Promise.reject(new Error('died here')) };
    const dying = here.runner('dying', { replays: broken });
    await dying.tick();
    await dying.tick();
    here.clock.advance(60_000);
    await here.run(here.runner('two'));
    expect(here.sent()).toHaveLength(3);
    expect(await here.states()).toEqual({ DISCARDED: 6 });
    const counts = await here.stores.replays.counts(id);
    expect(counts).toContainEqual({ state: 'MARKED', outcome: null, reason: null, letters: 3 });
    expect(await flaws(here)).toEqual([]);
  });

  it('stops after its canary when the letters come back, and parks the rest again', async () => {
    const here = await replayWorld(client, 20);
    const id = await here.approved({ ...QUICK, maxFailureRatio: 0.1 }, 'DISC');
    await here.run(here.runner('one'), () => true);
    expect(await findReplay(here.stores.replays, id)).toMatchObject({ state: 'STOPPED' });
    expect(here.sent().length).toBeLessThanOrEqual(4);
  });

  it('of a transfer whose payout is contested, open, or taken out of the database rejects nothing', async () => {
    const here = await replayWorld(client, 6);
    const stages = ringOf(testRings, 'stages');
    const store = mongoPayoutStore(here.db, { ring: ringOf(testRings, 'executor') });
    const request = (payoutId: string) => {
      const requested = new TextEncoder().encode(payoutId);
      const sealed = { topic: 'payout.requested', key: payoutId, value: requested, cause: 'cause' };
      const terms = { provider: 'p', homePartition: 0, pricingAttempt: 1, priceExpiresAt: 0, requested };
      return openPayout({ payoutId, ...terms, proof: { cause: 'cause', seal: sealRecord(stages, sealed) } }, 0);
    };
    const expired = (id: string) => expire(request(id), 1);
    await store.insert([
      expired('T-0'),
      openCase(expired('T-1'), 'CONTRADICTION', 'paid after all', 2),
      request('T-2'),
      expired('T-3'),
    ]);
    // Somebody closes a case, and somebody takes a payout out.
    await here.db.collection('payouts').updateOne({ _id: 'T-3' as never }, { $set: { pricingAttempt: 7 } });
    await here.db.collection('transfers').updateMany({ _id: 'T-4' as never }, { $set: { attempt: 2 } });
    await here.approved(QUICK, 'DISC');
    await here.run(here.runner('one'));
    expect(here.sent().toSorted()).toEqual([here.ids[0], here.ids[5]].toSorted());
    expect(await here.states()).toMatchObject({ DISCARDED: 2, PARKED: 4 });
  });

  it('of letters that were replayed too often, or that bear no seal, is possible; of what may be paid it is not asked', async () => {
    const here = await replayWorld(client, 4);
    const letters = here.db.collection<{ _id: string }>(DEAD_LETTERS);
    await letters.updateOne({ transferId: 'T-0' } as never, { $set: { replayCount: 3 } });
    await letters.updateOne({ transferId: 'T-1' } as never, { $set: { proven: false } });
    await here.approved(QUICK, 'DISC');
    await here.run(here.runner('one'));
    expect(await letters.countDocuments({ state: 'DISCARDED' } as never)).toBe(4);

    const paid = await replayWorld(client, 3);
    await paid.db.collection(DEAD_LETTERS).updateMany({}, { $set: { owner: 'settlement' } });
    const at = new Date(paid.clock.now());
    const terms = { terms: DEFAULT_TERMS, by: 'asha', reason: 'x', discard: 'DISC' } as const;
    await freezeReplay(paid.stores, { id: 'paid', owner: 'settlement', filter: {}, at, ...terms });
    const transfers = transfersNow(paid.db, 'transfers', 'events', payoutKeys(testRings));
    const log = {
      ...paid.stores.log,
      letters: (_: string, places: Parameters<typeof paid.stores.log.letters>[1]) =>
        paid.stores.log.letters(OWNER, places),
    };
    const stores = { ...paid.stores, log };
    const tried = await dryRunReplay(
      stores,
      { runner: dryRunner, transfers, rings: testRings },
      { id: 'paid', by: 'asha', at },
    );
    expect(tried.dryRun!.histogram).toEqual([{ kind: 'REFUSED', code: 'MAY_BE_PAID', letters: 3 }]);
    await expect(askForReplay(stores, { id: 'paid', at }, operators)).rejects.toMatchObject({ code: 'REPLAY_EMPTY' });
  });

  it('is void when the database says another reason, or takes a replay for a discard or a discard for a replay', async () => {
    const set = (change: object) => (here: ReplayWorld, id: string) =>
      here.db.collection<{ _id: string }>('replays').updateOne({ _id: id }, { $set: change });
    for (const [discard, change] of [
      ['DISC', set({ discard: { reason: 'AC01' } })],
      ['DISC', set({ discard: null })],
      [undefined, set({ discard: { reason: 'DISC' } })],
      [
        'DISC',
        (here: ReplayWorld) => here.db.collection('approvals').updateOne({}, { $set: { act: 'dead-letters.replay' } }),
      ],
    ] as const) {
      const here = await replayWorld(client, 4);
      const id = await here.approved(QUICK, discard);
      await change(here, id);
      await here.run(here.runner('one'), undefined, 6);
      expect(here.sent()).toEqual([]);
      expect(await findReplay(here.stores.replays, id)).toMatchObject({ halted: { code: 'APPROVAL_VOID' } });
      expect(await here.states()).toEqual({ PARKED: 4 });
    }
  });

  it('that somebody writes into the index is found by verify', async () => {
    const here = await replayWorld(client, 5);
    const letters = here.db.collection<{ _id: string }>(DEAD_LETTERS);
    const hide = (id: string, takenBy: string | null) =>
      letters.updateOne({ _id: id }, { $set: { state: 'DISCARDED', takenBy } });
    const [one, two, three] = here.ids as [string, string, string];
    await hide(one, null);
    await hide(two, 'made-up');
    const replay = await here.approved(QUICK);
    await here.run(here.runner('one'));
    await hide(three, replay);
    expect((await flaws(here)).toSorted()).toEqual(
      [one, two, three].map((id) => `DISCARD_UNAPPROVED ${id}`).toSorted(),
    );
  });

  it('is taken back by who asked for it, and by nobody else', async () => {
    const here = await replayWorld(client, 4);
    const id = await here.approved(QUICK, 'DISC');
    const at = new Date(here.clock.now());
    await expect(withdrawReplay(here.stores, { id, by: 'ben', at })).rejects.toMatchObject({ code: 'MAKER_ONLY' });
    await withdrawReplay(here.stores, { id, by: 'asha', at });
    await here.run(here.runner('one'), undefined, 6);
    expect(here.sent()).toEqual([]);
    expect(await here.states()).toEqual({ PARKED: 4 });
  });

  it('ends each letter once wherever runners die, with the dead ones still at work', async () => {
    const points = ['before', 'after'] as const;
    const schedule = fc.array(fc.record({ at: fc.integer({ min: 1, max: 5 }), point: fc.constantFrom(...points) }), {
      minLength: 1,
      maxLength: 3,
    });
    await fc.assert(
      fc.asyncProperty(schedule, async (deaths) => {
        const here = await replayWorld(client, 24);
        for (const n of [3, 4, 5]) await here.stand(`T-${n}`, 'COMPLETED', 9);
        const id = await here.approved(QUICK, 'DISC');
        const zombies: ReplayRunner[] = [];
        for (const [life, { at, point }] of deaths.entries()) {
          let passed = 0;
          const runner = here.runner(`runner-${life}`, {
            onSend: (when) => {
              if (when === point && ++passed === at) throw new Error('died here');
            },
          });
          for (let i = 0; i < 12 && passed < at; i++) {
            await runner.tick();
            await here.handle();
            here.clock.advance(300);
          }
          here.clock.advance(30_000);
          for (const zombie of zombies) await zombie.tick();
          zombies.push(runner);
          here.clock.advance(30_000);
        }
        await here.run(here.runner('last'), undefined, 30);
        expect(here.sent()).toHaveLength(21);
        expect([...here.ended.values()].every((count) => count === 1)).toBe(true);
        expect(await here.states()).toEqual({ DISCARDED: 24 });
        expect(await findReplay(here.stores.replays, id)).toMatchObject({ state: 'ENDED' });
        await here.db.dropDatabase();
      }),
      { numRuns: 6 },
    );
  });
});

describe('what was sent', () => {
  it('does not stay SENT because its transfer took longer than the replay waits', async () => {
    for (const isCancelled of [false, true]) {
      const here = await replayWorld(client, 4);
      here.isSlow = true;
      const id = await here.approved(isCancelled ? { ...QUICK, canary: 2 } : QUICK);
      const runner = here.runner('one');
      await here.run(runner, undefined, 6);
      if (isCancelled) {
        await cancelReplay(here.stores, { id, by: 'asha', at: new Date(here.clock.now()) });
      }
      here.clock.advance(25 * 3_600_000);
      await here.run(runner, undefined, 4);
      const sent = isCancelled ? 2 : 4;
      expect(await findReplay(here.stores.replays, id)).toMatchObject({ isWatched: true });
      expect((await findReplay(here.stores.replays, id)).endedAt).not.toBeNull();
      expect(await here.states()).toMatchObject({ SENT: sent });
      for (let n = 0; n < 4; n++) await here.stand(`T-${n}`, 'COMPLETED', 5);
      // Another process, days later.
      here.clock.advance(72 * 3_600_000);
      await here.run(here.runner('two'), undefined, 3);
      expect(await here.states()).toMatchObject({ VERIFIED: sent });
      expect(await findReplay(here.stores.replays, id)).toMatchObject({ isWatched: false });
    }
  });
});
