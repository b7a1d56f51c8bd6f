import { BSON } from 'mongodb';
import { expect, it } from 'vitest';
import { MAX_EXPIRED_PRICES, openPayout } from '../../payouts/decide.ts';
import type { Attempt, Payout, PayoutCase, PayoutUpdate } from '../../payouts/payout.ts';
import { DEFAULT_PAYOUT_POLICY } from '../../payouts/policy.ts';
import { payoutDocument } from './payout-document.ts';

const ID = 'x'.repeat(36);
const TEXT = 'y'.repeat(200);
const MAX_DOCUMENT_BYTES = 16 * 1_024 * 1_024;
/** The largest record that a topic takes. */
const MAX_REQUEST_BYTES = 1_048_576;

it('a payout with as much of everything as there may be is far from the largest document', () => {
  const attempts = Array.from({ length: DEFAULT_PAYOUT_POLICY.maxAttempts }, (_, index): Attempt => {
    const end = { how: 'not-sent', at: 1, code: 'ATTEMPT_TAKEN' } as const;
    const times = { startedAt: 1, leaseUntil: 1, expiresAt: 1, unknownSince: 1, acceptedAt: 1 };
    return { number: index + 1, key: `${ID}:${index}`, pricingAttempt: 1, ...times, notFound: true, end };
  });
  // Each price may be reported as unknown, for each of its attempts, before it expires.
  const length = MAX_EXPIRED_PRICES + 2 * attempts.length;
  const updates = Array.from({ length }, (_, index): PayoutUpdate => {
    const update = { version: index + 1, status: 'OUTCOME_UNKNOWN', pricingAttempt: index, changedAt: 1 } as const;
    return { ...update, attemptKey: `${ID}:99`, providerReference: TEXT, reason: { code: 'NARR', detail: TEXT } };
  });
  // For each price one that came too late, and for each attempt each kind that a person has closed.
  const cases = Array.from({ length: MAX_EXPIRED_PRICES + 6 * attempts.length }, (): PayoutCase => {
    const closing = { by: TEXT, reason: TEXT.repeat(5), seal: TEXT };
    return { code: 'SUPERSEDE_REFUSED', detail: TEXT, attemptKey: `${ID}:99`, openedAt: 1, closedAt: 2, closing };
  });
  const request = { payoutId: ID, provider: 'simulator', homePartition: 1, pricingAttempt: 1, priceExpiresAt: 1 };
  const requested = new Uint8Array(MAX_REQUEST_BYTES);
  const payout: Payout = { ...openPayout({ ...request, requested }, 1), attempts, updates, cases };
  expect(BSON.calculateObjectSize(payoutDocument(payout, ID))).toBeLessThan(MAX_DOCUMENT_BYTES / 4);
});
