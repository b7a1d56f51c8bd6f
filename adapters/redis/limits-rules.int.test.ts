// Rules of several subjects and windows on a real Redis: whatever the order in which several clients reserve, crash, price
// again and settle, no limit is exceeded, and the counters are those of a naive model that never heard of a script.
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import type { Redis } from 'ioredis';
import { describe, expect, inject, it, vi } from 'vitest';
import { type LimitRule, senderDayRule } from '../../domain/limits/limit-rules.ts';
import { rollingOf, windowFinder } from '../../domain/limits/windows.ts';
import { hydrateLimits } from '../../processors/limits/hydrate.ts';
import type {
  LedgerState,
  LedgerStore,
  LimitOperation,
  LimitRequest,
  LimitResult,
  SettledUse,
} from '../../processors/limits/ports.ts';
import { requestedUse } from '../../processors/limits/requests.ts';
import { TallyLedger } from '../../processors/limits/tally-ledger.ts';
import { transferRejected } from '../../test/kit/builders.ts';
import { ledgerReading, MemoryLedger } from '../../test/kit/memory-ledger.ts';
import { times } from '../../test/kit/times.ts';
import { ledgerFormOf, limitsLedger } from './limits.ts';
import { limitsClient, ready } from './limits-client.ts';
import { freshNamespace, redis, useSharedLimits } from './testing/shared-limits.ts';
import { verifyLimits } from './verify-limits.ts';

const NOTHING: LedgerState = { records: [], counters: [] };
const { redisLimitsUrl } = inject('stack');
useSharedLimits(redisLimitsUrl);

const START = Date.UTC(2026, 10, 23, 9);
const MINUTE_MS = 60_000;

/** Five rules of different subjects, metrics and windows, and a shadow. */
const RULES: Readonly<
  Record<
    string,
    Pick<LimitRule, 'window' | 'action' | 'limitMinor' | 'freedByReturn'> & { metric: LimitRequest['metric'] }
  >
> = {
  'sender-day': {
    ...{ window: { kind: 'calendar', unit: 'day', timeZone: 'Asia/Kolkata' }, metric: 'amount' },
    ...{ action: 'reject', limitMinor: 1_000n, freedByReturn: true },
  },
  'beneficiary-24-hours': {
    ...{ window: { kind: 'rolling', unit: 'hour', length: 24 }, metric: 'count' },
    ...{ action: 'reject', limitMinor: 12n, freedByReturn: false },
  },
  'pair-3-hours': {
    ...{ window: { kind: 'rolling', unit: 'hour', length: 3 }, metric: 'amount' },
    ...{ action: 'reject', limitMinor: 700n, freedByReturn: true },
  },
  'producer-life': {
    ...{ window: { kind: 'lifetime' }, metric: 'amount' },
    ...{ action: 'hold', limitMinor: 2_000n, freedByReturn: true },
  },
  'sender-beneficiaries': {
    ...{ window: { kind: 'rolling', unit: 'hour', length: 4 }, metric: 'beneficiaries' },
    ...{ action: 'reject', limitMinor: 2n, freedByReturn: true },
  },
  'sender-beneficiaries-day': {
    ...{ window: { kind: 'calendar', unit: 'day', timeZone: 'UTC' }, metric: 'beneficiaries' },
    ...{ action: 'shadow', limitMinor: 1n, freedByReturn: true },
  },
  'transfer-most': {
    ...{ window: { kind: 'transfer' }, metric: 'amount' },
    ...{ action: 'reject', limitMinor: 600n, freedByReturn: true },
  },
};
const finders = new Map(Object.entries(RULES).map(([id, { window }]) => [id, windowFinder(window)]));

interface Of {
  readonly sender: string;
  readonly beneficiary: string;
  readonly minor: bigint;
  readonly at: number;
}

function requestsOf({ sender, beneficiary, minor, at }: Of): readonly LimitRequest[] {
  const subjects = [sender, beneficiary, `${sender}.${beneficiary}`, 'producer', sender, sender, sender];
  return Object.entries(RULES).map(([ruleId, rule], place) => {
    const { metric, action, limitMinor, freedByReturn } = rule;
    const { id, endsAt } = finders.get(ruleId)!(at);
    return {
      ...{ ruleId, metric, action, limitMinor, freedByReturn, subjectToken: subjects[place]!, window: id },
      ...{ currency: metric === 'amount' ? 'GBP' : 'XXX', minor: metric === 'amount' ? minor : 1n },
      ...{ member: metric === 'beneficiaries' ? beneficiary : null, declaredMinor: null, freesAt: endsAt },
    };
  });
}

const usesOf = (of: Of): readonly SettledUse[] =>
  requestsOf(of).map((request) => ({ ...requestedUse(request, 0n), freedByReturn: request.freedByReturn }));

/** Within ten hours, in any order: many come late, and some so late that their window is read step by step. */
const of: fc.Arbitrary<Of> = fc.record({
  sender: fc.constantFrom('s-1', 's-2'),
  beneficiary: fc.constantFrom('b-1', 'b-2', 'b-3'),
  minor: fc.bigInt({ min: 1n, max: 650n }),
  at: fc.integer({ min: 0, max: 600 }).map((minutes) => START + minutes * MINUTE_MS),
});
const TRANSFERS = ['t-1', 't-2', 't-3', 't-4', 't-5', 't-6', 't-7', 't-8'];
const KINDS = ['reserve', 'reserve', 'reserve', 'reserve', 'open', 'released', 'committed', 'returned'] as const;

const operation: fc.Arbitrary<LimitOperation> = fc
  .record({
    transferId: fc.constantFrom(...TRANSFERS),
    attempt: fc.integer({ min: 1, max: 3 }),
    kind: fc.constantFrom(...KINDS),
    of,
  })
  .map(({ transferId, attempt, kind, of: what }) =>
    kind === 'reserve'
      ? { kind, transferId, attempt, requests: requestsOf(what) }
      : { kind: 'settle', transferId, attempt, state: kind, uses: usesOf(what) },
  );
/** Nearly in the order of time, as a log is. */
const batches = fc.array(fc.array(operation, { minLength: 1, maxLength: 8 }), { maxLength: 14 });

async function freshLedger(form: 1 | 2 = 2) {
  const namespace = freshNamespace();
  const ledger = limitsLedger(redis, { namespace, form });
  await ledger.replaceAll(NOTHING, null);
  return { ledger, namespace };
}

/** Empties a ledger: cheaper than another one, of which the keys would stay until the end. */
async function emptied(ledger: LedgerStore): Promise<void> {
  const { marker } = await ledger.status();
  await ledger.replaceAll(NOTHING, marker);
}

async function countersIn(namespace: string): Promise<Record<string, { used: bigint; open: number }>> {
  const found: Record<string, { used: bigint; open: number }> = {};
  for await (const page of verifyLimits(redis, namespace).counters()) {
    for (const { bucket, usedMinor, open } of page) found[bucket] = { used: usedMinor, open };
  }
  return found;
}

describe('rules of several subjects and windows', () => {
  it('are counted as the model counts them, however operations are repeated, reordered and late', async () => {
    const { ledger, namespace } = await freshLedger();
    await fc.assert(
      fc.asyncProperty(batches, async (all) => {
        await emptied(ledger);
        const model = new MemoryLedger();
        // What a backtest counts with.
        const tally = new TallyLedger({ keepsOutcomes: true });
        for (const batch of all) {
          const answers = await ledger.apply(batch);
          expect(answers).toEqual(await model.apply(batch));
          expect(await tally.apply(batch)).toEqual(answers);
        }
        expect(await countersIn(namespace)).toEqual(Object.fromEntries(model.counters));
      }),
      { numRuns: times(80) },
    );
  });
});

/** What one of several clients does: a transfer is reserved, perhaps priced again, perhaps crashes, and may end. */
const client = fc.record({
  of,
  again: fc.option(of, { freq: 4 }),
  crashes: fc.boolean(),
  end: fc.constantFrom<'none' | 'released' | 'committed' | 'returned'>('none', 'released', 'committed', 'returned'),
  /** Which connection makes each step. */
  by: fc.tuple(fc.nat(2), fc.nat(2), fc.nat(2), fc.nat(2)),
});
type Life = typeof client extends fc.Arbitrary<infer T> ? T : never;

interface Kept {
  readonly of: Of;
  readonly state: 'open' | 'committed' | 'returned';
}

describe('several clients at once', () => {
  async function clients() {
    const all = [1, 2, 3].map(() => limitsClient({ url: redisLimitsUrl }));
    await Promise.all(all.map((each) => ready(each)));
    return all;
  }

  /** One transfer, step by step, each step by whichever client; answers what stands of it in the end. */
  async function live(
    id: string,
    life: Life,
    ledgers: readonly ReturnType<typeof limitsLedger>[],
  ): Promise<Kept | undefined> {
    const step = (n: number, asked: LimitOperation) => ledgers[life.by[n]!]!.apply([asked]);
    const reserve = (attempt: number, what: Of): LimitOperation => {
      return { kind: 'reserve', transferId: id, attempt, requests: requestsOf(what) };
    };
    let [result] = await step(0, reserve(1, life.of));
    // The process died behind the script: another one runs the batch again, and must hear the same.
    if (life.crashes) expect(await step(1, reserve(1, life.of))).toEqual([result]);
    let [reserved, attempt] = [life.of, 1];
    if (life.again !== null && result?.kind === 'reserved') {
      [result] = await step(2, reserve(2, life.again));
      [reserved, attempt] = [life.again, 2];
    }
    if (result?.kind !== 'reserved') return undefined;
    if (life.end === 'none') return { of: reserved, state: 'open' };
    const settle = (state: 'released' | 'committed' | 'returned'): LimitOperation => {
      return { kind: 'settle', transferId: id, attempt, state, uses: usesOf(reserved) };
    };
    const ends = life.end === 'returned' ? (['committed', 'returned'] as const) : [life.end];
    for (const end of ends) await step(3, settle(end));
    if (life.crashes) await step(0, settle(life.end));
    return life.end === 'released' ? undefined : { of: reserved, state: life.end };
  }

  /** What the counters must be: each use that counts, added up by name, and nothing else. */
  function naive(kept: readonly Kept[]) {
    const used = new Map<string, bigint>();
    const members = new Map<string, Set<string>>();
    for (const { of: what, state } of kept) {
      for (const { ruleId, subjectToken, window, minor, member, freedByReturn } of requestsOf(what)) {
        if (window === 'transfer' || (state === 'returned' && freedByReturn)) continue;
        const bucket = `${ruleId}:${subjectToken}:${window}`;
        if (member === null) used.set(bucket, (used.get(bucket) ?? 0n) + minor);
        else members.set(bucket, (members.get(bucket) ?? new Set()).add(member));
      }
    }
    for (const [bucket, of] of members) used.set(bucket, BigInt(of.size));
    return { used, members };
  }

  /** Whether any window of a rule that declines holds more than its limit. */
  function exceeded({ used, members }: ReturnType<typeof naive>): readonly string[] {
    const over: string[] = [];
    for (const bucket of used.keys()) {
      const [ruleId, subject, window] = bucket.split(':') as [string, string, string];
      const { action, limitMinor, metric } = RULES[ruleId]!;
      if (action !== 'reject') continue;
      const rolling = rollingOf(window);
      const within = [...used.keys()].filter((other) => {
        const [rule, who, when] = other.split(':') as [string, string, string];
        const step = rollingOf(when)?.step;
        if (rule !== ruleId || who !== subject) return false;
        return rolling ? step! <= rolling.step && step! >= rolling.step - rolling.steps : when === window;
      });
      const sum = within.reduce((total, each) => total + used.get(each)!, 0n);
      const different = new Set(within.flatMap((each) => [...(members.get(each) ?? [])]));
      const total = metric === 'beneficiaries' ? BigInt(different.size) : sum;
      if (total > limitMinor) over.push(`${bucket} ${total} of ${limitMinor}`);
    }
    return over;
  }

  const LIVES = 50;
  const RUNS = times(200);

  it(`never exceed a limit and end as the naive model, over ${LIVES * 200} lives of transfers, with crashes and new prices`, async () => {
    const connections = await clients();
    let lives = 0;
    const { ledger, namespace } = await freshLedger();
    const ledgers = connections.map((each) => limitsLedger(each, { namespace, form: 2 }));
    try {
      await fc.assert(
        fc.asyncProperty(fc.array(client, { minLength: LIVES, maxLength: LIVES }), async (all) => {
          await emptied(ledger);
          const kept = await Promise.all(all.map((life, n) => live(`transfer-${n}`, life, ledgers)));
          const model = naive(kept.filter((each) => each !== undefined));
          expect(exceeded(model)).toEqual([]);
          const counters = Object.entries(await countersIn(namespace)).filter(([, { used }]) => used !== 0n);
          expect(Object.fromEntries(counters.map(([bucket, { used }]) => [bucket, used]))).toEqual(
            Object.fromEntries(model.used),
          );
          lives += all.length;
        }),
        { numRuns: RUNS },
      );
      expect(lives).toBeGreaterThanOrEqual(10_000);
    } finally {
      for (const each of connections) each.disconnect();
    }
    // A machine that is busy is no reason to fail.
  }, 900_000);

  it('see a script that checks one limit and not the others', async () => {
    const script = readFileSync(new URL('./limits.lua', import.meta.url), 'utf8');
    const broken = script.replace("request.x == 'r' and", "request.x == 'r' and at == 1 and");
    expect(broken).not.toBe(script);
    const other = limitsClient({ url: redisLimitsUrl });
    await ready(other);
    try {
      const { namespace } = await freshLedger();
      const ledger = limitsLedger(unsafely(other, broken), { namespace, form: 2 });
      const lives = Array.from({ length: LIVES }, (_, n): Life => {
        const what = { sender: `s-${n}`, beneficiary: 'b-1', minor: 10n, at: START + n * MINUTE_MS };
        return { of: what, again: null, crashes: false, end: 'none', by: [0, 0, 0, 0] };
      });
      const kept = await Promise.all(lives.map((life, n) => live(`transfer-${n}`, life, [ledger])));
      expect(exceeded(naive(kept.filter((each) => each !== undefined))).length).toBeGreaterThan(0);
    } finally {
      other.disconnect();
    }
  });
});

/** A client whose script is another one: what must be noticed. */
function unsafely(client_: Redis, script: string): Redis {
  const define = client_.defineCommand.bind(client_);
  client_.defineCommand = (name, definition) =>
    define(name, name === 'corridorLimitsApply' ? { ...definition, lua: script } : definition);
  return client_;
}

describe('a published mistake', () => {
  it('limit 10, and [6, 6] asked at once: one is taken, whoever asks, in one batch or in two', async () => {
    const rule = senderDayRule({
      ruleId: 'ten',
      currency: 'GBP',
      limitMinor: 10n,
      action: 'reject',
      freedByReturn: true,
    });
    const { id } = windowFinder(rule.window)(START);
    const six = (transferId: string): LimitOperation => ({
      kind: 'reserve',
      transferId,
      attempt: 1,
      requests: [
        {
          ...{ ruleId: 'ten', subjectToken: 'sender', window: id, currency: 'GBP', minor: 6n, limitMinor: 10n },
          ...{
            action: 'reject',
            metric: 'amount',
            member: null,
            declaredMinor: null,
            freesAt: null,
            freedByReturn: true,
          },
        },
      ],
    });
    const kinds = (results: readonly LimitResult[]) => results.map(({ kind }) => kind).sort();
    const { ledger, namespace } = await freshLedger();
    expect(kinds(await ledger.apply([six('a'), six('b')]))).toEqual(['refused', 'reserved']);
    const second = await freshLedger();
    const twin = limitsLedger(redis, { namespace: second.namespace });
    const both = await Promise.all([second.ledger.apply([six('a')]), twin.apply([six('b')])]);
    expect(kinds(both.flat())).toEqual(['refused', 'reserved']);
    expect(await countersIn(namespace)).toEqual(await countersIn(second.namespace));
  });
});

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

/** What a model holds, as a rebuild hands it in; without refusals, which a log does not tell. */
function stateOf(model: MemoryLedger): LedgerState {
  return {
    records: [],
    counters: [...model.counters].map(([bucket, { used, open }]) => {
      const [ruleId, subjectToken, window] = bucket.split(':') as [string, string, string];
      const members = model.members.get(bucket);
      const counter = { ruleId, subjectToken, window, usedMinor: used, open };
      return members === undefined ? counter : { ...counter, members };
    }),
  };
}

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

describe('a ledger of the release before', () => {
  const rolling: LimitRule = {
    ...senderDayRule({ ruleId: 'r', currency: 'GBP', limitMinor: 10n, action: 'reject', freedByReturn: true }),
    window: { kind: 'rolling', unit: 'day', length: 30 },
  };

  it('is taken over as it is while the rules are those of before, and rebuilt from the log once they are not', async () => {
    const { ledger, namespace } = await freshLedger(1);
    const [old] = Object.values(RULES);
    expect(old).toBeDefined();
    await ledger.apply([{ kind: 'settle', transferId: 'a', attempt: 1, state: 'open', uses: [] }]);
    const before = senderDayRule({
      ruleId: 'b',
      currency: 'GBP',
      limitMinor: 10n,
      action: 'reject',
      freedByReturn: true,
    });
    const same = limitsLedger(redis, { namespace, form: ledgerFormOf([before]) });
    expect(await same.status()).toMatchObject({ hydrated: true });
    const next = limitsLedger(redis, { namespace, form: ledgerFormOf([before, rolling]) });
    const { hydrated, marker } = await next.status();
    expect(hydrated).toBe(false);
    expect(await next.replaceAll(NOTHING, marker)).toBe('replaced');
    // Back to rules of before: what is newer is known, and goes on.
    expect(await same.status()).toMatchObject({ hydrated: true });
  });

  it('is closed while it is rebuilt in another form: nothing is counted into what is thrown away', async () => {
    const { namespace } = await freshLedger(1);
    let form: 1 | 2 = 1;
    const stage = limitsLedger(redis, { namespace, form: () => form });
    const settle = { kind: 'settle', transferId: 'a', attempt: 1, state: 'open', uses: [] } as const;
    await stage.apply([settle]);
    form = 2;
    const read = Object.assign(
      ledgerReading(async (add) => {
        await expect(stage.apply([settle])).rejects.toMatchObject({ code: 'LIMITS_NOT_HYDRATED' });
        await add('transfer.rejected', transferRejected());
        return undefined;
      }),
      { place: () => 'as far as that' },
    );
    expect(await hydrateLimits(stage, [rolling], read)).toMatchObject({ rebuilt: true });
    // Another process sees that it is to be caught up, until one has done it.
    const other = limitsLedger(redis, { namespace, form: () => form });
    const { due } = await hydrateLimits(other, [rolling], read);
    expect(due).toMatchObject({ place: 'as far as that' });
    // One that saw the old generation takes nothing away from the new one.
    await other.close('of-before:1.old');
    await other.caughtUp(due!.marker);
    expect(await stage.status()).toEqual({ hydrated: true, marker: due!.marker });
  });

  it.each<LimitRule['window']>([
    { kind: 'lifetime' },
    { kind: 'calendar', unit: 'week', timeZone: 'UTC', weekStart: 'monday' },
    { kind: 'calendar', unit: 'month', timeZone: 'UTC' },
    { kind: 'calendar', unit: 'year', timeZone: 'UTC', yearStart: 4 },
  ])('is not shared with a process that would forget a window longer than a day: $kind $unit', (window) => {
    expect(ledgerFormOf([{ ...rolling, window }])).toBe(2);
    expect(ledgerFormOf([{ ...rolling, window: { kind: 'transfer' } }])).toBe(1);
  });

  it('that wrote uses without metric, action and time has them read as they were meant', async () => {
    const { ledger, namespace } = await freshLedger(1);
    const prefix = `${namespace}:${(await redis.get(`${namespace}:generation`))!.split(':')[1]}:`;
    const bucket = 'sender-day-gbp:sender-1:2026-11-23';
    const outcome =
      '{"k":"reserved","used":["700"],"uses":[["sender-day-gbp","sender-1","2026-11-23","GBP","700","1000"]]}';
    const uses = JSON.stringify([{ b: bucket, m: '700' }]);
    await redis.hset(`${prefix}t:old`, { state: 'open', attempt: '1', uses, outcome });
    await redis.hset(`${prefix}c:${bucket}`, { used: '700', open: '1' });
    const request: LimitRequest = {
      ...{ ruleId: 'sender-day-gbp', subjectToken: 'sender-1', window: '2026-11-23', currency: 'GBP', minor: 700n },
      ...{ limitMinor: 1_000n, action: 'reject', metric: 'amount', member: null, declaredMinor: null },
      ...{ freesAt: null, freedByReturn: true },
    };
    const asked = (transferId: string, minor: bigint): LimitOperation => {
      return { kind: 'reserve', transferId, attempt: 1, requests: [{ ...request, minor }] };
    };
    const [again, over, fits] = await ledger.apply([asked('old', 700n), asked('new', 301n), asked('other', 300n)]);
    expect(again).toMatchObject({ kind: 'reserved', uses: [{ usedMinor: 700n, metric: null, action: null }] });
    expect([over!.kind, fits!.kind]).toEqual(['refused', 'reserved']);
    const settled = { ...requestedUse(request, 700n), metric: null, action: null, freesAt: null, freedByReturn: true };
    await ledger.apply([{ kind: 'settle', transferId: 'old', attempt: 1, state: 'released', uses: [settled] }]);
    expect(await countersIn(namespace)).toEqual({ [bucket]: { used: 300n, open: 1 } });
  });
});
