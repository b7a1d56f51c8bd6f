// A rate that is far from what a corridor last went by: its transfers wait for two persons, through restarts and deaths.
import { describe, expect, it } from 'vitest';
import type { FxRate, RateJumpAccepted } from '../../schemas/types.generated.ts';
import {
  AT,
  BOOK,
  BUILT_IN_PRICES,
  fxRate,
  only,
  received,
  run,
  summary,
  transferScreened,
} from '../../test/kit/builders.ts';
import { input, runProcessor } from '../../test/kit/harness.ts';
import { ManualClock } from '../../test/kit/manual-clock.ts';
import { type MemoryRates, memoryRates } from '../../test/kit/memory-rates.ts';
import { DEFAULT_PRICING_RULES } from './decide.ts';
import type { AcceptedRates, PricingFailpoint, RateTable } from './ports.ts';
import { createFxPricing } from './processor.ts';

const MINUTE = 60_000;
const LONG = 10 * DEFAULT_PRICING_RULES.maxWaitMs;
const tableOf = (...rates: FxRate[]): RateTable => ({
  version: 1,
  entries: () => rates.map((rate) => [`${rate.source}/${rate.base}/${rate.quote}`, rate] as const),
});
const rate = (text: string, over: Partial<FxRate> = {}) => tableOf(fxRate({ rate: text, ...over }));
const stage = (rates: RateTable, accepted: AcceptedRates, now = AT) =>
  createFxPricing({ rates, accepted, corridors: BOOK, terms: BUILT_IN_PRICES, clock: () => now });
const priceBy = async (rates: RateTable, accepted: AcceptedRates, waitedMs = 0, now = AT) => {
  const [decision] = await run(stage(rates, accepted, now), [
    received('transfer.screened', transferScreened(), { appendedAt: AT, waitedMs }),
  ]);
  return decision!;
};
const jumpTo = (text: string, over: Partial<RateJumpAccepted> = {}): RateJumpAccepted => ({
  ...{ corridor: 'GB-IN', base: 'GBP', quote: 'INR', rate: text, fromRate: '125.0', fromVersion: 1 },
  ...{ acceptedAt: AT, expiresAt: AT + 60 * MINUTE, askedBy: 'asha', approvedBy: 'ben', approvalId: 'approval-1' },
  ...{ reason: 'the market moved', ...over },
});
const versions = ({ acceptedRecords }: MemoryRates) =>
  acceptedRecords.map(({ base, quote, rate: text, version }) => `${base}/${quote} ${text} v${version}`);

describe('what a corridor goes by', () => {
  it('is in the log before anything is priced by it, once, and follows in steps', async () => {
    const accepted = memoryRates();
    for (const text of ['125.0', '125.0', '125.3', '126.0', '131.0', '131.2'])
      expect(summary(await priceBy(rate(text), accepted))).toBe('transfer.priced');
    expect(versions(accepted)).toEqual(['GBP/INR 125.0 v1', 'GBP/INR 126.0 v2', 'GBP/INR 131.0 v3']);
    expect(accepted.acceptedRecords[0]).toMatchObject({ corridor: 'GB-IN', source: 'sample', approvalId: null });
  });

  it('is one record a batch, however many transfers it prices', async () => {
    const accepted = memoryRates();
    const many = Array.from({ length: 20 }, () => received('transfer.screened', transferScreened()));
    await run(stage(rate('125.0'), accepted), many);
    expect(accepted.acceptedRecords).toHaveLength(1);
  });

  it('is of each pair of a route over a pivot, and one that jumped is not gone round', async () => {
    const accepted = memoryRates();
    const euro = (inr: string) => [
      fxRate({ base: 'EUR', quote: 'GBP', rate: '0.87' }),
      fxRate({ base: 'EUR', rate: inr }),
    ];
    expect(summary(await priceBy(tableOf(...euro('109')), accepted))).toBe('transfer.priced');
    expect(versions(accepted).slice(0, 2)).toEqual(['EUR/GBP 0.87 v1', 'EUR/INR 109 v1']);
    expect(versions(accepted)[2]).toMatch(/^GBP\/INR 125\.28735\d* v1$/);
    expect(await priceBy(tableOf(...euro('1090')), accepted)).toMatchObject({
      kind: 'wait',
      cause: { code: 'RATE_JUMPED' },
    });
    await priceBy(rate('125.0'), accepted);
    const round = tableOf(...euro('109'), fxRate({ rate: '1250.0' }));
    expect(await priceBy(round, accepted)).toMatchObject({ kind: 'wait', cause: { code: 'RATE_JUMPED' } });
  });

  it('is of what a route over a pivot comes to: legs never gone by are held against the pair, and the pair against them', async () => {
    const over = (pivot: string, inr: string) =>
      tableOf(fxRate({ base: pivot, quote: 'GBP', rate: '0.8' }), fxRate({ base: pivot, rate: inr }));
    const accepted = memoryRates();
    await priceBy(rate('125.0'), accepted);
    for (const pivot of ['EUR', 'USD']) {
      expect(await priceBy(over(pivot, '1000'), accepted), pivot).toMatchObject({
        ...{ kind: 'wait', forPerson: true },
        cause: { code: 'RATE_JUMPED', detail: expect.stringContaining(`to GBP/INR 1250 by over ${pivot}`) },
      });
    }
    expect(accepted.acceptedRecords).toHaveLength(1);
    expect(summary(await priceBy(over('EUR', '100.1'), accepted))).toBe('transfer.priced');

    const fromLegs = memoryRates();
    expect(summary(await priceBy(over('EUR', '100'), fromLegs))).toBe('transfer.priced');
    expect(await priceBy(over('USD', '1000'), fromLegs)).toMatchObject({ cause: { code: 'RATE_JUMPED' } });
    expect(await priceBy(rate('1250.0'), fromLegs)).toMatchObject({ cause: { code: 'RATE_JUMPED' } });
    expect(summary(await priceBy(rate('125.1'), fromLegs))).toBe('transfer.priced');
  });

  it('over a pivot, one jump is accepted once: of the leg, or of what the route comes to', async () => {
    const over = (inr: string) =>
      tableOf(fxRate({ base: 'EUR', quote: 'GBP', rate: '0.8' }), fxRate({ base: 'EUR', rate: inr }));
    const accepted = memoryRates();
    await priceBy(over('100'), accepted);
    expect(await priceBy(over('110'), accepted)).toMatchObject({ kind: 'wait' });
    await accepted.publish(jumpTo('110', { base: 'EUR', fromRate: '100' }));
    for (let again = 0; again < 2; again++)
      expect(summary(await priceBy(over('110'), accepted))).toBe('transfer.priced');
    expect(versions(accepted).slice(-2)).toEqual(['EUR/INR 110 v2', 'GBP/INR 137.5 v2']);

    const direct = memoryRates();
    await priceBy(rate('125.0'), direct);
    await direct.publish(jumpTo('137.5'));
    expect(summary(await priceBy(over('110'), direct))).toBe('transfer.priced');
  });

  it('over a pivot, a leg that was accepted lets no other leg through that is held against nothing', async () => {
    const accepted = memoryRates();
    await priceBy(rate('125.0'), accepted);
    const known = { corridor: 'GB-IN', base: 'EUR', quote: 'INR', rate: '100', source: 'sample', observedAt: AT };
    await accepted.write([{ ...known, version: 1, acceptedAt: AT, approvalId: null }]);
    await accepted.publish(jumpTo('110', { base: 'EUR', fromRate: '100' }));
    const wrong = tableOf(fxRate({ base: 'EUR', quote: 'GBP', rate: '0.08' }), fxRate({ base: 'EUR', rate: '110' }));
    expect(await priceBy(wrong, accepted)).toMatchObject({ kind: 'wait', cause: { code: 'RATE_JUMPED' } });
    expect(accepted.acceptedRecords).toHaveLength(2);
  });

  it('is of no time that a calendar does not have: such a rate stops no other', async () => {
    for (const observedAt of [9e15, 8.64e15 - 1, 253_402_300_800_000, -1, -9e15]) {
      const odd = fxRate({ source: 'ecb', base: 'EUR', quote: 'INR', observedAt });
      expect(summary(await priceBy(tableOf(fxRate({ rate: '125.0' }), odd), memoryRates()))).toBe('transfer.priced');
      const alone = fxRate({ source: 'ecb', observedAt });
      expect(await priceBy(tableOf(alone), memoryRates()), String(observedAt)).toMatchObject({ kind: 'wait' });
    }
  });

  it('is of one corridor: what another goes by lets nothing through', async () => {
    const accepted = memoryRates();
    await accepted.write([{ ...jumpTo('12.5'), ...{ corridor: 'IN-GB', source: 's', observedAt: AT, version: 9 } }]);
    expect(summary(await priceBy(rate('125.0'), accepted))).toBe('transfer.priced');
  });
});

describe('a rate that jumped', () => {
  it.each(['1250.0', '12.5', '131.3', '119.0'])('125 to %s: waits for as long as it takes', async (text) => {
    const accepted = memoryRates();
    await priceBy(rate('125.0'), accepted);
    for (const waitedMs of [0, LONG]) {
      expect(await priceBy(rate(text), accepted, waitedMs)).toMatchObject({
        ...{ kind: 'wait', forPerson: true, untilMs: AT + DEFAULT_PRICING_RULES.jumpStepMs },
        cause: { code: 'RATE_JUMPED', detail: expect.stringContaining(`GBP/INR 125.0 (version 1) to GBP/INR ${text}`) },
      });
    }
    expect(accepted.acceptedRecords).toHaveLength(1);
  });

  it('is seen by a stage that was just started, in the quotation the other way too', async () => {
    const accepted = memoryRates();
    await priceBy(rate('125.0'), accepted);
    expect(await priceBy(rate('0.008', { base: 'INR', quote: 'GBP' }), accepted)).toEqual(expect.any(Array));
    expect(await priceBy(rate('0.08', { base: 'INR', quote: 'GBP' }), accepted)).toMatchObject({ kind: 'wait' });
  });

  it('goes on where two persons accepted that rate, once, and the corridor goes by it from then on', async () => {
    const accepted = memoryRates();
    await priceBy(rate('125.0'), accepted);
    await accepted.publish(jumpTo('140.0'));
    // Another rate than the one that they accepted, then about that one.
    expect(await priceBy(rate('145.0'), accepted)).toMatchObject({ kind: 'wait' });
    expect(only(await priceBy(rate('140.5'), accepted), 'transfer.priced').price.midRate).toBe('140.5');
    expect(accepted.acceptedRecords.at(-1)).toMatchObject({ rate: '140.5', version: 2, approvalId: 'approval-1' });
    // The market goes back: what was accepted was from 125 to 140, and is spent. So is a copy of it.
    await accepted.publish(jumpTo('140.0', { acceptedAt: AT + 1 }));
    expect(await priceBy(rate('125.0'), accepted)).toMatchObject({ kind: 'wait' });
    expect(await priceBy(rate('155.0'), accepted)).toMatchObject({ kind: 'wait' });
  });

  it.each([
    ['late', { expiresAt: AT }],
    ['from a rate that it no longer goes by', { fromVersion: 0 }],
    ['of another corridor', { corridor: 'IN-GB' }],
  ])('waits on where what was accepted is %s', async (_, over) => {
    const accepted = memoryRates();
    await priceBy(rate('125.0'), accepted);
    await accepted.publish(jumpTo('140.0', over));
    expect(await priceBy(rate('140.0'), accepted)).toMatchObject({ kind: 'wait', cause: { code: 'RATE_JUMPED' } });
  });

  it('uses up no patience: a rate that is stale afterwards is waited for as if it were the first', async () => {
    const clock = new ManualClock(AT);
    const accepted = memoryRates();
    await priceBy(rate('125.0'), accepted);
    const minutes = () => (clock.now() - AT) / MINUTE;
    const rates: RateTable = {
      get version() {
        return Math.floor(minutes());
      },
      // Jumped for three hours, then nothing for some minutes, then as it was.
      entries: () => {
        const text = minutes() < 180 ? '1250.0' : minutes() < 190 ? undefined : '125.0';
        return text === undefined ? [] : [['key', fxRate({ rate: text, observedAt: clock.now() })] as const];
      },
    };
    const processor = createFxPricing({ rates, accepted, corridors: BOOK, terms: BUILT_IN_PRICES, clock: clock.now });
    const inputs = [input('transfer.screened', transferScreened())];
    const result = await runProcessor(processor, { clock, inputs, maxVirtualMs: 300 * MINUTE });
    expect(result.outputs('transfer.priced')).toHaveLength(1);
    expect(result.outputs('transfer.rejected')).toEqual([]);
    expect(result.deadLetters).toEqual([]);
    expect(minutes()).toBeGreaterThanOrEqual(190);
  });
});

describe('a death, and a zombie', () => {
  const dying = (accepted: AcceptedRates, at: PricingFailpoint) =>
    createFxPricing({
      ...{ rates: rate('125.0'), accepted, corridors: BOOK, terms: BUILT_IN_PRICES, clock: () => AT },
      failpoint: (name) => {
        if (name === at) throw new Error('dead');
      },
    });
  const batch = [received('transfer.screened', transferScreened())];

  it('before the write: nothing was priced, and nothing is gone by', async () => {
    const accepted = memoryRates();
    await expect(dying(accepted, 'fx-pricing.before-accepted').prepare(batch)).rejects.toThrow('dead');
    expect(accepted.acceptedRecords).toEqual([]);
  });

  it('after the write: the next one finds it, and holds its rate against it', async () => {
    const accepted = memoryRates();
    await expect(dying(accepted, 'fx-pricing.after-accepted').prepare(batch)).rejects.toThrow('dead');
    expect(await priceBy(rate('1250.0'), accepted)).toMatchObject({ kind: 'wait' });
    expect(versions(accepted)).toEqual(['GBP/INR 125.0 v1']);
  });

  it('a log that is away prices nothing', async () => {
    const accepted = { ...memoryRates(), write: () => Promise.reject(new Error('no broker')) };
    await expect(stage(rate('125.0'), accepted).prepare(batch)).rejects.toThrow('no broker');
  });

  it('one who has slept changes nothing: its record is older than what is gone by', async () => {
    const accepted = memoryRates();
    await priceBy(rate('125.0'), accepted);
    const asleep = { ...accepted, ...{ last: (await accepted.accepted()).get.bind(await accepted.accepted()) } };
    for (const text of ['130.0', '136.0', '142.0']) await priceBy(rate(text), accepted);
    // It still sees 125, and writes what follows that.
    await stage(rate('120.0'), asleep).prepare(batch);
    expect(accepted.acceptedRecords.at(-1)).toMatchObject({ rate: '120.0', version: 2 });
    expect(accepted.last('GB-IN/GBP/INR')).toMatchObject({ rate: '142.0', version: 4 });
    expect(await priceBy(rate('120.0'), accepted)).toMatchObject({ kind: 'wait' });
  });

  it('goes by its own record while the followed table has not got it', async () => {
    const accepted = memoryRates();
    const blind: AcceptedRates = { ...accepted, last: () => undefined };
    const processor = stage(rate('125.0'), blind);
    await processor.prepare(batch);
    await processor.prepare(batch);
    expect(accepted.acceptedRecords).toHaveLength(1);
  });
});
