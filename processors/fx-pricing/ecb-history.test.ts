// The reference rates of the ECB, day by day as they were published: over weekends and holidays, with sources that die, jump,
// repeat an old day, or lie by ten.
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { type Day, dayInFrankfurt, inFrankfurt, isT2Day, nextT2Day } from '../../domain/calendars/days.ts';
import { DEFAULT_RATE_TERMS, type RateTerms } from '../../domain/pricing/agreement.ts';
import { type LastAccepted, pairName } from '../../domain/pricing/jumps.ts';
import { type EcbDay, ecbDays } from '../../operations/rates/ecb.ts';
import { newerThan } from '../../operations/rates/import.ts';
import type { FxRate } from '../../schemas/types.generated.ts';
import { describeWithPublicData, publicData } from '../../test/kit/public-data.ts';
import { findRoute, type Route, rateBookOf } from './routes.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const DUE = 16 * 60;
const TERMS: RateTerms & { readonly maxRateAgeMs: number } = { ...DEFAULT_RATE_TERMS, maxRateAgeMs: HOUR_MS };

const after = (day: Day): Day => dayInFrankfurt(inFrankfurt(day, 12 * 60) + DAY_MS);

/** What pricing holds. */
class World {
  readonly table = new Map<string, FxRate>();
  readonly accepted = new Map<string, LastAccepted>();
  #book = rateBookOf([]);

  publish({ day, rates }: EcbDay, source = 'ecb', observedAt = inFrankfurt(day, DUE - 105)): number {
    const all = ['USD', 'GBP', 'INR'].flatMap((quote): FxRate[] => {
      const rate = rates.get(quote);
      return rate
        ? [{ ...{ source, base: 'EUR', quote, rate, observedAt }, publishedAt: observedAt, rawHash: null }]
        : [];
    });
    const newer = newerThan((key) => this.table.get(key), all);
    for (const rate of newer) this.table.set(`${source}/EUR/${rate.quote}`, rate);
    this.#book = rateBookOf(this.table.values());
    return newer.length;
  }

  look(from: string, to: string, now: number, over: Partial<typeof TERMS> = {}): Route {
    const memory = { last: (pair: string) => this.accepted.get(pair), jump: () => undefined };
    const route = findRoute(this.#book, from, to, now, { ...TERMS, ...over, memory });
    const taken = route.kind === 'fresh' ? route.taken : [];
    for (const { leg, version } of taken) this.accepted.set(pairName(leg), { ...leg, version });
    return route;
  }

  /** As two persons would. */
  accept({ leg, step }: Extract<Route, { kind: 'jumped' }>): void {
    this.accepted.set(pairName(leg), { ...leg, version: step.from.version + 1 });
  }
}

describeWithPublicData('the history of the ECB', () => {
  const all = ecbDays(readFileSync(publicData('money/ecb/eurofxref-hist-2026-10-30.zip')));
  // The rupee is there since 2009.
  const days = all.filter(({ day }) => day >= '2009-01-02');
  const byDay = new Map(days.map((each) => [each.day, each]));
  const first = days.at(-1)!.day;
  const last = days[0]!.day;
  const until = (day: Day): World => {
    const world = new World();
    for (const each of days
      .filter((one) => one.day <= day)
      .slice(0, 3)
      .reverse())
      world.publish(each);
    return world;
  };

  it('is published on the days of T2 and on no other', () => {
    const since2002 = all.map(({ day }) => day).filter((day) => day >= '2002-01-02');
    let day = since2002.at(-1)!;
    for (const published of since2002.slice(0, -1).toReversed()) {
      day = nextT2Day(day);
      expect(published).toBe(day);
    }
    expect(since2002.every(isT2Day)).toBe(true);
  });

  it('prices at each hour of every day, weekends and holidays too, and has jumped once', () => {
    const world = new World();
    const jumps: string[] = [];
    let looks = 0;
    world.publish(byDay.get(first)!);
    for (let day = after(first); day <= last; day = after(day)) {
      for (const minute of [9 * 60, DUE + 5]) {
        const published = byDay.get(day);
        if (minute > DUE && published) world.publish(published);
        for (const [from, to] of [
          ['GBP', 'INR'],
          ['USD', 'INR'],
          ['EUR', 'INR'],
          ['INR', 'GBP'],
        ] as const) {
          for (;;) {
            const route = world.look(from, to, inFrankfurt(day, minute));
            looks++;
            if (route.kind === 'fresh') break;
            if (route.kind !== 'jumped') throw new Error(`${day}: ${from} to ${to} is ${route.kind}`);
            jumps.push(`${day} ${route.pair} ${route.step.distanceBps}`);
            world.accept(route);
          }
        }
      }
    }
    expect(looks).toBeGreaterThan(50_000);
    // The leg, and what the route over it comes to: here nobody accepts a leg by an approval, which would be of both.
    expect(jumps).toEqual(['2016-06-24 EUR/GBP 521', '2016-06-24 GBP/INR 688']);
  });

  it('is good until the next one is due, and three hours more: then the source is dead', () => {
    for (const [day, next] of [
      ['2026-10-29', '2026-10-30'],
      ['2026-10-23', '2026-10-26'],
      ['2026-04-02', '2026-04-07'],
      ['2025-12-24', '2025-12-29'],
    ] as const) {
      const world = until(day);
      const end = inFrankfurt(next, DUE) + 3 * HOUR_MS;
      expect(world.look('GBP', 'INR', end).kind, day).toBe('fresh');
      expect(world.look('GBP', 'INR', end + 1), day).toMatchObject({ kind: 'stale' });
    }
  });

  it('a source that repeats an old day changes nothing, and is dead when it goes on so', () => {
    const world = until('2026-10-29');
    const now = inFrankfurt('2026-10-29', DUE + 60);
    world.look('GBP', 'INR', now);
    expect(world.publish(byDay.get('2026-10-27')!)).toBe(0);
    expect(world.publish(byDay.get('2026-10-29')!)).toBe(0);
    expect(world.look('GBP', 'INR', now)).toMatchObject({
      ...{ kind: 'fresh', taken: [], legs: [{ quote: 'GBP' }, { quote: 'INR', rate: '106.0345' }] },
    });
    expect(world.look('GBP', 'INR', now + 2 * DAY_MS).kind).toBe('stale');
  });

  const timesTen = ({ day, rates }: EcbDay): EcbDay => ({
    day,
    rates: new Map([...rates].map(([code, rate]) => [code, String(Number(rate) * 10)])),
  });

  it('a source that lies by ten is a jump, and the next true day goes on by itself', () => {
    const world = until('2026-10-28');
    world.look('GBP', 'INR', inFrankfurt('2026-10-28', DUE + 60));
    world.publish(timesTen(byDay.get('2026-10-29')!));
    expect(world.look('GBP', 'INR', inFrankfurt('2026-10-29', DUE + 60))).toMatchObject({ kind: 'jumped' });
    world.publish(byDay.get('2026-10-30')!);
    expect(world.look('GBP', 'INR', inFrankfurt('2026-10-30', DUE + 60)).kind).toBe('fresh');
  });

  it('two sources that are apart price nothing, and one alone no quorum', () => {
    const world = until('2026-10-29');
    const now = inFrankfurt('2026-10-29', DUE + 60);
    expect(world.look('EUR', 'INR', now, { quorum: 2 })).toMatchObject({ kind: 'few' });
    world.publish(byDay.get('2026-10-29')!, 'bank', now - 1);
    expect(world.look('EUR', 'INR', now, { quorum: 2 })).toMatchObject({ kind: 'fresh' });
    world.publish(timesTen(byDay.get('2026-10-29')!), 'bank', now);
    expect(world.look('EUR', 'INR', now)).toMatchObject({ kind: 'disputed' });
    expect(world.look('GBP', 'INR', now)).toMatchObject({ kind: 'disputed' });
  });

  it('a source that is quoted all day is too old after an hour, but for a weekend where the corridor says so', () => {
    const friday = inFrankfurt('2026-10-23', 22 * 60);
    const world = new World();
    world.publish(byDay.get('2026-10-23')!, 'bank', friday);
    const saturday = friday + 12 * HOUR_MS;
    expect(world.look('EUR', 'INR', saturday)).toMatchObject({ kind: 'stale' });
    const terms = { maxClosedRateAgeMs: 60 * HOUR_MS };
    expect(world.look('EUR', 'INR', saturday, terms).kind).toBe('fresh');
    // It is Sunday 18:00 in New York.
    expect(world.look('EUR', 'INR', inFrankfurt('2026-10-25', 23 * 60), terms)).toMatchObject({ kind: 'stale' });
  });
});
