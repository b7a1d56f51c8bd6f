// Small changes to a payout, which its decisions are made of.

import type { Attempt, Payout, PayoutCase, PayoutUpdate } from './payout.ts';

/** The payout with fields replaced, as its next revision. */
export function changed(payout: Payout, at: number, fields: Partial<Payout>): Payout {
  return { ...payout, ...fields, revision: payout.revision + 1, changedAt: at };
}

/** Idempotency key of an attempt; number 0 stands for "none was made". */
export function attemptKey(payoutId: string, number: number): string {
  return `${payoutId}:${number}`;
}

export function lastAttempt(payout: Payout): Attempt | undefined {
  return payout.attempts.at(-1);
}

/**
 * The payout with its last attempt replaced. None is ever dropped, also of those that were never sent: a claim may come into
 * the log late, and a document that lacks it was put back. The policy bounds how many there are.
 */
export function withAttempt(payout: Payout, attempt: Attempt): Payout {
  return { ...payout, attempts: [...payout.attempts.slice(0, -1), attempt] };
}

/** The payout with one more message in its outbox. */
export function withUpdate(
  payout: Payout,
  status: PayoutUpdate['status'],
  at: number,
  reason: PayoutUpdate['reason'],
  providerReference: string | null = null,
): Payout {
  const update: PayoutUpdate = {
    version: (payout.updates.at(-1)?.version ?? 0) + 1,
    status,
    pricingAttempt: payout.pricingAttempt,
    attemptKey: lastAttempt(payout)?.key ?? `${payout.payoutId}:0`,
    providerReference,
    reason,
    changedAt: at,
  };
  return { ...payout, updates: [...payout.updates, update] };
}

/** The payout with one more case for a person. */
export function openCase(
  payout: Payout,
  code: PayoutCase['code'],
  detail: string,
  at: number,
  attemptKey: string = lastAttempt(payout)?.key ?? `${payout.payoutId}:0`,
): Payout {
  const opened: PayoutCase = { code, detail, attemptKey, openedAt: at, closedAt: null };
  return changed(payout, at, { cases: [...payout.cases, opened] });
}

/** The truth came out: what waited for proof is closed. A contradiction stays open until a person closes it. */
export function settleCases(payout: Payout, at: number): Payout {
  if (!payout.cases.some(({ code, closedAt }) => code === 'NO_PROOF' && closedAt === null)) return payout;
  const cases = payout.cases.map((one) =>
    one.code === 'NO_PROOF' && one.closedAt === null ? { ...one, closedAt: at } : one,
  );
  return { ...payout, cases };
}
