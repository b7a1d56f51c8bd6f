// The inbox on a real database: what it lists, by which indexes it is served, and one person on a case at a time.
import { type CommandStartedEvent, type Db, type Document, MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { assignCase, releaseCase } from '../../operations/cases/assignments/assign.ts';
import { ASSIGNMENT_MS } from '../../operations/cases/assignments/decide.ts';
import { findAlike } from '../../operations/cases/inbox/decide-alike.ts';
import { listInbox } from '../../operations/cases/inbox/inbox.ts';
import type { InboxFilter } from '../../operations/cases/inbox/page.ts';
import type { InboxSources } from '../../operations/cases/inbox/ports.ts';
import { openCase as openPayoutCase } from '../../payouts/changes.ts';
import { openPayout } from '../../payouts/decide.ts';
import { requestCodec } from '../../payouts/request-codec.ts';
import type { CaseDocument } from '../../sinks/cases/case.ts';
import { casesSink } from '../../sinks/cases/sink.ts';
import { indexes as viewIndexes } from '../../sinks/transfer-view/to-write.ts';
import { AT, BOOK, findings, payoutRequested, received, transferHeld } from '../../test/kit/builders.ts';
import { KEYS } from '../../test/kit/keys.ts';
import { memoryCodec } from '../../test/kit/memory-codec.ts';
import { ASSIGNMENTS, assignmentStore } from './assignments.ts';
import { CASES, caseStore } from './cases.ts';
import { CUSTOMER_CASES, customerCaseStore } from './customer-cases.ts';
import { ensureIndexes, insertOnlyStore } from './idempotent-store.ts';
import { knownTransfers, openHolds, openPayouts } from './inbox.ts';
import { mongoPayoutStore, PAYOUTS } from './payouts.ts';

const TRANSFERS = 'transfers';
const HOLDS = 30;
const NOW = AT + 60_000;
const codec = memoryCodec();
let client: MongoClient;
let db: Db;
let sources: InboxSources;
let assignments: ReturnType<typeof assignmentStore>;

beforeAll(async () => {
  client = await MongoClient.connect(inject('stack').mongoUri, { monitorCommands: true });
  db = client.db(`inbox_${process.pid}_${Date.now().toString(36)}`);
  const holds = caseStore(db);
  const customers = customerCaseStore(db, KEYS);
  const payouts = mongoPayoutStore(db, { ring: KEYS.executor });
  assignments = assignmentStore(db);
  await Promise.all([holds, customers, payouts, assignments].map((store) => store.ensureIndexes()));
  await ensureIndexes(db, TRANSFERS, viewIndexes);
  sources = {
    holds: { ...openHolds(db), find: holds.find },
    payouts: openPayouts(db),
    customers,
    transfers: knownTransfers(db, TRANSFERS),
    assignments,
    requests: requestCodec(codec),
    corridors: BOOK,
    operators: KEYS.operators,
  };
  const sink = casesSink(insertOnlyStore<CaseDocument>(db, CASES, (document) => document.evidenceHash));
  const held = Array.from({ length: HOLDS }, (_, n) => transferHeld({ transferId: `transfer-${n}`, at: AT + n }));
  await sink.write(held.map((value) => received('transfer.held', value)));
  const [candidate] = findings('POTENTIAL_MATCH').parties[0]!.candidates;
  const about = {
    token: 't',
    source: 'CORRIDOR',
    entityId: '9',
    entityHash: 'h',
    versionId: 'v',
    candidate: candidate!,
  };
  const open = { ...about, transferId: 'transfer-90', openedAt: AT, state: 'OPEN', decision: null } as const;
  await customers.open([{ ...open, caseId: 'customer-1' }]);
  const requested = codec.encode('payout.requested', payoutRequested({ transferId: 'transfer-80' }));
  const terms = { provider: 'p', homePartition: 3, pricingAttempt: 1, priceExpiresAt: AT, requested };
  const one = openPayoutCase(openPayout({ payoutId: 'transfer-80', ...terms }, AT), 'NO_PROOF', 'detail', AT + 1);
  const two = openPayoutCase(one, 'CONTRADICTION', 'detail', AT + 2);
  const still = openPayout({ payoutId: 'transfer-81', ...terms }, AT);
  await payouts.insert([two, still]);
  await db.collection(TRANSFERS).insertMany([
    { _id: 'transfer-80' as never, sourceCurrency: 'GBP', targetCurrency: 'INR', debitMinor: 70_000n },
    { _id: 'transfer-90' as never, sourceCurrency: 'EUR', targetCurrency: 'INR', debitMinor: null },
  ]);
});
afterAll(() => client.close());

const list = (filter: InboxFilter = {}, over: object = {}) =>
  listInbox(sources, { filter, limit: 200, now: NOW, ...over });

/** Runs it, and returns the find commands that it sent. */
async function finds(run: () => Promise<unknown>): Promise<readonly Document[]> {
  const seen: Document[] = [];
  const listen = ({ commandName, command }: CommandStartedEvent) => commandName === 'find' && seen.push(command);
  client.on('commandStarted', listen);
  await run();
  client.off('commandStarted', listen);
  return seen;
}

it('lists every open case of every kind once, page by page', async () => {
  const { rows, complete, total } = await list();
  expect(complete).toBe(true);
  expect(rows).toHaveLength(HOLDS + 3);
  expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length);
  expect(rows.every(({ flaw }) => flaw === null)).toBe(true);
  expect(rows.filter(({ kind }) => kind === 'PAYOUT')).toMatchObject([
    {
      id: 'transfer-80/1',
      amount: { minor: 70_000n, currency: 'GBP' },
      corridor: 'GB-IN',
      names: { sender: 'G••• H•••' },
    },
    { id: 'transfer-80/2' },
  ]);
  expect(rows.find(({ kind }) => kind === 'CUSTOMER')).toMatchObject({
    id: 'customer-1',
    amount: null,
    corridor: 'EU-IN',
  });
  expect(total).toMatchObject({ cases: HOLDS + 3, withoutAmount: 1 });
  const paged: string[] = [];
  let after: string | undefined;
  do {
    const page = await list({}, { limit: 7, after });
    paged.push(...page.rows.map(({ id }) => id));
    after = page.next ?? undefined;
  } while (after);
  expect(paged).toEqual(rows.map(({ id }) => id));
});

it('asks a bounded number of questions, each served by an index, none of them sorted in memory', async () => {
  const asked = [
    ...(await finds(() => list())),
    ...(await finds(() => list({ stage: 'LIMITS', assignedTo: null, corridor: 'GB-IN', openedBefore: NOW }))),
    ...(await finds(() => assignments.find('c', NOW))),
    ...(await finds(() => sources.holds.between({ stage: 'SCREENING', debtorToken: 'd', creditorToken: 'c' }, 9))),
  ];
  const collections = new Set(asked.map((command) => command['find'] as string));
  expect([...collections].sort()).toEqual([ASSIGNMENTS, CASES, CUSTOMER_CASES, PAYOUTS, TRANSFERS].sort());
  expect((await finds(() => list())).length).toBeLessThanOrEqual(8);
  for (const { find, filter, sort, projection } of asked) {
    const cursor = db.collection(find as string).find(filter as Document);
    if (projection) cursor.project(projection as Document);
    if (sort) cursor.sort(sort as Document);
    const plan = JSON.stringify((await cursor.explain('queryPlanner'))['queryPlanner'].winningPlan);
    expect(plan, `${find} ${JSON.stringify(filter)}`).toMatch(/IXSCAN|IDHACK/);
    expect(plan, `${find} ${JSON.stringify(filter)}`).not.toMatch(/COLLSCAN|"SORT"/);
  }
});

it('finds the open holds that say the same of the same parties', async () => {
  const { rows } = await list({ kind: 'HOLD' });
  const holds = { ...caseStore(db), ...sources.holds };
  const { cases } = await findAlike({ holds }, rows[3]!.id);
  expect(cases.map(({ _id }) => _id).toSorted()).toEqual(rows.map(({ id }) => id).toSorted());
  expect(cases[0]!._id).toBe(rows[3]!.id);
  const others = { stage: 'LIMITS', debtorToken: 'd', creditorToken: 'c' } as const;
  expect(await sources.holds.between(others, 9)).toEqual([]);
});

it('names what somebody changed or wrote in the database, and lists the rest', async () => {
  const cases = db.collection<{ _id: string }>(CASES);
  const { rows } = await list({ kind: 'HOLD' });
  const [first, second] = rows.map(({ id }) => id);
  const before = await cases.find({ _id: { $in: [first!, second!] } }, { useBigInt64: true }).toArray();
  await cases.updateOne({ _id: first! }, { $set: { instructedMinor: 1 } });
  await cases.updateOne({ _id: second! }, { $set: { openedAt: 'x', reasons: null, stage: 7, held: null } });
  await cases.insertOne({ _id: 'nothing', state: 'OPEN' } as never);
  await db
    .collection<{ _id: string }>(PAYOUTS)
    .insertOne({ _id: 'forged', caseSince: new Date(0), cases: 'x' } as never);
  await db.collection<{ _id: string }>(CUSTOMER_CASES).insertOne({ _id: 'made-up', state: 'OPEN' } as never);
  const flaws = (await list()).rows.flatMap(({ id, flaw }) => (flaw ? [`${id} ${flaw}`] : []));
  expect(flaws.toSorted()).toEqual(
    [
      `${first} CASE_ALTERED`,
      `${second} CASE_ALTERED`,
      'nothing CASE_ALTERED',
      'forged PAYOUT_FORGED',
      'made-up CUSTOMER_CASE_NOT_SEALED',
    ].toSorted(),
  );
  for (const document of before) await cases.replaceOne({ _id: document._id }, document);
  await cases.deleteOne({ _id: 'nothing' });
  await db.collection<{ _id: string }>(PAYOUTS).deleteOne({ _id: 'forged' });
  await db.collection<{ _id: string }>(CUSTOMER_CASES).deleteOne({ _id: 'made-up' });
  expect((await list()).rows.filter(({ flaw }) => flaw)).toEqual([]);
});

it('is one person at a time who works on a case, until it is released or over', async () => {
  const caseId = 'customer-1';
  const assign = (by: string, at = NOW) => assignCase(assignments, { caseId, by, at });
  const all = await Promise.allSettled(Array.from({ length: 16 }, (_, n) => assign(`person ${n}`)));
  const winners = all.flatMap((each) => (each.status === 'fulfilled' ? [each.value.by] : []));
  expect(winners).toHaveLength(1);
  for (const each of all) if (each.status === 'rejected') expect(each.reason).toMatchObject({ code: 'CASE_ASSIGNED' });
  const [winner] = winners as [string];
  expect((await list({ assignedTo: winner.toUpperCase() })).rows.map(({ id }) => id)).toEqual([caseId]);
  expect((await list({ assignedTo: null })).rows).toHaveLength(HOLDS + 2);

  // Again by the same person lasts longer; by another one only when it is over.
  expect((await assign(winner, NOW + 5)).until).toBe(NOW + 5 + ASSIGNMENT_MS);
  await expect(assign('zoe', NOW + 5 + ASSIGNMENT_MS - 1)).rejects.toMatchObject({ code: 'CASE_ASSIGNED' });
  await assign('zoe', NOW + 5 + ASSIGNMENT_MS);
  const over = await list({ assignedTo: 'zoe' }, { now: NOW + 5 + 2 * ASSIGNMENT_MS });
  expect(over.rows).toEqual([]);

  await expect(releaseCase(assignments, { caseId, by: winner })).rejects.toMatchObject({ code: 'ASSIGNMENT_UNKNOWN' });
  await releaseCase(assignments, { caseId, by: 'ZOE' });
  await assign('amara');
});
