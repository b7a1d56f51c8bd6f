// What two persons know from the provider's own statement of a payout that it never tells by itself: the outcome of the
// transfer, over all of its keys. Nothing begins after it, and what contradicts it later is a case, never a payment. Pure.
import { changed, lastAttempt, openCase, settleCases, withAttempt, withUpdate } from './changes.ts';
import type { Observation, Payout, PayoutPhase, ProviderStatement } from './payout.ts';
import type { PayoutPolicy } from './policy.ts';

/** Phases in which an attempt is open and nobody may send it any more: from here the provider's statement settles a payout. */
export const STATEABLE_PHASES: readonly PayoutPhase[] = ['ACCEPTED', 'OUTCOME_UNKNOWN'];

/** How often a provider that says nothing is asked after the statement, and how long after it, ms. */
const SILENCE_MS = 3_600_000;
const WATCHED_MS = 30 * 86_400_000;

/** By which statement it was settled, and when; undefined: by none. */
export function statementOf({
  cases,
}: Pick<Payout, 'cases'>): (ProviderStatement & { readonly at: number }) | undefined {
  const stated = cases.find(({ closing }) => closing?.statement !== undefined);
  return stated && { ...stated.closing!.statement!, at: stated.closedAt! };
}

/**
 * The payout after the case that says so is closed: PAID, or FAILED, which settlement hears of like any other. It is due at
 * once: whoever takes it up tells the log that nothing begins any more, and asks the provider.
 * @param reference of the statement, as the reference of the payment
 */
export function settleAsStated(payout: Payout, { outcome, reference }: ProviderStatement, at: number): Payout {
  const isPaid = outcome === 'PAID';
  const end = { how: isPaid ? 'paid' : 'stated-unpaid', at, code: 'STATED' } as const;
  const ended = settleCases(withAttempt(payout, { ...lastAttempt(payout)!, end }), at);
  const settled = changed(ended, at, { phase: isPaid ? 'PAID' : 'FAILED', polls: 0, nextPollAt: at });
  if (isPaid) return withUpdate(settled, 'PAID', at, null, reference);
  return withUpdate(settled, 'FAILED', at, { code: 'NARR', detail: 'The provider states that it has not paid.' });
}

/** Whether the provider is still asked about a payout that has failed by its statement. */
export const isStatedUnpaid = (payout: Payout): boolean => statementOf(payout)?.outcome === 'UNPAID';

/** What the provider says of a key by which it had not paid, as it stated. Taken, it is not; in silence it does not pass. */
export function afterStatedUnpaid(
  payout: Payout,
  key: string,
  seen: Observation,
  at: number,
  policy: PayoutPolicy,
): Payout {
  const isOtherwise = seen.state === 'PAID' || seen.state === 'RETURNED' || seen.state === 'ACCEPTED';
  const next = isOtherwise ? contradicted(payout, key, `says ${seen.state}`, at) : payout;
  return watchOn(next, at, policy);
}

/** The provider said nothing of a payout that was settled by its statement: it is asked again, for a month. */
export function unansweredStatement(payout: Payout, at: number): Payout {
  const { at: stated } = statementOf(payout)!;
  const next = at + SILENCE_MS;
  return changed(payout, at, { nextPollAt: next > stated + WATCHED_MS ? null : next });
}

/** As often as after a payment that the provider has told. */
function watchOn(payout: Payout, at: number, policy: PayoutPolicy): Payout {
  const wait = policy.returnPollsMs[payout.polls];
  return changed(payout, at, { polls: payout.polls + 1, nextPollAt: wait === undefined ? null : at + wait });
}

/** Something else than the statement was learnt of a key: one open case tells it, however often it is said. */
export function contradicted(payout: Payout, key: string, clause: string, at: number): Payout {
  const isKnown = payout.cases.some(
    (one) => one.code === 'CONTRADICTION' && one.attemptKey === key && one.closedAt === null,
  );
  if (isKnown) return payout;
  const { outcome, date } = statementOf(payout)!;
  const detail = `The provider ${clause} of a payout that it had stated as ${outcome}, by its statement of ${date}.`;
  return openCase(payout, 'CONTRADICTION', detail, at, key);
}
