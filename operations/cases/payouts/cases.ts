// Cases of payouts as people work on them: listed, shown, closed once.
import { justificationText, personName } from '../../../domain/people/identities.ts';
import type { ClaimedAttempt } from '../../../payouts/attempt-ledger.ts';
import type { Payout, PayoutCase } from '../../../payouts/payout.ts';
import { stopRolledBack } from '../../../payouts/put-back.ts';
import { CodedError } from '../../../ports/fault.ts';
import { type CaseClosing, closeCase } from './decide.ts';
import type { ClosingStore, PayoutsWithCases } from './ports.ts';
import { attemptUnknownTo } from './reconcile.ts';

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
): Promise<{ readonly cases: readonly PlacedPayoutCase[]; readonly isCut: boolean }> {
  const { payouts, isCut } = await store.openCases(limit);
  return { cases: openCasesOf(payouts), isCut };
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
 *
 * What could happen: the document was put back, and lacks an attempt that was sent and may be paid; it is closed as unpaid. What
 * stops it: the claims of the log are looked at, and what it lacks becomes a case that names the key (ADR 26).
 * @throws CodedError PAYOUT_UNKNOWN, PAYOUT_BUSY, SECOND_PERSON_NEEDED, PAYOUT_LACKS_ATTEMPT, what `closeCase` throws, and when
 *   the store or the log cannot be reached
 */
export async function closePayoutCase(
  store: ClosingStore,
  payoutId: string,
  asked: CaseClosing,
  at: number,
): Promise<Payout> {
  const closing = { ...asked, by: personName(asked.by), reason: justificationText(asked.reason) };
  if (closing.statement && closing.agreedBy === undefined) {
    throw new CodedError('SECOND_PERSON_NEEDED', 'the statement of a provider is taken from two persons alone');
  }
  const claims = await store.claims?.();
  for (let race = 0; race < MAX_RACES; race++) {
    // Asked before the read: an attempt is stored before it is claimed.
    const claimed = claims?.highest(payoutId);
    const [payout] = await store.load([payoutId]);
    if (!payout) throw unknown(payoutId);
    // Our own write, which somebody has written over before we were told that it won.
    if (race > 0 && isThis(payout.cases[closing.number - 1], closing, at)) return payout;
    const next = closeCase(payout, closing, at);
    const lacks = attemptUnknownTo(payout, closing, claimed);
    if (lacks !== undefined) {
      await tellBehind(store, payout, claimed!, closing.doneAt ?? at);
      throw new CodedError('PAYOUT_LACKS_ATTEMPT', `case ${closing.number} of payout ${payoutId} stays open: ${lacks}`);
    }
    const [won] = await store.apply([{ from: payout.revision, next }]);
    if (won) return next;
  }
  throw new CodedError(
    'PAYOUT_BUSY',
    `payout ${payoutId} is being written to all the time; nothing was closed: try again`,
  );
}

/** What the document lacks becomes a case. Somebody else may have written meanwhile: whoever looks at the payout next tells it then. */
async function tellBehind(store: ClosingStore, payout: Payout, claimed: ClaimedAttempt, at: number): Promise<void> {
  const next = stopRolledBack(payout, claimed, at);
  if (next !== payout) await store.apply([{ from: payout.revision, next }]);
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
