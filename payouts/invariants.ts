// Invariants of a payout, checked from its own record alone. Every state that `decide` reaches satisfies them.
import { attemptKey } from './changes.ts';
import type { Payout, PayoutPhase, PayoutUpdate } from './payout.ts';

/** An attempt is alive at the provider, or may be. */
const ALIVE: readonly PayoutPhase[] = ['SUBMITTING', 'ACCEPTED', 'OUTCOME_UNKNOWN'];
/** Phases that settlement hears of as they begin. */
const REPORTED: readonly PayoutPhase[] = ['PAID', 'FAILED', 'RETURNED', 'EXPIRED'];
/** After these comes nothing that is not reported too. */
const FINAL: readonly PayoutUpdate['status'][] = ['PAID', 'FAILED', 'RETURNED'];
const MONEY_MOVED: readonly PayoutPhase[] = ['PAID', 'RETURNED'];

/** What is wrong with a payout, in a clause; undefined: its parts agree. */
export function brokenInvariant(payout: Payout): string | undefined {
  return brokenAttempts(payout) ?? brokenUpdates(payout);
}

function brokenAttempts({ payoutId, phase, attempts, lastAttempt }: Payout): string | undefined {
  for (const [index, { number, key, end }] of attempts.entries()) {
    if (key !== attemptKey(payoutId, number)) return `the key of attempt ${number} is not its own`;
    if (index > 0 && number <= attempts[index - 1]!.number)
      return `attempt ${number} does not follow the one before it`;
    if (end === null && index < attempts.length - 1) return `attempt ${number} is alive, and is not the last`;
  }
  const last = attempts.at(-1);
  if ((last?.number ?? 0) !== lastAttempt) return `its last attempt is not number ${lastAttempt}`;
  if (ALIVE.includes(phase) !== (last !== undefined && last.end === null)) {
    return `it is ${phase}, and its last attempt is ${last?.end?.how ?? (last ? 'alive' : 'none')}`;
  }
  const paid = attempts.filter(({ end }) => end?.how === 'paid').length;
  if (paid !== (MONEY_MOVED.includes(phase) ? 1 : 0)) return `it is ${phase}, and ${paid} of its attempts were paid`;
  return undefined;
}

function brokenUpdates({ phase, updates, publishedVersion }: Payout): string | undefined {
  for (const [index, { version }] of updates.entries()) {
    if (version !== index + 1) return `version ${version} stands where ${index + 1} is due`;
  }
  if (publishedVersion < 0 || publishedVersion > updates.length) {
    return `version ${publishedVersion} counts as published, of ${updates.length}`;
  }
  const status = updates.at(-1)?.status;
  if (REPORTED.includes(phase) && status !== phase) return `it is ${phase}, and has reported ${status ?? 'nothing'}`;
  if (status && FINAL.includes(status) && status !== phase) return `it has reported ${status}, and is ${phase}`;
  return undefined;
}
