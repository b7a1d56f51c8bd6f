import { expect, it } from 'vitest';
import { otherProviderPayouts } from './other-provider-payouts.ts';

it('payouts of another provider are in health, metrics and the log, with what to do, until none is due', () => {
  const logged: string[] = [];
  const counts: number[] = [];
  const others = otherProviderPayouts({
    provider: 'new-bank',
    topic: 'payout.requested',
    onDue: (detail) => logged.push(detail),
    onCount: (count) => counts.push(count),
  });
  others.counted(0);
  expect(others.troubles()).toEqual([]);
  others.counted(3);
  others.counted(2);
  expect(others.troubles()).toMatchObject([{ dependency: 'provider', code: 'PAYOUT_OTHER_PROVIDER' }]);
  expect(others.troubles()[0]!.detail).toMatch(/^2 payouts or more .* another provider than new-bank/);
  expect(logged).toEqual([expect.stringContaining('Set CORRIDOR_PROVIDER_NAME to the name that they bear')]);
  others.counted(0);
  expect(others.troubles()).toEqual([]);
  others.counted(1);
  expect(logged).toHaveLength(2);
  expect(counts).toEqual([0, 3, 2, 0, 1]);
});
