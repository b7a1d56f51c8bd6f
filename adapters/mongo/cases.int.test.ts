// Cases against a real database: one decision wins, expiry competes with it, and the command stays pending until relayed.
import { type CommandStartedEvent, type Db, MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { decideCase } from '../../operations/cases/holds/cases.ts';
import { toCommand } from '../../operations/cases/holds/command.ts';
import { checkDecided } from '../../operations/cases/holds/decide.ts';
import { expireHolds } from '../../operations/cases/holds/relay.ts';
import { heldOf } from '../../processors/holds.ts';
import { recordType } from '../../schemas/avro-types.ts';
import type { Parties, Party, TransferHeld } from '../../schemas/types.generated.ts';
import type { CaseDocument } from '../../sinks/cases/case.ts';
import { casesSink } from '../../sinks/cases/sink.ts';
import { received, transferHeld } from '../../test/kit/builders.ts';
import { HOLDING, KEYS } from '../../test/kit/keys.ts';
import { CASES, type CaseStore, caseStore } from './cases.ts';
import { insertOnlyStore } from './idempotent-store.ts';

let client: MongoClient;
let store: CaseStore;
let db: Db;
let sink: ReturnType<typeof casesSink>;

beforeAll(async () => {
  client = await MongoClient.connect(inject('stack').mongoUri, { monitorCommands: true });
  db = client.db(`cases_${process.pid}_${Date.now().toString(36)}`);
  store = caseStore(db);
  await store.ensureIndexes();
  sink = casesSink(insertOnlyStore<CaseDocument>(db, CASES, (document) => document.evidenceHash));
});
afterAll(async () => {
  await client.close();
});

let holds = 0;
async function open(expiresAt = Date.now() + 60_000) {
  const { hold, ...event } = transferHeld({ transferId: `transfer-${++holds}` });
  const held = heldOf(event, hold, { ...HOLDING, ttlMs: expiresAt - event.envelope.occurredAt });
  const record = received('transfer.held', held);
  await sink.write([record]);
  return { holdId: held.hold.holdId, held, record };
}
const decide = ({ held }: { held: TransferHeld }, by: string, decision: 'APPROVE' | 'REJECT' = 'APPROVE') =>
  decideOn(held.hold, by, decision);
const decideOn = (
  { holdId, evidenceHash }: Pick<TransferHeld['hold'], 'holdId' | 'evidenceHash'>,
  by: string,
  decision: 'APPROVE' | 'REJECT' = 'APPROVE',
) => {
  const reason = 'checked against the passport';
  return decideCase(store, { holdId, evidenceHash, decision, by, reason, at: new Date() }, KEYS.operators);
};

describe('a case', () => {
  it('opens once, and is not reopened by a redelivery after its decision', async () => {
    const { holdId, held, record } = await open();
    await decide({ held }, 'amara');
    expect(await sink.write([record, record])).toMatchObject({ failed: [], stale: 2 });
    expect(await store.find(holdId)).toMatchObject({ state: 'DECIDED', decision: { decidedBy: 'amara' } });
  });

  it('is decided by one of many, exactly once', async () => {
    const { held } = await open();
    const tries = Array.from({ length: 16 }, (_, i) => decide({ held }, `op-${i}`));
    const settled = await Promise.allSettled(tries);
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const each of settled) {
      if (each.status === 'rejected') expect(each.reason).toMatchObject({ code: 'CASE_NOT_OPEN' });
    }
  });

  it('is not decided on other evidence than is held, nor when it is not there', async () => {
    const { holdId } = await open();
    await expect(decideOn({ holdId, evidenceHash: 'something-else' }, 'x')).rejects.toMatchObject({
      code: 'EVIDENCE_CHANGED',
    });
    await expect(decideOn({ holdId: 'no-such-hold', evidenceHash: 'x' }, 'x')).rejects.toMatchObject({
      code: 'CASE_UNKNOWN',
    });
    expect(await store.find(holdId)).toMatchObject({ state: 'OPEN', decision: null });
  });

  it('lapses when nobody decides, and then cannot be decided', async () => {
    const { holdId, held } = await open(Date.now() - 1);
    const other = await open();
    expect(await expireHolds(store, new Date())).toBeGreaterThanOrEqual(1);
    expect(await store.find(holdId)).toMatchObject({
      state: 'EXPIRED',
      decision: { decision: 'REJECT', decidedBy: 'hold-expiry' },
    });
    expect(await store.find(other.holdId)).toMatchObject({ state: 'OPEN' });
    await expect(decide({ held }, 'late')).rejects.toMatchObject({
      code: 'CASE_NOT_OPEN',
    });
  });

  it('is decided, relayed and read by a majority, so that no decision is rolled back later', async () => {
    const { holdId, held } = await open();
    const seen: CommandStartedEvent[] = [];
    // What time it is by the primary is neither read nor written.
    client.on('commandStarted', (event) => event.commandName !== 'hello' && seen.push(event));
    const decided = await decide({ held }, 'amara');
    await expireHolds(store, new Date(0));
    await store.markPublished([decided]);
    await store.find(holdId);
    await store.pending(1);
    await store.list({ limit: 1 });
    client.removeAllListeners('commandStarted');
    const concerns = seen.map(({ commandName, command }) => [
      commandName,
      command['writeConcern'] ?? command['readConcern'],
    ]);
    const acknowledged = { w: 'majority', j: true, wtimeout: 10_000 };
    expect(concerns).toEqual([
      ['find', { level: 'majority' }],
      ['findAndModify', acknowledged],
      ['update', acknowledged],
      ['update', acknowledged],
      ['find', { level: 'majority' }],
      ['find', { level: 'majority' }],
      ['find', { level: 'majority' }],
    ]);
  });

  it('keeps its command pending until it is published, and carries the held event back exactly', async () => {
    const { holdId, held } = await open();
    expect((await store.pending(100)).map(({ _id }) => _id)).not.toContain(holdId);
    await decide({ held }, 'amara');
    const pending = (await store.pending(1_000)).find(({ _id }) => _id === holdId)!;
    const command = toCommand(pending, 'command-1');
    expect(command.held).toEqual(held);
    const type = recordType('ReviewDecided');
    expect(type.fromBuffer(type.toBuffer(command))).toEqual(command);
    await store.markPublished([pending]);
    expect((await store.pending(1_000)).map(({ _id }) => _id)).not.toContain(holdId);
  });

  it('that was changed in the database cannot be decided, whatever was changed', async () => {
    const changes: [string, (held: TransferHeld) => object][] = [
      ['name', (held) => ({ $set: { held: withCreditor(held, { name: 'Somebody Else' }) } })],
      [
        'account',
        (held) => ({ $set: { held: withCreditor(held, { account: { scheme: 'IBAN', value: 'X', agent: null } }) } }),
      ],
      ['amount', () => ({ $set: { 'held.instruction.instructedAmount.minor': 9n } })],
      ['amount as shown', () => ({ $set: { instructedMinor: 9n } })],
      ['expiry', () => ({ $set: { expiresAt: new Date(Date.now() + 1e9) } })],
      ['evidence hash', () => ({ $set: { evidenceHash: 'other' } })],
      ['reasons', () => ({ $set: { reasons: [] } })],
      ['held event missing', () => ({ $unset: { held: 1 } })],
    ];
    for (const [what, change] of changes) {
      const { holdId, held } = await open();
      await db.collection<{ _id: string }>(CASES).updateOne({ _id: holdId }, change(held));
      await expect(decide({ held }, 'amara'), what).rejects.toMatchObject({ code: 'CASE_ALTERED' });
      expect(await store.find(holdId), what).toMatchObject({ state: 'OPEN', decision: null });
    }
  });

  it('goes to the log only with a decision that was sealed as it stands, or when its hold has lapsed', async () => {
    const stored = async (change: object, expiresAt?: number) => {
      const { holdId } = await open(expiresAt);
      await db
        .collection<{ _id: string }>(CASES)
        .updateOne({ _id: holdId }, { $set: { commandPending: true, ...change } });
      return (await store.find(holdId))!;
    };
    const check = (found: CaseDocument) => () => checkDecided(found, KEYS.operators, Date.now());
    const text = { decision: 'APPROVE', decidedBy: 'amara', decidedAt: new Date(), justification: 'x', seal: null };
    expect(check(await stored({ state: 'DECIDED', decision: text }))).toThrow(/not made through a program/);
    expect(check(await stored({ state: 'DECIDED' }))).toThrow(/holds no decision/);
    const lapse = { ...text, decision: 'REJECT', decidedBy: 'hold-expiry' };
    expect(check(await stored({ state: 'EXPIRED', decision: lapse }))).toThrow(/has not lapsed/);
    expect(check(await stored({ state: 'EXPIRED', decision: lapse }, Date.now() - 1))).not.toThrow();
    expect(
      check(await stored({ state: 'EXPIRED', decision: { ...lapse, decision: 'APPROVE' } }, Date.now() - 1)),
    ).toThrow();

    const { holdId, held } = await open();
    await decide({ held }, 'amara', 'REJECT');
    expect(check((await store.find(holdId))!)).not.toThrow();
    await db
      .collection<{ _id: string }>(CASES)
      .updateOne({ _id: holdId }, { $set: { 'decision.decision': 'APPROVE' } });
    expect(check((await store.find(holdId))!)).toThrow(/was changed since/);
  });

  it('is written again over what was read alone: a decision meanwhile stays', async () => {
    const act = { by: 'amara', reason: 'changed in the database', at: new Date() };
    const stored = db.collection<{ _id: string }>(CASES);
    const { holdId, held } = await open();
    const read = (await store.find(holdId))!;
    await decide({ held }, 'bela');
    for (const found of [read, undefined, { ...read, state: 'DECIDED' } as const]) {
      expect(await store.restore(read, act, found)).toBe(false);
    }
    expect(await store.find(holdId)).toMatchObject({ state: 'DECIDED', decision: { decidedBy: 'bela' } });
    const decided = (await store.find(holdId))!;
    await store.restore(read, act, decided);
    expect(await store.find(holdId)).toEqual(read);
    await stored.updateOne({ _id: holdId }, { $unset: { state: 1, decision: 1 } });
    await store.restore(read, act, await store.find(holdId));
    expect(await store.find(holdId)).toEqual(read);
    await stored.deleteOne({ _id: holdId });
    await store.restore(read, act, undefined);
    expect(await store.find(holdId)).toEqual(read);
  });

  it('is not decided once its hold has lapsed, although nobody swept it yet', async () => {
    const { held, holdId } = await open(Date.now() - 1);
    await expect(decide({ held }, 'late')).rejects.toMatchObject({ code: 'HOLD_LAPSED' });
    expect(await store.find(holdId)).toMatchObject({ state: 'OPEN' });
  });
});

function withCreditor(held: TransferHeld, over: Partial<Party>): TransferHeld {
  const [name, parties] = Object.entries(held.parties)[0]! as [string, Parties];
  return { ...held, parties: { [name]: { ...parties, creditor: { ...parties.creditor, ...over } } } as never };
}
