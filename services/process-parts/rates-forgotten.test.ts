import { expect, it } from 'vitest';
import { silentLogger } from '../../runtime/logs-and-metrics/logger.ts';
import { createMetrics } from '../../runtime/logs-and-metrics/metrics.ts';
import { AT } from '../../test/kit/builders.ts';
import { ratesForgotten } from './rates-forgotten.ts';

it('is told in health and metrics for as long as the process runs', async () => {
  const metrics = createMetrics();
  const { onForgotten, troubles } = ratesForgotten({ logger: silentLogger, metrics }, () => AT);
  expect(troubles()).toEqual([]);
  const rate = { corridor: 'GB-IN', base: 'GBP', quote: 'INR', rate: '125.0', source: 'ecb', observedAt: AT };
  onForgotten([{ ...rate, version: 1, acceptedAt: AT, approvalId: null }]);
  const reported = {
    ...{ dependency: 'fx.accepted-rates', code: 'RATES_FORGOTTEN', since: AT },
    detail: expect.stringContaining('GB-IN GBP/INR 125.0'),
  };
  expect(troubles()).toMatchObject([reported]);
  expect(troubles()).toMatchObject([reported]);
  expect((await metrics.faults.get()).values).toMatchObject([
    { labels: { consumer: 'fx-pricing', code: 'RATES_FORGOTTEN' }, value: 1 },
  ]);
});
