// What an audit reads of the ledger, on a real Redis: whatever was done to it by its own script agrees with the model, and
// whatever anybody does beside the script is named.
import fc from 'fast-check';
import { expect, inject, it } from 'vitest';
import { byRuleAndWindow, counterDrift, type Drift, expectedOf, sumDrift } from '../../operations/limits/drift.ts';
import type { LimitOperation } from '../../processors/limits/ports.ts';
import { KEYS } from '../../test/kit/keys.ts';
import { MemoryLedger } from '../../test/kit/memory-ledger.ts';
import { times } from '../../test/kit/times.ts';
import { limitsLedger } from './limits.ts';
import { limitsContents } from './limits-contents.ts';
import { batches, MINUTE_MS, requestsOf, START, stateOf } from './testing/rules-of-limits.ts';
import { freshNamespace, redis, useSharedLimits } from './testing/shared-limits.ts';

useSharedLimits(inject('stack').redisLimitsUrl);

async function freshLedger() {
  const namespace = freshNamespace();
  const ledger = limitsLedger(redis, { keys: KEYS.stages, namespace });
  await ledger.replaceAll({ records: [], counters: [] }, null);
  return { namespace, ledger, contents: limitsContents(redis, { keys: KEYS.stages, namespace }) };
}

type World = Awaited<ReturnType<typeof freshLedger>>;

/** All that differs from a model at `at`. */
async function driftOf({ contents }: World, model: MemoryLedger, at: number): Promise<readonly Drift[]> {
  const { marker } = await contents.standing();
  const expected = expectedOf(stateOf(model).counters, at);
  const drift: Drift[] = [];
  const [buckets, names] = [new Set(expected.counters.keys()), new Set(expected.sums.keys())];
  for await (const page of contents.counters(marker!)) {
    for (const held of page) {
      buckets.delete(held.bucket);
      drift.push(...counterDrift(held.bucket, expected, held));
    }
  }
  for await (const page of contents.sums(marker!)) {
    for (const held of page) {
      names.delete(held.name);
      drift.push(...sumDrift(held.name, expected, held));
    }
  }
  for (const bucket of buckets) drift.push(...counterDrift(bucket, expected, undefined));
  for (const name of names) drift.push(...sumDrift(name, expected, undefined));
  return drift;
}

it('agrees with the model, whatever the script was asked, late and again, and as time goes by', async () => {
  const world = await freshLedger();
  await fc.assert(
    fc.asyncProperty(batches, fc.integer({ min: 0, max: 3_000 }), async (all, minutes) => {
      const { marker } = await world.ledger.status();
      await world.ledger.replaceAll({ records: [], counters: [] }, marker);
      const model = new MemoryLedger();
      for (const batch of all) {
        await world.ledger.apply(batch);
        await model.apply(batch);
      }
      expect(await driftOf(world, model, START + minutes * MINUTE_MS)).toEqual([]);
    }),
    { numRuns: times(60) },
  );
});

/** Three transfers by one sender to two beneficiaries, over two hours. */
async function filled() {
  const world = await freshLedger();
  const model = new MemoryLedger();
  const asked = ['b-1', 'b-2', 'b-1'].map((beneficiary, n): LimitOperation => {
    const requests = requestsOf({ sender: 's-1', beneficiary, minor: 100n, at: START + n * 60 * MINUTE_MS });
    return { kind: 'reserve', transferId: `t-${n}`, attempt: 1, requests };
  });
  for (const answer of await world.ledger.apply(asked)) expect(answer.kind).toBe('reserved');
  await model.apply(asked);
  const { marker } = await world.ledger.status();
  const prefix = `${world.namespace}:${marker!.split(':')[1]}:`;
  const key = async (pattern: string) => {
    const found = await redis.keys(`${prefix}${pattern}`);
    expect(found.length, pattern).toBeGreaterThan(0);
    return found.sort()[0]!;
  };
  return { world, model, key };
}
type Filled = Awaited<ReturnType<typeof filled>>;

const DAMAGE: Readonly<
  Record<string, { do(key: Filled['key']): Promise<unknown>; says: readonly Partial<Record<string, unknown>>[] }>
> = {
  'a sum that was raised': {
    do: async (key) => redis.hincrby(await key('c:sender-day:*'), 'used', 7),
    says: [{ ruleId: 'sender-day', window: '2026-11-23', what: 'used', tooMany: 7n, tooFew: 0n }],
  },
  'an open reservation too few': {
    do: async (key) => redis.hincrby(await key('c:sender-day:*'), 'open', -1),
    says: [{ ruleId: 'sender-day', what: 'open', tooFew: 1n }],
  },
  'a counter that is gone': {
    do: async (key) => redis.del(await key('c:producer-life:*')),
    says: [
      { ruleId: 'producer-life', window: 'lifetime', what: 'used', tooFew: 300n },
      { ruleId: 'producer-life', window: 'lifetime', what: 'open', tooFew: 3n },
    ],
  },
  'a field that is no number': {
    do: async (key) => redis.hset(await key('c:producer-life:*'), 'used', 'all of it'),
    says: [
      { ruleId: 'producer-life', window: 'lifetime', what: 'form', tooMany: 1n },
      { what: 'used', tooFew: 300n },
    ],
  },
  'a field that a script reads as a number': {
    do: async (key) => redis.hset(await key('c:producer-life:*'), 'open', '0x3'),
    says: [{ ruleId: 'producer-life', what: 'form', tooMany: 1n }, { what: 'open' }],
  },
  'a beneficiary for whom nothing counts': {
    do: async (key) => redis.hset(await key('c:sender-beneficiaries-day:*'), 'm:b-9', '0'),
    says: [{ ruleId: 'sender-beneficiaries-day', what: 'form', tooMany: 1n }],
  },
  'a counter that is no hash': {
    do: async (key) => {
      const counter = await key('c:producer-life:*');
      await redis.del(counter);
      await redis.set(counter, '300');
    },
    says: [{ ruleId: 'producer-life', what: 'form', tooMany: 1n }, { what: 'used' }, { what: 'open' }],
  },
  'a beneficiary who is forgotten, though as many are told': {
    do: async (key) => redis.hdel(await key('c:sender-beneficiaries-day:*'), 'm:b-1'),
    says: [{ ruleId: 'sender-beneficiaries-day', what: 'members', tooMany: 0n, tooFew: 2n }],
  },
  'a beneficiary who is another': {
    do: async (key) => {
      const counter = await key('c:sender-beneficiaries-day:*');
      await redis.hdel(counter, 'm:b-2');
      await redis.hset(counter, 'm:b-9', '1');
    },
    says: [{ ruleId: 'sender-beneficiaries-day', what: 'members', tooMany: 1n, tooFew: 1n }],
  },
  'the sum of a rolling window, lowered': {
    do: async (key) => redis.hset(await key('w:pair-3-hours:s-1.b-1:*'), 'sum', '0'),
    says: [{ ruleId: 'pair-3-hours', window: 'r15x720', what: 'sum', tooFew: 200n }],
  },
  'a step of a rolling window, with its sum': {
    do: async (key) => {
      const sum = await key('w:pair-3-hours:s-1.b-1:*');
      const step = Object.keys(await redis.hgetall(sum)).find((field) => field.startsWith('s:'))!;
      await redis.hincrby(sum, step, 5);
      await redis.hincrby(sum, 'sum', 5);
    },
    says: [{ ruleId: 'pair-3-hours', what: 'sum', tooMany: 5n, tooFew: 0n }],
  },
  'the sum of a rolling window, gone': {
    do: async (key) => redis.del(await key('w:beneficiary-24-hours:b-1:*')),
    says: [{ ruleId: 'beneficiary-24-hours', window: 'r300x288', what: 'sum', tooFew: 2n }],
  },
  'a beneficiary in the sum of a rolling window': {
    do: async (key) => redis.hincrby(await key('w:sender-beneficiaries:*'), 'm:b-1', 1),
    says: [{ ruleId: 'sender-beneficiaries', what: 'sum', tooMany: 1n }],
  },
  'the number of beneficiaries in a rolling window': {
    do: async (key) => redis.hincrby(await key('w:sender-beneficiaries:*'), 'sum', -1),
    says: [{ ruleId: 'sender-beneficiaries', what: 'sum', tooFew: 1n }],
  },
};

it.each(Object.entries(DAMAGE))('names %s', async (_name, damage) => {
  const { world, model, key } = await filled();
  expect(await driftOf(world, model, START)).toEqual([]);
  await damage.do(key);
  const named = byRuleAndWindow(await driftOf(world, model, START));
  expect(named).toMatchObject(damage.says);
  // Of what is over, nothing is said: Redis lets it go when it likes.
  const later = await driftOf(world, model, START + 400 * 1_440 * MINUTE_MS);
  expect(later.filter(({ window }) => window !== 'lifetime')).toEqual([]);
});

it('knows each record that is there, and whether a stage has written it', async () => {
  const { world, key } = await filled();
  const { marker } = await world.contents.standing();
  const standing = async () =>
    (await world.contents.recordsOf(marker!, ['t-0', 't-9', 't-2'])).map(
      ({ transferId, state, attempt, uses, isProven }) => [transferId, state, attempt, uses.length, isProven],
    );
  // Six rules count it in some window; the seventh in none.
  expect(await standing()).toEqual([
    ['t-0', 'open', 1, 6, true],
    ['t-2', 'open', 1, 6, true],
  ]);
  const whole = await redis.hgetall(await key('t:t-0'));
  const damage: readonly (readonly [Record<string, string>, string])[] = [
    [{ attempt: '2' }, 'no proof'],
    [{ state: 'committed' }, 'no proof'],
    [{ state: 'refused' }, 'no proof'],
    [{ outcome: '' }, 'no proof'],
    [{ outcome: whole['outcome']!.replace(/("uses":.*?)"100"/, '$1"1"') }, 'no proof'],
    [{ outcome: (await redis.hget(await key('t:t-2'), 'outcome'))! }, 'no proof'],
    [{ state: 'gone' }, 'unreadable'],
    [{ uses: '[{"b":1}]' }, 'unreadable'],
    [{ uses: '[' }, 'unreadable'],
  ];
  for (const [fields, says] of damage) {
    await redis.hset(await key('t:t-0'), fields);
    const [[, state, , , isProven]] = (await standing()) as [
      (typeof standing extends () => Promise<infer R> ? R : never)[0],
    ];
    expect(state === 'unreadable' ? state : isProven ? 'a proof' : 'no proof', JSON.stringify(fields)).toBe(says);
    await redis.hset(await key('t:t-0'), whole);
  }
  const all = [];
  for await (const page of world.contents.records(marker!)) all.push(...page.map(({ transferId }) => transferId));
  expect(all.sort()).toEqual(['t-0', 't-1', 't-2']);
});
