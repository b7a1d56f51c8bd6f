// Holds that are decided in one act: only over identical evidence, each by a decision of its own.
import { beforeEach, describe, expect, it } from 'vitest';
import { CodedError } from '../../../ports/fault.ts';
import { heldOf } from '../../../processors/holds.ts';
import type { ScreeningEvidence, TransferHeld } from '../../../schemas/types.generated.ts';
import type { CaseDecision, CaseDocument } from '../../../sinks/cases/case.ts';
import { isSealedIn } from '../../../sinks/cases/check.ts';
import { openCase } from '../../../sinks/cases/to-write.ts';
import {
  AT,
  BOOK,
  creditor,
  heldByDispatch,
  transferHeld,
  transferHeldByLimits,
  type Wishes,
} from '../../../test/kit/builders.ts';
import { HOLDING, KEYS } from '../../../test/kit/keys.ts';
import { likenessOf, MAX_ALIKE, seenOfAll } from './alike.ts';
import { decideAlike, findAlike } from './decide-alike.ts';
import { casePolicyFrom, DEFAULT_CASE_POLICY } from './policy.ts';

const { operators } = KEYS;
const holds = new Map<string, CaseDocument>();
/** Fails decisions from this one on, counted from 1. */
let failsFrom: number;
const store = {
  clock: async (own: Date) => own,
  find: async (id: string) => holds.get(id),
  between: async (_: unknown, limit: number) => [...holds.values()].slice(0, limit),
  async decide(id: string, evidenceHash: string, decision: CaseDecision) {
    failsFrom -= 1;
    if (failsFrom <= 0) throw new CodedError('MONGO_UNAVAILABLE', 'away', { faultClass: 'transient-dependency' });
    const found = holds.get(id);
    if (found?.state !== 'OPEN' || found.evidenceHash !== evidenceHash) return undefined;
    const decided: CaseDocument = { ...found, state: 'DECIDED', decision };
    holds.set(id, decided);
    return decided;
  },
};
const stores = { holds: store, policy: DEFAULT_CASE_POLICY, corridors: BOOK };

function open(held: TransferHeld): CaseDocument {
  const one = openCase(held);
  holds.set(one._id, one);
  return one;
}
const hold = (transferId: string, wishes: Wishes = {}) => transferHeld({ transferId, ...wishes });
/** A hold as a stage makes it, with its evidence changed. */
function withEvidence(held: TransferHeld, change: (evidence: ScreeningEvidence) => Partial<ScreeningEvidence>) {
  const { hold: of, ...event } = held;
  const screening = { ...event.screening!, ...change(event.screening!) };
  return heldOf({ ...event, screening }, of, HOLDING);
}

beforeEach(() => {
  holds.clear();
  failsFrom = Number.POSITIVE_INFINITY;
});

describe('holds are alike', () => {
  it('whatever their amount and time', () => {
    const instructedAmount = { minor: 12_345n, currency: 'GBP' };
    const other = hold('transfer-b', { at: AT + 5_000, intent: { amount: instructedAmount } as never });
    expect(likenessOf(other)).toBe(likenessOf(hold('transfer-a')));
  });

  const party = (over: object) => (evidence: ScreeningEvidence) => ({
    parties: evidence.parties.map((each, place) => (place === 0 ? { ...each, ...over } : each)),
  });
  it.each<[string, TransferHeld]>([
    ['of another party', hold('t-00000001', { creditor: { ...creditor(), customerId: 'customer-9' } })],
    ['with another query', withEvidence(hold('t-00000001'), party({ queryHash: 'other' }))],
    ['with no candidate', withEvidence(hold('t-00000001'), party({ candidates: [] }))],
    [
      'with another list',
      withEvidence(hold('t-00000001'), ({ lists }) => ({ lists: lists.map((l) => ({ ...l, versionId: 'x' })) })),
    ],
    ['under other terms', withEvidence(hold('t-00000001'), () => ({ configurationHash: 'other' }))],
    [
      'reviewed before',
      withEvidence(hold('t-00000001'), () => ({ review: { decision: 'APPROVE', justification: 'x' } as never })),
    ],
    ['of another stage', heldByDispatch({ transferId: 't-00000001' })],
  ])('never %s', (_, other) => {
    expect(likenessOf(other)).toBeDefined();
    expect(likenessOf(other)).not.toBe(likenessOf(hold('transfer-a')));
  });

  it('never of limits, where the amount is what is decided', () => {
    expect(likenessOf(transferHeldByLimits())).toBeUndefined();
  });
});

describe('one act', () => {
  const asked = (first: CaseDocument, seen: string) =>
    ({
      caseId: first._id,
      verdict: 'APPROVE',
      code: 'OTHER_NAME',
      reason: 'another one',
      by: 'amara',
      seen,
      at: AT,
    }) as const;

  it('decides all that are alike, each under a seal of its own, and no other', async () => {
    const [a, b] = [open(hold('transfer-a')), open(hold('transfer-b'))];
    const other = open(hold('transfer-c', { creditor: { ...creditor(), customerId: 'customer-9' } }));
    const changed = open(hold('transfer-d'));
    holds.set(changed._id, { ...changed, instructedMinor: 1n });
    const { cases, seen } = await findAlike(stores, a._id);
    expect(cases.map(({ _id }) => _id)).toEqual([a._id, b._id]);
    expect(await decideAlike(stores, asked(a, seen), operators)).toEqual([
      { caseId: a._id, transferId: 'transfer-a', refused: null },
      { caseId: b._id, transferId: 'transfer-b', refused: null },
    ]);
    for (const { _id } of [a, b]) {
      const decided = holds.get(_id)!;
      expect(isSealedIn(decided, operators)).toBe(true);
      expect(decided.decision?.justification).toBe('OTHER_NAME: another one');
    }
    for (const { _id } of [other, changed]) expect(holds.get(_id)!.state).toBe('OPEN');
    await expect(decideAlike(stores, asked(a, seen), operators)).rejects.toMatchObject({ code: 'CASE_NOT_OPEN' });
  });

  it('decides nothing when one has come or gone since they were shown', async () => {
    const [a, b] = [open(hold('transfer-a')), open(hold('transfer-b'))];
    const { seen } = await findAlike(stores, a._id);
    open(hold('transfer-c'));
    await expect(decideAlike(stores, asked(a, seen), operators)).rejects.toMatchObject({ code: 'EVIDENCE_CHANGED' });
    expect(holds.get(a._id)!.state).toBe('OPEN');
    expect(holds.get(b._id)!.state).toBe('OPEN');
  });

  it('says of each what became of it: decided by somebody else meanwhile, or not tried when the database went away', async () => {
    const all = ['a', 'b', 'c', 'd'].map((id) => open(hold(`transfer-${id}`)));
    const { seen } = await findAlike(stores, all[0]!._id);
    const racing = {
      ...stores,
      holds: {
        ...store,
        async decide(id: string, hash: string, decision: CaseDecision) {
          // Somebody else was faster.
          if (id === all[1]!._id) await store.decide(id, hash, { ...decision, decidedBy: 'bela' });
          return store.decide(id, hash, decision);
        },
      },
    };
    failsFrom = 5;
    const outcomes = await decideAlike(racing, asked(all[0]!, seen), operators);
    expect(outcomes.map(({ refused }) => refused?.code ?? null)).toEqual([
      null,
      'CASE_NOT_OPEN',
      null,
      'MONGO_UNAVAILABLE',
    ]);
    expect(holds.get(all[3]!._id)!.state).toBe('OPEN');
  });

  it('leaves to two persons what the policy does not leave to one', async () => {
    const one = open(hold('transfer-a'));
    const { seen } = await findAlike(stores, one._id);
    const strict = { ...stores, policy: casePolicyFrom({ secondPerson: { approveFrom: 'SMALL' } }) };
    const outcomes = await decideAlike(strict, asked(one, seen), operators);
    expect(outcomes).toMatchObject([{ caseId: one._id, refused: { code: 'SECOND_APPROVER_NEEDED' } }]);
    expect(holds.get(one._id)!.state).toBe('OPEN');
  });

  it('is bounded, and nobody decides it who is no person', async () => {
    const all = Array.from({ length: MAX_ALIKE + 5 }, (_, n) => open(hold(`transfer-${n}`)));
    const { cases, seen } = await findAlike(stores, all.at(-1)!._id);
    expect(cases).toHaveLength(MAX_ALIKE);
    expect(cases[0]!._id).toBe(all.at(-1)!._id);
    const nobody = { ...asked(all.at(-1)!, seen), by: 'system' };
    await expect(decideAlike(stores, nobody, operators)).rejects.toMatchObject({ code: 'PERSON_INVALID' });
    expect([...holds.values()].every(({ state }) => state === 'OPEN')).toBe(true);
  });

  it('binds every case and its evidence, in any order', () => {
    const [a, b] = [open(hold('transfer-a')), open(hold('transfer-b'))];
    expect(seenOfAll([a, b])).toBe(seenOfAll([b, a]));
    expect(seenOfAll([a])).not.toBe(seenOfAll([a, b]));
    expect(seenOfAll([{ ...a, evidenceHash: 'x' }])).not.toBe(seenOfAll([a]));
  });
});
