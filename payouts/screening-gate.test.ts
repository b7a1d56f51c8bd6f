// Given a list version that becomes active around a submit, the gate stops what must not be paid, and nothing else.
import { beforeEach, describe, expect, it } from 'vitest';
import type { Parties, PayoutRequested } from '../schemas/types.generated.ts';
import type { ListEntity, ListVersion } from '../screening/lists/index.ts';
import { loadSampleList } from '../screening/lists/sample/load.ts';
import { findings, intermediary } from '../test/kit/builders.ts';
import {
  listedPerson,
  type MemoryLists,
  memoryLists,
  nextVersion,
  screenerOver,
} from '../test/kit/memory-screening.ts';
import { ManualClock, MemoryStore } from '../test/kit/payouts/memory.ts';
import { payoutRequestedFor, received } from '../test/kit/payouts/requested.ts';
import { PayoutWorld, QUIET_CONFIG } from '../test/kit/payouts/world.ts';
import type { PayoutExecutorDependencies } from './dependencies.ts';
import type { PayoutStore } from './ports.ts';
import { createScreeningGate } from './screening-gate.ts';

const PRICE_MS = 600_000;
const hit = listedPerson('7001', 'Test Creditor');
const nobody = listedPerson('7002', 'Somebody Else Entirely');

let list: ListVersion;
let lists: MemoryLists;
beforeEach(async () => {
  list = await loadSampleList();
  lists = memoryLists();
  await lists.put(list);
});
const activate = (...more: readonly ListEntity[]) =>
  lists.put(nextVersion(list, [...list.entities, ...more], '2026-11-22'));

const ENTITY = { source: 'CORRIDOR', entityId: '7001', entityHash: 'as it is' };
const REVIEW = {
  holdId: 'h',
  decision: 'APPROVE',
  decidedBy: 'amara',
  decidedAt: 1,
  evidenceHash: 'e',
  justification: 'j',
};
const clock = new ManualClock();
/** A payout whose parties were screened against what is in force now. */
async function requested(transferId = 'transfer-1'): Promise<PayoutRequested> {
  const made = payoutRequestedFor({ transferId, attempt: 1, now: clock.now(), expiresAt: clock.now() + PRICE_MS });
  return { ...made, screening: { ...made.screening, lists: await lists.current() } };
}

const noCases = { blocked: async () => new Map() };
const gateOver = (over: Partial<Parameters<typeof createScreeningGate>[0]> = {}) =>
  createScreeningGate({ screener: screenerOver(lists), cases: noCases, maySeeLists: () => true, ...over });

describe('the verdict', () => {
  it('is to pass while the evidence covers what is in force', async () => {
    expect(await gateOver().check([await requested()])).toEqual([{ pass: true }]);
    expect(lists.reads.loads).toBe(0);
  });

  it('is to wait when the difference, or a case, names an intermediary', async () => {
    const value = await requested();
    const parties = (value.parties as { 'corridor.Parties': Parties })['corridor.Parties'];
    const beside: PayoutRequested = {
      ...value,
      instruction: { ...value.instruction, intermediaryTokens: ['beside'] },
      parties: { 'corridor.Parties': { ...parties, intermediaries: [intermediary({ name: 'Leela Narayan' })] } },
    };
    const cases = { blocked: async () => new Map([['beside', [ENTITY]]]) };
    expect(await gateOver({ cases }).check([beside, value])).toMatchObject([
      { code: 'CUSTOMER_BLOCKED' },
      { pass: true },
    ]);
    await activate(listedPerson('7003', 'Leela Narayan'));
    expect(await gateOver().check([beside, value])).toMatchObject([{ code: 'SCREENING_DIFFERENCE' }, { pass: true }]);
  });

  it('is to pass when the difference names neither party', async () => {
    const value = await requested();
    await activate(nobody);
    expect(await gateOver().check([value])).toEqual([{ pass: true }]);
  });

  it('is to wait for the price to expire when the difference names one', async () => {
    const value = await requested();
    await activate(hit);
    const blocked: string[] = [];
    expect(await gateOver({ onBlocked: (...of) => blocked.push(of.join(' ')) }).check([value])).toEqual([
      { pass: false, untilMs: value.price.expiresAt, code: 'SCREENING_DIFFERENCE' },
    ]);
    expect(blocked).toEqual(['transfer-1 SCREENING_DIFFERENCE']);
  });

  it('leaves the lists alone on a rail where the law forbids the look', async () => {
    const value = await requested();
    await activate(hit);
    expect(await gateOver({ maySeeLists: () => false }).check([value])).toEqual([{ pass: true }]);
  });

  it('follows a case about the customer on any rail', async () => {
    const value = await requested();
    const cases = { blocked: async () => new Map([[value.instruction.debtorToken, [ENTITY]]]) };
    expect(await gateOver({ cases, maySeeLists: () => false }).check([value])).toMatchObject([
      { pass: false, code: 'CUSTOMER_BLOCKED' },
    ]);
  });

  it('does not follow a case about what a person approved this transfer with', async () => {
    const value = await requested();
    const cases = { blocked: async () => new Map([[value.instruction.debtorToken, [ENTITY]]]) };
    const { parties } = findings('POTENTIAL_MATCH');
    const [party, ...others] = parties;
    const [candidate] = party!.candidates;
    const entity = { ...candidate!.entity!, entityHash: ENTITY.entityHash };
    const seen = [{ ...party!, candidates: [{ ...candidate!, ...ENTITY, entity }] }, ...others];
    const approved = (decision: string) => ({
      ...value,
      screening: { ...value.screening, parties: seen, review: { ...REVIEW, decision } },
    });
    expect(await gateOver({ cases }).check([approved('APPROVE')])).toEqual([{ pass: true }]);
    expect(await gateOver({ cases }).check([approved('REJECT')])).toMatchObject([{ code: 'CUSTOMER_BLOCKED' }]);
  });

  it('reads what is in force once for a batch', async () => {
    const batch = [await requested('a'), await requested('b'), await requested('c')];
    const before = lists.reads.active;
    await gateOver().check(batch);
    expect(lists.reads.active).toBe(before + 1);
  });

  it('fails closed when what is in force cannot be read', async () => {
    const value = await requested();
    const active = { current: () => Promise.reject(Object.assign(new Error('down'), { code: 'MONGO_UNAVAILABLE' })) };
    const gate = gateOver({ screener: screenerOver(lists, { active }) });
    await expect(gate.check([value])).rejects.toMatchObject({ code: 'MONGO_UNAVAILABLE' });
  });
});

describe('the executor behind the gate', () => {
  function world(over: Partial<PayoutExecutorDependencies> = {}) {
    const config = { ...QUIET_CONFIG, admitWaitMs: 50 };
    const { worker, provider, store: payouts, phase, rest } = new PayoutWorld({ config, clock, turns: 200 });
    const executor = worker({ gate: gateOver(), ...over });
    const handle = async (value: PayoutRequested) => {
      await executor.handle([received(value)]);
      await rest();
    };
    return { executor, provider, payouts, handle, rest, phase: () => phase('transfer-1') };
  }

  /** A store that lets a list become active right after the attempt was stored: between the two looks of the gate. */
  function activatingAfterInsert(payouts: MemoryStore, ...more: readonly ListEntity[]): PayoutStore {
    return {
      insert: async (batch) => {
        const stored = await payouts.insert(batch);
        await activate(...more);
        return stored;
      },
      apply: (changes) => payouts.apply(changes),
      load: (ids) => payouts.load(ids),
      now: () => payouts.now(),
      overdue: (before, limit, options) => payouts.overdue(before, limit, options),
      countOfOthers: (before, limit, provider) => payouts.countOfOthers(before, limit, provider),
    };
  }

  it('sends nothing when the version became active before the attempt', async () => {
    const { handle, provider, phase } = world();
    const value = await requested();
    await activate(hit);
    await handle(value);
    expect(provider.executionsOf('transfer-1')).toBe(0);
    expect(phase()).toBe('NEW');
  });

  it('sends nothing when the version became active between the stored attempt and the first byte', async () => {
    const payouts = new MemoryStore();
    const { handle, provider } = world({ payouts: activatingAfterInsert(payouts, hit) });
    await handle(await requested());
    expect(provider.calls).toEqual([]);
    expect(payouts.payouts.get('transfer-1')).toMatchObject({ phase: 'NEW' });
  });

  it('sends when the version between the two looks names neither party', async () => {
    const payouts = new MemoryStore();
    const { handle, provider } = world({ payouts: activatingAfterInsert(payouts, nobody) });
    await handle(await requested());
    expect(provider.executionsOf('transfer-1')).toBe(1);
  });

  it('lets a stopped payout expire unsent, so that it is priced again and held by payout dispatch', async () => {
    const { executor, handle, provider, payouts, rest } = world();
    const value = await requested();
    await activate(hit);
    await handle(value);
    clock.pass(PRICE_MS + 1);
    await executor.pollNow(['transfer-1']);
    await rest();
    expect(provider.executionsOf('transfer-1')).toBe(0);
    expect(payouts.payouts.get('transfer-1')!.updates.map(({ status }) => status)).toEqual(['EXPIRED']);
  });
});
