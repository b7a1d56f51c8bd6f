// Which row counts: against a search of all rows that knows nothing of how the book remembers; and that the terms of the corridors
// price as the table did.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { times } from '../../test/kit/times.ts';
import { CORRIDORS } from '../corridors/corridor-table.ts';
import { feesFor } from '../corridors/corridors.ts';
import { priceFaults, priceOf, sizeOf } from '../pricing/pricing.ts';
import { checkTerms } from './check-terms.ts';
import { BUILT_IN_TERMS, corridorTerms } from './corridor-terms.ts';
import { type TermCase, termBook } from './term-book.ts';
import { competes, isInBand, MARKET_STATES, type MarginRow, rankOf, type TermSet, type TermWhere } from './terms.ts';

const BUILT_IN = corridorTerms(CORRIDORS, BUILT_IN_TERMS);
const NO_HOLIDAYS = () => new Set<string>();
const AT = Date.parse('2026-11-25T10:00:00Z');
const subset = <T>(...of: readonly T[]) => fc.option(fc.subarray([...of], { minLength: 1 }), { nil: undefined });
const EDGES = [0n, 1_000n, 50_000n, 1_000_000n, 10_000_000n];

const band = fc.tuple(fc.nat(EDGES.length - 1), fc.nat(EDGES.length - 1)).map(([a, b]) => ({
  currency: 'GBP',
  fromMinor: EDGES[Math.min(a, b)]!,
  belowMinor: a === b ? null : EDGES[Math.max(a, b)]!,
}));
const where: fc.Arbitrary<TermWhere> = fc
  .record({
    corridors: subset('GB-IN', 'EU-IN'),
    kycTiers: subset('NONE', 'BASIC', 'GOLD'),
    fundingMethods: subset('NONE', 'CARD', 'CASH'),
    amount: fc.option(band, { nil: undefined }),
    markets: subset(...MARKET_STATES),
  })
  .map(({ corridors, amount, ...more }) => ({ ...more, amount, corridors: amount ? ['GB-IN'] : corridors }));

/** Rows of which no two contradict each other, one of them for all. */
const margins = fc.array(where, { maxLength: 12 }).map((all) => {
  const rows: MarginRow[] = [{ termId: 'all', where: {}, marginBps: 9 }];
  for (const [n, each] of all.entries()) {
    const row = { termId: `row-${n}`, where: each, marginBps: 10 + n };
    if (!rows.some((other) => competes(row, other))) rows.push(row);
  }
  return rows;
});
const setOf = (over: Partial<TermSet>): TermSet => ({ ...BUILT_IN, ...over });
const GB = CORRIDORS[0]!;
const caseOf = (over: Partial<TermCase> = {}): TermCase => ({
  ...{ corridor: GB, bearer: 'SHAR', kycTier: null, fundingMethod: null, sizeMinor: 100n, at: AT, declared: [] },
  ...over,
});

const cases = fc.record({
  corridor: fc.constantFrom(...CORRIDORS.slice(0, 2)),
  kycTier: fc.constantFrom(null, 'BASIC', 'GOLD', 'OTHER'),
  fundingMethod: fc.constantFrom(null, 'CARD', 'CASH', 'ACCOUNT'),
  // Right on an edge, and one unit beside it.
  sizeMinor: fc.tuple(fc.constantFrom(...EDGES), fc.constantFrom(-1n, 0n, 1n)).map(([edge, off]) => edge + off),
  at: fc.constantFrom(AT, Date.parse('2026-11-28T10:00:00Z'), Date.parse('2026-12-25T12:00:00Z')),
});
const MARKETS: TermSet['markets'] = [
  {
    ...{ termId: 'market', where: {}, timeZone: 'America/New_York', calendars: ['FX'] },
    opens: { weekday: 'sunday', time: '17:00' },
    closes: { weekday: 'friday', time: '17:00' },
  },
];
const CALENDARS: TermSet['calendars'] = [{ id: 'FX', kind: 'yearly', weekend: [], days: ['01-01', '12-25'] }];
const marketAt = (at: number) => (at === AT ? 'OPEN' : new Date(at).getUTCDay() === 6 ? 'CLOSED' : 'HOLIDAY');

describe('of the rows that hold for a transfer', () => {
  it('the most specific one counts, whatever was asked before', () => {
    fc.assert(
      fc.property(margins, fc.array(cases, { minLength: 1, maxLength: 20 }), (rows, asked) => {
        const book = termBook(setOf({ margins: rows, markets: MARKETS, calendars: CALENDARS }), CORRIDORS, NO_HOLIDAYS);
        for (const of of asked) {
          const holds = ({ where: { corridors, kycTiers, fundingMethods, amount, markets } }: MarginRow) =>
            (!corridors || corridors.includes(of.corridor.id)) &&
            (!kycTiers || kycTiers.includes(of.kycTier ?? 'NONE')) &&
            (!fundingMethods || fundingMethods.includes(of.fundingMethod ?? 'NONE')) &&
            (!amount || (of.corridor.source.currency === amount.currency && isInBand(amount, of.sizeMinor))) &&
            (!markets || markets.includes(marketAt(of.at)));
          const [first, second] = rows.filter(holds).toSorted((a, b) => rankOf(b.where) - rankOf(a.where));
          const chosen = book.choose(caseOf(of));
          expect(chosen).toMatchObject({ marginBps: first!.marginBps, market: marketAt(of.at) });
          expect(chosen.termIds).toContain(first!.termId);
          if (second) expect(rankOf(first!.where)).toBeGreaterThan(rankOf(second.where));
        }
      }),
      { numRuns: times(500) },
    );
  });

  it('the one that names more goes first, and of two that name as many the weightier', () => {
    const corridors = ['GB-IN'];
    const ranks = [
      {},
      { markets: ['OPEN'] },
      { amount: { currency: 'GBP', fromMinor: 0n, belowMinor: null } },
      { fundingMethods: ['CARD'] },
      { kycTiers: ['GOLD'] },
      { corridors },
      { fundingMethods: ['CARD'], markets: ['OPEN'] },
      { corridors, markets: ['OPEN'] },
      { corridors, kycTiers: ['GOLD'] },
      { corridors, fundingMethods: ['CARD'], markets: ['OPEN'] },
    ] satisfies readonly TermWhere[];
    const all = ranks.map(rankOf);
    expect(all).toEqual(all.toSorted((a, b) => a - b));
    expect(new Set(all).size).toBe(all.length);
  });

  it('no two may be equally specific', () => {
    const row = (termId: string, more: TermWhere): MarginRow => ({ termId, where: more, marginBps: 1 });
    const gbp = (from: bigint, below: bigint | null): TermWhere => ({
      corridors: ['GB-IN'],
      amount: { currency: 'GBP', fromMinor: from, belowMinor: below },
    });
    const checked = (...rows: MarginRow[]) => checkTerms(setOf({ margins: rows }));
    expect(() => checked(row('a', { kycTiers: ['GOLD', 'BASIC'] }), row('b', { kycTiers: ['BASIC'] }))).toThrow(
      /a and b are equally/,
    );
    expect(() => checked(row('a', gbp(0n, 101n)), row('b', gbp(100n, null)))).toThrow(/equally specific/);
    checked(row('a', gbp(0n, 100n)), row('b', gbp(100n, null)));
    checked(row('a', { kycTiers: ['GOLD'] }), row('b', { markets: ['OPEN'] }));
  });
});

describe('the terms of the corridors', () => {
  const given = fc.record({
    corridor: fc.constantFrom(...CORRIDORS),
    side: fc.constantFrom<'SOURCE' | 'TARGET'>('SOURCE', 'TARGET'),
    minor: fc.bigInt({ min: 1n, max: 10n ** 12n }),
    rate: fc.integer({ min: 1, max: 2_000_000 }).map((n) => (n / 10_000).toFixed(4)),
    bearer: fc.constantFrom('DEBT', 'SHAR', 'SLEV'),
    kycTier: fc.constantFrom(null, 'GOLD'),
    fundingMethod: fc.constantFrom(null, 'CASH', 'CARD'),
    at: fc.nat(2_000_000_000).map((seconds) => seconds * 1_000),
  });

  it('price to the unit what the table priced, whoever sends how and when', () => {
    const book = termBook(BUILT_IN, CORRIDORS, NO_HOLIDAYS);
    let priced = 0;
    fc.assert(
      fc.property(given, ({ corridor, side, minor, rate, ...of }) => {
        const [sourceCurrency, targetCurrency] = [corridor.source.currency, corridor.target.currency];
        const amount = { minor, currency: side === 'SOURCE' ? sourceCurrency : targetCurrency };
        const legs = [{ base: sourceCurrency, quote: targetCurrency, rate }];
        const fixed = { side, amount, sourceCurrency, targetCurrency, legs };
        const before = priceOf({ ...fixed, marginBps: corridor.marginBps }, feesFor(corridor, of.bearer));
        const chosen = book.choose({ ...of, corridor, sizeMinor: sizeOf(fixed), declared: [] });
        const after = priceOf({ ...fixed, marginBps: chosen.marginBps }, chosen.fees, chosen.taxes);
        expect(after).toEqual(before);
        expect(chosen.bindsForMs).toBe(corridor.priceTtlMs);
        expect(book.datesOf(chosen, of.at)).toBeUndefined();
        if (!after.ok) return;
        priced += 1;
        expect(priceFaults(fixed, { ...after.pricing, legs, marginBps: chosen.marginBps })).toEqual([]);
      }),
      { numRuns: times(5_000) },
    );
    expect(priced).toBeGreaterThan(times(1_000));
  });

  it('are the same whatever was asked before, also by who made cases up', () => {
    const tiers = fc.constantFrom(null, '', 'GOLD', 'GOLD/CARD', 'null');
    const methods = fc.constantFrom(null, '', 'CARD', 'CARD/open');
    const rowOf = (tier: string, marginBps: number) => (row: MarginRow) => ({
      ...{ ...row, termId: `${row.termId}-${tier}`, marginBps },
      where: { ...row.where, kycTiers: [tier] },
    });
    const margins = [
      ...BUILT_IN.margins,
      ...BUILT_IN.margins.map(rowOf('GOLD', 1)),
      ...BUILT_IN.margins.map(rowOf('NONE', 2)),
    ];
    const set = setOf({ margins });
    const cases = fc.record({ kycTier: tiers, fundingMethod: methods });
    fc.assert(
      fc.property(fc.array(cases, { maxLength: 6 }), cases, (before, last) => {
        const used = termBook(set, CORRIDORS, NO_HOLIDAYS);
        for (const each of before) used.choose(caseOf(each));
        expect(used.choose(caseOf(last))).toEqual(termBook(set, CORRIDORS, NO_HOLIDAYS).choose(caseOf(last)));
      }),
      { numRuns: times(40) },
    );
  });

  it('keep two fees of one code apart', () => {
    const twice = { ...GB, fees: [...GB.fees, { ...GB.fees[0]!, flatMinor: 7n }] };
    const set = corridorTerms([twice], BUILT_IN_TERMS);
    const chosen = termBook(set, [twice], NO_HOLIDAYS).choose(caseOf({ corridor: twice, bearer: 'DEBT' }));
    expect(chosen.fees.map(({ flatMinor }) => flatMinor)).toEqual([99n, 99n, 7n]);
  });
});

describe('a tax', () => {
  const law = { title: 'A law', link: null, status: 'TO_CONFIRM_WITH_COUNSEL' } as const;
  const excise: TermSet['taxes'][number] = {
    ...{ termId: 'excise', where: { fundingMethods: ['CASH'] }, kind: 'EXCISE', authority: 'US_IRC_4475' },
    ...{ base: 'PRINCIPAL', rateBps: 100, rounding: 'HALF_UP', validFrom: '2026-01-01', validTo: '2027-01-01', ...law },
  };
  const book = termBook(setOf({ taxes: [excise] }), CORRIDORS, NO_HOLIDAYS);
  const cash = { fundingMethod: 'CASH' } as const;
  const idsOf = (of: Partial<TermCase>) => book.choose(caseOf(of)).taxes.map(({ termId }) => termId);

  it('is charged from its first day on, and not on the day on which it ends', () => {
    expect(idsOf({ ...cash, at: Date.parse('2025-12-31T23:59:59.999Z') })).toEqual([]);
    expect(idsOf({ ...cash, at: Date.parse('2026-01-01T00:00:00Z') })).toEqual(['excise']);
    expect(idsOf({ ...cash, at: Date.parse('2026-12-31T23:59:59.999Z') })).toEqual(['excise']);
    expect(idsOf({ ...cash, at: Date.parse('2027-01-01T00:00:00Z') })).toEqual([]);
    expect(idsOf({ fundingMethod: 'ACCOUNT' })).toEqual([]);
  });

  it('is not charged again where the producer takes it', () => {
    const declared = [{ kind: 'EXCISE', authority: 'US_IRC_4475' }];
    expect(idsOf({ ...cash, declared })).toEqual([]);
    expect(book.choose(caseOf({ ...cash, declared })).termIds).not.toContain('excise');
    expect(idsOf({ ...cash, declared: [{ kind: 'VAT', authority: 'US_IRC_4475' }] })).toEqual(['excise']);
  });
});
