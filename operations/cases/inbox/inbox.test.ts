// The inbox over stores in memory: what it lists, what it says of what it cannot read, and decisions of every kind.
import { beforeEach, describe, expect, it } from 'vitest';
import { openCase as openPayoutCase } from '../../../payouts/changes.ts';
import { CodedError } from '../../../ports/fault.ts';
import type { CaseDocument } from '../../../sinks/cases/case.ts';
import { AT } from '../../../test/kit/builders.ts';
import { KEYS } from '../../../test/kit/keys.ts';
import { decideInboxCase } from './decide.ts';
import { REASONS_OF, reasonIn } from './decision-reasons.ts';
import { findCase } from './find.ts';
import { listInbox } from './inbox.ts';
import type { InboxSources } from './ports.ts';
import { inboxWorld, payoutOf } from './testing/world.ts';
import { VERDICTS, type Verdict } from './verdict.ts';

const { operators } = KEYS;
const HOUR_MS = 3_600_000;
const NOW = AT + HOUR_MS;
const down = new CodedError('MONGO_UNAVAILABLE', 'mongo is unavailable', { faultClass: 'transient-dependency' });
const WHY_CLOSED = { code: 'RECOVERED', reason: 'checked' } as const;
const away = async () => Promise.reject(down);

let at: ReturnType<typeof inboxWorld>;
beforeEach(() => {
  at = inboxWorld();
});
const list = (over: object = {}) => listInbox(at.sources, { filter: {}, limit: 50, now: NOW, ...over });
const holdOf = (stage: string) => [...at.holds.values()].find((each) => each.stage === stage)!;

describe('the inbox', () => {
  it('has cases of every kind in one list, the first due first, with masked names where they are known', async () => {
    at.assignments.push({ caseId: 'transfer-c/1', by: 'amara', person: 'amara', at: AT, until: NOW + 1 });
    const { rows, complete, missing, next, total } = await list();
    expect(rows.map(({ kind, id, stage, names, flaw }) => [kind, id, stage, names?.sender ?? null, flaw])).toEqual([
      ['PAYOUT', 'transfer-c/1', 'PAYOUT', 'G••• H•••', null],
      ['HOLD', holdOf('LIMITS')._id, 'LIMITS', 'G••• H•••', null],
      ['HOLD', holdOf('SCREENING')._id, 'SCREENING', 'G••• H•••', null],
      ['CUSTOMER', 'customer-d', 'RESCREENING', null, null],
    ]);
    expect(rows[0]).toMatchObject({ assigned: { by: 'amara' }, reasonCodes: ['CONTRADICTION'], corridor: 'GB-IN' });
    expect({ complete, missing, next, cases: total.cases }).toEqual({
      complete: true,
      missing: [],
      next: null,
      cases: 4,
    });
    const text = JSON.stringify(rows, (_, value) => (typeof value === 'bigint' ? String(value) : value));
    for (const name of ['Gwen', 'Hartley', 'Ravi', 'Kulkarni']) expect(text).not.toContain(name);
  });

  it('is not complete when a kind cannot be read, and says which and why', async () => {
    const { sources } = at;
    at.sources = { ...sources, customers: { ...sources.customers, list: away } };
    const { rows, complete, missing } = await list();
    expect(rows.map(({ kind }) => kind)).toEqual(['PAYOUT', 'HOLD', 'HOLD']);
    expect({ complete, missing }).toEqual({
      complete: false,
      missing: [{ source: 'CUSTOMER', code: 'MONGO_UNAVAILABLE', detail: 'mongo is unavailable' }],
    });
  });

  it.each([
    ['AMOUNTS', (from: InboxSources) => ({ ...from, transfers: { of: away } })],
    ['ASSIGNMENTS', (from: InboxSources) => ({ ...from, assignments: { current: away } })],
    ['NAMES', (from: InboxSources) => ({ ...from, requests: { decode: away } })],
    ['NAMES', (from: InboxSources) => ({ ...from, holds: { ...from.holds, load: away } })],
  ])('lists every case without %s (%#)', async (source, without) => {
    at.sources = without(at.sources);
    const { rows, complete, missing } = await list();
    expect(rows).toHaveLength(4);
    expect(complete).toBe(false);
    expect(missing.map((each) => each.source)).toContain(source);
  });

  it('throws when no kind can be read, and when it is the program that is wrong', async () => {
    const { sources } = at;
    at.sources = {
      ...sources,
      holds: { ...sources.holds, briefs: away },
      payouts: { ...sources.payouts, briefs: away },
      customers: { ...sources.customers, list: away },
    };
    await expect(list()).rejects.toBe(down);
    const bug = async () => Promise.reject(new TypeError('a bug'));
    at.sources = { ...sources, customers: { ...sources.customers, list: bug } };
    await expect(list()).rejects.toThrow('a bug');
  });

  it('says so when there are more cases than it looks at', async () => {
    const { rows, complete, missing } = await list({ maxOpen: 1 });
    expect(rows.filter(({ kind }) => kind === 'HOLD')).toHaveLength(1);
    expect(complete).toBe(false);
    expect(missing).toMatchObject([{ source: 'HOLD', code: 'INBOX_CUT' }]);
  });

  it('names what somebody else wrote by its id and what is wrong, and lists the rest', async () => {
    const held = holdOf('SCREENING');
    at.holds.set(held._id, { ...held, instructedMinor: 1n });
    const customer = at.customers.get('customer-d')!;
    at.customers.set('customer-d', { ...customer, entityId: 'other' });
    at.payouts.payouts.set('forged', { ...payoutOf('forged'), cases: 'none' as never });
    at.sources = {
      ...at.sources,
      payouts: {
        briefs: async () => [{ payoutId: 'forged', cases: undefined }],
        load: async () => [],
        unknownWithoutCase: async () => 3,
      },
    };
    const { rows, unknownPayouts } = await list();
    expect(unknownPayouts).toBe(3);
    expect(rows.map(({ id, flaw, names }) => [id, flaw, names === null])).toEqual([
      ['forged', 'PAYOUT_FORGED', true],
      [holdOf('LIMITS')._id, null, false],
      [held._id, 'CASE_ALTERED', true],
      ['customer-d', 'CUSTOMER_CASE_NOT_SEALED', true],
    ]);
  });

  it('a payout whose request nobody can read is named, and hides no other', async () => {
    const payout = at.payouts.payouts.get('transfer-c')!;
    const other = { ...payout, payoutId: 'transfer-e', requested: new Uint8Array([1, 2]) };
    at.payouts.payouts.set('transfer-e', other);
    const { rows } = await list({ filter: { kind: 'PAYOUT' } });
    expect(rows.map(({ id, flaw }) => [id, flaw])).toEqual([
      ['transfer-c/1', null],
      ['transfer-e/1', 'PAYOUT_FORGED'],
    ]);
  });

  it('leaves out what was decided between the two reads', async () => {
    const { sources } = at;
    const load = async (ids: readonly string[]) =>
      (await sources.holds.load(ids)).map((each): CaseDocument => ({ ...each, state: 'DECIDED' }));
    at.sources = { ...sources, holds: { ...sources.holds, load } };
    expect((await list({ filter: { kind: 'HOLD' } })).rows).toEqual([]);
  });

  it('reads only the kinds that are asked for', async () => {
    const { sources } = at;
    at.sources = {
      ...sources,
      payouts: { ...sources.payouts, briefs: away },
      customers: { ...sources.customers, list: away },
    };
    expect((await list({ filter: { stage: 'LIMITS' } })).rows).toHaveLength(1);
  });
});

describe('a case', () => {
  it('is found by the id of any kind, and a payout with one open case by its transfer', async () => {
    const hold = holdOf('SCREENING');
    for (const [id, kind, found] of [
      [hold._id, 'HOLD', hold._id],
      ['transfer-c/1', 'PAYOUT', 'transfer-c/1'],
      ['transfer-c', 'PAYOUT', 'transfer-c/1'],
      ['customer-d', 'CUSTOMER', 'customer-d'],
    ] as const) {
      expect(await findCase(at.sources, id)).toMatchObject({ kind, id: found, isOpen: true });
    }
    for (const id of ['none', 'none/1', 'transfer-c/2', 'transfer-c/0', '', 'transfer-c/']) {
      await expect(findCase(at.sources, id)).rejects.toMatchObject({ code: 'CASE_UNKNOWN' });
    }
    const two = openPayoutCase(at.payouts.payouts.get('transfer-c')!, 'ROLLED_BACK', 'detail', AT + 9);
    at.payouts.payouts.set('transfer-c', two);
    await expect(findCase(at.sources, 'transfer-c')).rejects.toThrow(/transfer-c\/1, transfer-c\/2/);
  });

  const DECISIONS: readonly (readonly [string, Verdict, string])[] = [
    ['HOLD', 'APPROVE', 'DECIDED'],
    ['HOLD', 'REJECT', 'DECIDED'],
    ['PAYOUT', 'CLOSE', 'closed'],
    ['CUSTOMER', 'CLEAR', 'CLEARED'],
    ['CUSTOMER', 'CONFIRM', 'CONFIRMED'],
  ];
  const idOf = (kind: string) =>
    kind === 'HOLD' ? holdOf('SCREENING')._id : kind === 'PAYOUT' ? 'transfer-c/1' : 'customer-d';
  const stateOf = (kind: string) => {
    if (kind === 'HOLD') return holdOf('SCREENING').state;
    if (kind === 'CUSTOMER') return at.customers.get('customer-d')!.state;
    return at.payouts.payouts.get('transfer-c')!.cases[0]!.closedAt === null ? 'open' : 'closed';
  };
  const decide = (caseId: string, verdict: Verdict, seen: string) =>
    decideInboxCase(
      at.deciding,
      { caseId, verdict, seen, by: 'amara', code: REASONS_OF[verdict][0]!, reason: 'checked', at: NOW },
      operators,
    );

  it.each(DECISIONS)('of the kind %s is decided once: %s', async (kind, verdict, state) => {
    const id = idOf(kind);
    const { seen } = await findCase(at.sources, id);
    await decide(id, verdict, seen);
    expect(stateOf(kind)).toBe(state);
    await expect(decide(id, verdict, seen)).rejects.toMatchObject({ code: 'CASE_NOT_OPEN' });
  });

  it.each(DECISIONS)('of the kind %s is not decided on what was not seen: %s', async (kind, verdict) => {
    const before = stateOf(kind);
    await expect(decide(idOf(kind), verdict, 'something else')).rejects.toMatchObject({ code: 'EVIDENCE_CHANGED' });
    expect(stateOf(kind)).toBe(before);
  });

  it('keeps why as a code and a text, and takes no code of another verdict', async () => {
    const { _id: id, evidenceHash: seen } = holdOf('SCREENING');
    const asked = { caseId: id, verdict: 'APPROVE', seen, by: 'amara', reason: 'born 1985', at: NOW } as const;
    for (const code of ['TRUE_MATCH', 'RECOVERED', '', 'toString', 'other_name']) {
      const refused = decideInboxCase(at.deciding, { ...asked, code }, operators);
      await expect(refused).rejects.toMatchObject({ code: 'DECISION_REASON_UNFIT' });
    }
    for (const reason of ['', ' ', 'x'.repeat(2_000)]) {
      const refused = decideInboxCase(at.deciding, { ...asked, code: 'OTHER_NAME', reason }, operators);
      await expect(refused).rejects.toMatchObject({ code: 'JUSTIFICATION_INVALID' });
    }
    expect(holdOf('SCREENING').state).toBe('OPEN');
    await decideInboxCase(at.deciding, { ...asked, code: 'OTHER_BIRTH_DATE' }, operators);
    const { justification } = holdOf('SCREENING').decision!;
    expect(justification).toBe('OTHER_BIRTH_DATE: born 1985');
    expect(reasonIn(justification)).toBe('OTHER_BIRTH_DATE');
    expect(['born 1985', 'NO_SUCH: x', 'toString: x', 'OTHER_BIRTH_DATE'].map(reasonIn)).toEqual(
      Array(4).fill(undefined),
    );
  });

  it('takes no verdict of another kind', async () => {
    const all = [...new Set(DECISIONS.map(([, verdict]) => verdict))];
    for (const kind of ['HOLD', 'PAYOUT', 'CUSTOMER'] as const) {
      const { seen } = await findCase(at.sources, idOf(kind));
      for (const verdict of all.filter((each) => !VERDICTS[kind].includes(each))) {
        await expect(decide(idOf(kind), verdict, seen)).rejects.toMatchObject({ code: 'VERDICT_UNFIT' });
      }
    }
  });

  it('of a payout that has moved on since it was shown is looked at again; polls alone change nothing', async () => {
    const { seen } = await findCase(at.sources, 'transfer-c/1');
    const payout = at.payouts.payouts.get('transfer-c')!;
    at.payouts.payouts.set('transfer-c', { ...payout, revision: 9, polls: 9 });
    expect((await findCase(at.sources, 'transfer-c/1')).seen).toBe(seen);
    at.payouts.payouts.set('transfer-c', { ...payout, phase: 'PAID' });
    await expect(decide('transfer-c/1', 'CLOSE', seen)).rejects.toMatchObject({ code: 'EVIDENCE_CHANGED' });
    const racing = {
      ...at.deciding,
      payouts: {
        load: async () => [payout],
        apply: async () => {
          racing.payouts.load = async () => [{ ...payout, phase: 'PAID' }];
          return [false];
        },
      },
    };
    const asked = { caseId: 'transfer-c/1', verdict: 'CLOSE', seen, by: 'amara', ...WHY_CLOSED, at: NOW } as const;
    await expect(decideInboxCase(racing, asked, operators)).rejects.toMatchObject({ code: 'EVIDENCE_CHANGED' });
  });

  it('that was changed in the database is neither shown nor decided', async () => {
    const held = holdOf('SCREENING');
    at.holds.set(held._id, { ...held, transferId: 'other' });
    await expect(findCase(at.sources, held._id)).rejects.toMatchObject({ code: 'CASE_ALTERED' });
    await expect(decide(held._id, 'APPROVE', held.evidenceHash)).rejects.toMatchObject({ code: 'CASE_ALTERED' });
  });
});
