// The ledger in Redis against the model in memory (two programs from one contract), and what only a server can do: restart,
// be wiped, be rebuilt by two at once.
import fc from 'fast-check';
import { describe, expect, inject, it } from 'vitest';
import type { LedgerState, LimitOperation, LimitRequest, SettledUse } from '../../processors/limits/ports.ts';
import { KEYS } from '../../test/kit/keys.ts';
import { MemoryLedger } from '../../test/kit/memory-ledger.ts';
import { times } from '../../test/kit/times.ts';
import { limitsLedger } from './limits.ts';
import { limitsClient } from './limits-client.ts';
import { limitsNamespace } from './limits-generation.ts';
import { freshNamespace, RUN, redis, useSharedLimits } from './testing/shared-limits.ts';
import { verifyLimits } from './verify-limits.ts';

const NOTHING: LedgerState = { records: [], counters: [] };

useSharedLimits(inject('stack').redisLimitsUrl);

async function freshLedger() {
  const namespace = freshNamespace();
  const ledger = limitsLedger(redis, { keys: KEYS.stages, namespace });
  await ledger.replaceAll(NOTHING, null);
  return { ledger, namespace };
}

/** Used and open of every counter of the generation in force. */
async function countersIn(namespace: string): Promise<Record<string, { used: bigint; open: number }>> {
  const generation = (await redis.get(`${namespace}:generation`))!.split(':')[1];
  const prefix = `${namespace}:${generation}:c:`;
  const found: Record<string, { used: bigint; open: number }> = {};
  for (const key of await redis.keys(`${prefix}*`)) {
    const { used, open } = await redis.hgetall(key);
    found[key.slice(prefix.length)] = { used: BigInt(used!), open: Number(open) };
  }
  return found;
}

/** An amount, counted by itself. */
const PLAIN = { metric: 'amount', member: null, declaredMinor: null, freesAt: null, freedByReturn: true } as const;
const request = (minor: bigint, limitMinor: bigint, over: Partial<LimitRequest> = {}): LimitRequest => ({
  ruleId: 'day-gbp',
  subjectToken: 'sender-1',
  window: '2026-11-23',
  currency: 'GBP',
  minor,
  limitMinor,
  action: 'reject',
  ...PLAIN,
  ...over,
});
const reserve = (transferId: string, minor: bigint, limit = 1_000n, attempt = 1): LimitOperation => ({
  kind: 'reserve',
  transferId,
  attempt,
  requests: [request(minor, limit)],
});
const USED = { metric: 'AMOUNT', action: 'REJECT', member: null, declaredMinor: null, freesAt: null } as const;
const use = (minor: bigint, freedByReturn = true): SettledUse => ({
  ruleId: 'day-gbp',
  subjectToken: 'sender-1',
  window: '2026-11-23',
  currency: 'GBP',
  reservedMinor: minor,
  usedMinor: minor,
  limitMinor: 1_000n,
  ...USED,
  freedByReturn,
});

const subject = fc.constantFrom('sender-1', 'sender-2');
const rules: Record<string, { limit: bigint; action: 'reject' | 'hold'; freed: boolean }> = {
  'day-gbp': { limit: 1_000n, action: 'reject', freed: true },
  'day-gbp-review': { limit: 600n, action: 'hold', freed: false },
};
const minor = fc.bigInt({ min: 1n, max: 700n });
const window = fc.constantFrom('2026-11-23', '2026-11-24');

/** Operations of five transfers, as a confused world would send them: again, late, out of order. */
const operation: fc.Arbitrary<LimitOperation> = fc
  .record({
    transferId: fc.constantFrom('t-1', 't-2', 't-3', 't-4', 't-5'),
    attempt: fc.integer({ min: 1, max: 3 }),
    kind: fc.constantFrom<'reserve' | 'open' | 'released' | 'committed' | 'returned'>(
      'reserve',
      'reserve',
      'reserve',
      'open',
      'released',
      'committed',
      'returned',
    ),
    who: subject,
    amount: minor,
    day: window,
  })
  .map(({ transferId, attempt, kind, who, amount, day }): LimitOperation => {
    const counted = Object.entries(rules).map(([ruleId, { limit, action, freed }]) => ({
      base: { ruleId, subjectToken: who, window: day, currency: 'GBP' },
      limit,
      action,
      freed,
    }));
    if (kind === 'reserve') {
      const requests = counted.map(({ base, limit, action }) => ({
        ...base,
        minor: amount,
        limitMinor: limit,
        action,
        ...PLAIN,
      }));
      return { kind, transferId, attempt, requests };
    }
    const uses = counted.map(({ base, limit, freed }) => ({
      ...base,
      reservedMinor: amount,
      usedMinor: amount,
      limitMinor: limit,
      ...USED,
      freedByReturn: freed,
    }));
    return { kind: 'settle', transferId, attempt, state: kind, uses };
  });

describe('the ledger in Redis', () => {
  it('does what the model does, however operations are repeated, reordered and batched', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(operation, { minLength: 1, maxLength: 8 }), { maxLength: 12 }),
        async (batches) => {
          const { ledger, namespace } = await freshLedger();
          const model = new MemoryLedger();
          for (const batch of batches) expect(await ledger.apply(batch)).toEqual(await model.apply(batch));
          expect(await countersIn(namespace)).toEqual(Object.fromEntries(model.counters));
        },
      ),
      { numRuns: times(150) },
    );
  });

  it('lets transfers of one batch see each other', async () => {
    const { ledger } = await freshLedger();
    const results = await ledger.apply([reserve('a', 600n), reserve('b', 600n), reserve('c', 400n)]);
    expect(results.map(({ kind }) => kind)).toEqual(['reserved', 'refused', 'reserved']);
    expect(results[1]).toMatchObject({ uses: [{ usedMinor: 600n, reservedMinor: 600n }], refused: ['day-gbp'] });
  });

  it('answers an attempt that runs again with its first outcome, although others came between', async () => {
    const { ledger } = await freshLedger();
    const [first] = await ledger.apply([reserve('a', 600n)]);
    await ledger.apply([reserve('b', 300n)]);
    expect(await ledger.apply([reserve('a', 600n)])).toEqual([first]);
  });

  it('lets the next attempt take the place of the one before, and drops the one before when it comes late', async () => {
    const { ledger, namespace } = await freshLedger();
    await ledger.apply([reserve('a', 900n)]);
    expect(await ledger.apply([reserve('a', 950n, 1_000n, 2)])).toMatchObject([
      { kind: 'reserved', uses: [{ usedMinor: 950n }] },
    ]);
    expect(await ledger.apply([reserve('a', 900n)])).toEqual([{ kind: 'superseded' }]);
    expect(await countersIn(namespace)).toEqual({ 'day-gbp:sender-1:2026-11-23': { used: 950n, open: 1 } });
  });

  it('lets a later attempt that the log shows take the place of the one before, once, and never the other way', async () => {
    const { ledger, namespace } = await freshLedger();
    const open = (attempt: number, amount: bigint): LimitOperation => {
      return { kind: 'settle', transferId: 'a', attempt, state: 'open', uses: [use(amount)] };
    };
    await ledger.apply([reserve('a', 900n)]);
    expect(await ledger.apply([open(2, 300n), open(2, 300n), open(1, 900n)])).toEqual([
      { kind: 'settled', changed: true },
      { kind: 'settled', changed: false },
      { kind: 'settled', changed: false },
    ]);
    expect(await countersIn(namespace)).toEqual({ 'day-gbp:sender-1:2026-11-23': { used: 300n, open: 1 } });
    expect(await ledger.apply([reserve('a', 900n), reserve('a', 300n, 1_000n, 2)])).toMatchObject([
      { kind: 'superseded' },
      { kind: 'reserved', uses: [{ reservedMinor: 300n }] },
    ]);
  });

  it('refuses a reservation that comes after the end of its transfer', async () => {
    const { ledger, namespace } = await freshLedger();
    await ledger.apply([{ kind: 'settle', transferId: 'a', attempt: 1, state: 'released', uses: [] }]);
    expect(await ledger.apply([reserve('a', 1n)])).toEqual([{ kind: 'ended' }]);
    expect(await countersIn(namespace)).toEqual({});
  });

  it('is that of its application alone', async () => {
    const [ours, theirs] = ['ours', 'theirs'].map((app) => limitsNamespace(`${RUN}:${app}`));
    const ledger = limitsLedger(redis, { keys: KEYS.stages, namespace: ours! });
    const stranger = limitsLedger(redis, { keys: KEYS.stages, namespace: theirs! });
    await ledger.replaceAll(NOTHING, null);
    await ledger.apply([reserve('a', 900n)]);
    expect((await stranger.status()).hydrated).toBe(false);
    await stranger.replaceAll(NOTHING, null);
    expect(await stranger.apply([reserve('a', 200n)])).toMatchObject([{ uses: [{ usedMinor: 200n }] }]);
    await stranger.close();
    expect(await ledger.apply([reserve('b', 100n)])).toMatchObject([{ uses: [{ usedMinor: 1_000n }] }]);
    expect(await verifyLimits(redis, ours).find(['a'])).toMatchObject([{ uses: [{ minor: 900n }] }]);
    expect(await verifyLimits(redis, theirs).hydrated()).toBe(false);
  });

  it('is exact to the last unit below 2^53', async () => {
    const { ledger } = await freshLedger();
    const limit = 2n ** 52n - 1n;
    const [almost, over, last] = await ledger.apply([
      reserve('a', limit - 1n, limit),
      reserve('b', 2n, limit),
      reserve('c', 1n, limit),
    ]);
    expect(almost).toMatchObject({ kind: 'reserved', uses: [{ usedMinor: limit - 1n }] });
    expect(over).toMatchObject({ kind: 'refused', uses: [{ usedMinor: limit - 1n }] });
    expect(last).toMatchObject({ kind: 'reserved', uses: [{ usedMinor: limit }] });
  });

  it('keeps open reservations for ever, and lets ended ones go', async () => {
    const { ledger, namespace } = await freshLedger();
    await ledger.apply([reserve('a', 10n), reserve('b', 10n)]);
    await ledger.apply([{ kind: 'settle', transferId: 'b', attempt: 1, state: 'committed', uses: [use(10n)] }]);
    const generation = (await redis.get(`${namespace}:generation`))!.split(':')[1];
    const ttl = (key: string) => redis.pttl(`${namespace}:${generation}:${key}`);
    expect(await ttl('t:a')).toBe(-1);
    expect(await ttl('t:b')).toBeGreaterThan(0);
    expect(await ttl('c:day-gbp:sender-1:2026-11-23')).toBe(-1);
    await ledger.apply([{ kind: 'settle', transferId: 'a', attempt: 1, state: 'released', uses: [use(10n)] }]);
    expect(await ttl('c:day-gbp:sender-1:2026-11-23')).toBeGreaterThan(0);
  });
});

describe('a lost ledger', () => {
  it('is closed until it is filled', async () => {
    const ledger = limitsLedger(redis, { keys: KEYS.stages, namespace: freshNamespace() });
    await expect(ledger.apply([reserve('a', 1n)])).rejects.toMatchObject({
      code: 'LIMITS_NOT_HYDRATED',
      faultClass: 'transient-dependency',
      dependency: 'redis-limits',
    });
    expect(await ledger.status()).toEqual({ hydrated: false, marker: null });
    await ledger.replaceAll(NOTHING, null);
    expect(await ledger.apply([reserve('a', 1n)])).toMatchObject([{ kind: 'reserved' }]);
  });

  it('is known by the run id: a marker of another run counts as loss', async () => {
    const { ledger, namespace } = await freshLedger();
    await ledger.apply([reserve('a', 1n)]);
    const marker = (await redis.get(`${namespace}:generation`))!;
    await redis.set(`${namespace}:generation`, `${'0'.repeat(40)}:${marker.split(':')[1]}`);
    expect((await ledger.status()).hydrated).toBe(false);
    await expect(ledger.apply([reserve('b', 1n)])).rejects.toMatchObject({ code: 'LIMITS_NOT_HYDRATED' });
  });

  it('is seen by the script itself, whatever the process believes', async () => {
    const { ledger, namespace } = await freshLedger();
    await ledger.apply([reserve('a', 1n)]);
    await redis.del(`${namespace}:generation`);
    await expect(ledger.apply([reserve('b', 1n)])).rejects.toMatchObject({ code: 'LIMITS_NOT_HYDRATED' });
  });

  it('comes back as the log has it, and goes on from there', async () => {
    const { ledger, namespace } = await freshLedger();
    await ledger.close();
    const { marker } = await ledger.status();
    const state: LedgerState = {
      records: [
        { transferId: 'open', attempt: 2, state: 'open', uses: [use(300n)] },
        { transferId: 'paid', attempt: 1, state: 'committed', uses: [use(500n)] },
        { transferId: 'gone', attempt: 1, state: 'released', uses: [use(999n)] },
      ],
      counters: [{ ruleId: 'day-gbp', subjectToken: 'sender-1', window: '2026-11-23', usedMinor: 800n, open: 1 }],
    };
    expect(await ledger.replaceAll(state, marker)).toBe('replaced');
    expect(
      await ledger.apply([reserve('open', 300n, 1_000n, 2), reserve('gone', 1n), reserve('new', 300n)]),
    ).toMatchObject([
      { kind: 'reserved', uses: [{ reservedMinor: 300n }] },
      { kind: 'ended' },
      { kind: 'refused', uses: [{ usedMinor: 800n }] },
    ]);
    await ledger.apply([{ kind: 'settle', transferId: 'open', attempt: 2, state: 'released', uses: [use(300n)] }]);
    expect(await countersIn(namespace)).toEqual({ 'day-gbp:sender-1:2026-11-23': { used: 500n, open: 0 } });
  });

  it('is replaced once when two rebuild it, and what the slower one wrote is swept', async () => {
    const { ledger: first, namespace } = await freshLedger();
    await first.close();
    const second = limitsLedger(redis, { keys: KEYS.stages, namespace });
    const record = { transferId: 'x', attempt: 1, state: 'open', uses: [use(1n)] } as const;
    const results = await Promise.all([
      first.replaceAll({ records: [record], counters: [] }, null),
      second.replaceAll({ records: [record], counters: [] }, null),
    ]);
    expect(results.sort()).toEqual(['overtaken', 'replaced']);
    await second.apply([reserve('y', 1n)]);
    expect(await first.apply([reserve('y', 1n)])).toMatchObject([{ kind: 'reserved' }]);
    const generation = (await redis.get(`${namespace}:generation`))!.split(':')[1];
    const strangers = (await redis.keys(`${namespace}:*:t:*`)).filter((key) => !key.includes(generation!));
    expect(strangers).toEqual([]);
  });
});

describe('a ledger of another form', () => {
  const markAs = async (namespace: string, form: string) => {
    const key = `${namespace}:generation`;
    const [run, generation] = (await redis.get(key))!.split(':');
    const marker = `${run}:${form}${generation!.slice(generation!.indexOf('.') + 1)}`;
    await redis.set(key, marker);
    return marker;
  };

  it('is lost when it is older, and rebuilt', async () => {
    const { namespace } = await freshLedger();
    const marker = await markAs(namespace, '2.');
    const next = limitsLedger(redis, { keys: KEYS.stages, namespace });
    expect(await next.status()).toEqual({ hydrated: false, marker });
    await expect(next.apply([reserve('t-1', 100n)])).rejects.toMatchObject({ code: 'LIMITS_NOT_HYDRATED' });
    expect(await next.replaceAll(NOTHING, marker)).toBe('replaced');
    expect(await next.apply([reserve('t-1', 100n)])).toMatchObject([{ kind: 'reserved' }]);
  });

  it('is left alone when it is newer, and stops the process', async () => {
    const { namespace } = await freshLedger();
    const marker = await markAs(namespace, '4.');
    const older = limitsLedger(redis, { keys: KEYS.stages, namespace });
    const newer = { code: 'LEDGER_NEWER', faultClass: 'fatal' };
    await expect(older.status()).rejects.toMatchObject(newer);
    await expect(older.apply([reserve('t-1', 100n)])).rejects.toMatchObject(newer);
    expect(await redis.get(`${namespace}:generation`)).toBe(marker);
  });

  it('without a form is of the first: release 0.1.0 wrote none', async () => {
    const { namespace } = await freshLedger();
    await markAs(namespace, '');
    expect(await limitsLedger(redis, { keys: KEYS.stages, namespace }).status()).toMatchObject({ hydrated: false });
  });
});

describe('a rebuild that others get in the way of', () => {
  const MANY = 12_000;
  /** Records enough for many round trips; `meanwhile` is called when a third of them was asked for. */
  function* records(meanwhile: () => void): Generator<LedgerState['records'] extends Iterable<infer R> ? R : never> {
    for (let index = 0; index < MANY; index++) {
      if (index === MANY / 3) meanwhile();
      yield { transferId: `t-${index}`, attempt: 1, state: 'released', uses: [] };
    }
  }
  const keysOf = async (namespace: string) => (await redis.keys(`${namespace}:*:t:*`)).length;

  it('is given up when what it had written was wiped: it would stand for a whole ledger', async () => {
    const { ledger, namespace } = await freshLedger();
    await ledger.close();
    let wiped: Promise<unknown> = Promise.resolve();
    const wipe = async () => {
      const keys = await redis.keys(`${namespace}:*`);
      expect(keys.length).toBeGreaterThan(0);
      await redis.unlink(...keys);
    };
    const state = { records: records(() => (wiped = wipe())), counters: [] };
    expect(await ledger.replaceAll(state, null)).toBe('overtaken');
    await wiped;
    expect(await ledger.status()).toEqual({ hydrated: false, marker: null });
    expect(await keysOf(namespace)).toBe(0);
  });

  it('is left alone by one that was overtaken', async () => {
    const { ledger, namespace } = await freshLedger();
    const stale = (await ledger.status()).marker;
    await ledger.close();
    let loser: Promise<string> = Promise.resolve('not begun');
    const other = limitsLedger(redis, { keys: KEYS.stages, namespace });
    const state = { records: records(() => (loser = other.replaceAll(NOTHING, stale))), counters: [] };
    expect(await ledger.replaceAll(state, null)).toBe('replaced');
    expect(await loser).toBe('overtaken');
    expect(await keysOf(namespace)).toBe(MANY);
  });

  it('loses to one that was faster, also when the ledger is closed again before it is done', async () => {
    const { ledger, namespace } = await freshLedger();
    await ledger.close();
    const faster = limitsLedger(redis, { keys: KEYS.stages, namespace });
    let between: Promise<string> = Promise.resolve('not begun');
    const meanwhile = async () => {
      const result = await faster.replaceAll(NOTHING, null);
      await faster.close();
      return result;
    };
    const state = { records: records(() => (between = meanwhile())), counters: [] };
    const result = await ledger.replaceAll(state, null);
    expect(await between).toBe('replaced');
    if (result === 'replaced') expect(await keysOf(namespace)).toBe(MANY);
    else expect(await ledger.status()).toMatchObject({ hydrated: false });
  });
});

describe('a server that may evict', () => {
  it('is refused for good: what it forgets would be spent again', async () => {
    const { ledger } = await freshLedger();
    await redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
    try {
      await expect(ledger.status()).rejects.toMatchObject({
        code: 'REDIS_MAY_EVICT',
        faultClass: 'fatal',
        dependency: 'redis-limits',
      });
    } finally {
      await redis.config('SET', 'maxmemory-policy', 'noeviction');
    }
    expect(await ledger.status()).toMatchObject({ hydrated: true });
  });
});

describe('a server that is not there', () => {
  it('is an outage, not a poison record', async () => {
    const client = limitsClient({ url: 'redis://127.0.0.1:1' });
    await expect(limitsLedger(client, { keys: KEYS.stages }).apply([reserve('a', 1n)])).rejects.toMatchObject({
      code: 'REDIS_UNAVAILABLE',
      faultClass: 'transient-dependency',
      dependency: 'redis-limits',
    });
    client.disconnect();
  });
});
