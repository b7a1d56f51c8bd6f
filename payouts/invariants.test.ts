import { describe, expect, it } from 'vitest';
import { afterSubmit, beginAttempt, expire, openPayout } from './decide.ts';
import { brokenInvariant } from './invariants.ts';
import type { Payout } from './payout.ts';
import { DEFAULT_PAYOUT_POLICY as POLICY } from './policy.ts';

const T0 = 1_700_000_000_000;
const NEW = openPayout(
  {
    payoutId: 'transfer-1',
    provider: 'simulator',
    homePartition: 3,
    pricingAttempt: 1,
    priceExpiresAt: T0 + 600_000,
    requested: new Uint8Array([1]),
  },
  T0,
);
const SUBMITTING = beginAttempt(NEW, T0, POLICY);
const SENT = { kind: 'observed', reference: null, reasonCode: null } as const;
const PAID = afterSubmit(SUBMITTING, { key: 'transfer-1:1', result: { ...SENT, state: 'PAID' }, at: T0 }, POLICY);
const TWO: Payout = {
  ...SUBMITTING,
  attempts: [SUBMITTING.attempts[0]!, { ...SUBMITTING.attempts[0]!, number: 2, key: 'transfer-1:2' }],
  lastAttempt: 2,
};

describe('a payout by itself', () => {
  it.each([
    ['new', NEW],
    ['sent', SUBMITTING],
    ['paid', PAID],
    ['expired', expire(NEW, T0)],
  ])('is without a flaw as it is decided: %s', (_what, payout) => {
    expect(brokenInvariant(payout)).toBeUndefined();
  });

  it.each<readonly [string, Payout]>([
    ['the key of attempt 1 is not its own', { ...SUBMITTING, payoutId: 'transfer-2' }],
    ['attempt 1 does not follow the one before it', { ...PAID, attempts: [PAID.attempts[0]!, PAID.attempts[0]!] }],
    ['attempt 1 is alive, and is not the last', TWO],
    ['its last attempt is not number 2', { ...SUBMITTING, lastAttempt: 2 }],
    ['it is NEW, and its last attempt is alive', { ...SUBMITTING, phase: 'NEW' }],
    ['it is ACCEPTED, and its last attempt is none', { ...NEW, phase: 'ACCEPTED' }],
    ['it is ACCEPTED, and its last attempt is paid', { ...PAID, phase: 'ACCEPTED' }],
    ['it is NEW, and 1 of its attempts were paid', { ...PAID, phase: 'NEW' }],
    ['version 2 stands where 1 is due', { ...PAID, updates: [{ ...PAID.updates[0]!, version: 2 }] }],
    ['version 2 counts as published, of 1', { ...PAID, publishedVersion: 2 }],
    ['it is PAID, and has reported nothing', { ...PAID, updates: [], publishedVersion: 0 }],
    ['it has reported FAILED, and is NEW', { ...NEW, updates: [{ ...PAID.updates[0]!, status: 'FAILED' }] }],
  ])('%s', (flaw, payout) => {
    expect(brokenInvariant(payout)).toBe(flaw);
  });
});
