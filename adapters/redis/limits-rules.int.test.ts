// Rules of several subjects and windows on a real Redis: whatever the order in which several clients reserve, crash, price
// again and settle, no limit is exceeded, and the counters are those of a naive model that never heard of a script.
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import type { Redis } from 'ioredis';
import { describe, expect, inject, it } from 'vitest';
import { senderDayRule } from '../../domain/limits/limit-rules.ts';
import { rollingOf, windowFinder } from '../../domain/limits/windows.ts';
import type { LimitOperation, LimitResult } from '../../processors/limits/ports.ts';
import { TallyLedger } from '../../processors/limits/tally-ledger.ts';
import { KEYS } from '../../test/kit/keys.ts';
import { MemoryLedger } from '../../test/kit/memory-ledger.ts';
import { times } from '../../test/kit/times.ts';
import { limitsLedger } from './limits.ts';
import { limitsClient, ready } from './limits-client.ts';
import {
  batches,
  countersIn,
  emptied,
  freshLedger,
  MINUTE_MS,
  type Of,
  of,
  RULES,
  requestsOf,
  START,
  usesOf,
} from './testing/rules-of-limits.ts';
import { redis, useSharedLimits } from './testing/shared-limits.ts';

const { redisLimitsUrl } = inject('stack');
useSharedLimits(redisLimitsUrl);

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
    const ledgers = connections.map((each) => limitsLedger(each, { keys: KEYS.stages, namespace }));
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
      const ledger = limitsLedger(unsafely(other, broken), { keys: KEYS.stages, namespace });
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
    const twin = limitsLedger(redis, { keys: KEYS.stages, namespace: second.namespace });
    const both = await Promise.all([second.ledger.apply([six('a')]), twin.apply([six('b')])]);
    expect(kinds(both.flat())).toEqual(['refused', 'reserved']);
    expect(await countersIn(namespace)).toEqual(await countersIn(second.namespace));
  });
});
