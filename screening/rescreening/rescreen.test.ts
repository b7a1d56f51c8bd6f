// Given a list version that adds or changes entities, customers who resemble them become cases, once; others do not.
import { beforeEach, describe, expect, it } from 'vitest';
import type { ListReference } from '../../schemas/types.generated.ts';
import { AT, intermediary, transferAccepted, type Wishes } from '../../test/kit/builders.ts';
import {
  listedPerson,
  type MemoryLists,
  memoryLists,
  nextVersion,
  screenerOver,
} from '../../test/kit/memory-screening.ts';
import { entityHash, type ListEntity, type ListVersion } from '../lists/index.ts';
import { loadSampleList } from '../lists/sample/load.ts';
import { requestOf } from '../requests.ts';
import type { CustomerCase } from './customer-case.ts';
import { type KnownParties, rescreen, rescreenBehind } from './rescreen.ts';

let list: ListVersion;
let lists: MemoryLists;
let opened: Map<string, CustomerCase>;
let covered: readonly ListReference[];
let asked: number;
beforeEach(async () => {
  list = await loadSampleList();
  lists = memoryLists();
  await lists.put(list);
  opened = new Map();
  covered = await lists.current();
  asked = 0;
});
const activate = (entities: readonly ListEntity[], published: string) =>
  lists.put(nextVersion(list, entities, published));

const known = (transferId: string, of: Wishes): KnownParties => {
  const accepted = transferAccepted({ ...of, transferId });
  return { transferId, request: requestOf(accepted)! };
};
const hartley = { debtor: { name: 'Gwen Hartley', birthDate: null } };

async function again(...batches: readonly (readonly KnownParties[])[]) {
  const now = await lists.current();
  return rescreen({
    lists: now,
    screener: screenerOver(lists),
    progress: {
      covered: async () => covered,
      advance: async (to) => {
        covered = to;
      },
    },
    cases: {
      open: async (cases) => {
        const fresh = cases.filter(({ caseId }) => !opened.has(caseId));
        for (const each of fresh) opened.set(each.caseId, each);
        return fresh.length;
      },
      blocked: async () => new Map(),
    },
    known: async function* () {
      asked += 1;
      yield* batches;
    },
    clock: () => AT,
  });
}

describe('customers', () => {
  it('are left alone while nothing changed', async () => {
    expect(await again([known('t1', hartley)])).toBeUndefined();
    expect(asked).toBe(0);
  });

  it('who resemble what was added become one case each, however many transfers they made', async () => {
    await activate([...list.entities, listedPerson('7001', 'Gwen Hartley')], '2026-11-22');
    const report = await again([known('t1', hartley), known('t2', hartley)], [known('t3', hartley)]);
    expect(report).toMatchObject({ transfers: 3, opened: 1 });
    expect([...opened.values()]).toMatchObject([
      { entityId: '7001', state: 'OPEN', transferId: 't2', candidate: { isHit: true }, openedAt: AT },
    ]);
    expect(JSON.stringify([...opened.values()])).not.toContain('customer-0001');
    expect(await again([known('t1', hartley)])).toBeUndefined();
  });

  it('are those beside sender and beneficiary too, each by a token of their own', async () => {
    await activate([...list.entities, listedPerson('7001', 'Leela Narayan')], '2026-11-22');
    const transfer = known('t1', { intermediaries: [intermediary({ role: 'ULTIMATE_DEBTOR' })] });
    expect(await again([transfer])).toMatchObject({ transfers: 1, opened: 1 });
    const [token] = transfer.request.instruction.intermediaryTokens;
    expect([...opened.values()]).toMatchObject([{ entityId: '7001', token }]);
    expect(token).toMatch(/^[\w-]{43}$/);
  });

  it('who were screened against an entity before are not screened against it again', async () => {
    await activate([...list.entities, listedPerson('7001', 'Somebody Else Entirely')], '2026-11-22');
    const report = await again([known('t1', { debtor: { name: 'Anatoly Grigoryevich Vorskov', birthDate: null } })]);
    expect(report).toMatchObject({ transfers: 1, opened: 0 });
  });

  it('become another case when the entity changed', async () => {
    const first = listedPerson('7001', 'Gwen Hartley');
    await activate([...list.entities, first], '2026-11-21');
    await again([known('t1', hartley)]);
    const changed = { ...first, programmes: ['NEW'] };
    await activate([...list.entities, changed], '2026-11-22');
    expect(await again([known('t1', hartley)])).toMatchObject({ opened: 1 });
    expect([...opened.values()].map((each) => each.entityHash)).toEqual([entityHash(first), entityHash(changed)]);
  });

  it('are screened again whole when the run was cut off', async () => {
    await activate([...list.entities, listedPerson('7001', 'Gwen Hartley')], '2026-11-22');
    const before = covered;
    const run = rescreen({
      lists: await lists.current(),
      screener: { recheck: () => Promise.reject(Object.assign(new Error('down'), { code: 'MONGO_UNAVAILABLE' })) },
      progress: { covered: async () => covered, advance: () => Promise.reject(new Error('not reached')) },
      cases: { open: async () => 0, blocked: async () => new Map() },
      known: async function* () {
        yield [known('t1', hartley)];
      },
      clock: () => AT,
    });
    await expect(run).rejects.toMatchObject({ code: 'MONGO_UNAVAILABLE' });
    expect(covered).toBe(before);
    expect(await again([known('t1', hartley)])).toMatchObject({ opened: 1 });
  });
});

describe('those who were screened by an instance that had not switched yet', () => {
  it('when a run had begun, become cases too, and nobody else does', async () => {
    const before = await lists.current();
    await activate([...list.entities, listedPerson('7001', 'Gwen Hartley')], '2026-11-22');
    await again();
    // The run has seen neither of them.
    expect(opened.size).toBe(0);
    const late = known('late', hartley);
    const inTime = { ...known('in-time', { debtor: { customerId: 'another', name: 'Gwen Hartley' } }) };
    const screened = async function* () {
      yield [
        { ...late, covered: before },
        { ...inTime, covered: await lists.current() },
      ];
    };
    const cases = {
      open: async (found: readonly CustomerCase[]) => {
        for (const each of found) opened.set(each.caseId, each);
        return found.length;
      },
      blocked: async () => new Map(),
    };
    const behind = () => rescreenBehind({ screener: screenerOver(lists), cases, screened, clock: () => AT });
    expect(await behind()).toBe(1);
    await behind();
    expect([...opened.values()]).toMatchObject([{ transferId: 'late', entityId: '7001' }]);
  });
});
