// What a ledger on a real Redis goes on with when it is filled anew, when a rule is made longer or shorter, and whatever the
// clock of its caller says.
import fc from 'fast-check';
import { describe, expect, inject, it, vi } from 'vitest';
import { windowFinder } from '../../domain/limits/windows.ts';
import type { LimitOperation, LimitRequest, SettledUse } from '../../processors/limits/ports.ts';
import { requestedUse } from '../../processors/limits/requests.ts';
import { MemoryLedger } from '../../test/kit/memory-ledger.ts';
import { times } from '../../test/kit/times.ts';
import { batches, countersIn, emptied, freshLedger, requestsOf, START, stateOf } from './testing/rules-of-limits.ts';
import { redis, useSharedLimits } from './testing/shared-limits.ts';

useSharedLimits(inject('stack').redisLimitsUrl);

describe('a rule whose length was changed', () => {
  const ask = (transferId: string, length: number, at: number, member: string | null = null): LimitOperation => {
    const { id: window, endsAt: freesAt } = windowFinder({ kind: 'rolling', unit: 'day', length })(at);
    const metric = member === null ? ('count' as const) : ('beneficiaries' as const);
    const request: LimitRequest = {
      ...{ ruleId: `days-${metric}`, subjectToken: 'sender', window, currency: 'XXX', minor: 1n, limitMinor: 2n },
      ...{ action: 'reject', metric, member, declaredMinor: null, freesAt, freedByReturn: true },
    };
    return { kind: 'reserve', transferId, attempt: 1, requests: [request] };
  };
  const DAY_MS = 86_400_000;

  it.each([null, 'member'])(
    'counts anew, and what grew old under the length before holds nobody up (%s)',
    async (of) => {
      const { ledger } = await freshLedger();
      const member = (n: number) => of && `${of}-${n}`;
      const kinds = async (...asked: LimitOperation[]) => (await ledger.apply(asked)).map(({ kind }) => kind);
      expect(await kinds(ask('a', 7, START, member(1)), ask('b', 7, START, member(2)))).toEqual([
        'reserved',
        'reserved',
      ]);
      expect(await kinds(ask('c', 7, START + 60_000, member(3)))).toEqual(['refused']);
      for (let day = 1; day <= 20; day++) {
        const at = START + day * 4 * DAY_MS;
        expect(await kinds(ask(`d-${day}`, 6, at, member(day))), `day ${day}`).toEqual(['reserved']);
      }
      // Back to the length before: what it counted is long over.
      expect(await kinds(ask('e', 7, START + 90 * DAY_MS, member(5)))).toEqual(['reserved']);
    },
  );
});

describe('a rebuilt ledger', () => {
  it('goes on where the one before stood, in rolling windows too', async () => {
    const { ledger, namespace } = await freshLedger();
    await fc.assert(
      fc.asyncProperty(batches, batches, async (before, after) => {
        await emptied(ledger);
        const model = new MemoryLedger();
        for (const batch of before) {
          await ledger.apply(batch);
          await model.apply(batch);
        }
        const { marker } = await ledger.status();
        await ledger.replaceAll(stateOf(model), marker);
        const again = new MemoryLedger();
        again.lose();
        await again.replaceAll(stateOf(model), null);
        for (const batch of after) expect(await ledger.apply(batch)).toEqual(await again.apply(batch));
        expect(await countersIn(namespace)).toEqual(Object.fromEntries(again.counters));
      }),
      { numRuns: times(30) },
    );
  });
});

describe('a caller whose clock is months ahead', () => {
  it.each([200, -200])('(%i days) has no counter forgotten while its window is open', async (days) => {
    const { ledger, namespace } = await freshLedger();
    const window = windowFinder({ kind: 'rolling', unit: 'day', length: 180 })(Date.now()).id;
    const use: SettledUse = {
      ...requestedUse(requestsOf({ sender: 's', beneficiary: 'b', minor: 5n, at: START })[0]!, 5n),
      ...{ ruleId: 'half-year', window, freedByReturn: true },
    };
    const clock = vi.spyOn(Date, 'now').mockReturnValue(Date.now() + days * 86_400_000);
    try {
      await ledger.apply([{ kind: 'settle', transferId: 'a', attempt: 1, state: 'committed', uses: [use] }]);
    } finally {
      clock.mockRestore();
    }
    const kept = await Promise.all((await redis.keys(`${namespace}:*:[tcw]:*`)).map((key) => redis.pttl(key)));
    expect(kept).toHaveLength(3);
    // Twice the length, since what was counted is taken out of the sum by then, and 45 days; by the clock of the server.
    for (const ms of kept) expect(ms / 86_400_000).toBeGreaterThan(360 + 44);
    for (const ms of kept) expect(ms / 86_400_000).toBeLessThan(360 + 47);
    // The same when it is filled anew.
    const counter = { ruleId: 'half-year', subjectToken: use.subjectToken, window, usedMinor: 5n, open: 0 };
    const ahead = vi.spyOn(Date, 'now').mockReturnValue(Date.now() + days * 86_400_000);
    const { marker } = await ledger.status();
    await ledger.replaceAll({ records: [], counters: [counter] }, marker);
    ahead.mockRestore();
    const filled = await Promise.all((await redis.keys(`${namespace}:*:[cw]:*`)).map((key) => redis.pttl(key)));
    expect(filled).toHaveLength(2);
    for (const ms of filled) expect(ms / 86_400_000).toBeGreaterThan(360 + 44);
  });
});
