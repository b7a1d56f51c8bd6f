// Terms and what they come to, against an implementation that shares nothing with them: another language, another library of time
// zones. The terms are those that are shipped as examples.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { nationalHolidays } from '../../adapters/calendars/national-holidays.ts';
import { isT2Day } from '../../domain/calendars/days.ts';
import { CORRIDORS } from '../../domain/corridors/corridor-table.ts';
import { currencyOf } from '../../domain/money/currencies.ts';
import { priceFaults, priceOf, sizeOf } from '../../domain/pricing/pricing.ts';
import { termBook } from '../../domain/terms/term-book.ts';
import { times } from '../../test/kit/times.ts';
import { termsFile } from './terms-file.ts';

const ORACLE = path.resolve(import.meta.dirname, '../../test/kit/independent-terms.py');
const FILE = JSON.parse(readFileSync(path.join(import.meta.dirname, 'example-terms.json'), 'utf8')) as {
  readonly calendars: readonly { readonly kind: string; readonly country?: string; readonly region?: string }[];
};
const YEARS = [2025, 2026, 2027, 2028];
const SET = termsFile.parse(FILE);
const BOOK = termBook(SET, CORRIDORS, nationalHolidays);

/** Edges of bands and cut-offs among the rest. */
const minor = fc.oneof(
  fc.bigInt({ min: 1n, max: 10n ** 9n }),
  fc.constantFrom(999_999n, 1_000_000n, 1_000_001n, 5_555n, 5_556n),
);
const at = fc.oneof(
  fc.integer({ min: Date.parse('2026-01-01'), max: Date.parse('2027-12-01') }),
  fc
    .tuple(
      fc.nat(700),
      fc.constantFrom('10:00:00', '14:00:00', '15:00:00', '16:00:00', '17:00:00', '21:00:00', '22:00:00'),
      fc.integer({ min: -1, max: 1 }),
    )
    .map(([days, time, off]) => {
      const day = new Date(Date.parse('2026-01-01') + days * 86_400_000).toISOString().slice(0, 10);
      return Date.parse(`${day}T${time}Z`) + off * 1_000;
    }),
);
const given = fc.record({
  corridor: fc.constantFrom(...CORRIDORS),
  side: fc.constantFrom<'SOURCE' | 'TARGET'>('SOURCE', 'TARGET'),
  bearer: fc.constantFrom('DEBT', 'SHAR', 'SLEV'),
  kycTier: fc.constantFrom(null, 'FULL'),
  fundingMethod: fc.constantFrom(null, 'ACCOUNT', 'CARD', 'CASH', 'MONEY_ORDER', 'PREFUNDED'),
  rate: fc.integer({ min: 20_000, max: 2_000_000 }).map((n) => (n / 10_000).toFixed(4)),
  ...{ minor, at },
});
type Given = typeof given extends fc.Arbitrary<infer T> ? T : never;

function ours({ corridor, side, minor: fixed, at: now, rate, ...of }: Given): unknown {
  const [sourceCurrency, targetCurrency] = [corridor.source.currency, corridor.target.currency];
  const amount = { minor: fixed, currency: side === 'SOURCE' ? sourceCurrency : targetCurrency };
  const legs = [{ base: sourceCurrency, quote: targetCurrency, rate }];
  const asked = { side, amount, sourceCurrency, targetCurrency, legs };
  const chosen = BOOK.choose({ ...of, corridor, sizeMinor: sizeOf(asked), at: now, declared: [] });
  const priced = priceOf({ ...asked, marginBps: chosen.marginBps }, chosen.fees, chosen.taxes);
  const dates = BOOK.datesOf(chosen, now);
  return [chosen.market, chosen.termIds, totals(), dates ? [dates.valueDate, dates.availableAt] : null];

  function totals(): readonly string[] {
    if (!priced.ok) return [priced.why];
    expect(priceFaults(asked, { ...priced.pricing, legs, marginBps: chosen.marginBps })).toEqual([]);
    const { principal, debit, credit, margin, residual, fees, taxes } = priced.pricing;
    const amounts = [principal, debit, credit, margin].map((each) => String(each.minor));
    return [...amounts, residual, ...[...fees, ...taxes].map((each) => String(each.amount.minor))];
  }
}

function theirs(all: readonly Given[]): readonly unknown[] {
  const calendars = FILE.calendars.map((calendar) => ({
    ...calendar,
    holidays: YEARS.flatMap((year) => holidaysOf(calendar, year)),
  }));
  const lines = all.map(({ corridor, side, minor: fixed, at: now, rate, ...of }) => {
    const currencies = [corridor.source.currency, corridor.target.currency];
    const exponents = currencies.map((currency) => currencyOf(currency)!.exponent);
    const asked = [corridor.id, currencies[0], of.bearer, of.kycTier, of.fundingMethod, now];
    return JSON.stringify([...asked, side, String(fixed), exponents, [[rate, false]]]);
  });
  const input = [JSON.stringify({ ...FILE, calendars }), ...lines, ''].join('\n');
  const { status, stdout, stderr } = spawnSync('python3', [ORACLE], { input, encoding: 'utf8', maxBuffer: 2 ** 28 });
  expect(status, stderr).toBe(0);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
}

/** Those of T2 as the days of a year on which it does not settle. */
function holidaysOf({ kind, country, region }: (typeof FILE.calendars)[number], year: number): readonly string[] {
  if (kind === 'country') return [...nationalHolidays(country!, region, year)];
  if (kind !== 'T2') return [];
  return Array.from({ length: 366 }, (_, n) => new Date(Date.UTC(year, 0, 1 + n)).toISOString().slice(0, 10)).filter(
    (day) => !isT2Day(day),
  );
}

it('are to the unit and the second what an independent implementation says', () => {
  const seed = Date.now() % 2 ** 31;
  const all = fc.sample(given, { numRuns: times(10_000), seed });
  const expected = theirs(all);
  expect(expected).toHaveLength(all.length);
  const seen = new Set<string>();
  for (const [n, of] of all.entries()) {
    const said = ours(of) as readonly [string, readonly string[], ...unknown[]];
    for (const each of [said[0], ...said[1]]) seen.add(each);
    if (JSON.stringify(said) !== JSON.stringify(expected[n]))
      expect({ seed, of, said }).toEqual({ seed, of, said: expected[n] });
  }
  // Every row was gone by, but for those of the market, which are seen by its states.
  const { margins, fees, taxes, lifetimes, settlements, cancellations } = SET;
  const rows = [margins, fees, taxes, lifetimes, settlements, cancellations].flat().map(({ termId }) => termId);
  expect(['OPEN', 'CLOSED', 'HOLIDAY', ...rows].filter((each) => !seen.has(each))).toEqual([]);
});
