import { beforeAll, describe, expect, it } from 'vitest';
import type { ListVersion } from '../../screening/lists/index.ts';
import { entityHash } from '../../screening/lists/index.ts';
import { loadSampleList } from '../../screening/lists/sample/load.ts';
import type { CaseDocument } from '../../sinks/cases/case.ts';
import { openCase } from '../../sinks/cases/to-write.ts';
import { transferHeld } from '../../test/kit/builders.ts';
import { KEYS } from '../../test/kit/keys.ts';
import { memoryLists } from '../../test/kit/memory-screening.ts';
import { entityNamed, expiryAfter, tokenOfRole } from './ask.ts';
import { flawOfException, type StoredException } from './exception.ts';
import { askForException, listExceptions, revokeException } from './exceptions.ts';

const { operators } = KEYS;
const NOW = Date.UTC(2026, 10, 23);
const DAY_MS = 86_400_000;
let sample: ListVersion;
beforeAll(async () => {
  sample = await loadSampleList();
});

async function asking(over: object = {}, clock = (own: Date) => own) {
  const kept: StoredException[] = [];
  const store = {
    clock: async (own: Date) => clock(own),
    insert: async (one: StoredException) =>
      !kept.some((each) => each.exceptionId === one.exceptionId) && kept.push(one) > 0,
    list: async ({ token }: { token?: string }) => kept.filter((each) => each.token === token),
  };
  const lists = memoryLists();
  await lists.put(sample);
  const found: CaseDocument = openCase(transferHeld());
  const holds = { find: async (id: string) => (id === found._id ? found : undefined) };
  const entity = sample.entities[0]!;
  const request = {
    exceptionId: 'e',
    entity: entity.id,
    counterparty: { holdId: found._id, role: 'creditor' },
    days: 10,
    by: ' amara ',
    reason: 'born 1985',
    at: NOW,
    ...over,
  };
  return { kept, entity, found, ask: () => askForException({ store, holds, lists }, request, operators) };
}

describe('asking for an exception', () => {
  it('is bound to the party of the case, to the entity as it is in force, and waits', async () => {
    const { ask, kept, entity, found } = await asking();
    const asked = await ask();
    expect(asked).toMatchObject({
      token: found.held.instruction.creditorToken,
      entityHash: entityHash(entity),
      expiresAt: NOW + 10 * DAY_MS,
      grantedBy: 'amara',
    });
    expect(kept).toMatchObject([{ ...asked, grantedAt: NOW, approved: null, revoked: null }]);
    expect(flawOfException(operators, kept[0]!)).toBeUndefined();
    // The same question again has the same answer, and another one under this id has none.
    expect(await ask()).toEqual(asked);
    kept[0] = { ...kept[0]!, reason: 'another' };
    await expect(ask()).rejects.toMatchObject({ code: 'EXCEPTION_TAKEN' });
    expect(kept).toHaveLength(1);
  });

  it.each([
    ['OPTION_INVALID', { days: 0 }],
    ['OPTION_INVALID', { days: 367 }],
    ['OPTION_INVALID', { days: 1.5 }],
    ['OPTION_INVALID', { entity: 'OFAC' }],
    ['OPTION_INVALID', { entity: ':1' }],
    ['NO_ACTIVE_LIST', { entity: 'OFAC:1' }],
    ['ENTITY_UNKNOWN', { entity: 'CORRIDOR:no-such' }],
    ['CASE_UNKNOWN', { counterparty: { holdId: 'none', role: 'debtor' } }],
    ['PERSON_INVALID', { by: 'rescreening' }],
    ['JUSTIFICATION_INVALID', { reason: ' ' }],
  ])('is refused as %s: %j', async (code, over) => {
    const { ask, kept } = await asking(over);
    await expect(ask()).rejects.toMatchObject({ code });
    expect(kept).toEqual([]);
  });

  it.each([-3_600_000, 3_600_000])(
    'begins and ends by the clock of the store, with a process %i ms off',
    async (off) => {
      const { ask, kept } = await asking({ at: NOW + off }, () => new Date(NOW));
      expect(await ask()).toMatchObject({ grantedAt: NOW, expiresAt: NOW + 10 * DAY_MS });
      const store = { clock: async () => new Date(NOW + 10 * DAY_MS), list: async () => kept };
      const shown = await listExceptions(store, { limit: 9 }, { operators, now: NOW + off });
      expect(shown).toMatchObject([{ state: 'EXPIRED' }]);
    },
  );

  it('names entities, days and roles', () => {
    expect(entityNamed('OFAC:12:3')).toEqual({ source: 'OFAC', entityId: '12:3' });
    expect(expiryAfter(366, 5)).toBe(5 + 366 * DAY_MS);
    const tokens = { debtorToken: 'd', creditorToken: 'c' };
    const more = { ...tokens, intermediaryTokens: ['i', 'j'] };
    expect(['DEBTOR', 'creditor', 'intermediary-2'].map((role) => tokenOfRole(more, role))).toEqual(['d', 'c', 'j']);
    for (const role of ['intermediary-0', 'intermediary-3', '', 'toString']) {
      expect(() => tokenOfRole(more, role)).toThrow(/debtor, creditor, intermediary-1, intermediary-2/);
    }
    expect(() => tokenOfRole(tokens, 'intermediary-1')).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
  });
});

describe('a revocation', () => {
  const asked = { by: 'bela', reason: 'was wrong', at: NOW };

  it('is in the log before it is in the store, and is not in the store when the log does not take it', async () => {
    const steps: string[] = [];
    const publish = async ({ exceptionId, revokedBy }: { exceptionId: string; revokedBy: string }) =>
      void steps.push(`log ${exceptionId} ${revokedBy}`);
    const store = { revoke: async (id: string) => steps.push(`store ${id}`) > 0 };
    await revokeException({ store, publish }, 'e', asked, operators);
    expect(steps).toEqual(['log e bela', 'store e']);
    const away = async () => Promise.reject(new Error('the log is away'));
    await expect(revokeException({ store, publish: away }, 'f', asked, operators)).rejects.toThrow('the log is away');
    expect(steps).toHaveLength(2);
  });

  it('of a person that is none changes nothing', async () => {
    const store = { revoke: async () => true };
    const publish = async () => Promise.reject(new Error('published'));
    const nobody = revokeException({ store, publish }, 'e', { ...asked, by: 'system' }, operators);
    await expect(nobody).rejects.toMatchObject({ code: 'PERSON_INVALID' });
  });
});

it('a list of exceptions says what each counts for now', async () => {
  const { ask, kept } = await asking();
  await ask();
  const [waiting] = kept as [StoredException];
  const store = { clock: async (own: Date) => own, list: async () => [waiting, { ...waiting, entityId: 'other' }] };
  const at = async (now: number) => (await listExceptions(store, { limit: 9 }, { operators, now })).map((e) => e.state);
  expect(await at(NOW)).toEqual(['WAITING', 'NOT SEALED']);
  expect(await at(waiting.expiresAt)).toEqual(['EXPIRED', 'NOT SEALED']);
});
