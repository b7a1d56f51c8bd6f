// A payout that was put back to an older state of its own: it stops, and waits for a person. Pure.
import { STOPPED } from './attempt-ledger.ts';
import { lastAttempt, openCase, withAttempt } from './changes.ts';
import type { Payout } from './payout.ts';

/** Whether it is known to have been put back, whatever a person has made of it since. */
export const wasRolledBack = ({ cases }: Payout): boolean => cases.some(({ code }) => code === 'ROLLED_BACK');

/**
 * Nothing begins any more, no price is asked for or taken. An attempt that is open is still asked about: it is dead by what
 * the later one proves, and a person can end the payout then. Settlement hears nothing: what the document lacks may have been reported.
 */
export function stopRolledBack(payout: Payout, claimed: number, at: number): Payout {
  if (wasRolledBack(payout)) return payout;
  const lacks =
    claimed === STOPPED
      ? 'The payout was stopped, and this document has neither a case nor a statement that says so'
      : `Attempt ${claimed} was claimed, and this document, whose last is ${payout.lastAttempt}, lacks it or has begun it again`;
  const detail = `${lacks}: it was put back to an older state.`;
  return stopped(payout, detail, at);
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

function stopped(payout: Payout, detail: string, at: number): Payout {
  const flagged = openCase(payout, 'ROLLED_BACK', detail, at);
  return payout.phase === 'NEW' ? { ...flagged, nextPollAt: null } : flagged;
}
