// Payouts in the states that tests of decisions begin with, of one transfer and one price.
import { afterSubmit, beginAttempt, openPayout, type PayoutRequest } from '../decide.ts';
import type { Observation, Payout } from '../payout.ts';
import { DEFAULT_PAYOUT_POLICY as POLICY } from '../policy.ts';

export const T0 = 1_000_000;
export const REQUEST: PayoutRequest = {
  payoutId: 't-1',
  provider: 'p',
  homePartition: 3,
  pricingAttempt: 1,
  priceExpiresAt: T0 + 600_000,
  requested: new Uint8Array([1]),
};
export const saw = (state: Observation['state'], reasonCode: string | null = null): Observation => ({
  kind: 'observed',
  state,
  reference: null,
  reasonCode,
});
export const silent = { kind: 'unknown', code: 'TIMEOUT', detail: '' } as const;

export const submitting = () => beginAttempt(openPayout(REQUEST, T0), T0, POLICY);
export const unknown = (at = T0) => afterSubmit(submitting(), { key: 't-1:1', result: silent, at }, POLICY);
export const accepted = () => afterSubmit(submitting(), { key: 't-1:1', result: saw('ACCEPTED'), at: T0 }, POLICY);
export const paid = () => afterSubmit(submitting(), { key: 't-1:1', result: saw('PAID'), at: T0 }, POLICY);
export const statuses = (payout: Payout) => payout.updates.map(({ status }) => status);
