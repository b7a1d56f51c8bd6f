import { describe, expect, it } from 'vitest';
import { CodedError, dependencyDown } from '../../../ports/fault.ts';
import type { DeadLetterDocument } from '../../../sinks/dead-letters/letter.ts';
import { askForCheck, type CheckSources, findCheck, type LetterCheck, type LetterChecks, runCheck } from './checks.ts';

const AT = new Date('2026-11-30T03:00:00Z');

function world(letters: readonly Partial<DeadLetterDocument>[] = []) {
  const all = new Map<string, LetterCheck>();
  const checks: LetterChecks = {
    insert: async (check) => !all.has(check._id) && !!all.set(check._id, check),
    find: async (id) => all.get(id),
    wanted: async () => [...all.values()].find(({ state }) => state === 'WANTED'),
    end: async (id, to) => {
      const found = all.get(id)!;
      if (found.state === 'WANTED') all.set(id, { ...found, ...to });
    },
  };
  const asked: unknown[] = [];
  const list = async (filter: unknown) => {
    asked.push(filter);
    return letters as readonly DeadLetterDocument[];
  };
  const sources: CheckSources = {
    ...{ checks, now: () => AT, log: { letters: async () => ({ found: new Map(), left: new Set<string>() }) } },
    letters: { list } as never,
  };
  const trial = {
    runner: {
      amounts: async () => [],
      basis: async () => ({ build: 'b1' }),
      predict: async () => [],
      predictDiscards: async () => [],
    },
    transfers: { standing: async () => new Map(), payouts: async () => new Map() },
    rings: {},
  };
  return { all, checks, asked, sources, trial };
}

const ask = (checks: LetterChecks, id = 'c-1') =>
  askForCheck(checks, { id, filter: { owner: 'limits' }, request: 'r', by: 'asha', at: AT });

describe('a check of letters', () => {
  it('is asked for once under its id, and done once, of what is parked', async () => {
    const { checks, asked, sources, trial } = world([
      {
        _id: 'l-1',
        owner: 'limits',
        proven: true,
        group: 'g',
        code: 'X',
        place: { topicId: 't', partition: 0, offset: 1 },
        transferId: null,
      },
      { _id: 'l-2', owner: 'limits', proven: false, group: 'g', code: 'X' },
    ]);
    expect(await ask(checks)).toEqual(await ask(checks));
    expect(await runCheck(sources, trial)).toBe(true);
    expect(asked).toEqual([{ owner: 'limits', states: ['PARKED'] }]);
    expect(await findCheck(checks, 'c-1')).toMatchObject({
      ...{ state: 'DONE', basis: { build: 'b1' }, endedAt: AT },
      rows: [{ owner: 'limits', group: 'g', was: 'X', kind: 'UNREADABLE', code: 'LETTER_GONE', letters: 1 }],
    });
    expect(await runCheck(sources, trial)).toBe(false);
  });

  it('that cannot be done by itself has failed, and says so; one that a dependency stops is done again', async () => {
    const { checks, sources, trial } = world();
    await ask(checks);
    const failing = (error: Error): CheckSources => ({
      ...sources,
      letters: { list: () => Promise.reject(error) } as never,
    });
    const down = dependencyDown('mongo', 'MONGO_UNAVAILABLE', new Error('away'));
    await expect(runCheck(failing(down), trial)).rejects.toMatchObject({ code: 'MONGO_UNAVAILABLE' });
    expect(await findCheck(checks, 'c-1')).toMatchObject({ state: 'WANTED' });
    await runCheck(failing(new CodedError('LETTER_FORGED', 'x')), trial);
    expect(await findCheck(checks, 'c-1')).toMatchObject({ state: 'FAILED', detail: 'LETTER_FORGED: x', rows: [] });
    await expect(findCheck(checks, 'c-2')).rejects.toMatchObject({ code: 'CHECK_UNKNOWN' });
  });

  it('whose basis cannot be had has failed with the code, at once or after a quarter of an hour of an outage', async () => {
    const basisOf = (error: Error) => {
      const made = world();
      const runner = { ...made.trial.runner, basis: () => Promise.reject(error) };
      return { ...made, trial: { ...made.trial, runner } };
    };
    const lasting = basisOf(new CodedError('LIST_VERSION_NOT_SEALED', 'x'));
    await ask(lasting.checks);
    expect(await runCheck(lasting.sources, lasting.trial)).toBe(true);
    const failed = { state: 'FAILED', basis: null, endedAt: AT, detail: 'LIST_VERSION_NOT_SEALED: x' };
    expect(await findCheck(lasting.checks, 'c-1')).toMatchObject(failed);
    expect(await runCheck(lasting.sources, lasting.trial)).toBe(false);

    const away = basisOf(dependencyDown('mongo', 'MONGO_UNAVAILABLE', new Error('away')));
    await ask(away.checks);
    const at = (ms: number): CheckSources => ({ ...away.sources, now: () => new Date(AT.getTime() + ms) });
    await expect(runCheck(at(899_999), away.trial)).rejects.toMatchObject({ code: 'MONGO_UNAVAILABLE' });
    expect(await findCheck(away.checks, 'c-1')).toMatchObject({ state: 'WANTED' });
    expect(await runCheck(at(900_000), away.trial)).toBe(true);
    expect(await findCheck(away.checks, 'c-1')).toMatchObject({
      state: 'FAILED',
      detail: expect.stringMatching(/^MONGO_UNAVAILABLE: /),
    });
  });
});
