// Replays of dead letters over a real database and a log in memory: wherever the runner dies, with the dead one still writing,
// each letter is sent once, and what became of it is known.
import fc from 'fast-check';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import {
  cancelReplay,
  checkReplayWaits,
  pauseReplay,
  resumeReplay,
  slowReplay,
  wantDryRun,
} from '../../operations/dead-letters/replays/control.ts';
import { DEFAULT_TERMS, findReplay, freezeReplay } from '../../operations/dead-letters/replays/prepare.ts';
import type { ReplayRunner } from '../../operations/dead-letters/replays/run.ts';
import { CodedError, dependencyDown } from '../../ports/fault.ts';
import { contentOf, type DeadLetterDocument } from '../../sinks/dead-letters/letter.ts';
import { dryRunner, OWNER, type ReplayWorld, replayWorld, TARGET } from '../../test/kit/replay-world.ts';
import { DEAD_LETTERS } from './dead-letters.ts';
import { insertOnlyStore } from './idempotent-store.ts';

let client: MongoClient;

beforeAll(async () => {
  client = await MongoClient.connect(inject('stack').mongoUri);
});
afterAll(async () => {
  await client.close();
});

const world = (letters: number) => replayWorld(client, letters);

describe('a replay', () => {
  it('sends each letter once, after its canary, and knows what became of each', async () => {
    const here = await world(60);
    const id = await here.approved();
    const runner = here.runner('one');
    await runner.tick();
    await runner.tick();
    expect(here.sent().length).toBeLessThanOrEqual(25);
    await here.run(runner);
    expect(here.sent().toSorted()).toEqual(here.ids.toSorted());
    expect(await findReplay(here.stores.replays, id)).toMatchObject({ state: 'ENDED', letters: 60 });
    expect(await here.stores.replays.counts(id)).toEqual([
      { state: 'SENT', outcome: 'COMPLETED', reason: null, letters: 60 },
    ]);
    expect(await here.states()).toEqual({ VERIFIED: 60 });
    const [record] = here.log.all(TARGET);
    expect(record!.headers['replay-count']!.toString()).toBe('1');
    expect(record!.headers['replayed-by']!.toString()).toBe('asha');
    expect(record!.headers['approved-by']!.toString()).toBe('ben');
  });

  it('stops after its canary when the cause was not mended, and leaves the rest to be given back', async () => {
    const here = await world(60);
    const id = await here.approved();
    const runner = here.runner('one');
    await here.run(runner, () => true);
    const sent = here.sent().length;
    expect(sent).toBeGreaterThan(0);
    expect(sent).toBeLessThanOrEqual(25);
    const stopped = await findReplay(here.stores.replays, id);
    expect(stopped).toMatchObject({ state: 'STOPPED', halted: { code: 'REPLAY_CANARY_FAILED' } });
    await expect(resumeReplay(here.stores, { id })).rejects.toMatchObject({ code: 'REPLAY_MOVED' });
    await cancelReplay(here.stores, { id, by: 'asha', at: new Date(here.clock.now()) });
    await here.run(runner, undefined, 3);
    expect(await here.states()).toEqual({ REPLACED: sent, PARKED: 60 - sent });
    const again = await here.approved();
    await here.run(runner);
    expect(await findReplay(here.stores.replays, again)).toMatchObject({ state: 'ENDED', letters: 60 });
    expect([...here.decided.values()].every((count) => count === 1)).toBe(true);
  });

  it('counts failures no further than it has to', async () => {
    const here = await world(12);
    const groups = await here.db.collection<DeadLetterDocument>(DEAD_LETTERS).distinct('group');
    const counted = (limit: number) => here.stores.letters.newFailures('another', OWNER, groups, new Date(0), limit);
    expect([await counted(5), await counted(100)]).toEqual([5, 12]);
  });

  it('counts new failures of the same cause that are not its own', async () => {
    const here = await world(60);
    const id = await here.approved({ ratePerSecond: 10, canary: 5, maxFailureRatio: 0.1 });
    const runner = here.runner('one');
    await here.run(runner, undefined, 5);
    const store = insertOnlyStore<DeadLetterDocument>(here.db, DEAD_LETTERS, contentOf);
    const others = Array.from({ length: 5 }, (_, n) => ({
      ...{
        _id: `other-${n}`,
        proven: true,
        group: 'aaaaaaaaaaaaaaaa',
        failedAt: new Date(here.clock.now()),
        replayId: null,
      },
    }));
    await store.insertOnly(others as never);
    await here.run(runner);
    expect(await findReplay(here.stores.replays, id)).toMatchObject({ state: 'STOPPED' });
    expect(here.sent().length).toBeLessThan(60);
  });

  it('pauses, goes on, slows down but never up, and gives back what it has not sent', async () => {
    const here = await world(60);
    const id = await here.approved({ ratePerSecond: 20, canary: 5, maxFailureRatio: 0 });
    const runner = here.runner('one');
    await here.run(runner, undefined, 4);
    const [by, at] = ['asha', new Date(here.clock.now())];
    await pauseReplay(here.stores, { id, by, at });
    const before = here.sent().length;
    await here.run(runner, undefined, 10);
    expect(here.sent()).toHaveLength(before);
    await resumeReplay(here.stores, { id });
    await expect(slowReplay(here.stores, { id, ratePerSecond: 21 })).rejects.toMatchObject({ code: 'RATE_NOT_LOWER' });
    await slowReplay(here.stores, { id, ratePerSecond: 4 });
    await here.run(runner, undefined, 8);
    expect(here.sent().length - before).toBeLessThanOrEqual(24);
    await cancelReplay(here.stores, { id, by, at });
    const sent = here.sent().length;
    await here.run(runner, undefined, 5);
    expect(here.sent()).toHaveLength(sent);
    expect(await here.states()).toEqual({ VERIFIED: sent, PARKED: 60 - sent });
    expect((await findReplay(here.stores.replays, id)).endedAt).not.toBeNull();
  });

  it('skips what has ended, has moved on, is gone or is not what its stage put aside', async () => {
    const here = await world(8);
    const id = await here.approved();
    const transfers = here.db.collection<{ _id: string }>('transfers');
    await transfers.updateOne({ _id: 'T-0' }, { $set: { state: 'REJECTED', sequence: 4 } });
    await transfers.updateOne({ _id: 'T-1' }, { $set: { state: 'RESERVED', sequence: 4 } });
    const letters = here.db.collection(DEAD_LETTERS);
    await letters.updateOne({ transferId: 'T-2' }, { $set: { takenBy: 'somebody' } });
    const record = here.log.records(`${OWNER}.dlq`, 3)[0]!;
    (record as { value: Buffer }).value = Buffer.from('another');
    await here.run(here.runner('one'));
    const counts = await here.stores.replays.counts(id);
    expect(
      counts
        .filter(({ state }) => state === 'SKIPPED')
        .map(({ reason }) => reason)
        .toSorted(),
    ).toEqual(['LETTER_FORGED', 'LETTER_NOT_TAKEN', 'TRANSFER_ENDED', 'TRANSFER_MOVED_ON']);
    expect(here.sent()).toHaveLength(4);
    expect(await findReplay(here.stores.replays, id)).toMatchObject({ state: 'ENDED' });
  });

  it('is not begun when letters, terms, prediction, build or approval are not what two persons saw', async () => {
    const changes: readonly ((here: ReplayWorld, id: string) => Promise<unknown>)[] = [
      (here, id) =>
        here.db.collection<{ _id: string }>('replays').updateOne({ _id: id }, { $set: { 'terms.ratePerSecond': 999 } }),
      (here, id) =>
        here.db.collection<{ _id: string }>('replays').updateOne({ _id: id }, { $set: { owner: 'settlement' } }),
      (here, id) =>
        here.db.collection<{ _id: string }>('replays').updateOne({ _id: id }, { $set: { 'dryRun.histogram': [] } }),
      (here, id) => here.db.collection('replay_items').deleteOne({ replayId: id }),
      (here, id) => here.db.collection('replay_items').updateOne({ replayId: id }, { $set: { 'place.offset': 7 } }),
      (here) => here.db.collection('approvals').updateOne({}, { $set: { 'decided.by': 'carl' } }),
      (here) => here.db.collection('approvals').updateOne({}, { $set: { askedBy: 'carl' } }),
      (here) => here.db.collection('approvals').updateOne({}, { $set: { state: 'REFUSED' } }),
    ];
    for (const change of changes) {
      const here = await world(6);
      const id = await here.approved();
      await change(here, id);
      await here.run(here.runner('one'), undefined, 4);
      expect(here.sent()).toEqual([]);
      expect((await findReplay(here.stores.replays, id)).state).toBe('CANCELLED');
    }
    const here = await world(6);
    const id = await here.approved();
    await here.run(
      here.runner('one', { dryRunner: { ...dryRunner, basis: async () => ({ build: 'two' }) } }),
      undefined,
      4,
    );
    const { halted } = await findReplay(here.stores.replays, id);
    expect(halted).toMatchObject({ code: 'APPROVAL_VOID', detail: expect.stringContaining('the build changed from') });
    expect(halted!.detail).toContain('to two. Select the letters again');
    expect(await here.states()).toEqual({ PARKED: 6 });
  });

  it('ends its approval when it is cancelled, and nobody lets through what was asked for', async () => {
    const here = await world(4);
    const [id, at] = ['cancelled', new Date(here.clock.now())];
    const freezing = { id, owner: OWNER, filter: {}, terms: DEFAULT_TERMS, by: 'asha', reason: 'mended', at };
    await freezeReplay(here.stores, freezing);
    const { _id: approvalId } = await here.ask(id);
    const approval = () => here.stores.approvals.find(approvalId);
    expect((await approval())!.state).toBe('WAITING');
    await cancelReplay(here.stores, { id, by: 'asha', at });
    expect(await approval()).toMatchObject({ state: 'WITHDRAWN', ended: { code: 'REPLAY_CANCELLED' } });
    await expect(
      checkReplayWaits(here.stores.replays, { _id: approvalId, subject: id, state: 'WAITING' }),
    ).rejects.toMatchObject({
      code: 'REPLAY_MOVED',
    });
  });

  it('tries what was selected by a program without stages, beside the rest, and again when that is asked for', async () => {
    const here = await world(6);
    const at = new Date(here.clock.now());
    const freezing = { id: 'over-http', owner: OWNER, filter: {}, terms: DEFAULT_TERMS, by: 'asha', reason: 'x', at };
    await freezeReplay(here.stores, { ...freezing, dryRunBy: 'runner' });
    expect(await here.stores.replays.insert((await findReplay(here.stores.replays, 'over-http'))!)).toBe(false);
    let build = 'one';
    const runner = here.runner('one', { dryRunner: { ...dryRunner, basis: async () => ({ build }) } });
    const triedOn = async (wanted: string) => {
      while ((await findReplay(here.stores.replays, 'over-http')).dryRun?.basis['build'] !== wanted)
        await runner.tick();
      return findReplay(here.stores.replays, 'over-http');
    };
    const expected = { by: 'asha', histogram: [{ kind: 'GOES_ON', code: null, letters: 6 }] };
    expect(await triedOn('one')).toMatchObject({ state: 'FROZEN', dryRunWanted: null, dryRun: expected });
    build = 'two';
    await wantDryRun(here.stores, { id: 'over-http', by: 'ben' });
    expect(await triedOn('two')).toMatchObject({ dryRun: { ...expected, by: 'ben' } });
    await runner.stop();
    expect(here.sent()).toEqual([]);
  });

  it('that cannot be tried for good ends with the reason, and an outage is waited for', async () => {
    const here = await world(3);
    const freezing = { owner: OWNER, filter: {}, terms: DEFAULT_TERMS, by: 'asha', reason: 'mended' } as const;
    const at = new Date(here.clock.now());
    await freezeReplay(here.stores, { ...freezing, id: 'untried', at, dryRunBy: 'runner' });
    const faults: string[] = [];
    const meets = (error: Error) =>
      here.runner('one', {
        dryRunner: { ...dryRunner, basis: () => Promise.reject(error) },
        onFault: (_, { code }) => void faults.push(code),
      });
    const away = meets(dependencyDown('mongo', 'MONGO_UNAVAILABLE', 'away'));
    await away.tick();
    await expect.poll(() => faults).toContain('MONGO_UNAVAILABLE');
    await away.stop();
    const { state, dryRunWanted } = await findReplay(here.stores.replays, 'untried');
    expect([state, dryRunWanted]).toEqual(['FROZEN', { by: 'asha' }]);
    here.clock.advance(60_000);
    const lasting = meets(new CodedError('LIST_VERSION_NOT_SEALED', 'somebody wrote it'));
    await lasting.tick();
    const stateOf = async () => (await findReplay(here.stores.replays, 'untried')).state;
    await expect.poll(stateOf).toBe('CANCELLED');
    await lasting.stop();
    expect(await findReplay(here.stores.replays, 'untried')).toMatchObject({
      state: 'CANCELLED',
      halted: { code: 'LIST_VERSION_NOT_SEALED', detail: expect.stringContaining('could not be tried') },
    });
    here.clock.advance(60_000);
    await here.run(here.runner('two'), undefined, 3);
    expect(await here.states()).toEqual({ PARKED: 3 });
  });

  it('gives back the letters of a selection that nobody went on with', async () => {
    const here = await world(6);
    const at = new Date(here.clock.now());
    const freezing = { id: 'left', owner: OWNER, filter: {}, terms: DEFAULT_TERMS, by: 'asha', reason: 'x', at };
    await freezeReplay(here.stores, freezing);
    const runner = here.runner('one');
    await here.run(runner, undefined, 3);
    expect(await here.states()).toEqual({ SELECTED: 6 });
    here.clock.advance(5 * 3_600_000);
    await here.run(runner, undefined, 3);
    expect(await findReplay(here.stores.replays, 'left')).toMatchObject({ halted: { code: 'REPLAY_NOT_FROZEN' } });
    expect(await here.states()).toEqual({ PARKED: 6 });
  });

  it('of two replays each letter is in one', async () => {
    const here = await world(30);
    const at = new Date(here.clock.now());
    const freeze = (id: string) =>
      freezeReplay(here.stores, { id, owner: OWNER, filter: {}, terms: DEFAULT_TERMS, by: 'asha', reason: 'x', at });
    const both = await Promise.allSettled([freeze('a'), freeze('b')]);
    const counts = both.map((end) => (end.status === 'fulfilled' ? end.value.letters : 0));
    expect(counts[0]! + counts[1]!).toBe(30);
    const items = await here.db.collection('replay_items').find({}).toArray();
    expect(new Set(items.map(({ letterId }) => letterId)).size).toBe(30);
  });

  it('sends each letter once wherever runners die, with the dead ones still at work', async () => {
    const points = ['before', 'after'] as const;
    const schedule = fc.array(fc.record({ at: fc.integer({ min: 1, max: 6 }), point: fc.constantFrom(...points) }), {
      minLength: 1,
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(schedule, fc.boolean(), async (deaths, isZombieAlive) => {
        const here = await world(40);
        const id = await here.approved({ ratePerSecond: 1_000, canary: 4, maxFailureRatio: 0 });
        const zombies: ReplayRunner[] = [];
        for (const [life, { at, point }] of [...deaths, { at: 1_000, point: 'before' as const }].entries()) {
          let passed = 0;
          const runner = here.runner(`runner-${life}`, {
            onSend: (when) => {
              if (when === point && ++passed === at) throw new Error('died here');
            },
          });
          for (let i = 0; i < 14 && passed < at; i++) {
            await runner.tick();
            await here.handle();
            here.clock.advance(300);
          }
          // Its lease runs out; it may still try.
          here.clock.advance(30_000);
          zombies.push(runner);
          if (isZombieAlive) for (const zombie of zombies.slice(0, -1)) await zombie.tick();
          here.clock.advance(30_000);
        }
        await here.run(here.runner('last'), undefined, 30);
        expect(here.sent().toSorted()).toEqual(here.ids.toSorted());
        expect(await findReplay(here.stores.replays, id)).toMatchObject({ state: 'ENDED' });
        expect([...here.decided.values()].every((count) => count === 1)).toBe(true);
        await here.db.dropDatabase();
      }),
      { numRuns: 8 },
    );
  });
});
