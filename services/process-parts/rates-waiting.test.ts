import { expect, it } from 'vitest';
import { createFxPricing } from '../../processors/fx-pricing/processor.ts';
import { createMetrics } from '../../runtime/logs-and-metrics/metrics.ts';
import type { FxRate } from '../../schemas/types.generated.ts';
import { AT, BOOK, BUILT_IN_PRICES, fxRate, received, transferScreened } from '../../test/kit/builders.ts';
import { memoryRates } from '../../test/kit/memory-rates.ts';
import { ratesWaiting } from './rates-waiting.ts';

it('health and metrics name each pair for which a person is needed, before a transfer waits for it, and until it is over', async () => {
  let now = AT;
  let table: FxRate[] = [fxRate({ rate: '125.0' })];
  let version = 1;
  const rates = {
    get version() {
      return version;
    },
    entries: () => table.map((rate) => [rate.source, rate] as const),
  };
  const say = (...rows: FxRate[]) => {
    table = rows;
    version += 1;
  };
  const pricing = createFxPricing({
    rates,
    accepted: memoryRates(),
    corridors: BOOK,
    terms: BUILT_IN_PRICES,
    clock: () => now,
  });
  const metrics = createMetrics();
  const shown = ratesWaiting(pricing, metrics, () => now);
  const gauge = async () =>
    (await metrics.ratesWaiting.get()).values.map(({ labels, value }) => ({ ...labels, value }));
  await pricing.prepare([received('transfer.screened', transferScreened())]);
  expect(shown()).toEqual([]);

  say(fxRate({ rate: '1250.0' }));
  const jumped = { dependency: 'rate GBP/INR of GB-IN', code: 'RATE_JUMPED', since: AT };
  expect(shown()).toMatchObject([{ ...jumped, detail: expect.stringContaining('from GBP/INR 125.0 (version 1)') }]);
  now += 5_000;
  expect(shown()).toMatchObject([jumped]);
  expect(await gauge()).toEqual([{ corridor: 'GB-IN', pair: 'GBP/INR', code: 'RATE_JUMPED', value: 1 }]);

  say(fxRate({ rate: '125.0' }), fxRate({ rate: '150.0', source: 'other' }));
  expect(shown().map(({ code, dependency }) => `${code} ${dependency}`)).toContain(
    'RATE_DISPUTED rate GBP/INR of GB-IN',
  );
  say(fxRate({ rate: '125.0' }));
  expect(shown()).toEqual([]);
  expect(await gauge()).toEqual([]);
});
