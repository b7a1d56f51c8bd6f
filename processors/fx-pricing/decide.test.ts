// Given rates, pricing binds a price; without fresh ones it waits, and in the end declines.
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { versionAt } from '../../domain/policies/versions.ts';
import { DEFAULT_RATE_TERMS } from '../../domain/pricing/agreement.ts';
import { type TermBook, termBook } from '../../domain/terms/term-book.ts';
import type { TermSet } from '../../domain/terms/terms.ts';
import type { FxRate } from '../../schemas/types.generated.ts';
import {
  AT,
  BOOK,
  BUILT_IN_PRICES,
  fxRate,
  only,
  received,
  requoteRequested,
  run,
  summary,
  transferScreened,
  type Wishes,
} from '../../test/kit/builders.ts';
import { input, runProcessor } from '../../test/kit/harness.ts';
import { ManualClock } from '../../test/kit/manual-clock.ts';
import { memoryRates } from '../../test/kit/memory-rates.ts';
import { lifecycleOf } from '../lifecycle.ts';
import type { Policy } from '../policies.ts';
import { DEFAULT_PRICING_RULES, type PricingInput } from './decide.ts';
import type { AcceptedRates, RateTable } from './ports.ts';
import { snapshotIdOf } from './price.ts';
import { createFxPricing } from './processor.ts';
import { findRoute, NO_MEMORY, rateBookOf } from './routes.ts';
import { termsFile } from './terms-file.ts';

const MINUTE = 60_000;
const tableOf = (...rates: FxRate[]): RateTable => ({
  version: 1,
  entries: () => rates.map((rate) => [`${rate.source}/${rate.base}/${rate.quote}`, rate] as const),
});
const pricing = (rates: RateTable, now = AT, accepted: AcceptedRates = memoryRates()) =>
  createFxPricing({ rates, accepted, corridors: BOOK, terms: BUILT_IN_PRICES, clock: () => now });
const screened = (of: Wishes = {}, at: { appendedAt?: number; waitedMs?: number } = {}): PricingInput =>
  received('transfer.screened', transferScreened(of), { appendedAt: AT, ...at });
const price = async (rates: RateTable, of: Wishes = {}) =>
  only((await run(pricing(rates), [screened(of)]))[0], 'transfer.priced');

describe('a transfer with a fresh rate', () => {
  it('gets a price that states all it was made of', async () => {
    const value = await price(tableOf(fxRate()));
    expect(value.envelope).toMatchObject({ sequence: 3, attempt: 1 });
    expect(value.price).toMatchObject({
      legs: [{ base: 'GBP', quote: 'INR', rate: '125.2579', source: 'sample', observedAt: AT - MINUTE }],
      midRate: '125.2579',
      marginBps: 45,
      customerRate: '124.69423945',
      debit: { minor: 100_000n, currency: 'GBP' },
      principal: { minor: 99_801n, currency: 'GBP' },
      credit: { minor: 12_444_609n, currency: 'INR' },
      fees: [{ code: 'TRANSFER', amount: { minor: 199n, currency: 'GBP' } }],
      rounding: 'DOWN',
      lockedAt: AT,
      expiresAt: AT + 30 * MINUTE,
    });
    expect(value.price.snapshotId).toBe(snapshotIdOf(value.price.legs));
  });

  it('says which sources agreed, and has the same snapshot whoever agreed', async () => {
    const other = fxRate({ source: 'second', rate: '125.3', observedAt: AT - 2 * MINUTE });
    const [alone, both] = [await price(tableOf(fxRate())), await price(tableOf(other, fxRate()))];
    expect(both.price.legs).toMatchObject([
      { source: 'sample', agreement: { sources: ['sample', 'second'], distanceBps: 4 } },
    ]);
    expect(both.price.snapshotId).toBe(alone.price.snapshotId);
  });

  it('gets a price from the quotation the other way, by division', async () => {
    const { price: stated } = await price(tableOf(fxRate({ base: 'INR', quote: 'GBP', rate: '0.0079835' })));
    expect(stated.legs).toMatchObject([{ base: 'INR', quote: 'GBP', rate: '0.0079835' }]);
    // 998.01 GBP x .9955 / .0079835 = 124,446.17… INR
    expect(stated.credit.minor).toBe((99_801n * 9_955n * 10_000_000n) / (10_000n * 79_835n));
  });

  it('gets a price over a common currency, both legs as published', async () => {
    const { price: stated } = await price(
      tableOf(
        fxRate({ base: 'EUR', quote: 'GBP', rate: '0.87058' }),
        fxRate({ base: 'EUR', quote: 'INR', rate: '109.047' }),
      ),
    );
    expect(stated.legs.map(({ base, quote }) => `${base}/${quote}`)).toEqual(['EUR/GBP', 'EUR/INR']);
    expect(stated.credit.minor).toBe((99_801n * 9_955n * 109_047n * 100n) / (10_000n * 87_058n));
  });

  it('keeps the credit of a fixed target to the unit', async () => {
    const of = { intent: { amountSide: 'TARGET', instructedAmount: { minor: 5_000_001n, currency: 'INR' } } } as const;
    const { price: stated } = await price(tableOf(fxRate()), of);
    expect(stated).toMatchObject({ credit: { minor: 5_000_001n, currency: 'INR' }, rounding: 'UP' });
  });

  it('is declined where the derived side leaves the corridor', async () => {
    const of = {
      intent: { amountSide: 'TARGET', instructedAmount: { minor: 400_000_000n, currency: 'INR' } },
    } as const;
    const [decision] = await run(pricing(tableOf(fxRate())), [screened(of)]);
    expect(only(decision, 'transfer.rejected')).toMatchObject({
      stage: 'FX_PRICING',
      reasons: [{ code: 'AM02' }],
      price: null,
    });
  });

  it('is declined where the fees eat it', async () => {
    const of = { intent: { instructedAmount: { minor: 100n, currency: 'GBP' } } } as const;
    const [decision] = await run(pricing(tableOf(fxRate())), [screened(of)]);
    expect(only(decision, 'transfer.rejected').reasons).toMatchObject([{ code: 'AM06' }]);
  });
});

describe('a requote', () => {
  const requote = requoteRequested();
  const again = (attempt: number): PricingInput =>
    received('transfer.requote-requested', { ...requote, envelope: { ...requote.envelope, attempt } });

  it('is the next attempt, at the rates of now', async () => {
    const [decision] = await run(pricing(tableOf(fxRate({ rate: '125.0000' }))), [again(1)]);
    const value = only(decision, 'transfer.priced');
    expect(value.envelope).toMatchObject({ attempt: 2, sequence: requote.envelope.sequence + 1 });
    expect(value.price.midRate).toBe('125');
    expect('reservation' in value).toBe(false);
  });

  it('beyond the cap is declined, and names the reservation to release', async () => {
    const [decision] = await run(pricing(tableOf(fxRate())), [again(DEFAULT_PRICING_RULES.maxAttempts)]);
    const value = only(decision, 'transfer.rejected');
    expect(value).toMatchObject({
      reasons: [{ code: 'QUOT' }],
      reservation: requote.reservation,
      price: requote.price,
    });
    expect(value.envelope.attempt).toBe(DEFAULT_PRICING_RULES.maxAttempts);
  });
});

describe('terms', () => {
  const example = termsFile.parse(
    JSON.parse(readFileSync(new URL('./example-terms.json', import.meta.url), 'utf8')) as unknown,
  );
  const holidays = () => new Set<string>();
  const inForce = (...sets: readonly { readonly from: number; readonly set: TermSet }[]): Policy<TermBook> => {
    const books = sets.map(({ from, set }, version) => ({
      ...{ from, version },
      content: termBook(set, BOOK.corridors, holidays, version),
    }));
    return { at: (appendedAt) => versionAt(books.toReversed(), appendedAt)!, all: () => books.toReversed() };
  };
  const stageOf = (terms: Policy<TermBook>, now = AT) =>
    createFxPricing({
      rates: tableOf(fxRate({ observedAt: now })),
      accepted: memoryRates(),
      corridors: BOOK,
      terms,
      clock: () => now,
    });
  const priceAt = async (terms: Policy<TermBook>, of: Wishes = {}, now = AT) =>
    only((await run(stageOf(terms, now), [screened(of)]))[0], 'transfer.priced').price;
  const newer = { ...example, version: 'next', margins: example.margins.map((row) => ({ ...row, marginBps: 1 })) };

  it('are named by the price, with the rows, the market, the size and the dates', async () => {
    // Monday 23 November, 09:00 in London.
    const stated = await priceAt(inForce({ from: 0, set: example }));
    expect(stated).toMatchObject({
      marginBps: 45,
      terms: {
        set: 'example@2026-11-30',
        termIds: ['margin-gb-in', 'lifetime-gb-in', 'fee-gb-in', 'settlement-gb-in'],
        market: 'OPEN',
        sizeMinor: 100_000n,
      },
      valueDate: '2026-11-23',
      availableAt: AT + 30 * MINUTE,
      cancelUntil: null,
      taxes: [],
    });
  });

  it('of a closed market count on a Saturday, and money comes on Monday', async () => {
    const saturday = Date.UTC(2026, 10, 28, 10);
    const stated = await priceAt(inForce({ from: 0, set: example }), {}, saturday);
    expect(stated).toMatchObject({ marginBps: 70, expiresAt: saturday + 15 * MINUTE, valueDate: '2026-11-30' });
    expect(stated.terms!.market).toBe('CLOSED');
  });

  it('are those in force when the log took the event, and so the same whenever it runs again', async () => {
    const terms = inForce({ from: 0, set: example }, { from: AT + 1, set: newer });
    const later = await priceAt(terms, {}, AT + 10 * MINUTE);
    expect(later.terms!.set).toBe('example@2026-11-30');
    const [decision] = await run(stageOf(terms, AT + 10 * MINUTE), [screened({}, { appendedAt: AT + 1 })]);
    expect(only(decision, 'transfer.priced').price).toMatchObject({ marginBps: 1, terms: { set: 'example@next#1' } });
  });

  it('of a price that is made again are those in force when it was asked for again', async () => {
    const terms = inForce({ from: 0, set: example }, { from: AT + 1, set: newer });
    const again = received('transfer.requote-requested', requoteRequested(), { appendedAt: AT + 1 });
    const [decision] = await run(stageOf(terms), [again]);
    expect(only(decision, 'transfer.priced').price).toMatchObject({ marginBps: 1, terms: { set: 'example@next#1' } });
  });

  it('with taxes are recomputed before the payout, and told to analysts', async () => {
    const set = {
      ...example,
      taxes: example.taxes.map((tax) => ({ ...tax, where: {}, base: 'PRINCIPAL' as const })).slice(0, 1),
    };
    const [decision] = await run(stageOf(inForce({ from: 0, set })), [screened()]);
    const value = only(decision, 'transfer.priced');
    const [tax] = value.price.taxes;
    expect(tax).toMatchObject({ kind: 'EXCISE', termId: 'tax-us-excise', basis: value.price.principal });
    const row = lifecycleOf('transfer.priced', value, 'FX_PRICING')!;
    expect(row).toMatchObject({
      contractVersion: 5,
      termsVersion: 'example@2026-11-30',
      chargedTaxesMinor: tax!.amount.minor,
    });
    expect(row.debitMinor).toBe(row.principalMinor! + row.feesMinor! + row.chargedTaxesMinor!);
    expect(row.chargedTaxes).toEqual([
      { kind: 'EXCISE', authority: 'US_IRC_4475', currency: 'GBP', minor: tax!.amount.minor },
    ]);
  });
});

describe('a transfer without a fresh rate', () => {
  it.each([
    ['RATE_STALE', tableOf(fxRate({ observedAt: AT - 61 * MINUTE }))],
    ['RATE_STALE', tableOf(fxRate({ observedAt: AT + 10 * MINUTE }))],
    ['RATE_STALE', tableOf(fxRate({ base: 'EUR', quote: 'GBP' }), fxRate({ base: 'EUR', observedAt: 0 }))],
    ['RATE_DISPUTED', tableOf(fxRate(), fxRate({ source: 'liar', rate: '1252.579' }))],
    ['RATE_MISSING', tableOf()],
    ['RATE_MISSING', tableOf(fxRate({ rate: '-1' }), fxRate({ base: 'EUR' }))],
  ])('waits: %s', async (code, rates) => {
    const [decision] = await run(pricing(rates), [screened()]);
    expect(decision).toEqual({ kind: 'wait', untilMs: AT + 5_000, cause: expect.objectContaining({ code }) });
  });

  it('is declined after the longest wait', async () => {
    const patient = screened({}, { waitedMs: DEFAULT_PRICING_RULES.maxWaitMs });
    const [decision] = await run(pricing(tableOf()), [patient]);
    expect(only(decision, 'transfer.rejected').reasons).toMatchObject([{ code: 'RATE' }]);
  });

  it('waits all the same, however long it stood in the log before anybody could look', async () => {
    for (const hours of [1, 24, 24 * 29]) {
      const [decision] = await run(pricing(tableOf()), [screened({}, { appendedAt: AT - hours * 60 * MINUTE })]);
      expect(decision).toMatchObject({ kind: 'wait', cause: { code: 'RATE_MISSING' } });
    }
  });

  it('is declined by the host when it has waited for as long as it may, however long it stood there before', async () => {
    const clock = new ManualClock(AT);
    const rules = { maxWaitMs: 60_000 };
    const processor = createFxPricing({
      rates: tableOf(),
      accepted: memoryRates(),
      corridors: BOOK,
      terms: BUILT_IN_PRICES,
      clock: clock.now,
      rules,
    });
    const old = input('transfer.screened', transferScreened(), { appendedAt: AT - 24 * 60 * MINUTE });
    const result = await runProcessor(processor, { clock, inputs: [old] });
    const [rejected] = result.outputs('transfer.rejected');
    expect(rejected?.value.reasons).toMatchObject([{ code: 'RATE' }]);
    const waits = result.retries('5s').map(({ headers }) => Number(headers['waited-ms']));
    expect(waits).toEqual(Array.from({ length: 12 }, (_, n) => (n + 1) * 5_000));
  });

  it('uses up no patience while its stage stands still: an outage counts for nothing', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(200), fc.nat(10 * 60 * MINUTE)), { minLength: 1, maxLength: 10 }),
        async (looks) => {
          // Each pair: looks in a row, then an outage (ms).
          let now = AT;
          let waitedMs = 0;
          let lookedMs = 0;
          for (const [count, outageMs] of looks) {
            for (let look = 0; look < count; look++) {
              const [decision] = await run(pricing(tableOf(), now), [screened({}, { waitedMs })]);
              const gaveUp = Array.isArray(decision);
              expect(gaveUp).toBe(lookedMs >= DEFAULT_PRICING_RULES.maxWaitMs);
              if (gaveUp) return;
              const { untilMs } = decision as { untilMs: number };
              lookedMs += untilMs - now;
              waitedMs += untilMs - now;
              now = untilMs;
            }
            now += outageMs;
          }
        },
      ),
      { numRuns: 20 },
    );
  });

  it('lets the others of its batch flow on', async () => {
    const aed = {
      debtor: { country: 'AE' },
      intent: { sourceCurrency: 'AED', instructedAmount: { minor: 90_000n, currency: 'AED' } },
    };
    const decisions = await run(pricing(tableOf(fxRate())), [screened(aed), screened()]);
    expect(decisions.map(summary)).toEqual(['wait RATE_MISSING', 'transfer.priced']);
  });

  it('is priced by the host as soon as a rate comes, and dead-letters nothing', async () => {
    const clock = new ManualClock(AT);
    const tables: { version: number; rates: FxRate[] } = { version: 1, rates: [] };
    const rates: RateTable = {
      get version() {
        if (clock.now() >= AT + 20_000 && tables.rates.length === 0) {
          tables.rates.push(fxRate());
          tables.version += 1;
        }
        return tables.version;
      },
      entries: () => tables.rates.map((rate) => ['key', rate] as const),
    };
    const processor = createFxPricing({
      rates,
      accepted: memoryRates(),
      corridors: BOOK,
      terms: BUILT_IN_PRICES,
      clock: clock.now,
    });
    const result = await runProcessor(processor, { clock, inputs: [input('transfer.screened', transferScreened())] });
    expect(result.outputs('transfer.priced')).toHaveLength(1);
    expect(result.deadLetters).toEqual([]);
  });
});

const TERMS = { ...DEFAULT_RATE_TERMS, maxRateAgeMs: 60 * MINUTE, memory: NO_MEMORY };

describe('routes', () => {
  const book = (...rates: FxRate[]) => rateBookOf(rates);
  const route = (rates: FxRate[]) => findRoute(book(...rates), 'GBP', 'INR', AT, TERMS);
  const pairs = (rates: FxRate[]) => {
    const found = route(rates);
    return found.kind === 'fresh' ? found.legs.map(({ base, quote }) => `${base}/${quote}`).join(' ') : found.kind;
  };

  it('prefer direct, then the inverse quotation, then a common currency; fresh before all', () => {
    const direct = fxRate();
    const inverse = fxRate({ base: 'INR', quote: 'GBP', rate: '0.008', source: 'other' });
    const overEuro = [fxRate({ base: 'EUR', quote: 'GBP', rate: '0.87' }), fxRate({ base: 'EUR', rate: '109' })];
    const overDollar = [fxRate({ base: 'USD', quote: 'GBP', rate: '0.75' }), fxRate({ base: 'USD', rate: '93' })];
    expect(pairs([...overDollar, ...overEuro, { ...inverse, source: direct.source }, direct])).toBe('GBP/INR');
    expect(pairs([...overDollar, ...overEuro, { ...inverse, observedAt: AT }, direct])).toBe('INR/GBP');
    expect(pairs([...overDollar, ...overEuro, inverse])).toBe('INR/GBP');
    expect(pairs([...overDollar, ...overEuro])).toBe('EUR/GBP EUR/INR');
    expect(pairs([{ ...direct, observedAt: 0 }, ...overDollar])).toBe('USD/GBP USD/INR');
    expect(pairs([{ ...direct, observedAt: 0 }])).toBe('stale');
    expect(pairs([overEuro[0]!])).toBe('none');
  });

  it('take the freshest of two sources', () => {
    const found = route([fxRate({ source: 'a', observedAt: AT - 2 }), fxRate({ source: 'b', observedAt: AT - 1 })]);
    expect(found).toMatchObject({ kind: 'fresh', legs: [{ source: 'b' }] });
  });

  it.each([
    ['ten times the other', ['125.2579', '1252.579'], {}, 'disputed'],
    ['a digit moved', ['125.2579', '12.52579'], {}, 'disputed'],
    ['as near as the terms allow', ['125', '126.25'], {}, 'GBP/INR'],
    ['a hair farther', ['125', '126.2501'], {}, 'disputed'],
    ['one of three wrong, two needed', ['125.2', '1252', '125.3'], { quorum: 2 }, 'GBP/INR'],
    ['one of three wrong, one needed', ['125.2', '1252', '125.3'], {}, 'disputed'],
    ['all apart, two needed', ['125', '150', '180'], { quorum: 2 }, 'disputed'],
    ['two against two', ['125', '125', '150', '150'], { quorum: 2 }, 'disputed'],
    ['one alone, two needed', ['125'], { quorum: 2 }, 'few'],
    ['one that does not count beside one that does', ['125', '150'], { sources: ['s0'] }, 'GBP/INR'],
  ])('%s', (_, quoted, terms, expected) => {
    const rates = quoted.map((rate, n) => fxRate({ rate, source: `s${n}` }));
    const found = findRoute(rateBookOf(rates), 'GBP', 'INR', AT, { ...TERMS, ...terms });
    const pairs =
      found.kind === 'fresh' ? found.legs.map(({ base, quote }) => `${base}/${quote}`).join(' ') : found.kind;
    expect(pairs).toBe(expected);
  });

  it('compare sources whichever way round they quote, and tell who agreed', () => {
    const direct = fxRate({ rate: '125', source: 'a' });
    const inverse = fxRate({ base: 'INR', quote: 'GBP', rate: '0.008', source: 'b', observedAt: AT - 2 * MINUTE });
    expect(route([direct, inverse])).toMatchObject({
      legs: [{ source: 'a', agreement: { sources: ['a', 'b'], distanceBps: 0 } }],
    });
    expect(route([direct, { ...inverse, rate: '0.08' }])).toMatchObject({ kind: 'disputed', sources: ['a', 'b'] });
  });

  it('do not go round a pair whose sources contradict each other, and count no rate that is too old', () => {
    const over = [fxRate({ base: 'EUR', quote: 'GBP', rate: '0.87' }), fxRate({ base: 'EUR', rate: '109' })];
    const [a, b] = [fxRate({ source: 'a' }), fxRate({ source: 'b', rate: '1252.579' })];
    expect(pairs([...over, a, b])).toBe('disputed');
    expect(pairs([...over, a, { ...b, observedAt: AT - 61 * MINUTE }])).toBe('GBP/INR');
    expect(pairs([...over, { ...over[1]!, source: 'liar', rate: '1090' }])).toBe('disputed');
  });

  it('go over the pivots of the corridor alone', () => {
    const over = [fxRate({ base: 'AED', quote: 'GBP', rate: '0.2' }), fxRate({ base: 'AED', rate: '25' })];
    expect(pairs(over)).toBe('none');
    expect(findRoute(rateBookOf(over), 'GBP', 'INR', AT, { ...TERMS, pivots: ['AED'] }).kind).toBe('fresh');
  });

  it('pass over what names no source or no currency: it would go on into prices and logs', () => {
    const hostile = ['\u001b[2J', 'a\u202eb', 'x'.repeat(5_000), 'M\ufffdller'].map((source) => fxRate({ source }));
    expect(pairs(hostile)).toBe('none');
    expect(pairs([fxRate({ base: 'GBP\u001b' }), fxRate({ quote: 'inr' })])).toBe('none');
    expect(pairs([...hostile, fxRate()])).toBe('GBP/INR');
  });
});
