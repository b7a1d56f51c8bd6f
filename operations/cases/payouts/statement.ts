// The provider's statement of an outcome that it does not tell by itself: what of it is taken, and when. Pure.
import { isLongerThan, isPlainText } from '../../../domain/text/text.ts';
import { lastAttempt } from '../../../payouts/changes.ts';
import type { Payout, PayoutCase, PayoutCaseCode, ProviderStatement } from '../../../payouts/payout.ts';
import { STATEABLE_PHASES } from '../../../payouts/statement.ts';
import { CodedError } from '../../../ports/fault.ts';
import { checkSecondPerson } from '../../four-eyes/second-person.ts';

/** Cases whose attempt may stay open for ever. A document that was put back is not one: it lacks what was sent. */
const STATEABLE: readonly PayoutCaseCode[] = ['NO_PROOF', 'CONTRADICTION', 'ANSWER_DIFFERS'];

const MAX_REFERENCE = 64;
const DAY_MS = 86_400_000;
/** It is tomorrow already where a document may have been written, ms. */
const FURTHEST_ZONE_MS = 14 * 3_600_000;
/** What nobody has paid so long after the key expired, the provider never pays, ms: its clock and ours differ by less. */
const SETTLED_MS = 60_000;

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

export interface StatementGiven {
  readonly by: string;
  /** Absent: it is only being asked for. */
  readonly agreedBy?: string;
  readonly statement: ProviderStatement;
  /** What both persons were shown: a database says whatever was written into it to who has no key of the executor. */
  readonly keys?: readonly string[];
}

/**
 * Refuses a statement that does not fit its payout.
 * @param at the earliest of our clocks, ms since 1970
 * @throws CodedError STATEMENT_UNFIT, SECOND_PERSON_NEEDED, EVIDENCE_CHANGED
 */
export function checkStatement(payout: Payout, found: PayoutCase, asked: StatementGiven, at: number): void {
  const { payoutId, phase, cases } = payout;
  const { statement } = asked;
  const unfit = (why: string) => new CodedError('STATEMENT_UNFIT', `payout ${payoutId} stays as it is: ${why}`);
  const flaw = flawOfStatement(statement);
  if (flaw !== undefined) throw unfit(flaw);
  if (asked.agreedBy !== undefined) {
    checkSecondPerson(asked.by, asked.agreedBy, `${asked.by} gave the statement: another person must let it through`);
  }
  if (!STATEABLE.includes(found.code)) throw unfit(`a case ${found.code} is not about an outcome`);
  if (cases.some(({ code, closedAt }) => code === 'ROLLED_BACK' && closedAt === null)) {
    throw unfit('its document was put back, and may lack the very attempt that the statement is about');
  }
  const attempt = lastAttempt(payout);
  const known = payout.attempts.map(({ key }) => key);
  if (asked.keys !== undefined && JSON.stringify(asked.keys) !== JSON.stringify(known)) {
    const why = `the statement was given about ${asked.keys.join(', ') || 'no attempt'}`;
    throw new CodedError('EVIDENCE_CHANGED', `payout ${payoutId} has the attempts ${known.join(', ')}, and ${why}`);
  }
  if (!STATEABLE_PHASES.includes(phase) || !attempt || attempt.end) {
    throw unfit(`it is ${phase}: a statement settles what is ${STATEABLE_PHASES.join(' or ')}`);
  }
  if (statement.date > dayOf(at + FURTHEST_ZONE_MS)) throw unfit(`the document is of ${statement.date}, in the future`);
  const { startedAt, expiresAt } = attempt;
  if (statement.outcome === 'PAID') {
    const first = dayOf(startedAt - DAY_MS);
    if (statement.date >= first) return;
    throw unfit(`the document is of ${statement.date}, and the attempt was begun on ${dayOf(startedAt)}`);
  }
  if (at < expiresAt + SETTLED_MS) {
    throw unfit(`the provider may still pay ${attempt.key} until ${new Date(expiresAt).toISOString()}`);
  }
  if (statement.date >= dayOf(expiresAt)) return;
  throw unfit(`the document is of ${statement.date}, and the provider could pay until ${dayOf(expiresAt)}`);
}

/** What is wrong with a statement by itself; undefined: nothing. */
export function flawOfStatement({
  reference,
  date,
  documentSha256,
}: Omit<ProviderStatement, 'outcome'>): string | undefined {
  if (
    reference.trim() !== reference ||
    reference === '' ||
    isLongerThan(reference, MAX_REFERENCE) ||
    !isPlainText(reference)
  ) {
    return `the reference of the document must be plain text of 1 to ${MAX_REFERENCE} characters`;
  }
  if (!isDay(date)) return 'the date of the document must be a day, YYYY-MM-DD';
  if (!/^[0-9a-f]{64}$/.test(documentSha256)) return 'the SHA-256 of the document must be 64 hexadecimal digits';
  return undefined;
}

function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const ms = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(ms) && dayOf(ms) === text;
}
