// Claims on a real database: one winner however many try, what stands is what was first, and outages are outages.
import type { Db, MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { IntentClaim } from '../../processors/intake/ports.ts';
import { settleUpdates } from '../../processors/settlement/claims.ts';
import type { SettlementClaim } from '../../processors/settlement/ports.ts';
import { payoutUpdated, requestedFrom, transferReserved } from '../../test/kit/builders.ts';
import { connectMongo } from './client.ts';
import { holdClaims } from './hold-claims.ts';
import { intentClaims } from './intent-claims.ts';
import { replayClaims } from './replay-claims.ts';
import { settlementClaims } from './settlement-claims.ts';

let client: MongoClient;
let db: Db;
beforeAll(async () => {
  const database = `claims_${process.pid}_${Date.now().toString(36)}`;
  const connection = await connectMongo({ uri: inject('stack').mongoUri, database });
  ({ client, db } = connection);
});
afterAll(async () => {
  await client.close();
});

const claim = (transferId: string, over: Partial<IntentClaim> = {}): IntentClaim => ({
  transferId,
  hash: 'v1:ab',
  originPosition: 'T:0:1',
  homePartition: 3,
  acceptedAt: 1_795_424_400_123,
  producerId: 'acme',
  ...over,
});

describe('claims on transfer ids', () => {
  it('stand as first made, exactly, also within a mixed batch', async () => {
    const claims = intentClaims(db);
    const first = claim('mixed-0001');
    expect(await claims.claim([first])).toEqual([first]);
    const batch = [
      claim('mixed-0002'),
      claim('mixed-0001', { originPosition: 'T:0:9', hash: 'v1:cd' }),
      claim('mixed-0003'),
    ];
    expect(await claims.claim(batch)).toEqual([batch[0], first, batch[2]]);
    expect(await claims.find(['mixed-0001', 'never-seen', 'mixed-0003'])).toEqual(
      expect.arrayContaining([first, batch[2]]),
    );
    expect(await claims.find(['never-seen'])).toEqual([]);
  });

  it('have one winner among many processes that see the same winner', async () => {
    const claims = intentClaims(db);
    const ids = Array.from({ length: 50 }, (_, n) => `race-${String(n).padStart(4, '0')}`);
    const racers = Array.from({ length: 8 }, (_, racer) =>
      ids.map((id) => claim(id, { originPosition: `T:${racer}:0` })),
    );
    const seen = await Promise.all(racers.map((mine) => claims.claim(mine)));
    for (const other of seen) expect(other).toEqual(seen[0]);
  });

  it('are kept when the process dies between the insert and the read', async () => {
    const dying = intentClaims(db, {
      failpoint: () => {
        throw new Error('killed here');
      },
    });
    const mine = claim('killed-0001');
    await expect(dying.claim([mine])).rejects.toThrow('killed here');
    expect(await intentClaims(db).claim([claim('killed-0001', { acceptedAt: 1 })])).toEqual([mine]);
  });
});

describe('claims on holds', () => {
  it('let one command resume', async () => {
    const holds = holdClaims(db);
    const by = (commandId: string) => ({
      holdId: 'hold-1',
      commandId,
      position: 'p:0:1',
      transferId: 't',
      claimedAt: 5,
    });
    const results = await Promise.all(Array.from({ length: 10 }, (_, n) => holds.claim([by(`command-${n}`)])));
    expect(new Set(results.map(([standing]) => standing!.commandId)).size).toBe(1);
  });
});

describe('claims on payout versions', () => {
  const step = (version: number): SettlementClaim['steps'][number] => ({
    commandId: `c-${version}`,
    position: `payout.updated:0:${version}`,
    version,
    attempt: 1,
    sequence: 5 + version,
    end: 'requote',
    at: 1_795_424_400_123 + version,
  });

  it('are inserted once and replaced only as read', async () => {
    const claims = settlementClaims(db);
    const one: SettlementClaim = { transferId: 'settle-1', steps: [step(1)] };
    const two: SettlementClaim = { transferId: 'settle-1', steps: [step(1), step(2)] };
    expect(await claims.insert([one])).toEqual(new Set());
    expect(await claims.insert([one])).toEqual(new Set(['settle-1']));
    expect(await claims.find(['settle-1'])).toEqual([one]);
    expect(await claims.replace([{ claim: two, expectedSteps: 1 }])).toEqual(new Set());
    expect(await claims.replace([{ claim: one, expectedSteps: 1 }])).toEqual(new Set(['settle-1']));
    expect(await claims.find(['settle-1'])).toEqual([two]);
  });

  it('give the zombie and its successor the same outcomes', async () => {
    const reserved = ['zombie-0001', 'zombie-0002', 'zombie-0003'].map((transferId) =>
      transferReserved({ transferId }),
    );
    const updates = reserved.flatMap((value, place) => {
      const requested = requestedFrom(value);
      const paid = payoutUpdated(requested, { version: 2 });
      const returned = payoutUpdated(requested, { version: 3, status: 'RETURNED' });
      return [paid, returned].map((value, n) => ({
        value,
        position: `payout.updated:0:${place * 2 + n}`,
        appendedAt: 0,
      }));
    });
    const tries = await Promise.all([1, 2, 3, 4].map((n) => settleUpdates(settlementClaims(db), updates, n * 1_000)));
    for (const outcomes of tries) expect(outcomes).toEqual(tries[0]);
    expect(tries[0]!.map((outcome) => (outcome.kind === 'step' ? outcome.step.end : outcome.kind))).toEqual(
      reserved.flatMap(() => ['completed', 'returned']),
    );
  });
});

describe('a database that is not there', () => {
  it('is an outage', async () => {
    const uri = 'mongodb://127.0.0.1:1/corridor?directConnection=true';
    await expect(connectMongo({ uri, firstWaitMs: 200 })).rejects.toMatchObject({
      code: 'MONGO_UNAVAILABLE',
      faultClass: 'transient-dependency',
      dependency: 'mongo',
    });
  });

  it('or cannot be, when the address makes no sense', async () => {
    await expect(connectMongo({ uri: 'postgres://x' })).rejects.toMatchObject({
      code: 'MONGO_URI_INVALID',
      faultClass: 'fatal',
    });
  });
});

describe('claims on replayed dead letters', () => {
  it('are for one place in the log, whoever replays, and stand as first made', async () => {
    const claims = replayClaims(async () => db);
    const first = (id: string) => ({
      deadLetterId: id,
      owner: 'screening',
      replayId: 'r-1',
      position: 'R:0:1',
      claimedAt: 1_795_424_400_123,
    });
    const other = { ...first('letter-1'), replayId: 'r-2', position: 'R:0:2' };
    expect(await claims.claim([first('letter-1')])).toEqual([first('letter-1')]);
    expect(await claims.claim([other, first('letter-2')])).toEqual([first('letter-1'), first('letter-2')]);
    const racers = Array.from({ length: 6 }, (_, i) => ({ ...first('letter-3'), position: `R:0:${i}` }));
    const seen = await Promise.all(racers.map((racer) => claims.claim([racer])));
    for (const [standing] of seen) expect(standing).toEqual(seen[0]![0]);
  });
});
