import { expect, it } from 'vitest';
import { keyRing } from '../domain/seals/seal.ts';
import { STOPPED } from '../payouts/attempt-ledger.ts';
import { type Clock, systemClock } from '../ports/clock.ts';
import { dependencyDown } from '../ports/fault.ts';
import { recordMaker } from '../ports/records.ts';
import { ManualClock } from '../test/kit/manual-clock.ts';
import { memoryCodec } from '../test/kit/memory-codec.ts';
import { MemoryLog } from '../test/kit/memory-log.ts';
import { testRings } from '../test/kit/rings.ts';
import { payoutAttempts } from '../topics/boundary.ts';
import { logAttemptClaims } from './attempt-claims.ts';

const AT = 1_800_000_000_000;
/** Made from a document that has all attempts before it. */
const claim = (payoutId: string, attempt: number) => ({
  payoutId,
  attempt,
  startedAt: AT + attempt,
  token: null,
  earlier: Array.from({ length: attempt - 1 }, (_, i) => ({ number: i + 1, startedAt: AT + i + 1, token: null })),
});

function world(clock: Clock = systemClock) {
  const log = new MemoryLog({ partitions: 1, clock });
  const codec = memoryCodec();
  const faults: string[] = [];
  const follower = async (more = {}) => {
    const onFault = (code: string) => void faults.push(code);
    const claims = logAttemptClaims({ log, writer: await log.writer(), codec, rings: testRings, onFault, ...more });
    await claims.start();
    return claims;
  };
  return { log, codec, faults, follower };
}

it('lets the first claim of an attempt stand, whoever makes it, and none that is not above it', async () => {
  const { follower } = world();
  const [one, other] = [await follower(), await follower()];
  expect(await one.claim([claim('t-1', 1), claim('t-2', 1)])).toEqual([true, true]);
  expect(await other.claim([claim('t-1', 1), claim('t-2', 2)])).toEqual([false, true]);
  expect(await one.claim([claim('t-2', 2), claim('t-2', 1)])).toEqual([false, false]);
  const both = await Promise.all([one.claim([claim('t-3', 4)]), other.claim([claim('t-3', 4)])]);
  expect(both.flat().toSorted()).toEqual([false, true]);
});

it('lets none stand of a document that lacks what was claimed, however far it has counted on by itself', async () => {
  const { follower } = world();
  const [one, other] = [await follower(), await follower()];
  expect(await one.claim([claim('t-1', 1), claim('t-1', 2)])).toEqual([true, true]);
  const counted = [1, 2].map((number) => ({ number, startedAt: AT + 900 + number }));
  expect(await other.claim([{ ...claim('t-1', 3), earlier: counted }])).toEqual([false]);
  expect(await other.claim([{ ...claim('t-1', 3), earlier: [] }])).toEqual([false]);
  // What did not stand proves nothing: the true document goes on.
  expect(other.highest('t-1')).toMatchObject({ attempt: 2, startedAt: AT + 2 });
  expect(await one.claim([claim('t-1', 3)])).toEqual([true]);
});

it('knows after a start what was claimed before it', async () => {
  const { follower } = world();
  await (await follower()).claim([claim('t-1', 1), claim('t-1', 3)]);
  const restarted = await follower();
  expect(restarted.highest('t-1')).toMatchObject({ attempt: 3, startedAt: AT + 3 });
  expect(restarted.highest('t-2')).toBeUndefined();
  expect(await restarted.claim([claim('t-1', 3)])).toEqual([false]);
});

it('passes over what no executor has sealed, and is not moved by copies', async () => {
  const { log, codec, faults, follower } = world();
  const [first, second] = [await follower(), await follower()];
  await first.claim([claim('t-1', 1)]);
  const forged = { ...claim('t-1', 99), claimId: 'x' };
  const rings = { ...testRings, executor: testRings.operators };
  const make = recordMaker({ owner: 'a stranger', writes: [payoutAttempts], codec, rings });
  log.append([make(payoutAttempts.name, forged, { partition: 0 })]);
  const [{ key, value, headers }] = log.records(payoutAttempts.name, 0) as never as [
    { key: Buffer; value: Buffer; headers: Record<string, Buffer> },
  ];
  const copy = { topic: payoutAttempts.name, partition: 0, key, value };
  log.append([{ ...copy, headers: Object.fromEntries(Object.entries(headers).map(([k, v]) => [k, v.toString()])) }]);
  expect(await second.claim([claim('t-1', 2)])).toEqual([true]);
  expect(new Set(faults)).toEqual(new Set(['ATTEMPT_CLAIMS_KEY_REMOVED']));
});

it.each([
  ['of a newer schema', 'NEWER_SCHEMA'],
  ['in a batch that is corrupt', 'ATTEMPT_CLAIMS_UNREADABLE'],
] as const)('claims nothing any more once there is one %s: it could be the claim', async (how, code) => {
  const { log, codec, faults, follower } = world();
  const [old, other] = [await follower(), await follower()];
  await old.claim([claim('t-1', 1)]);
  if (how === 'of a newer schema') {
    // The schema of the topic counts as newer from here on.
    codec.newerIds.add(codec.encode(payoutAttempts.name, { ...claim('t-1', 1), claimId: 'x' }).readInt32BE(1));
    await expect(other.claim([claim('t-1', 2)])).rejects.toMatchObject({ code });
  } else {
    log.appendUnreadable(payoutAttempts.name, 0, 'BATCH_CORRUPT');
  }
  await expect(old.failed).rejects.toMatchObject({ code, faultClass: 'fatal' });
  await expect(other.failed).rejects.toMatchObject({ code });
  expect([old.ready(), other.ready()]).toEqual([false, false]);
  await expect(old.claim([claim('t-2', 1)])).rejects.toMatchObject({ code });
  // Nor does a process begin that has to read past it.
  await expect(follower()).rejects.toMatchObject({ code });
  // Or one take in what comes behind the hole, although it could read that.
  const known = old.highest('t-3');
  codec.newerIds.clear();
  if (how === 'of a newer schema') await (await follower()).claim([claim('t-3', 1)]);
  expect([known, old.highest('t-3')]).toEqual([undefined, undefined]);
  expect(faults).toContain(code);
});

it('begins no attempt while claims do not come back, and finds out by a probe that they do', async () => {
  const { log, faults, follower } = world();
  const real = await log.writer();
  let isDown = true;
  const sent: number[] = [];
  const writer = {
    ...real,
    send: async (records: Parameters<typeof real.send>[0]) => {
      if (isDown) throw dependencyDown('kafka', 'KAFKA_UNAVAILABLE', 'down');
      sent.push(records.length);
      await real.send(records);
    },
  };
  const claims = await follower({ writer });
  expect(claims.ready()).toBe(true);
  await expect(claims.claim([claim('t-1', 1)])).rejects.toMatchObject({ code: 'KAFKA_UNAVAILABLE' });
  void claims.stopped('t-9', AT);
  expect(claims.ready()).toBe(false);
  await expect.poll(() => faults.length).toBeGreaterThan(1);
  isDown = false;
  await expect.poll(() => claims.ready()).toBe(true);
  // The probe is of no attempt, and what could not be told meanwhile is told.
  await expect.poll(() => claims.highest('t-9')).toMatchObject({ attempt: STOPPED });
  expect(claims.highest('t-1')).toBeUndefined();
  expect(await claims.claim([claim('t-1', 2)])).toEqual([true]);
});

it('lets no claim stand of a payout that is stopped, for any process, over a restart', async () => {
  const { follower } = world();
  const [one, other] = [await follower(), await follower()];
  await one.claim([claim('t-1', 1)]);
  void one.stopped('t-1', AT);
  await expect.poll(() => other.highest('t-1')).toMatchObject({ attempt: STOPPED });
  expect(await other.claim([claim('t-1', 2)])).toEqual([false]);
  const restarted = await follower();
  expect(restarted.highest('t-1')).toMatchObject({ attempt: STOPPED });
  expect(await restarted.claim([claim('t-1', 3)])).toEqual([false]);
});

it('says at the start, and for as long as they count, which claims bear a key that was removed', async () => {
  const clock = new ManualClock();
  const { log, codec, faults } = world(clock);
  const executor = keyRing('old:0123456789abcdef0123456789abcdef');
  const details: string[] = [];
  const follow = async (rings: typeof testRings) => {
    const onFault = (code: string, detail: string) => {
      faults.push(code);
      details.push(detail);
    };
    const claims = logAttemptClaims({ log, writer: await log.writer(), codec, rings, clock, onFault });
    await claims.start();
    return claims;
  };
  await (await follow({ ...testRings, executor })).claim([claim('t-1', 1), claim('t-2', 1)]);
  const claims = await follow(testRings);
  expect(faults).toEqual(['ATTEMPT_CLAIMS_KEY_REMOVED']);
  expect(details[0]).toContain('2 claims of attempts bear keys that are not in CORRIDOR_EXECUTOR_KEYS (old)');
  expect(claims.troubles()).toMatchObject([{ code: 'ATTEMPT_CLAIMS_KEY_REMOVED', topic: 'payout.attempts' }]);
  clock.advance(payoutAttempts.retentionMs! + 1);
  expect(claims.troubles()).toEqual([]);
  // With the key behind the first they count.
  const both = keyRing('new:fedcba9876543210fedcba9876543210,old:0123456789abcdef0123456789abcdef');
  expect((await follow({ ...testRings, executor: both })).highest('t-1')).toMatchObject({ attempt: 1 });
});
