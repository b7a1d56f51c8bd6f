// Approvals on a real database: of any number of persons and programs at once, one wins.
import { type Db, MongoClient } from 'mongodb';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { personWithKeys } from '../../operations/access/principal.ts';
import { canonicalJson, hashOfAct } from '../../operations/approvals/acts.ts';
import {
  askForApproval,
  decideApproval,
  listApprovals,
  withdrawApproval,
} from '../../operations/approvals/approvals.ts';
import { executeApproval } from '../../operations/approvals/execute.ts';
import { KEYS } from '../../test/kit/keys.ts';
import { approvals, approvedDecisions } from './approvals.ts';

const { operators } = KEYS;
const AT = new Date('2026-11-30T03:00:00Z');
const HOUR_MS = 3_600_000;
const later = (ms: number) => new Date(AT.getTime() + ms);
const CONTENT = canonicalJson({ n: 1 });
let client: MongoClient;
let db: Db;
let store: ReturnType<typeof approvals>;
let next = 0;
/** What the clock of the primary says. */
let primary = AT;

beforeEach(() => {
  primary = AT;
});
beforeAll(async () => {
  client = await MongoClient.connect(inject('stack').mongoUri);
  db = client.db(`approvals_${process.pid}_${Date.now().toString(36)}`);
  store = approvals(db, async () => primary);
  await store.ensureIndexes();
});
afterAll(async () => {
  await db?.dropDatabase();
  await client?.close();
});

async function ask() {
  const id = `ask-${next++}`;
  const hash = hashOfAct('control.resume', id, CONTENT);
  const question = { id, act: 'control.resume', subject: id, hash, content: CONTENT, summary: 's' } as const;
  await askForApproval(store, { ...question, by: 'asha', reason: 'mended', at: AT }, operators);
  return { id, hash };
}
const by = (name: string, verdict: 'APPROVED' | 'REFUSED' = 'APPROVED', at = later(1)) => ({
  ...{ verdict, by: personWithKeys(name), reason: 'looked', at },
});

describe('an approval in the database', () => {
  it('is decided by one of many at once', async () => {
    for (let round = 0; round < 10; round++) {
      const asked = await ask();
      const names = ['ben', 'carla', 'dmitri', 'eva', 'farid', 'gita'];
      const racing = [
        ...names.map((name, n) =>
          decideApproval(store, { ...asked, ...by(name, n % 2 ? 'REFUSED' : 'APPROVED') }, operators),
        ),
        withdrawApproval(store, asked.id, 'asha', later(1)),
      ];
      const won = (await Promise.allSettled(racing)).flatMap(({ status }, place) =>
        status === 'fulfilled' ? [place] : [],
      );
      const stored = await store.find(asked.id);
      // Who asked may still withdraw what was approved and has not begun.
      const isWithdrawn = stored!.state === 'WITHDRAWN';
      expect(won.filter((place) => place < names.length)).toHaveLength(stored!.decided ? 1 : 0);
      if (!isWithdrawn)
        expect([names[won[0]!], stored!.state]).toEqual([stored!.decided!.by, won[0]! % 2 ? 'REFUSED' : 'APPROVED']);
      else expect(won).toContain(names.length);
    }
  });

  it('loses to its expiry, at the instant of the decision', async () => {
    const asked = await ask();
    const found = (await store.find(asked.id))!;
    const decided = (at: Date) => ({ by: 'ben', at, reason: 'r', seal: 's' });
    expect(await store.decide(found, 'APPROVED', decided(later(HOUR_MS)))).toBe(false);
    expect(await store.decide({ ...found, hash: 'other' }, 'APPROVED', decided(later(1)))).toBe(false);
    expect(await store.decide({ ...found, askedBy: 'eva' }, 'APPROVED', decided(later(1)))).toBe(false);
    primary = later(HOUR_MS);
    await listApprovals(store, ['WAITING'], 10, later(HOUR_MS));
    expect((await store.find(asked.id))!.state).toBe('EXPIRED');
  });

  it('is begun once it was approved, then neither withdrawn nor too late, and what became of it is told once', async () => {
    const asked = await ask();
    expect(await store.begin(asked.id, later(1))).toBe(false);
    await decideApproval(store, { ...asked, ...by('ben') }, operators);
    let done = 0;
    const execute = async () => `time ${++done}`;
    const terms = { handlers: { 'control.resume': { describe: async () => [], execute } }, operators, at: later(2) };
    const both = await Promise.allSettled([1, 2, 3].map(() => executeApproval(store, asked.id, terms)));
    expect(both.some(({ status }) => status === 'fulfilled')).toBe(true);
    const stored = (await store.find(asked.id))!;
    expect(stored.state).toBe('EXECUTED');
    await expect(executeApproval(store, asked.id, terms)).rejects.toMatchObject({ code: 'APPROVAL_MOVED' });
    expect(await store.end(asked.id, ['WAITING', 'APPROVED'], 'WITHDRAWN', { at: AT, detail: '' })).toBe(false);

    const late = await ask();
    await decideApproval(store, { ...late, ...by('ben') }, operators);
    expect(await store.begin(late.id, later(1))).toBe(true);
    expect(await store.begin(late.id, later(9 * HOUR_MS))).toBe(true);
    primary = later(9 * HOUR_MS);
    await store.expire(primary);
    expect((await store.find(late.id))!).toMatchObject({ state: 'APPROVED', begunAt: later(1) });
    expect(await store.end(late.id, ['APPROVED'], 'WITHDRAWN', { at: AT, detail: '' })).toBe(false);
  });

  it('that was approved and never begun expires', async () => {
    const asked = await ask();
    await decideApproval(store, { ...asked, ...by('ben') }, operators);
    // A process whose clock runs ahead ends nothing.
    await store.expire(later(HOUR_MS));
    expect((await store.find(asked.id))!.state).toBe('APPROVED');
    const other = await ask();
    primary = later(HOUR_MS);
    await store.expire(later(1));
    expect((await store.find(asked.id))!.state).toBe('APPROVED');
    // Nor does one whose clock runs behind begin, or let through, what is over.
    expect(await store.begin(asked.id, later(1))).toBe(false);
    await expect(decideApproval(store, { ...other, ...by('ben') }, operators)).rejects.toMatchObject({
      code: 'APPROVAL_EXPIRED',
    });
    const late = { by: 'ben', at: later(1), reason: 'looked', seal: 's' };
    expect(await store.decide((await store.find(other.id))!, 'APPROVED', late)).toBe(false);
    await store.expire(later(HOUR_MS));
    expect(await store.begin(asked.id, later(HOUR_MS + 1))).toBe(false);
    expect((await store.find(asked.id))!.state).toBe('EXPIRED');
  });

  it('of a decision is given to verification with who let it through, and nothing that its seals do not bear out', async () => {
    const question = { act: 'cases.decide', subject: 'hold', content: CONTENT, summary: 's', reason: 'r' } as const;
    const hash = hashOfAct('cases.decide', 'hold', CONTENT);
    for (const id of ['d-1', 'd-2', 'd-3'])
      await askForApproval(store, { ...question, id, hash, by: 'asha', at: AT }, operators);
    for (const id of ['d-1', 'd-2']) await decideApproval(store, { id, hash, ...by('ben') }, operators);
    await db.collection<{ _id: string }>('approvals').updateOne({ _id: 'd-2' }, { $set: { 'decided.by': 'carla' } });
    const found = await approvedDecisions(db, operators)(['d-1', 'd-2', 'd-3', 'none']);
    expect([...found]).toEqual([
      ['d-1', { subject: 'hold', hash, askedBy: 'asha', approvedBy: 'ben', glass: undefined }],
    ]);
  });
});
