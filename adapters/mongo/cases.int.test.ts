// Cases against a real database: one decision wins, expiry competes with it, and the command stays pending until relayed.
import { type CommandStartedEvent, MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { recordType } from '../../schemas/avro-types.ts';
import type { CaseDocument } from '../../sinks/cases/case.ts';
import { toCommand } from '../../sinks/cases/command.ts';
import { casesSink } from '../../sinks/cases/sink.ts';
import { received, transferHeld } from '../../test/kit/builders.ts';
import { CASES, type CaseStore, caseStore } from './cases.ts';
import { MAJORITY } from './client.ts';
import { insertOnlyStore } from './idempotent-store.ts';

let client: MongoClient;
let store: CaseStore;
let sink: ReturnType<typeof casesSink>;

beforeAll(async () => {
  client = await MongoClient.connect(inject('stack').mongoUri, { monitorCommands: true });
  const db = client.db(`cases_${process.pid}_${Date.now().toString(36)}`);
  store = caseStore(db);
  await store.ensureIndexes();
  sink = casesSink(insertOnlyStore<CaseDocument>(db, CASES, (document) => document.evidenceHash));
});
afterAll(async () => {
  await client.close();
});

let holds = 0;
async function open(expiresAt = Date.now() + 60_000) {
  const held = transferHeld();
  const holdId = `hold-${++holds}`;
  const unique = { ...held, hold: { ...held.hold, holdId, expiresAt } };
  const record = received('transfer.held', unique);
  await sink.write([record]);
  return { holdId, held: unique, record };
}
const decision = (decidedBy: string, verdict: 'APPROVE' | 'REJECT' = 'APPROVE') => ({
  decision: verdict,
  decidedBy,
  decidedAt: new Date(),
  justification: 'checked against the passport',
});

describe('a case', () => {
  it('opens once, and is not reopened by a redelivery after its decision', async () => {
    const { holdId, held, record } = await open();
    await store.decide(holdId, held.hold.evidenceHash, decision('amara'));
    expect(await sink.write([record, record])).toMatchObject({ failed: [], stale: 2 });
    expect(await store.find(holdId)).toMatchObject({ state: 'DECIDED', decision: { decidedBy: 'amara' } });
  });

  it('is decided by one of many, exactly once', async () => {
    const { holdId, held } = await open();
    const tries = Array.from({ length: 16 }, (_, i) =>
      store.decide(holdId, held.hold.evidenceHash, decision(`op-${i}`)),
    );
    const settled = await Promise.allSettled(tries);
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const each of settled) {
      if (each.status === 'rejected') expect(each.reason).toMatchObject({ code: 'CASE_NOT_OPEN' });
    }
  });

  it('is not decided on other evidence than is held, nor when it is not there', async () => {
    const { holdId } = await open();
    await expect(store.decide(holdId, 'something-else', decision('x'))).rejects.toMatchObject({
      code: 'EVIDENCE_CHANGED',
    });
    await expect(store.decide('no-such-hold', 'x', decision('x'))).rejects.toMatchObject({ code: 'CASE_UNKNOWN' });
    expect(await store.find(holdId)).toMatchObject({ state: 'OPEN', decision: null });
  });

  it('lapses when nobody decides, and then cannot be decided', async () => {
    const { holdId, held } = await open(Date.now() - 1);
    const other = await open();
    expect(await store.expire(new Date())).toBeGreaterThanOrEqual(1);
    expect(await store.find(holdId)).toMatchObject({
      state: 'EXPIRED',
      decision: { decision: 'REJECT', decidedBy: 'hold-expiry' },
    });
    expect(await store.find(other.holdId)).toMatchObject({ state: 'OPEN' });
    await expect(store.decide(holdId, held.hold.evidenceHash, decision('late'))).rejects.toMatchObject({
      code: 'CASE_NOT_OPEN',
    });
  });

  it('is decided, relayed and read by a majority, so that no decision is rolled back later', async () => {
    const { holdId, held } = await open();
    const seen: CommandStartedEvent[] = [];
    client.on('commandStarted', (event) => seen.push(event));
    await store.decide(holdId, held.hold.evidenceHash, decision('amara'));
    await store.expire(new Date(0));
    await store.markPublished([holdId]);
    await store.find(holdId);
    await store.pending(1);
    await store.list({ limit: 1 });
    client.removeAllListeners('commandStarted');
    const concerns = seen.map(({ commandName, command }) => [
      commandName,
      command['writeConcern'] ?? command['readConcern'],
    ]);
    expect(concerns).toEqual([
      ['findAndModify', MAJORITY.writeConcern],
      ['update', MAJORITY.writeConcern],
      ['update', MAJORITY.writeConcern],
      ['find', { level: 'majority' }],
      ['find', { level: 'majority' }],
      ['find', { level: 'majority' }],
    ]);
  });

  it('keeps its command pending until it is published, and carries the held event back exactly', async () => {
    const { holdId, held } = await open();
    expect((await store.pending(100)).map(({ _id }) => _id)).not.toContain(holdId);
    await store.decide(holdId, held.hold.evidenceHash, decision('amara'));
    const pending = (await store.pending(1_000)).find(({ _id }) => _id === holdId)!;
    const command = toCommand(pending, 'command-1');
    expect(command.held).toEqual(held);
    const type = recordType('ReviewDecided');
    expect(type.fromBuffer(type.toBuffer(command))).toEqual(command);
    await store.markPublished([holdId]);
    expect((await store.pending(1_000)).map(({ _id }) => _id)).not.toContain(holdId);
  });
});
