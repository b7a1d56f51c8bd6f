// Redis is lost after half a year, with a log that keeps 30 days and a rule over 180: from snapshot and tail the counters are those
// of a naive model that has seen everything.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { senderDayRule } from '../domain/limits/limit-rules.ts';
import { countsUntil, isCounted, windowFinder } from '../domain/limits/windows.ts';
import type { Log, LogReader } from '../ports/log.ts';
import { hydrateLimits } from '../processors/limits/hydrate.ts';
import { LEDGER_TOPICS, LedgerFold, type LedgerTopic } from '../processors/limits/rebuild.ts';
import type { TransferReserved } from '../schemas/types.generated.ts';
import {
  AT,
  requestedFrom,
  reservedFrom,
  transferCompleted,
  transferPriced,
  transferRejected,
  transferReturned,
} from '../test/kit/builders.ts';
import { append, input } from '../test/kit/harness.ts';
import { memoryCodec } from '../test/kit/memory-codec.ts';
import { MemoryLedger } from '../test/kit/memory-ledger.ts';
import { MemoryLog } from '../test/kit/memory-log.ts';
import { testRings } from '../test/kit/rings.ts';
import { times } from '../test/kit/times.ts';
import { type LimitsSnapshots, limitsSnapshots } from './limits-snapshots.ts';
import { ledgerReader } from './process-parts/hydration.ts';

const DAY = 86_400_000;
const RETENTION = 30 * DAY;
const RULES = [
  { ...rule('half-year'), window: { kind: 'rolling', unit: 'day', length: 180 } },
  { ...rule('year'), window: { kind: 'calendar', unit: 'year', timeZone: 'UTC', yearStart: 1 } },
  { ...rule('life'), window: { kind: 'lifetime' }, freedByReturn: false },
] as const;
function rule(ruleId: string) {
  return senderDayRule({ ruleId, currency: 'GBP', limitMinor: 10n ** 12n, action: 'reject', freedByReturn: true });
}
const finders = RULES.map(({ ruleId, window, freedByReturn }) => ({ ruleId, freedByReturn, at: windowFinder(window) }));

const life = fc.record({
  day: fc.integer({ min: 0, max: 179 }),
  sender: fc.constantFrom('s-1', 's-2'),
  minor: fc.integer({ min: 1, max: 900 }),
  /** Days after which it ends. */
  after: fc.constantFrom(0, 1, 20, 45, 100),
  end: fc.constantFrom<'none' | 'transfer.completed' | 'transfer.rejected' | 'transfer.returned'>(
    'none',
    'transfer.completed',
    'transfer.rejected',
    'transfer.returned',
  ),
});
type Life = typeof life extends fc.Arbitrary<infer T> ? T : never;
interface Logged {
  readonly topic: LedgerTopic;
  readonly value: never;
  readonly at: number;
}

function eventsOf({ day, sender, minor, after, end }: Life, n: number): readonly Logged[] {
  const at = AT + day * DAY;
  const base = reservedFrom(transferPriced({ transferId: `transfer-${String(n).padStart(4, '0')}` }));
  const requested = requestedFrom(base);
  const [example] = base.reservation.uses;
  const uses = finders.map(({ ruleId, freedByReturn, at: windowAt }) => ({
    ...{ ...example!, ruleId, freedByReturn, subjectToken: sender },
    ...{ window: windowAt(at).id, reservedMinor: BigInt(minor), usedMinor: BigInt(minor) },
  }));
  const event = (of: Pick<TransferReserved, 'envelope'>, later: number) => ({
    ...of,
    envelope: { ...of.envelope, occurredAt: at + later * DAY },
    reservation: { ...base.reservation, uses },
  });
  const reserved = { topic: 'transfer.reserved' as const, value: event(base, 0) as never, at };
  if (end === 'none') return [reserved];
  const ends = {
    'transfer.completed': transferCompleted,
    'transfer.rejected': transferRejected,
    'transfer.returned': transferReturned,
  };
  return [reserved, { topic: end, value: event(ends[end](requested), after) as never, at: at + after * DAY }];
}

/** The log as a broker shows it that has let go of what is older than its retention. */
function cutLog(log: MemoryLog, now: () => number): Log {
  const reader = (): LogReader => {
    const whole = log.reader();
    return {
      ...whole,
      async offsets(topics) {
        const kept = await whole.offsetsSince(topics, Math.max(0, now() - RETENTION));
        const isTable = topics.every((topic) => !(LEDGER_TOPICS as readonly string[]).includes(topic));
        return isTable ? whole.offsets(topics) : kept;
      },
    };
  };
  return new Proxy(log, {
    get: (target, name) => (name === 'reader' ? reader : Reflect.get(target, name).bind?.(target)),
  }) as Log;
}

async function world(lives: readonly Life[]) {
  const codec = memoryCodec();
  const log = new MemoryLog({ partitions: 2 });
  let now = AT;
  const cut = cutLog(log, () => now);
  const config = { keys: testRings as never };
  const snapshots = limitsSnapshots({ log: cut, codec, config });
  const all = lives.flatMap(eventsOf).toSorted((one, other) => one.at - other.at);
  let place = 0;
  const until = (at: number) => {
    for (; place < all.length && all[place]!.at <= at; place++) {
      const { topic, value, at: appendedAt } = all[place]!;
      const id = Number((value as TransferReserved).envelope.transferId.slice(-4));
      append(log, codec, { ...input(topic, value, { partition: id % 2, appendedAt }) });
    }
    now = at;
  };
  const reader = (of?: LimitsSnapshots) =>
    ledgerReader({ log: cut, codec, rings: testRings, clock: () => now, ...(of && { snapshots: of }) });
  const snapshot = async () => {
    const fold = new LedgerFold(RULES);
    const read = reader(snapshots);
    const since = await read((topic, value) => fold.add(topic, value), {
      resume: false,
      restore: (entry) => fold.restore(entry),
    });
    const of = { takenAt: now, missingSince: since ?? null, positions: read.positions() };
    return snapshots.write(fold.entries(now), of);
  };
  return { log, codec, all, snapshots, until, snapshot, reader, now: () => now };
}

/** Of windows that are not over: what is over is looked at by nobody. */
const alive = (counters: Iterable<readonly [string, { readonly used: bigint; readonly open: number }]>, now: number) =>
  Object.fromEntries(
    [...counters].filter(([bucket, { used, open }]) => {
      const window = bucket.slice(bucket.lastIndexOf(':') + 1);
      return isCounted(window) && countsUntil(window) > now && (used !== 0n || open !== 0);
    }),
  );

it('counts from snapshot and tail what a naive model counts, however the log was cut', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(life, { minLength: 1, maxLength: 40 }), async (lives) => {
      const { all, snapshots, until, snapshot, reader, now } = await world(lives);
      for (let day = 0; day < 290; day += 25) {
        until(AT + day * DAY);
        await snapshot();
      }
      until(AT + 290 * DAY);
      const lost = new MemoryLedger();
      lost.lose();
      const { rebuilt, short } = await hydrateLimits(lost, RULES, reader(snapshots), now());
      expect({ rebuilt, short }).toEqual({ rebuilt: true, short: [] });
      const naive = new LedgerFold(RULES);
      for (const { topic, value } of all) naive.add(topic, value);
      const expected = [...naive.state().counters].map((counter) => {
        const bucket = `${counter.ruleId}:${counter.subjectToken}:${counter.window}`;
        return [bucket, { used: counter.usedMinor, open: counter.open }] as const;
      });
      expect(alive(lost.counters, now())).toEqual(alive(expected, now()));
    }),
    { numRuns: times(25) },
  );
});

const ONE: Life = { day: 0, sender: 's-1', minor: 500, after: 1, end: 'transfer.completed' };

it('says what it counts too little of without a snapshot, also where a partition is empty, and until when', async () => {
  // Of both partitions nothing is left.
  const { until, reader, now } = await world([ONE, { ...ONE, day: 2 }]);
  until(AT + 100 * DAY);
  const lost = new MemoryLedger();
  lost.lose();
  const { short } = await hydrateLimits(lost, RULES, reader(), now());
  expect(short.map(({ ruleId }) => ruleId)).toEqual(['half-year', 'year', 'life']);
  expect(short[0]!.until).toBeGreaterThan(now() + 179 * DAY);
  expect(short[2]!.until).toBeNull();
});

it('keeps saying so through later snapshots', async () => {
  const { until, snapshot, snapshots, reader, now } = await world([ONE, { ...ONE, day: 60 }]);
  until(AT + 61 * DAY);
  expect(await snapshot()).toMatchObject({ missingSince: expect.any(Number) });
  until(AT + 80 * DAY);
  expect(await snapshot()).toMatchObject({ missingSince: expect.any(Number) });
  const lost = new MemoryLedger();
  lost.lose();
  const { short } = await hydrateLimits(lost, RULES, reader(snapshots), now());
  expect(short.map(({ ruleId }) => ruleId)).toContain('half-year');
});

it('goes by the other snapshot when one is not whole, forged, or of another log', async () => {
  const { log, codec, until, snapshot, snapshots, reader } = await world([ONE, { ...ONE, sender: 's-2' }]);
  until(AT + 2 * DAY);
  const first = await snapshot();
  until(AT + 3 * DAY);
  const second = await snapshot();
  expect([first.slot, second.slot]).toEqual([0, 1]);
  expect(await snapshots.latest()).toMatchObject({ snapshotId: second.snapshotId });
  // A stranger writes a head without a seal; a command dies in the middle of the next one.
  const head = { ...second, part: 0, snapshotId: 'forged', parts: 0, entries: [] };
  append(log, codec, { ...input('limits.snapshots', head, { partition: 0 }), unsealed: true });
  append(log, codec, input('limits.snapshots', { ...head, slot: 1, part: 1, snapshotId: 'half' }, { partition: 0 }));
  expect(await snapshots.latest()).toMatchObject({ snapshotId: first.snapshotId });
  await expect(snapshots.entriesOf(second, () => undefined)).resolves.toBeUndefined();
  // Positions that the log has not reached are of topics that were made anew.
  for (const topic of LEDGER_TOPICS) log.remake(topic);
  const fold = new LedgerFold(RULES);
  await reader(snapshots)((topic, value) => fold.add(topic, value), {
    resume: false,
    restore: (entry) => fold.restore(entry),
  });
  expect(fold.transfers).toBe(0);
});
