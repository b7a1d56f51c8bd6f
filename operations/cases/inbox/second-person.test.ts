// Where one person alone may not decide, and how two do: whatever happens between the question and the decision.
import { describe, expect, it } from 'vitest';
import { isOfTwo } from '../../../domain/people/two-persons.ts';
import { openCase as openPayoutCase } from '../../../payouts/changes.ts';
import { openPayout } from '../../../payouts/decide.ts';
import { CodedError } from '../../../ports/fault.ts';
import { isReviewSealed } from '../../../processors/holds.ts';
import { flawOfCustomerCase } from '../../../screening/rescreening/customer-seals.ts';
import type { CaseDecision, CaseDocument } from '../../../sinks/cases/case.ts';
import { isSealedIn } from '../../../sinks/cases/check.ts';
import { openCase } from '../../../sinks/cases/to-write.ts';
import { AT, BOOK, transferHeld, transferHeldByLimits } from '../../../test/kit/builders.ts';
import { KEYS } from '../../../test/kit/keys.ts';
import { MemoryStore } from '../../../test/kit/payouts/memory.ts';
import { personWithKeys, principalOf } from '../../access/principal.ts';
import type { Approval } from '../../approvals/approval.ts';
import { decideApproval } from '../../approvals/approvals.ts';
import { checkApprover, describeApproval, executeApproval } from '../../approvals/execute.ts';
import { memoryApprovals } from '../../approvals/testing/memory-approvals.ts';
import { toCommand } from '../holds/command.ts';
import { decideInboxCase } from './decide.ts';
import { findCase } from './find.ts';
import { casePolicyFile, casePolicyFrom, DEFAULT_CASE_POLICY, secondReasons } from './policy.ts';
import { askToDecide, decisionHandler } from './second-person.ts';
import { inboxWorld } from './testing/world.ts';

const { operators } = KEYS;
const NOW = AT + 3_600_000;
const TOKEN = { credential: 'token' } as const;
const [amara, bela] = [personWithKeys('amara'), personWithKeys('bela')];

/** A large hold, and a payout with a contradiction. */
function world(clock = (own: Date) => own) {
  const amount = { minor: 20_000_00n, currency: 'GBP' };
  const holds = new Map<string, CaseDocument>();
  for (const held of [
    transferHeld({ transferId: 'large-00', intent: { instructedAmount: amount } }),
    transferHeld({ transferId: 'small-00' }),
  ]) {
    const one = openCase(held);
    holds.set(one._id, one);
  }
  const payouts = new MemoryStore();
  const terms = {
    provider: 'p',
    homePartition: 3,
    pricingAttempt: 1,
    priceExpiresAt: AT,
    requested: new Uint8Array([1]),
  };
  payouts.payouts.set(
    'paid-000',
    openPayoutCase(openPayout({ payoutId: 'paid-000', ...terms }, AT), 'CONTRADICTION', 'twice', AT),
  );
  let dies = false;
  const stores = {
    holds: {
      clock: async (own: Date) => clock(own),
      find: async (id: string) => holds.get(id),
      async decide(id: string, evidenceHash: string, decision: CaseDecision) {
        const found = holds.get(id);
        if (found?.state !== 'OPEN' || found.evidenceHash !== evidenceHash) return undefined;
        holds.set(id, { ...found, state: 'DECIDED', decision });
        if (dies) throw new CodedError('MONGO_UNAVAILABLE', 'away', { faultClass: 'transient-dependency' });
        return holds.get(id);
      },
    },
    customers: { find: async () => undefined, decide: async () => undefined },
    payouts,
    closesPayouts: true,
    policy: DEFAULT_CASE_POLICY,
    corridors: BOOK,
    approvals: memoryApprovals(),
  };
  const holdOf = (transferId: string) => [...holds.values()].find((each) => each.transferId === transferId)!;
  return { stores, holds, payouts, holdOf, die: (now: boolean) => (dies = now) };
}
type World = ReturnType<typeof world>;

const verdictOn = (caseId: string, seen: string, verdict: 'APPROVE' | 'REJECT' | 'CLOSE') => ({
  ...{ caseId, seen, verdict, reason: 'checked', at: NOW },
  code: verdict === 'APPROVE' ? 'OTHER_NAME' : verdict === 'REJECT' ? 'TRUE_MATCH' : 'RECOVERED',
});

async function approved({ stores }: World, caseId: string, verdict: 'APPROVE' | 'CLOSE') {
  const { seen } = await findCase({ ...stores, operators }, caseId);
  const { _id: id, hash } = await askToDecide(
    stores,
    { ...verdictOn(caseId, seen, verdict), id: 'ask', by: amara },
    operators,
  );
  const deciding = { id, hash, verdict: 'APPROVED', by: bela, reason: 'looked', at: new Date(NOW + 1) } as const;
  await decideApproval(stores.approvals, deciding, operators);
  return id;
}
const execute = ({ stores }: World, id: string, at = NOW + 2) => {
  const handler = decisionHandler(stores, operators);
  const handlers = { 'cases.decide': handler, 'payouts.resolve': handler };
  return executeApproval(stores.approvals, id, { handlers, operators, at: new Date(at) });
};

describe('one person alone', () => {
  it.each([
    ['approves no large hold', 'large-00', 'APPROVE', 'SECOND_APPROVER_NEEDED'],
    ['rejects a large hold', 'large-00', 'REJECT', undefined],
    ['approves a small hold', 'small-00', 'APPROVE', undefined],
  ] as const)('%s', async (_, transferId, verdict, code) => {
    const { stores, holdOf } = world();
    const { _id: caseId, evidenceHash: seen } = holdOf(transferId);
    const done = decideInboxCase(stores, { ...verdictOn(caseId, seen, verdict), by: 'amara' }, operators);
    if (code) await expect(done).rejects.toMatchObject({ code });
    else await done;
    expect(holdOf(transferId).state).toBe(code ? 'OPEN' : 'DECIDED');
  });

  it.each([-3_600_000, 3_600_000])(
    'decides by the clock of the store, whatever the process says: %i ms off',
    async (off) => {
      let now = NOW;
      const { stores, holdOf } = world(() => new Date(now));
      const { _id: caseId, evidenceHash: seen, expiresAt } = holdOf('small-00');
      const decide = () => {
        const asked = { ...verdictOn(caseId, seen, 'APPROVE'), by: 'amara', at: now + off };
        return decideInboxCase(stores, asked, operators);
      };
      now = expiresAt.getTime();
      await expect(decide()).rejects.toMatchObject({ code: 'HOLD_LAPSED' });
      now = expiresAt.getTime() - 1;
      await decide();
      expect(holdOf('small-00')).toMatchObject({ state: 'DECIDED', decision: { decidedAt: new Date(now) } });
    },
  );

  it('closes no case that ends a payout', async () => {
    const { stores, payouts } = world();
    const { seen } = await findCase({ ...stores, operators }, 'paid-000/1');
    const done = decideInboxCase(stores, { ...verdictOn('paid-000/1', seen, 'CLOSE'), by: 'amara' }, operators);
    await expect(done).rejects.toThrow('PAYOUT_CASE');
    expect(payouts.payouts.get('paid-000')!.cases[0]!.closedAt).toBeNull();
  });
});

it('who agrees to what was compared with a list must see it, as who asks; what limits hold anybody with the right', async () => {
  const at = world();
  const { stores, holds, holdOf } = at;
  const limits = openCase(transferHeldByLimits());
  holds.set(limits._id, limits);
  const handlers = { 'cases.decide': decisionHandler(stores, operators) };
  const may = (subject: string, ...roles: readonly string[]) =>
    checkApprover({ act: 'cases.decide', subject } as Approval, handlers, principalOf('bela', roles, TOKEN));
  await expect(may(holdOf('large-00')._id, 'approver', 'admin')).rejects.toMatchObject({ code: 'ACTION_FORBIDDEN' });
  await may(holdOf('large-00')._id, 'approver', 'compliance');
  await may(limits._id, 'approver');
});

describe('two persons', () => {
  it('decide a hold, under the name of who asked and a seal of its own', async () => {
    const at = world();
    const { _id: caseId } = at.holdOf('large-00');
    const id = await approved(at, caseId, 'APPROVE');
    const approval = (await at.stores.approvals.find(id))!;
    const lines = await describeApproval(
      approval,
      { 'cases.decide': decisionHandler(at.stores, operators) },
      operators,
    );
    expect(lines.join('\n')).toMatch(/approve case .* of transfer large-00: OTHER_NAME, checked\n.*AMOUNT/);
    expect(await execute(at, id)).toMatchObject({ state: 'EXECUTED' });
    const decided = at.holdOf('large-00');
    expect(decided.decision).toMatchObject({
      decision: 'APPROVE',
      decidedBy: 'amara',
      agreedBy: 'bela',
      justification: 'OTHER_NAME: checked',
    });
    // The stage refuses what one person alone has decided, and takes what both have.
    const command = toCommand(decided, 'c');
    expect(command).toMatchObject({ agreedBy: 'bela', glass: null, seal: decided.decision!.seal });
    expect(command).toMatchObject({ approvalId: id, approvalHash: approval.hash });
    expect(isReviewSealed(operators, { ...command, approvalId: 'another' })).toBe(false);
    expect(isReviewSealed(operators, toCommand(decided, 'c'))).toBe(true);
    expect(isReviewSealed(operators, { ...toCommand(decided, 'c'), agreedBy: null })).toBe(false);
    const by = command.command.issuedBy;
    expect(isOfTwo({ ...command, by })).toBe(true);
    // No glass at all has the same seal as an empty one.
    expect(isOfTwo({ ...command, by, glass: '' })).toBe(true);
    expect(isOfTwo({ ...command, by, agreedBy: null, glass: '' })).toBe(false);
    expect(isSealedIn(decided, operators)).toBe(true);
  });

  it('end a payout with a contradiction, also when the program died after the write', async () => {
    const at = world();
    const id = await approved(at, 'paid-000/1', 'CLOSE');
    expect((await at.stores.approvals.find(id))!.act).toBe('payouts.resolve');
    await execute(at, id);
    const { cases, nextPollAt } = at.payouts.payouts.get('paid-000')!;
    expect([cases[0]!.closing?.by, cases[0]!.closedAt, nextPollAt]).toEqual(['amara', NOW + 1, NOW + 1]);
    expect(cases[0]!.closing?.agreedBy).toBe('bela');
    // As it was before its end was noted.
    at.stores.approvals.all.set(id, { ...at.stores.approvals.all.get(id)!, state: 'APPROVED', ended: null });
    expect(await execute(at, id)).toMatchObject({ state: 'EXECUTED' });
    expect(at.payouts.payouts.get('paid-000')!.cases[0]!.closedAt).toBe(NOW + 1);
  });

  it('clear a customer, the second of them named under the seal: what others decided is not theirs', async () => {
    const { customers, deciding } = inboxWorld(operators);
    const stores = { ...deciding, approvals: memoryApprovals() };
    const { seen } = await findCase({ ...stores, operators }, 'customer-d');
    const verdict = { caseId: 'customer-d', seen, verdict: 'CLEAR', code: 'OTHER_NAME', reason: 'checked' } as const;
    const asked = await askToDecide(stores, { ...verdict, at: NOW, id: 'ask', by: amara }, operators);
    const deciding2 = { id: 'ask', hash: asked.hash, verdict: 'APPROVED', by: bela, reason: 'looked' } as const;
    await decideApproval(stores.approvals, { ...deciding2, at: new Date(NOW + 1) }, operators);
    const handlers = { 'cases.decide': decisionHandler(stores, operators) };
    const terms = { handlers, operators, at: new Date(NOW + 2) };
    expect(await executeApproval(stores.approvals, 'ask', terms)).toMatchObject({ state: 'EXECUTED' });
    const { decision, ...decided } = customers.get('customer-d')!;
    expect(decision).toMatchObject({ state: 'CLEARED', by: 'amara', agreedBy: 'bela', at: NOW + 1 });
    expect(decision).toMatchObject({ approvalId: 'ask', approvalHash: asked.hash });
    expect(flawOfCustomerCase(operators, { ...decided, decision })).toBeUndefined();
    const again = async (agreedBy: string, approvalId = 'ask') => {
      customers.set('customer-d', { ...decided, decision: { ...decision!, agreedBy, approvalId } });
      stores.approvals.all.set('ask', { ...stores.approvals.all.get('ask')!, state: 'APPROVED', ended: null });
      return executeApproval(stores.approvals, 'ask', terms);
    };
    expect(await again('bela')).toMatchObject({ state: 'EXECUTED' });
    await expect(again('carla')).rejects.toMatchObject({ code: 'CASE_NOT_OPEN' });
    await expect(again('bela', 'another')).rejects.toMatchObject({ code: 'CASE_NOT_OPEN' });
  });

  it('finish what was cut off after the decision, and know it for their own', async () => {
    const at = world();
    const { _id: caseId } = at.holdOf('large-00');
    const id = await approved(at, caseId, 'APPROVE');
    at.die(true);
    await expect(execute(at, id)).rejects.toMatchObject({ code: 'MONGO_UNAVAILABLE' });
    at.die(false);
    expect((await at.stores.approvals.find(id))!.state).toBe('APPROVED');
    expect(await execute(at, id)).toMatchObject({ state: 'EXECUTED' });
  });

  it('decide nothing that somebody else has decided meanwhile, or that is not as it was shown', async () => {
    const at = world();
    const { _id: caseId, evidenceHash: seen } = at.holdOf('large-00');
    const id = await approved(at, caseId, 'APPROVE');
    await decideInboxCase(at.stores, { ...verdictOn(caseId, seen, 'REJECT'), by: 'amara' }, operators);
    await expect(execute(at, id)).rejects.toMatchObject({ code: 'CASE_NOT_OPEN' });
    expect([at.holdOf('large-00').decision!.decision, at.stores.approvals.all.get(id)!.state]).toEqual([
      'REJECT',
      'FAILED',
    ]);
    const other = world();
    const asked = { ...verdictOn(other.holdOf('large-00')._id, 'other', 'APPROVE'), id: 'x', by: amara };
    await expect(askToDecide(other.stores, asked, operators)).rejects.toMatchObject({ code: 'EVIDENCE_CHANGED' });
    const viewer = { ...asked, by: principalOf('vi', ['viewer'], { credential: 'token' }) };
    await expect(askToDecide(other.stores, viewer, operators)).rejects.toMatchObject({ code: 'ACTION_FORBIDDEN' });
  });
});

describe('the policy', () => {
  it('is data: what a file does not name stays as it is', async () => {
    expect(casePolicyFrom({})).toEqual(DEFAULT_CASE_POLICY);
    const policy = casePolicyFrom({
      dueHours: { LIMITS: { SMALL: 1, MEDIUM: 0.5, LARGE: 0.25 } },
      secondPerson: { approveFrom: 'SMALL', closeCodes: ['NO_PROOF'] },
    });
    expect(policy.sla.LIMITS).toEqual({ SMALL: 3_600_000, MEDIUM: 1_800_000, LARGE: 900_000 });
    expect(policy.sla.SCREENING).toEqual(DEFAULT_CASE_POLICY.sla.SCREENING);
    const { stores, holdOf } = world();
    const found = await findCase({ ...stores, operators }, holdOf('small-00')._id);
    expect(secondReasons(found, 'APPROVE', policy, BOOK)).toEqual(['AMOUNT']);
    expect(secondReasons(found, 'APPROVE', { ...policy, approveFrom: 'NEVER' }, BOOK)).toEqual([]);
    const payout = await findCase({ ...stores, operators }, 'paid-000/1');
    expect(secondReasons(payout, 'CLOSE', policy, BOOK)).toEqual([]);
  });

  it.each([
    { dueHours: { LIMITS: { SMALL: 1 } } },
    { dueHours: { LIMITS: { SMALL: 0, MEDIUM: 1, LARGE: 1 } } },
    { dueHours: { NOWHERE: { SMALL: 1, MEDIUM: 1, LARGE: 1 } } },
    { secondPerson: { approveFrom: 'HUGE' } },
    { secondPerson: { closeCodes: ['OTHER'] } },
    { secondPersons: {} },
    [],
    null,
  ])('is refused as a whole when anything of it makes no sense: %j', (file) => {
    expect(casePolicyFile.safeParse(file).success).toBe(false);
  });

  it('knows a true match at any look', async () => {
    const { stores, holdOf } = world();
    const found = await findCase({ ...stores, operators }, holdOf('small-00')._id);
    if (found.kind !== 'HOLD') throw new Error('no hold');
    const { screening } = found.hold.held;
    const parties = screening!.parties.map((party) => ({ ...party, outcome: 'TRUE_MATCH' as const }));
    const rechecks = [{ ...screening!.rechecks[0], parties } as never];
    const matched = {
      ...found,
      hold: { ...found.hold, held: { ...found.hold.held, screening: { ...screening!, rechecks } } },
    };
    expect(secondReasons(matched, 'APPROVE', DEFAULT_CASE_POLICY, BOOK)).toEqual(['TRUE_MATCH']);
    expect(secondReasons(matched, 'REJECT', DEFAULT_CASE_POLICY, BOOK)).toEqual([]);
  });
});
