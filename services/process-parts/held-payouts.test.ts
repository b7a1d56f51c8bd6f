import { expect, it } from 'vitest';
import { heldPayouts } from './held-payouts.ts';

it('payouts of another provider are in health, metrics and the log, with what to do, until none is held', () => {
  const told: string[] = [];
  const counts: number[] = [];
  const held = heldPayouts({
    provider: 'new-bank',
    topic: 'payout.requested',
    onHeld: (detail) => told.push(detail),
    onCount: (count) => counts.push(count),
  });
  held.counted(0);
  expect(held.troubles()).toEqual([]);
  held.counted(3);
  held.counted(2);
  expect(held.troubles()).toMatchObject([{ dependency: 'provider', code: 'PAYOUT_OTHER_PROVIDER' }]);
  expect(held.troubles()[0]!.detail).toMatch(/^2 payouts or more .* another provider than new-bank/);
  expect(told).toEqual([expect.stringContaining('Set CORRIDOR_PROVIDER_NAME to the name that they bear')]);
  held.counted(0);
  expect(held.troubles()).toEqual([]);
  held.counted(1);
  expect(told).toHaveLength(2);
  expect(counts).toEqual([0, 3, 2, 0, 1]);
});
