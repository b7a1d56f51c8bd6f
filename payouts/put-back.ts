// A payout that was put back to an older state of its own: it stops, and waits for a person. Pure.
import { type ClaimedAttempt, lackedBy } from './attempt-ledger.ts';
import { attemptKey, lastAttempt, openCase, withAttempt } from './changes.ts';
import type { Payout } from './payout.ts';

/** Whether it is known to have been put back, whatever a person has made of it since. */
export const wasRolledBack = ({ cases }: Payout): boolean => cases.some(({ code }) => code === 'ROLLED_BACK');

/** Cases that say of this claim that the document lacks it. */
const casesOf = (payout: Payout, claimed: ClaimedAttempt) => {
  const lacked = lackedBy(payout, claimed);
  const key = lacked && attemptKey(payout.payoutId, lacked.number);
  return payout.cases.filter(
    ({ code, attemptKey: named }) => code === 'ROLLED_BACK' && (key === undefined || named === key),
  );
};

/** Whether a case says of this very claim that the document lacks it. */
export const isNamedBehind = (payout: Payout, claimed: ClaimedAttempt): boolean => casesOf(payout, claimed).length > 0;

/** Whether a person has closed the case that says so: they know what became of the key, as its evidence names it. */
export const isReconciled = (payout: Payout, claimed: ClaimedAttempt): boolean =>
  casesOf(payout, claimed).some(({ closedAt }) => closedAt !== null);

/**
 * Nothing begins any more, no price is asked for or taken. An attempt that is open is still asked about: it is dead by what
 * the later one proves, and a person can end the payout then. Settlement hears nothing: what the document lacks may have been reported.
 * The case bears the key that the document lacks.
 */
export function stopRolledBack(payout: Payout, claimed: ClaimedAttempt, at: number): Payout {
  if (isNamedBehind(payout, claimed)) return payout;
  const lacked = lackedBy(payout, claimed);
  const lacks = lacked
    ? `Attempt ${lacked.number} was claimed, and this document, whose last is ${payout.lastAttempt}, lacks it or has begun it again`
    : 'The payout was stopped, and this document has neither a case nor a statement that says so';
  const detail = `${lacks}: it was put back to an older state.`;
  return stopped(payout, detail, at, lacked && attemptKey(payout.payoutId, lacked.number));
}

/** The worker that has begun an attempt may not send it: its claim does not stand. */
export function giveBack(payout: Payout, key: string, at: number): Payout {
  const attempt = lastAttempt(payout);
  if (payout.phase !== 'SUBMITTING' || attempt?.key !== key) return payout;
  const unsent = withAttempt(payout, { ...attempt, end: { how: 'not-sent', at, code: 'ATTEMPT_TAKEN' } });
  const detail = `The claim of attempt ${attempt.number} does not stand: an attempt was claimed before that this document lacks or has begun again, so it was put back to an older state.`;
  return stopped({ ...unsent, phase: 'NEW', polls: 0 }, detail, at);
}

/** So old that the log need not have the claims of its attempts any more: nobody can tell what was sent. */
export function stopUnprovable(payout: Payout, at: number): Payout {
  if (payout.phase !== 'NEW' || wasRolledBack(payout)) return payout;
  return stopped(payout, 'The payout is older than the log of attempts reaches: nobody can tell what was sent.', at);
}

function stopped(payout: Payout, detail: string, at: number, key?: string): Payout {
  const flagged = openCase(payout, 'ROLLED_BACK', detail, at, key);
  return payout.phase === 'NEW' ? { ...flagged, nextPollAt: null } : flagged;
}
