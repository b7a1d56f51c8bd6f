// Exceptions in the list of acts that wait for a second person: what is stored of them is what it ever was.
import { describe, expect, it } from 'vitest';
import { KEYS } from '../../test/kit/keys.ts';
import { personWithKeys } from '../access/principal.ts';
import { decideApproval } from '../approvals/approvals.ts';
import { executeApproval } from '../approvals/execute.ts';
import { memoryApprovals } from '../approvals/testing/memory-approvals.ts';
import { flawOfException, isApproved, type StoredException } from './exception.ts';
import { proposeException } from './exceptions.ts';
import { approvalIdOf, askToGrant, exceptionHandler } from './second-person.ts';

const { operators } = KEYS;
const AT = Date.UTC(2026, 10, 23);
const EXCEPTION = {
  ...{ exceptionId: 'e-1', token: 't', source: 'OFAC', entityId: '7', entityHash: 'h' },
  ...{ expiresAt: AT + 86_400_000_000, grantedBy: 'amara', reason: 'born 1985' },
};

async function world() {
  const kept = new Map<string, StoredException>();
  const store = {
    insert: async (one: StoredException) => !kept.has(one.exceptionId) && kept.set(one.exceptionId, one) === kept,
    waiting: async (id: string) => (kept.get(id)?.approved === null ? kept.get(id) : undefined),
    async approve(id: string, approved: NonNullable<StoredException['approved']>) {
      if (kept.get(id)?.approved !== null) return false;
      kept.set(id, { ...kept.get(id)!, approved });
      return true;
    },
    list: async () => [...kept.values()],
  };
  const approvals = memoryApprovals();
  await proposeException(store, EXCEPTION, AT, operators);
  const { _id: id, hash } = await askToGrant(approvals, EXCEPTION, AT, operators);
  const approve = (name: string, at = new Date(AT + 1)) =>
    decideApproval(approvals, { id, hash, verdict: 'APPROVED', by: personWithKeys(name), reason: 'r', at }, operators);
  const execute = () => {
    const handlers = { 'exceptions.grant': exceptionHandler(store, operators) };
    return executeApproval(approvals, id, { handlers, operators, at: new Date(AT + 2) });
  };
  return { kept, approvals, approve, execute };
}

describe('an exception', () => {
  it('is in force once another person let it through, under the seals that it ever bore', async () => {
    const { kept, approve, execute } = await world();
    await expect(approve('Amara')).rejects.toMatchObject({ code: 'SECOND_PERSON_NEEDED' });
    await approve('bela');
    expect(await execute()).toMatchObject({ _id: approvalIdOf('e-1'), state: 'EXECUTED' });
    const stored = kept.get('e-1')!;
    expect(stored.approved).toMatchObject({ by: 'bela', at: AT + 1 });
    expect([flawOfException(operators, stored), isApproved(operators, stored)]).toEqual([undefined, true]);
  });

  it('is in force once by whoever finishes it after a death', async () => {
    const { approvals, approve, execute } = await world();
    await approve('bela');
    await execute();
    const id = approvalIdOf('e-1');
    approvals.all.set(id, { ...approvals.all.get(id)!, state: 'APPROVED', ended: null });
    expect(await execute()).toMatchObject({ state: 'EXECUTED' });
  });

  it('is not let through when it is not what was asked for', async () => {
    const { kept, approvals, approve, execute } = await world();
    await approve('bela');
    kept.set('e-1', { ...kept.get('e-1')!, entityId: '8' });
    await expect(execute()).rejects.toMatchObject({ code: 'EVIDENCE_CHANGED' });
    expect([kept.get('e-1')!.approved, approvals.all.get(approvalIdOf('e-1'))!.state]).toEqual([null, 'FAILED']);
  });
});
