// Cases of payouts as people work on them: listed, shown, closed once.
import { justificationText, personName } from '../../../domain/people/identities.ts';
import type { Payout, PayoutCase } from '../../../payouts/payout.ts';
import { CodedError } from '../../../ports/fault.ts';
import { type CaseClosing, closeCase } from './decide.ts';
import type { PayoutsWithCases } from './ports.ts';

/** A change that keeps losing its race is given up. */
const MAX_RACES = 10;

/** A case, the payout that it is about, and its place among those of this payout, from 1. */
export interface PlacedPayoutCase {
  readonly payout: Payout;
  readonly one: PayoutCase;
  readonly number: number;
}

/** The open cases of at most `limit` payouts, the oldest first. */
export async function listPayoutCases(
  store: Pick<PayoutsWithCases, 'openCases'>,
  limit: number,
): Promise<readonly PlacedPayoutCase[]> {
  return openCasesOf(await store.openCases(limit));
}

/** The open cases of these payouts, the oldest first. Pure. */
export const openCasesOf = (payouts: readonly Payout[]): readonly PlacedPayoutCase[] =>
  payouts
    .flatMap((payout) => payout.cases.map((one, index) => ({ payout, one, number: index + 1 })))
    .filter(({ one }) => one.closedAt === null)
    .sort((a, b) => a.one.openedAt - b.one.openedAt);

/** A payout as operators see it, without the parties. @throws CodedError PAYOUT_UNKNOWN */
export async function showPayout(store: Pick<PayoutsWithCases, 'load'>, payoutId: string): Promise<ShownPayout> {
  const [found] = await store.load([payoutId]);
  if (!found) throw unknown(payoutId);
  return shownPayout(found);
}

/**
 * Closes a case by compare-and-set on the revision; what somebody else has written meanwhile is looked at anew.
 * @param at ms since the epoch
 * @throws CodedError PAYOUT_UNKNOWN, PAYOUT_BUSY, SECOND_PERSON_NEEDED, what `closeCase` throws, and when the store cannot be reached
 */
export async function closePayoutCase(
  store: Pick<PayoutsWithCases, 'load' | 'apply'>,
  payoutId: string,
  asked: CaseClosing,
  at: number,
): Promise<Payout> {
  const closing = { ...asked, by: personName(asked.by), reason: justificationText(asked.reason) };
  if (closing.statement && closing.agreedBy === undefined) {
    throw new CodedError('SECOND_PERSON_NEEDED', 'the statement of a provider is taken from two persons alone');
  }
  for (let race = 0; race < MAX_RACES; race++) {
    const [payout] = await store.load([payoutId]);
    if (!payout) throw unknown(payoutId);
    // Our own write, which somebody has written over before we were told that it won.
    if (race > 0 && isThis(payout.cases[closing.number - 1], closing, at)) return payout;
    const next = closeCase(payout, closing, at);
    const [won] = await store.apply([{ from: payout.revision, next }]);
    if (won) return next;
  }
  throw new CodedError(
    'PAYOUT_BUSY',
    `payout ${payoutId} is being written to all the time; nothing was closed: try again`,
  );
}

const unknown = (payoutId: string): CodedError =>
  new CodedError('PAYOUT_UNKNOWN', `there is no payout ${payoutId}: its id is that of the transfer`);

/** Whether just this closing stands there: by whom, let through by whom, for what reason, by what statement. */
function isThis(found: PayoutCase | undefined, { by, reason, agreedBy, statement }: CaseClosing, at: number): boolean {
  const { closing } = found ?? {};
  if (found?.closedAt !== at || closing?.by !== by || closing.reason !== reason) return false;
  return closing.agreedBy === agreedBy && closing.statement?.outcome === statement?.outcome;
}

export type ShownPayout = ReturnType<typeof shownPayout>;

/** A payout as operators see it: all but the request, which holds the parties. Pure. */
export function shownPayout(payout: Payout) {
  const { payoutId, revision, phase, provider, homePartition, pricingAttempt, publishedVersion } = payout;
  return {
    payoutId,
    revision,
    phase,
    provider,
    homePartition,
    pricingAttempt,
    priceExpiresAt: dateOf(payout.priceExpiresAt),
    nextPollAt: dateOf(payout.nextPollAt),
    createdAt: dateOf(payout.createdAt),
    changedAt: dateOf(payout.changedAt),
    attempts: payout.attempts.map((attempt) => ({
      ...attempt,
      startedAt: dateOf(attempt.startedAt),
      leaseUntil: dateOf(attempt.leaseUntil),
      expiresAt: dateOf(attempt.expiresAt),
      unknownSince: dateOf(attempt.unknownSince),
      acceptedAt: dateOf(attempt.acceptedAt),
      end: attempt.end && { ...attempt.end, at: dateOf(attempt.end.at) },
    })),
    cases: payout.cases.map((one, index) => ({
      case: index + 1,
      ...one,
      openedAt: dateOf(one.openedAt),
      closedAt: dateOf(one.closedAt),
    })),
    updates: payout.updates.map((update) => ({ ...update, changedAt: dateOf(update.changedAt) })),
    publishedVersion,
  };
}

const dateOf = (ms: number | null) => (ms === null ? null : new Date(ms));
