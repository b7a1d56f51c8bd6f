// Cases of customers, and the progress of screening them again, against a real database.
import { describe, expect, inject, it } from 'vitest';
import { decideCustomerCase } from '../../operations/cases/customers/cases.ts';
import type { CustomerCase } from '../../screening/rescreening/customer-case.ts';
import { sealDecided } from '../../screening/rescreening/customer-seals.ts';
import { findings } from '../../test/kit/builders.ts';
import { KEYS } from '../../test/kit/keys.ts';
import { customerCaseStore, rescreenProgress } from './customer-cases.ts';
import { freshDatabases } from './testing/databases.ts';

const TERMS = { by: 'amara', now: Date.UTC(2026, 10, 23) };
const fresh = freshDatabases('customers', inject('stack').mongoUri);

describe('a case about a customer', () => {
  const [candidate] = findings('POTENTIAL_MATCH').parties[0]!.candidates;
  const opened = (caseId: string, token: string): CustomerCase => ({
    caseId,
    token,
    source: 'CORRIDOR',
    entityId: '9001',
    entityHash: 'h',
    versionId: 'v2',
    candidate: candidate!,
    transferId: 'transfer-1',
    openedAt: TERMS.now,
    state: 'OPEN',
    decision: null,
  });
  const decision = { by: 'amara', reason: 'checked', at: TERMS.now };

  it('is opened once, blocks its customer until cleared, and is decided once', async () => {
    const store = customerCaseStore(fresh(), KEYS);
    await store.ensureIndexes();
    expect(await store.open([opened('1', 'ann'), opened('2', 'bob')])).toBe(2);
    expect(await store.open([opened('1', 'ann'), opened('3', 'cem')])).toBe(1);
    const blocked = async (...tokens: string[]) => [...(await store.blocked(tokens)).keys()].toSorted();
    expect(await blocked('ann', 'bob', 'dan')).toEqual(['ann', 'bob']);
    expect((await store.blocked(['ann'])).get('ann')).toMatchObject([
      { source: 'CORRIDOR', entityId: '9001', entityHash: 'h' },
    ]);
    expect(await decideCustomerCase(store, '1', { state: 'CLEARED', ...decision }, KEYS.operators)).toMatchObject({
      state: 'CLEARED',
    });
    expect(await decideCustomerCase(store, '2', { state: 'CONFIRMED', ...decision }, KEYS.operators)).toMatchObject({
      state: 'CONFIRMED',
    });
    expect(await blocked('ann', 'bob')).toEqual(['bob']);
    await expect(
      decideCustomerCase(store, '1', { state: 'CONFIRMED', ...decision }, KEYS.operators),
    ).rejects.toMatchObject({
      code: 'CASE_NOT_OPEN',
    });
    await expect(
      decideCustomerCase(store, '9', { state: 'CLEARED', ...decision }, KEYS.operators),
    ).rejects.toMatchObject({ code: 'CASE_UNKNOWN' });
    expect(await store.open([opened('1', 'ann')])).toBe(0);
    expect((await store.list({ state: 'OPEN', limit: 10 })).map(({ caseId }) => caseId)).toEqual(['3']);
  });

  it('blocks whatever it says, once somebody else changed anything in it; and nobody can decide it', async () => {
    const db = fresh();
    const reported: string[] = [];
    const store = customerCaseStore(db, { ...KEYS, onUncleared: (id, code) => reported.push(`${id} ${code}`) });
    const stored = db.collection<{ _id: string }>('customer_cases');
    const blocked = async (over = store) => [...(await over.blocked(['ann'])).entries()].flatMap(([, each]) => each);
    const settleable = { source: 'CORRIDOR', entityId: '9001', entityHash: 'h' };

    // A decision that was written into the database, and one that was turned.
    await store.open([opened('1', 'ann')]);
    const original = (await stored.findOne({ _id: '1' }))!;
    const turned = async (change: object) => {
      await stored.replaceOne({ _id: '1' }, original);
      await stored.updateOne({ _id: '1' }, { $set: change });
      reported.length = 0;
      return blocked();
    };
    const cleared = { state: 'CLEARED', ...decision };
    for (const change of [{ state: 'CLEARED' }, { state: 'CLEARED', decision: { ...cleared, seal: 'test.x' } }]) {
      expect(await turned(change)).toEqual([settleable]);
      expect(reported).toEqual(['1 CUSTOMER_DECISION_NOT_SEALED']);
    }
    // Negative control: who checks no seal is taken in.
    const believing = customerCaseStore(db, { operators: { ...KEYS.operators, believesAll: true } });
    expect(await blocked(believing)).toEqual([]);

    // What it is about, or what a person would see.
    for (const field of ['source', 'entityId', 'entityHash', 'versionId', 'transferId', 'candidate.matchedName']) {
      expect(await turned({ [field]: 'other' }), field).toEqual([{ source: '', entityId: '', entityHash: '' }]);
      expect(reported, field).toEqual(['1 CUSTOMER_CASE_NOT_SEALED']);
      await expect(
        decideCustomerCase(store, '1', { ...decision, state: 'CLEARED' }, KEYS.operators),
        field,
      ).rejects.toMatchObject({
        code: 'CUSTOMER_CASE_NOT_SEALED',
      });
    }

    // A decision of another case; a true one, turned round; a true one.
    await stored.replaceOne({ _id: '1' }, original);
    await store.open([opened('2', 'bob')]);
    await decideCustomerCase(store, '2', { ...decision, state: 'CLEARED' }, KEYS.operators);
    const other = (await stored.findOne({ _id: '2' })) as unknown as CustomerCase;
    expect(await turned({ state: 'CLEARED', decision: other.decision })).toEqual([settleable]);
    await stored.replaceOne({ _id: '1' }, original);
    await decideCustomerCase(store, '1', { ...decision, state: 'CONFIRMED' }, KEYS.operators);
    await stored.updateOne({ _id: '1' }, { $set: { state: 'CLEARED', 'decision.state': 'CLEARED' } });
    expect(await blocked()).toEqual([settleable]);
    await stored.replaceOne({ _id: '1' }, original);
    await decideCustomerCase(store, '1', { ...decision, state: 'CLEARED' }, KEYS.operators);
    expect(await blocked()).toEqual([]);
  });

  it('of a true match blocks until two persons have cleared it, whatever one of them sealed', async () => {
    const reported: string[] = [];
    const db = fresh();
    const store = customerCaseStore(db, { ...KEYS, onUncleared: (id, code) => reported.push(`${id} ${code}`) });
    const equal = { name: 'identifier', value: 1, detail: 'equal', kind: 'score' };
    const match = { ...candidate!, features: [...candidate!.features, equal] };
    const two = { agreedBy: 'bela', approvalId: 'ask', approvalHash: 'h' };
    const decisions = [{}, two, { agreedBy: 'AMÁRA' }, { agreedBy: 'system' }, { glass: 'g' }];
    for (const [index, second] of decisions.entries()) {
      await store.open([{ ...opened(String(index), `t-${index}`), candidate: match }]);
      // As a program with the key of operators could seal it.
      const found = (await store.find(String(index)))!;
      const cleared = { state: 'CLEARED', ...decision, ...second } as const;
      const seal = sealDecided(KEYS.operators, found.seal!, cleared);
      await store.decide(String(index), found.seal!, { ...cleared, seal });
    }
    const blocked = await store.blocked(decisions.map((_, index) => `t-${index}`));
    expect([...blocked.keys()].toSorted()).toEqual(['t-0', 't-2', 't-3']);
    expect(reported.toSorted()).toEqual([0, 2, 3].map((id) => `${id} CUSTOMER_DECISION_OF_ONE`));
    // Where the policy asks for no second person, one is enough; what is no true match never takes two.
    const lax = customerCaseStore(db, { ...KEYS, trueMatchTakesTwo: false });
    expect(await lax.blocked(['t-0', 't-1'])).toEqual(new Map());
  });

  it('leaves progress that nobody can make up', async () => {
    const db = fresh();
    const progress = rescreenProgress(db, KEYS.operators);
    const [list] = findings().lists;
    const at = (activation: number) => ({ ...list!, activation, versionId: `v${activation}` });
    await progress.advance([at(1)], TERMS.now);
    await db.collection<{ _id: string }>('screening_progress').updateOne({}, { $set: { list: at(9) } });
    expect(await progress.covered()).toEqual([]);
    await progress.advance([at(2)], TERMS.now);
    expect(await progress.covered()).toEqual([at(2)]);
  });

  it('leaves progress that never goes back', async () => {
    const progress = rescreenProgress(fresh(), KEYS.operators);
    const [list] = findings().lists;
    const at = (activation: number) => [{ ...list!, activation, versionId: `v${activation}` }];
    await progress.advance(at(2), TERMS.now);
    await progress.advance(at(1), TERMS.now);
    expect(await progress.covered()).toEqual(at(2));
    await progress.advance(at(3), TERMS.now);
    expect(await progress.covered()).toEqual(at(3));
  });
});
