// The seal of a stored payout: that an executor wrote all of it, as it is. What is paid, to whom, under which keys and what
// is published of it afterwards counts only while the seal does. Beside it stands the seal of the stage that asked for it: whoever
// has the executor's keys alone makes up no payout. Pure.
import { nameSkeleton } from '../domain/people/identities.ts';
import { isSealedRecord } from '../domain/seals/record-seal.ts';
import { isSealed, type KeyRing, sealOf } from '../domain/seals/seal.ts';
import type { Attempt, CaseClosed, Payout, PayoutCase } from './payout.ts';
import { statementOf } from './statement.ts';

/** The seal of a payout, made at the moment it is decided. */
export const sealPayout = (ring: KeyRing, payout: Payout): string => sealOf(ring, 'payout', bound(payout));

/** Whether a key of this ring sealed exactly this payout. */
export const isSealedPayout = (ring: KeyRing, payout: Payout, seal: unknown): boolean =>
  typeof seal === 'string' && isSealed(ring, 'payout', bound(payout), seal);

/** Whether payout dispatch asked for exactly this payout: a key of the stages sealed the event that it holds. */
export const isAskedFor = (stages: KeyRing, { payoutId: key, requested: value, proof }: Payout): boolean =>
  proof !== null && proof !== undefined && isSealedRecord(stages, { topic: REQUESTED, key, value, ...proof });

const REQUESTED = 'payout.requested';

/** The seal of a case that a person has closed, by the number that it has among those of its payout. */
export const sealClosing = (operators: KeyRing, payoutId: string, number: number, closed: PayoutCase): string =>
  sealOf(operators, 'closing', closingContent(payoutId, number, closed));

/**
 * Whether each case that does not close by itself was closed by a person who may, or is open; and whether what counts as unpaid
 * by the provider's statement has one.
 */
export const isTrulyClosed = (operators: KeyRing, { payoutId, cases, attempts }: Payout): boolean =>
  attempts.every(({ end }) => end?.how !== 'stated-unpaid' || statementOf({ cases })?.outcome === 'UNPAID') &&
  cases.every((one, index) => {
    if (one.closedAt === null || (one.code === 'NO_PROOF' && one.closing === undefined)) return true;
    const { by = '', agreedBy, statement, seal } = one.closing ?? {};
    // The provider's statement is taken from two persons alone.
    if (statement && (agreedBy === undefined || nameSkeleton(by) === nameSkeleton(agreedBy))) return false;
    return isSealed(operators, 'closing', closingContent(payoutId, index + 1, one), seal);
  });

const closingContent = (payoutId: string, number: number, one: PayoutCase): readonly string[] => [
  payoutId,
  String(number),
  one.code,
  one.attemptKey,
  String(one.openedAt),
  String(one.closedAt),
  one.closing?.by ?? '',
  one.closing?.reason ?? '',
  ...secondContent(one.closing),
];

/** What closings of before do not have: absent, their seals stay what they were. */
const secondContent = (closing: CaseClosed | undefined): readonly string[] => {
  const { agreedBy, statement } = closing ?? {};
  if (agreedBy === undefined && statement === undefined) return [];
  const { outcome = '', reference = '', date = '', documentSha256 = '' } = statement ?? {};
  return ['agreed', agreedBy ?? '', outcome, reference, date, documentSha256];
};

/** Absent in documents of before, whose seals stay what they were. */
const tokenOf = ({ token }: Attempt): readonly string[] => (token === undefined ? [] : [token]);

/** All of a payout but `publishedVersion`, which the relay moves alone. Lists, so that no order of fields matters. */
function bound(payout: Payout): readonly (string | Uint8Array)[] {
  const { payoutId, revision, phase, provider, homePartition, pricingAttempt, priceExpiresAt, requested } = payout;
  const { attempts, lastAttempt, deadAtProvider, deadAttempts, clockDoubts, polls, nextPollAt } = payout;
  const facts = [
    [payoutId, revision, phase, provider, homePartition, pricingAttempt, priceExpiresAt, payout.createdAt],
    [lastAttempt, deadAtProvider, deadAttempts, clockDoubts, polls, nextPollAt, payout.changedAt],
    attempts.map((one) => [
      [one.number, one.key, one.pricingAttempt, one.startedAt, one.leaseUntil, one.expiresAt, one.unknownSince],
      [one.acceptedAt, one.notFound, one.end && [one.end.how, one.end.at, one.end.code], ...tokenOf(one)],
    ]),
    payout.updates.map((one) => [
      [one.version, one.status, one.pricingAttempt, one.attemptKey, one.providerReference, one.changedAt],
      one.reason && [one.reason.code, one.reason.detail],
    ]),
    payout.proof ? [payout.proof.cause, payout.proof.seal] : null,
    payout.cases.map((one) => [
      [one.code, one.detail, one.attemptKey, one.openedAt, one.closedAt],
      one.closing
        ? [one.closing.by, one.closing.reason, one.closing.seal ?? null, ...secondContent(one.closing)]
        : null,
    ]),
  ];
  return [JSON.stringify(facts), requested];
}
