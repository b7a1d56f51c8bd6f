import { expect, it } from 'vitest';
import { systemClock } from '../ports/clock.ts';
import { recordMaker } from '../ports/records.ts';
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
  earlier: Array.from({ length: attempt - 1 }, (_, i) => ({ number: i + 1, startedAt: AT + i + 1 })),
});

function world() {
  const log = new MemoryLog({ partitions: 1 });
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
  expect(new Set(faults)).toEqual(new Set(['SEAL_KEY_UNKNOWN']));
});

it('claims nothing any more once there is one that it cannot read: it could be the claim', async () => {
  const { codec, faults, follower } = world();
  const old = await follower();
  // The schema of the topic counts as newer from here on.
  const bytes = codec.encode(payoutAttempts.name, { ...claim('t-1', 1), claimId: 'x' });
  codec.newerIds.add(bytes.readInt32BE(1));
  const clock = { ...systemClock, sleep: (_ms: number, signal?: AbortSignal) => systemClock.sleep(50, signal) };
  const impatient = await follower({ clock });
  await expect(impatient.claim([claim('t-1', 1)])).rejects.toMatchObject({ code: 'ATTEMPT_CLAIMS_LATE' });
  await expect(impatient.claim([claim('t-1', 1)])).rejects.toMatchObject({ code: 'NEWER_SCHEMA' });
  await expect(old.claim([claim('t-2', 1)])).rejects.toMatchObject({ code: 'NEWER_SCHEMA' });
  // Nor does it take in what comes behind the hole, although it could read that.
  codec.newerIds.clear();
  await (await follower()).claim([claim('t-3', 1)]);
  expect([old.highest('t-3'), impatient.highest('t-3')]).toEqual([undefined, undefined]);
  expect(faults).toContain('NEWER_SCHEMA');
});
