// What is shown of limits on a real Redis: what the stage would reckon at that moment, read in one round trip by a user who may
// only read, and never a number where the ledger is not there.
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, describe, expect, inject, it } from 'vitest';
import type { LimitRule } from '../../domain/limits/limit-rules.ts';
import { rollingOf } from '../../domain/limits/windows.ts';
import { type LimitStanding, limitStandings } from '../../operations/limits/standing.ts';
import type { LimitRequest } from '../../processors/limits/ports.ts';
import { type LimitedSubject, ruleBook } from '../../processors/limits/requests.ts';
import { KEYS } from '../../test/kit/keys.ts';
import { times } from '../../test/kit/times.ts';
import { limitsLedger } from './limits.ts';
import { limitsStanding } from './limits-standing.ts';
import {
  batches,
  countersIn,
  emptied,
  freshLedger,
  MINUTE_MS,
  RULES,
  requestsOf,
  START,
  SUBJECTS,
} from './testing/rules-of-limits.ts';
import { freshNamespace, RUN, redis, useSharedLimits } from './testing/shared-limits.ts';

const { redisLimitsUrl } = inject('stack');
useSharedLimits(redisLimitsUrl);

const HOUSE = {
  where: {},
  declaredUse: false,
  authority: 'House rule',
  link: null,
  validTo: null,
  status: 'CONFIRMED',
} as const;
const rules = Object.entries(RULES).map(
  ([ruleId, { metric, ...rule }]): LimitRule => ({
    ...{ ...HOUSE, validFrom: '1970-01-01', ruleId, ...rule, subject: SUBJECTS[ruleId]! },
    metric: metric === 'amount' ? { kind: metric, of: 'debit', currency: 'GBP' } : { kind: metric },
  }),
);
const book = ruleBook({ name: 'house', version: '1', rules }, () => '');

/** Who may read, and run scripts that do. */
const READER = `${RUN}-reader`;
let reader: Redis | undefined;
afterAll(async () => {
  reader?.disconnect();
  await redis.call('ACL', 'DELUSER', READER);
});
async function readingClient(): Promise<Redis> {
  if (reader) return reader;
  // As docs/limits.md gives it out.
  const reads = ['+get', '+mget', '+hget', '+hmget', '+hgetall', '+hexists', '+hlen'];
  const may = ['+@connection', '+info', ...reads, '+eval', '+evalsha'];
  await redis.call('ACL', 'SETUSER', READER, 'on', '>only-reads', `~${RUN}:*`, ...may);
  const url = new URL(redisLimitsUrl);
  reader = new Redis({ host: url.hostname, port: Number(url.port), username: READER, password: 'only-reads' });
  return reader;
}

const subjectsOf = (sender: string, beneficiary: string): readonly LimitedSubject[] => [
  { kind: 'sender', token: sender },
  { kind: 'beneficiary', token: beneficiary },
  { kind: 'pair', token: `${sender}.${beneficiary}` },
  { kind: 'producer', token: 'producer' },
];

const asked = fc.record({
  sender: fc.constantFrom('s-1', 's-2'),
  beneficiary: fc.constantFrom('b-1', 'b-2', 'b-3'),
  /** Before, while and after what is counted: late, very late, and long over. */
  at: fc.integer({ min: -600, max: 3_000 }).map((minutes) => START + minutes * MINUTE_MS),
});

describe('what is shown of limits', () => {
  it('is what the stage then reckons, rule by rule, and nothing is written', async () => {
    const { ledger, namespace } = await freshLedger();
    const eyes = limitsStanding(await readingClient(), namespace);
    await fc.assert(
      fc.asyncProperty(batches, fc.array(asked, { minLength: 1, maxLength: 6 }), async (all, questions) => {
        await emptied(ledger);
        for (const batch of all) await ledger.apply(batch);
        const kept = await everything(namespace);
        const shown = await Promise.all(
          questions.map(({ sender, beneficiary, at }) =>
            limitStandings(eyes, { subjects: subjectsOf(sender, beneficiary), book, at }),
          ),
        );
        expect(await everything(namespace)).toEqual(kept);
        const counters = await countersIn(namespace);
        for (const [n, question] of questions.entries()) {
          const reckoned = await askedOfStage(ledger, requestsOf({ ...question, minor: 1n }), `probe-${n}`);
          const standing = shown[n]!.flatMap(({ rules: each }) => each);
          expect(new Map(standing.map(({ rule, used }) => [rule.ruleId, used]))).toEqual(reckoned);
          for (const each of shown[n]!) checkOpen(each, counters);
        }
      }),
      { numRuns: times(60) },
    );
  });

  it('says when more is left: not a moment earlier, and as much as it says', async () => {
    const { ledger, namespace } = await freshLedger();
    const eyes = limitsStanding(redis, namespace);
    let freed = 0;
    await fc.assert(
      fc.asyncProperty(batches, fc.integer({ min: 600, max: 900 }), async (all, minutes) => {
        await emptied(ledger);
        for (const batch of all) await ledger.apply(batch);
        // Behind all that is counted: nothing comes in as time goes by.
        const at = START + minutes * MINUTE_MS;
        const subjects = subjectsOf('s-1', 'b-1');
        const leftAt = async (ruleId: string, then: number) => {
          const standings = await limitStandings(eyes, { subjects, book, at: then });
          return standings.flatMap(({ rules: each }) => each).find(({ rule }) => rule.ruleId === ruleId)!.left;
        };
        const now = await limitStandings(eyes, { subjects, book, at });
        for (const { rule, left, frees } of now.flatMap(({ rules: each }) => each)) {
          if (frees === null) continue;
          freed += 1;
          expect(await leftAt(rule.ruleId, frees.at - 1)).toBe(left);
          expect(await leftAt(rule.ruleId, frees.at)).toBe(frees.left);
        }
      }),
      { numRuns: times(25) },
    );
    expect(freed).toBeGreaterThan(0);
  });

  it('takes one round trip, whatever the number of subjects and rules', async () => {
    const { namespace } = await freshLedger();
    const eyes = limitsStanding(redis, namespace);
    const subjects = ['s-1', 's-2'].flatMap((sender) => subjectsOf(sender, 'b-1'));
    // The script is known to the server from here on.
    await limitStandings(eyes, { subjects, book, at: START });
    const before = await commands();
    await limitStandings(eyes, { subjects, book, at: START });
    expect((await commands()) - before).toBe(1);
  });

  async function commands(): Promise<number> {
    const found = /cmdstat_evalsha:calls=(\d+)/.exec(await redis.info('commandstats'));
    return Number(found?.[1] ?? 0);
  }
});

describe('a ledger that cannot tell', () => {
  const question = { subjects: subjectsOf('s-1', 'b-1'), book, at: START };

  it('is no nought: lost, closed, of another run, of an older form, or of a newer release', async () => {
    const none = limitsStanding(redis, freshNamespace());
    await expect(limitStandings(none, question)).rejects.toMatchObject({ code: 'LIMITS_NOT_HYDRATED' });
    const { ledger, namespace } = await freshLedger();
    const eyes = limitsStanding(redis, namespace);
    expect(await limitStandings(eyes, question)).toHaveLength(4);
    await ledger.close();
    await expect(limitStandings(eyes, question)).rejects.toMatchObject({ code: 'LIMITS_NOT_HYDRATED' });
    await redis.set(`${namespace}:generation`, 'another-run:3.id');
    await expect(limitStandings(eyes, question)).rejects.toMatchObject({ code: 'LIMITS_NOT_HYDRATED' });
    const runId = /run_id:(\w+)/.exec(await redis.info('server'))![1]!;
    await redis.set(`${namespace}:generation`, `${runId}:2.id`);
    await expect(limitStandings(eyes, question)).rejects.toMatchObject({ code: 'LIMITS_NOT_HYDRATED' });
    await redis.set(`${namespace}:generation`, `${runId}:9.id`);
    await expect(limitStandings(eyes, question)).rejects.toMatchObject({ code: 'LEDGER_NEWER' });
  });

  it('is not asked where nothing listens', async () => {
    const away = new Redis({ port: 1, lazyConnect: true, enableOfflineQueue: false, retryStrategy: () => null });
    away.on('error', () => undefined);
    const eyes = limitsStanding(away, RUN);
    await expect(limitStandings(eyes, question)).rejects.toMatchObject({ code: 'REDIS_UNAVAILABLE' });
    away.disconnect();
  });

  it('says which rules count less, until then, and that it is not caught up', async () => {
    const namespace = freshNamespace();
    const ledger = limitsLedger(redis, { keys: KEYS.stages, namespace });
    const short = [
      { ruleId: 'sender-day', until: START + 1 },
      { ruleId: 'pair-3-hours', until: START },
      { ruleId: 'producer-life', until: null },
    ];
    await ledger.replaceAll({ records: [], counters: [], short, catchUp: '[]' }, null);
    const eyes = limitsStanding(redis, namespace);
    const lacking = async () =>
      (await limitStandings(eyes, question)).map(({ missing }) =>
        missing.map(({ source, code }) => `${source} ${code}`),
      );
    const rebuilt = 'ledger LIMITS_REBUILT';
    expect(await lacking()).toEqual([
      ['sender-day LIMITS_HISTORY_SHORT', rebuilt],
      [rebuilt],
      [rebuilt],
      ['producer-life LIMITS_HISTORY_SHORT', rebuilt],
    ]);
    await ledger.caughtUp((await ledger.status()).marker!);
    expect(await lacking()).toEqual([
      ['sender-day LIMITS_HISTORY_SHORT'],
      [],
      [],
      ['producer-life LIMITS_HISTORY_SHORT'],
    ]);
  });
});

/** What the stage says is used, by rule: a transfer that each limit refuses counts for nothing. */
async function askedOfStage(
  ledger: ReturnType<typeof limitsLedger>,
  requests: readonly LimitRequest[],
  transferId: string,
): Promise<ReadonlyMap<string, bigint>> {
  const none = requests.map((request) => ({ ...request, limitMinor: -1n, action: 'reject' as const }));
  const [answer] = await ledger.apply([{ kind: 'reserve', transferId, attempt: 1, requests: none }]);
  if (answer?.kind !== 'refused') throw new Error(`the probe was ${answer?.kind}`);
  return new Map(answer.uses.map(({ ruleId, usedMinor }) => [ruleId, usedMinor]));
}

function checkOpen({ subject, rules: each }: LimitStanding, counters: Awaited<ReturnType<typeof countersIn>>): void {
  for (const { rule, window, open } of each) {
    const rolling = rollingOf(window);
    const within = Object.entries(counters).filter(([bucket]) => {
      const [ruleId, token, id] = bucket.split(':') as [string, string, string];
      if (ruleId !== rule.ruleId || token !== subject.token) return false;
      const step = rollingOf(id)?.step;
      return rolling ? step! >= rolling.step - rolling.steps && step! <= rolling.step + rolling.steps : id === window;
    });
    expect(open).toBe(within.reduce((sum, [, counter]) => sum + counter.open, 0));
  }
}

async function everything(namespace: string): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const key of (await redis.keys(`${namespace}:*:[tcw]:*`)).toSorted()) found[key] = await redis.hgetall(key);
  return found;
}
