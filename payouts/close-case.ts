// Closing a case by hand. It records that a person has dealt with it, and never lets money move: no attempt begins because a
// case was closed. Of a payout that may not go on, it is the end.

import type { KeyRing } from '../domain/seals/seal.ts';
import type { ErrorCode } from '../ports/error-codes.ts';
import { CodedError } from '../ports/fault.ts';
import { changed } from './changes.ts';
import { endsPayout } from './contradictions.ts';
import type { Payout, PayoutCase, PayoutPhase } from './payout.ts';
import type { PayoutStore } from './ports.ts';
import { sealClosing } from './seal.ts';

export interface CaseClosing {
  /** Place of the case among those of its payout, from 1. Cases are only ever added, so it stays the same. */
  readonly number: number;
  readonly by: string;
  readonly reason: string;
  /** Seals it: a case that somebody else closed stays open for the executor. Absent where nothing is sealed. */
  readonly operators?: KeyRing;
}

/** Phases from which no attempt ever begins again, whatever is asked for. */
const NOTHING_BEGINS: readonly PayoutPhase[] = ['PAID', 'FAILED', 'RETURNED'];
/** Nothing is alive, and closing what holds back the next attempt ends the payout: none begins. */
const NOTHING_LIVES: readonly PayoutPhase[] = ['NEW', 'EXPIRED'];
/** A change that keeps losing its race is given up. */
const MOST_RACES = 10;

/**
 * The payout with one case closed.
 * @throws CodedError CASE_UNKNOWN, CASE_NOT_OPEN, CASE_CLOSES_ITSELF, CASE_GUARDS_PAYOUT
 */
export function closeCase(payout: Payout, { number, by, reason, operators }: CaseClosing, at: number): Payout {
  const { payoutId, phase } = payout;
  const name = `case ${number} of payout ${payoutId}`;
  const found = payout.cases[number - 1];
  if (!found) throw refusal('CASE_UNKNOWN', `there is no ${name}: see \`corridor payouts cases show ${payoutId}\``);
  if (found.closedAt !== null) {
    throw refusal('CASE_NOT_OPEN', `${name} is closed already${found.closing ? ` by ${found.closing.by}` : ''}`);
  }
  if (found.code === 'NO_PROOF') {
    const why = 'polling goes on, and the case closes by itself once the provider states what became of the attempt';
    throw refusal(
      'CASE_CLOSES_ITSELF',
      `${name} is not closed by hand: ${why}; ask the provider about ${found.attemptKey}`,
    );
  }
  // Here the open case is what keeps the next attempt, or a new price, from paying a second time.
  const phases = [...NOTHING_BEGINS, ...NOTHING_LIVES];
  if (endsPayout(found) && !phases.includes(phase)) {
    const why = `the payout is ${phase}: an attempt is open, and the provider is still asked about it`;
    throw refusal('CASE_GUARDS_PAYOUT', `${name} stays open: ${why}; it can be closed in ${phases.join(', ')}`);
  }
  const settled = { ...found, closedAt: at, closing: { by, reason } };
  const seal = operators && sealClosing(operators, payoutId, number, settled);
  const closed: PayoutCase = { ...settled, closing: { by, reason, ...(seal !== undefined && { seal }) } };
  const cases = payout.cases.with(number - 1, closed);
  const ends = (one: PayoutCase) => one.code === 'ATTEMPTS_DIED' || endsPayout(one);
  const isLast = !cases.some((one) => ends(one) && one.closedAt === null);
  // The executor ends a payout that may have no more attempts: it has failed. Before the last such case it rests.
  if (ends(found) && isLast && phase === 'NEW') return changed(payout, at, { cases, nextPollAt: at });
  return changed(payout, at, { cases });
}

/**
 * Closes a case by compare-and-set on the revision; what somebody else has written meanwhile is looked at anew.
 * @param at ms since the epoch
 * @throws CodedError PAYOUT_UNKNOWN, PAYOUT_BUSY, what `closeCase` throws, and when the store cannot be reached
 */
export async function closeStoredCase(
  store: Pick<PayoutStore, 'load' | 'apply'>,
  payoutId: string,
  closing: CaseClosing,
  at: number,
): Promise<Payout> {
  for (let race = 0; race < MOST_RACES; race++) {
    const [payout] = await store.load([payoutId]);
    if (!payout) throw refusal('PAYOUT_UNKNOWN', `there is no payout ${payoutId}: its id is that of the transfer`);
    // Our own write, which somebody has written over before we were told that it won.
    if (race > 0 && isThis(payout.cases[closing.number - 1], closing, at)) return payout;
    const next = closeCase(payout, closing, at);
    const [won] = await store.apply([{ from: payout.revision, next }]);
    if (won) return next;
  }
  throw refusal('PAYOUT_BUSY', `payout ${payoutId} is being written to all the time; nothing was closed: try again`);
}

function isThis(found: PayoutCase | undefined, { by, reason }: CaseClosing, at: number): boolean {
  return found?.closedAt === at && found.closing?.by === by && found.closing.reason === reason;
}

const refusal = (code: ErrorCode, message: string) => new CodedError(code, message);
