// What a hostile review tried on replays: a stolen database, forged records, clocks apart, runners that stall. Each is a test
// with the right result.
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { cancelReplay, pauseReplay, resumeReplay } from '../../operations/dead-letters/replays/control.ts';
import {
  DEFAULT_TERMS,
  findReplay,
  freezeReplay,
  type ReplayStores,
} from '../../operations/dead-letters/replays/prepare.ts';
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

const STRICT = { ratePerSecond: 100, canary: 5, maxFailureRatio: 0 };
const HOUR_MS = 3_600_000;
const stateOf = async (here: ReplayWorld, id: string) => findReplay(here.stores.replays, id);
// biome-ignore lint/suspicious/noExplicitAny: what a thief writes has any shape
const rows = (here: ReplayWorld, name: string) => here.db.collection<any>(name);
const freezing = (here: ReplayWorld, id: string) => ({
  ...{ id, owner: OWNER, filter: {}, terms: DEFAULT_TERMS, by: 'asha', reason: 'x', at: new Date(here.clock.now()) },
});

describe('who has the database', () => {
  it('cannot have a replay sent that nobody approved', async () => {
    const here = await world(10);
    await freezeReplay(here.stores, freezing(here, 'evil'));
    const startedAt = new Date(here.clock.now());
    await rows(here, 'replays').updateOne(
      { _id: 'evil' },
      { $set: { state: 'RUNNING', startedAt, approvalId: 'none' } },
    );
    await here.run(here.runner('one'), undefined, 10);
    expect(here.sent()).toEqual([]);
    expect(await stateOf(here, 'evil')).toMatchObject({ state: 'CANCELLED', halted: { code: 'APPROVAL_VOID' } });
    // Nor have fewer letters shown to who approves than would be sent.
    const other = await world(10);
    const runner = other.runner('two');
    await freezeReplay(other.stores, freezing(other, 'small'));
    await rows(other, 'replays').updateOne({ _id: 'small' }, { $set: { letters: 3 } });
    await other.letThrough('small');
    await other.run(runner, undefined, 10);
    expect(other.sent()).toEqual([]);
    expect(await stateOf(other, 'small')).toMatchObject({ halted: { code: 'APPROVAL_VOID' } });
    expect(await here.states()).toEqual({ PARKED: 10 });
  });

  it('cannot add letters to one that runs, change its terms, or have it sent under another name', async () => {
    const here = await world(10);
    const letters = rows(here, DEAD_LETTERS);
    const added = { transferId: { $in: ['T-8', 'T-9'] } };
    await letters.updateMany(added, { $set: { state: 'VERIFIED' } });
    const id = await here.approved({ ...STRICT, canary: 8 });
    const runner = here.runner('one');
    await runner.tick();
    await runner.tick();
    const item = (await rows(here, 'replay_items').findOne({ replayId: id }))!;
    for (const { _id, place, transferId } of await letters.find(added).toArray()) {
      await letters.updateOne({ _id }, { $set: { state: 'SELECTED', takenBy: id } });
      const forged = {
        _id: `${id}/${_id}`,
        letterId: _id,
        place,
        transferId,
        sourceTopic: 'transfer.completed',
        turn: 0,
      };
      await rows(here, 'replay_items').insertOne({
        ...item,
        ...forged,
        state: 'SELECTED',
        sentAt: null,
        outcome: null,
      });
    }
    await here.run(runner, undefined, 10);
    expect(here.sent()).not.toContain((await letters.findOne({ transferId: 'T-8' }))!._id);
    expect(here.log.all(TARGET).every(({ headers }) => headers['replayed-by']!.toString() === 'asha')).toBe(true);
    const other = await world(10);
    const changed = await other.approved(STRICT);
    const second = other.runner('two');
    await second.tick();
    await rows(other, 'replays').updateOne({ _id: changed }, { $set: { askedBy: 'victim', 'terms.canary': 999 } });
    await other.run(second, undefined, 10);
    expect(await stateOf(other, changed)).toMatchObject({ state: 'CANCELLED', halted: { code: 'APPROVAL_VOID' } });
    expect(other.sent()).toEqual([]);
  });

  it('stops no other replay with a document of another shape, or with a hundred that are halted', async () => {
    const here = await world(10);
    const id = await here.approved(STRICT);
    const replay = (await rows(here, 'replays').findOne({ _id: id }))!;
    await rows(here, 'replays').insertOne({
      _id: 'odd',
      endedAt: null,
      createdAt: new Date(0),
      state: 'PAUSED',
      version: 1,
    });
    for (let n = 0; n < 100; n++) {
      const old = { _id: `old-${n}`, state: 'STOPPED', approvalId: null, createdAt: new Date(n), startedAt: null };
      await rows(here, 'replays').insertOne({ ...replay, ...old });
    }
    for (let n = 0; n < 40 && (await stateOf(here, id)).state !== 'ENDED'; n++)
      await here.run(here.runner('one'), undefined, 1);
    expect(await stateOf(here, id)).toMatchObject({ state: 'ENDED' });
  });
});

describe('who writes to topics', () => {
  it('has no letter taken for sent by a record without a seal', async () => {
    const here = await world(10);
    const id = await here.approved({ ratePerSecond: 1, canary: 1, maxFailureRatio: 0 });
    await here.runner('one').tick();
    const victim = (await rows(here, DEAD_LETTERS).findOne({ transferId: 'T-9' }))!;
    const headers = { 'dlq-id': victim._id, 'replay-id': id, 'source-offset': '999', 'replay-count': '1' };
    here.log.append([{ topic: TARGET, partition: victim.place.partition, key: 'x', value: null, headers }]);
    here.clock.advance(60_000);
    await here.run(here.runner('two'), undefined, 80);
    expect(await stateOf(here, id)).toMatchObject({ state: 'ENDED' });
    const sealed = here.log.all(TARGET).filter((record) => record.headers['detour-seal'] !== undefined);
    expect(sealed.map((record) => record.headers['dlq-id']!.toString()).toSorted()).toEqual(here.ids.toSorted());
  });

  it('has no replay stopped, and no letter said to have failed, by dead letters without a seal', async () => {
    const here = await world(10);
    const id = await here.approved({ ...STRICT, canary: 2 });
    const runner = here.runner('one');
    await runner.tick();
    const source = { topicId: 'priced', partition: 0, offset: 0, topic: 't', lastOffset: null };
    const forged = { _id: 'forged:0:1', proven: false, owner: OWNER, group: 'aaaaaaaaaaaaaaaa', replayId: id, source };
    const when = { failedAt: new Date(here.clock.now() + 5_000), state: 'PARKED', takenBy: null };
    await insertOnlyStore<DeadLetterDocument>(here.db, DEAD_LETTERS, contentOf).insertOnly([
      { ...forged, ...when } as never,
    ]);
    await here.run(runner, undefined, 30);
    expect(await stateOf(here, id)).toMatchObject({ state: 'ENDED' });
    expect(await here.stores.replays.counts(id)).toMatchObject([{ outcome: 'COMPLETED', letters: 10 }]);
  });
});

describe('a canary', () => {
  it('finds failures however far the clock of the runner is ahead', async () => {
    const here = await world(200);
    const id = await here.approved(STRICT);
    const clock = { now: () => here.clock.now() + 60_000, sleep: here.clock.sleep.bind(here.clock) };
    await here.run(here.runner('one', { clock }), () => true, 40);
    expect(here.sent().length).toBeLessThanOrEqual(5);
    expect(await stateOf(here, id)).toMatchObject({ state: 'STOPPED', halted: { code: 'REPLAY_CANARY_FAILED' } });
  });

  it('stops when transfers are declined that the dry run saw go on, or fail at a later stage', async () => {
    for (const state of ['REJECTED', 'DEAD_LETTERED']) {
      const here = await world(60);
      const id = await here.approved(STRICT);
      const runner = here.runner('one');
      for (let n = 0; n < 20; n++) {
        await runner.tick();
        await here.handle();
        for (const { headers } of here.log.all(TARGET)) {
          await here.stand(`T-${headers['source-offset']!.toString()}`, state, 4);
        }
        here.clock.advance(250);
      }
      expect(here.sent().length, state).toBeLessThanOrEqual(5);
      expect(await stateOf(here, id), state).toMatchObject({ state: 'STOPPED' });
    }
  });

  it('of which nothing is heard is not waited for without end, and a cancelled replay closes', async () => {
    const here = await world(20);
    const id = await here.approved(STRICT);
    const runner = here.runner('one');
    for (let n = 0; n < 8; n++) {
      await runner.tick();
      here.clock.advance(500);
    }
    here.clock.advance(30 * 24 * HOUR_MS);
    await runner.tick();
    await runner.tick();
    expect(await stateOf(here, id)).toMatchObject({ state: 'STOPPED' });
    await cancelReplay(here.stores, { id, by: 'asha', at: new Date(here.clock.now()) });
    await runner.tick();
    expect((await stateOf(here, id)).endedAt).not.toBeNull();
    expect(await here.states()).toEqual({ SENT: 5, PARKED: 15 });
  });
});

describe('a runner', () => {
  it('that stalled while another has sent gives back none of those letters', async () => {
    const here = await world(20);
    const id = await here.approved({ ratePerSecond: 1, canary: 1, maxFailureRatio: 0 });
    const stalled = here.runner('a');
    await here.run(stalled, undefined, 3);
    const before = here.sent().length;
    here.clock.advance(30_000);
    const other = here.runner('b', {
      onSend: (when) => {
        if (when === 'after') throw new Error('died before it has noted it');
      },
    });
    for (let n = 0; n < 6 && here.sent().length === before; n++) {
      await other.tick();
      here.clock.advance(1_000);
    }
    expect(here.sent().length).toBeGreaterThan(before);
    await cancelReplay(here.stores, { id, by: 'asha', at: new Date(here.clock.now()) });
    here.clock.advance(30_000);
    await stalled.tick();
    const sent = here.sent();
    const parked = await rows(here, DEAD_LETTERS)
      .find({ _id: { $in: [...sent] }, state: 'PARKED' })
      .toArray();
    expect(parked).toEqual([]);
  });

  it('goes on after a pause only with what was approved on this build', async () => {
    const here = await world(10);
    const id = await here.approved({ ratePerSecond: 1, canary: 1, maxFailureRatio: 0 });
    let build = 'one';
    const runner = here.runner('one', { dryRunner: { ...dryRunner, basis: async () => ({ build }) } });
    await runner.tick();
    await pauseReplay(here.stores, { id, by: 'asha', at: new Date(here.clock.now()) });
    await runner.tick();
    build = 'two';
    await resumeReplay(here.stores, { id });
    await here.run(runner, undefined, 10);
    expect(await stateOf(here, id)).toMatchObject({ state: 'CANCELLED', halted: { code: 'APPROVAL_VOID' } });
  });
});

it('letters that were taken for a replay which was given up meanwhile are given back', async () => {
  const here = await world(20);
  const { letters } = here.stores;
  const take: ReplayStores['letters']['take'] = async (...args) => {
    await expect(
      cancelReplay(here.stores, { id: 'e', by: 'ben', at: new Date(here.clock.now()) }),
    ).rejects.toMatchObject({ code: 'REPLAY_MOVED' });
    here.clock.advance(HOUR_MS / 2 - 1);
    await here.run(here.runner('one'), undefined, 1);
    return letters.take(...args);
  };
  const slow = { ...here.stores, letters: { ...letters, take } };
  await expect(freezeReplay(slow, freezing(here, 'e'))).rejects.toMatchObject({ code: 'REPLAY_MOVED' });
  expect(await here.states()).toEqual({ PARKED: 20 });
});
