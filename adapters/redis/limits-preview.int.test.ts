// The preview of the ledger against the ledger itself: it says what the ledger then does, and leaves nothing behind.
import fc from 'fast-check';
import { expect, inject, it } from 'vitest';
import type { LimitOperation } from '../../processors/limits/ports.ts';
import { KEYS } from '../../test/kit/keys.ts';
import { times } from '../../test/kit/times.ts';
import { limitsLedger } from './limits.ts';
import { limitsPreview } from './limits-preview.ts';
import { freshNamespace, RUN, redis, useSharedLimits } from './testing/shared-limits.ts';

useSharedLimits(inject('stack').redisLimitsUrl);

const reserve = fc.record({
  transfer: fc.integer({ min: 0, max: 5 }),
  attempt: fc.integer({ min: 1, max: 3 }),
  requests: fc.uniqueArray(
    fc.record({
      rule: fc.constantFrom('day', 'month', 'review'),
      sender: fc.constantFrom('one', 'two'),
      minor: fc.bigInt({ min: 1n, max: 700n }),
    }),
    { minLength: 1, maxLength: 3, selector: ({ rule, sender }) => `${rule}/${sender}` },
  ),
});

interface Asked {
  readonly transfer: number;
  readonly attempt: number;
  readonly requests: readonly { readonly rule: string; readonly sender: string; readonly minor: bigint }[];
}

const operation = (of: Asked): LimitOperation => ({
  kind: 'reserve',
  transferId: `transfer-${of.transfer}`,
  attempt: of.attempt,
  requests: of.requests.map(({ rule, sender, minor }) => ({
    ...{ ruleId: rule, subjectToken: sender, window: '2026-11-30', currency: 'GBP', minor },
    ...{ limitMinor: 1_000n, action: rule === 'review' ? ('hold' as const) : ('reject' as const) },
    ...{ metric: 'amount', member: null, declaredMinor: null, freesAt: null, freedByReturn: true },
  })),
});
const ending = fc.constantFrom('released', 'committed', 'returned');

it('answers what the ledger then answers, for transfers of any state, and writes nothing', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(reserve, { maxLength: 8 }),
      fc.array(fc.record({ transfer: fc.integer({ min: 0, max: 5 }), state: ending }), { maxLength: 2 }),
      fc.uniqueArray(reserve, { minLength: 1, maxLength: 6, selector: ({ transfer }) => transfer }),
      async (before, ends, asked) => {
        const namespace = freshNamespace();
        const ledger = limitsLedger(redis, { keys: KEYS.stages, namespace });
        await ledger.replaceAll({ records: [], counters: [] }, null);
        await ledger.apply(before.map(operation));
        await ledger.apply(
          ends.map(({ transfer, state }) => ({
            ...{ kind: 'settle', transferId: `transfer-${transfer}`, attempt: 1, state, uses: [] },
          })) as LimitOperation[],
        );
        const kept = await all(namespace);
        const foreseen = await limitsPreview(redis, namespace).apply(asked.map(operation));
        expect(await all(namespace)).toEqual(kept);
        expect(foreseen).toEqual(await ledger.apply(asked.map(operation)));
      },
    ),
    { numRuns: times(60) },
  );
});

it('says that the ledger is not there rather than count from nothing', async () => {
  const one = operation({ transfer: 1, attempt: 1, requests: [{ rule: 'day', sender: 'one', minor: 1n }] });
  await expect(limitsPreview(redis, `${RUN}:none`).apply([one])).rejects.toMatchObject({ code: 'LIMITS_NOT_HYDRATED' });
});

async function all(namespace: string): Promise<Record<string, Record<string, string>>> {
  const found: Record<string, Record<string, string>> = {};
  for (const key of (await redis.keys(`${namespace}:*:[tc]:*`)).toSorted()) found[key] = await redis.hgetall(key);
  return found;
}
