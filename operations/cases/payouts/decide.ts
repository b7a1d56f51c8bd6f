// Closing a case by hand. It records that a person has dealt with it, and never lets money move: no attempt begins because a
// case was closed. Of a payout that may not go on, it is the end; so it is where the provider has stated the outcome. Pure.
import { hash } from 'node:crypto';
import { justificationText, personName } from '../../../domain/people/identities.ts';
import type { KeyRing } from '../../../domain/seals/seal.ts';
import { changed } from '../../../payouts/changes.ts';
import { endsPayout } from '../../../payouts/contradictions.ts';
import type { Payout, PayoutCase, PayoutPhase, ProviderStatement } from '../../../payouts/payout.ts';
import { sealClosing } from '../../../payouts/seal.ts';
import { settleAsStated } from '../../../payouts/statement.ts';
import { CodedError } from '../../../ports/fault.ts';
import { checkStatement } from './statement.ts';

export interface CaseClosing {
  /** Place of the case among those of its payout, from 1. Cases are only ever added, so it stays the same. */
  readonly number: number;
  readonly by: string;
  readonly reason: string;
  /** Who let it through, where two persons had to agree. */
  readonly agreedBy?: string;
  /** The provider's, by which the payout is settled: two persons alone take it. */
  readonly statement?: ProviderStatement;
  /** Seals it: a case that somebody else closed stays open for the executor. Absent where nothing is sealed. */
  readonly operators?: KeyRing;
  /** `payoutCaseHash` of the case as the person saw it. Absent: whatever it is now. */
  readonly seen?: string;
  /** Keys of all attempts that the statement was given about, oldest first. Absent: of whatever there are. */
  readonly keys?: readonly string[];
  /** By the clock of who does what another program let through, ms since 1970. Absent: it is done at once. */
  readonly doneAt?: number;
}

/** Phases from which no attempt ever begins again, whatever is asked for. */
const NOTHING_BEGINS: readonly PayoutPhase[] = ['PAID', 'FAILED', 'RETURNED'];
/** Nothing is alive, and closing what holds back the next attempt ends the payout: none begins. */
const NOTHING_LIVES: readonly PayoutPhase[] = ['NEW', 'EXPIRED'];

/**
 * The payout with one case closed.
 * @param at when it was decided, ms since 1970; what rests on time is over only when `doneAt` says so too
 * @throws DomainError PERSON_INVALID, JUSTIFICATION_INVALID
 * @throws CodedError CASE_UNKNOWN, CASE_NOT_OPEN, EVIDENCE_CHANGED, CASE_CLOSES_ITSELF, CASE_GUARDS_PAYOUT, and with a
 *   statement STATEMENT_UNFIT, SECOND_PERSON_NEEDED
 */
export function closeCase(payout: Payout, asked: CaseClosing, at: number): Payout {
  const { number, operators } = asked;
  const by = personName(asked.by);
  const reason = justificationText(asked.reason);
  const { payoutId, phase } = payout;
  const name = `case ${number} of payout ${payoutId}`;
  const found = payout.cases[number - 1];
  if (!found)
    throw new CodedError('CASE_UNKNOWN', `there is no ${name}: see \`corridor payouts cases show ${payoutId}\``);
  if (found.closedAt !== null) {
    throw new CodedError('CASE_NOT_OPEN', `${name} is closed already${found.closing ? ` by ${found.closing.by}` : ''}`);
  }
  if (asked.seen !== undefined && asked.seen !== payoutCaseHash(payout, number)) {
    throw new CodedError('EVIDENCE_CHANGED', `${name} is not as it was shown: look at it again`);
  }
  const { statement, agreedBy } = asked;
  const earliest = Math.min(at, asked.doneAt ?? at);
  if (statement) checkStatement(payout, found, { ...asked, statement }, earliest);
  else checkClosing(payout, found, name);
  const closing = { by, reason, ...(agreedBy !== undefined && { agreedBy }), ...(statement && { statement }) };
  const settled = { ...found, closedAt: at, closing };
  const seal = operators && sealClosing(operators, payoutId, number, settled);
  const closed: PayoutCase = { ...settled, closing: { ...closing, ...(seal !== undefined && { seal }) } };
  const cases = payout.cases.with(number - 1, closed);
  if (statement) return { ...settleAsStated({ ...payout, cases }, statement, at), nextPollAt: earliest };
  const ends = (one: PayoutCase) => one.code === 'ATTEMPTS_DIED' || endsPayout(one);
  const isLast = !cases.some((one) => ends(one) && one.closedAt === null);
  // The executor ends a payout that may have no more attempts: it has failed. Before the last such case it rests.
  if (ends(found) && isLast && phase === 'NEW') return changed(payout, at, { cases, nextPollAt: earliest });
  return changed(payout, at, { cases });
}

/** @throws CodedError CASE_CLOSES_ITSELF, CASE_GUARDS_PAYOUT */
function checkClosing({ phase }: Payout, found: PayoutCase, name: string): void {
  const orState = `or say \`paid\` or \`unpaid\` by its statement of account or letter`;
  if (found.code === 'NO_PROOF') {
    const why = 'polling goes on, and the case closes by itself once the provider states what became of the attempt';
    throw new CodedError(
      'CASE_CLOSES_ITSELF',
      `${name} is not closed by hand: ${why}; ask the provider about ${found.attemptKey}, ${orState}`,
    );
  }
  // Here the open case is what keeps the next attempt, or a new price, from paying a second time.
  const phases = [...NOTHING_BEGINS, ...NOTHING_LIVES];
  if (endsPayout(found) && !phases.includes(phase)) {
    const why = `the payout is ${phase}: an attempt is open, and the provider is still asked about it`;
    const when = `it can be closed in ${phases.join(', ')}`;
    throw new CodedError('CASE_GUARDS_PAYOUT', `${name} stays open: ${why}; ${when}; ${orState}`);
  }
}

/** The hash of what a person decides on: the case, and where its payout is. Not what polling counts up. */
export function payoutCaseHash({ payoutId, phase, cases }: Payout, number: number): string {
  const { code, detail, attemptKey, openedAt } = cases[number - 1]!;
  const seen = [payoutId, number, code, detail, attemptKey, openedAt, phase];
  return hash('sha256', `corridor-payout-case-1\n${JSON.stringify(seen)}`, 'hex');
}
