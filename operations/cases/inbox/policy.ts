// What is asked of people who work on cases, as data: by when, and where a second person has to agree. A file may change any
// of it; what it does not name stays as it is here.
import { z } from 'zod';
import type { CorridorBook } from '../../../domain/corridors/corridors.ts';
import type { Money } from '../../../domain/money/money.ts';
import { PAYOUT_CASE_CODES } from '../../../payouts/payout.ts';
import { isIdentified } from '../../../screening/screened-party.ts';
import type { FoundCase } from './find.ts';
import { type AmountBand, bandOf, DEFAULT_SLA, type SlaPolicy } from './sla.ts';
import type { Verdict } from './verdict.ts';

const BANDS = ['SMALL', 'MEDIUM', 'LARGE'] as const satisfies readonly AmountBand[];
const STAGES = ['SCREENING', 'LIMITS', 'PAYOUT_DISPATCH', 'PAYOUT', 'RESCREENING'] as const;
const HOUR_MS = 3_600_000;

const hours = z
  .number()
  .positive()
  .max(24 * 30);
const bandHours = z.strictObject({ SMALL: hours, MEDIUM: hours, LARGE: hours });
const fromBand = z.enum([...BANDS, 'NEVER']);

/** What the file may say. */
export const casePolicyFile = z.strictObject({
  /** Longest time from the opening of a case to its decision, in hours, by where it stands and how large its amount is. */
  dueHours: z.partialRecord(z.enum(STAGES), bandHours).optional(),
  /** Where a second person has to agree. */
  secondPerson: z
    .strictObject({
      /** To approve a hold: from this amount on for its corridor, or NEVER. */
      approveFrom: fromBand.optional(),
      /** To approve a hold, or to clear a customer, that screening calls a true match. */
      onTrueMatch: z.boolean().optional(),
      /** To close a case of a payout with one of these codes. */
      closeCodes: z.array(z.enum(PAYOUT_CASE_CODES)).optional(),
    })
    .optional(),
});

export interface CasePolicy {
  readonly sla: SlaPolicy;
  readonly approveFrom: AmountBand | 'NEVER';
  readonly onTrueMatch: boolean;
  readonly closeCodes: readonly string[];
}

export const DEFAULT_CASE_POLICY: CasePolicy = {
  sla: DEFAULT_SLA,
  approveFrom: 'LARGE',
  onTrueMatch: true,
  // Closing one of these is the end of a payout that could otherwise be paid, or be paid again.
  closeCodes: ['CONTRADICTION', 'ANSWER_DIFFERS', 'ROLLED_BACK'],
};

/** What a file says, and what is built in for the rest. Pure. */
export function casePolicyFrom({ dueHours = {}, secondPerson }: z.output<typeof casePolicyFile>): CasePolicy {
  const due = Object.entries(dueHours).map(([stage, { SMALL, MEDIUM, LARGE }]) => [
    stage,
    { SMALL: SMALL * HOUR_MS, MEDIUM: MEDIUM * HOUR_MS, LARGE: LARGE * HOUR_MS },
  ]);
  const built = DEFAULT_CASE_POLICY;
  return {
    sla: { ...DEFAULT_SLA, ...Object.fromEntries(due) },
    approveFrom: secondPerson?.approveFrom ?? built.approveFrom,
    onTrueMatch: secondPerson?.onTrueMatch ?? built.onTrueMatch,
    closeCodes: secondPerson?.closeCodes ?? built.closeCodes,
  };
}

/** Why a second person has to agree. */
export type SecondReason = 'AMOUNT' | 'TRUE_MATCH' | 'PAYOUT_CASE';

/** Why one person may not give this verdict alone; empty: they may. Pure. */
export function secondReasons(
  found: FoundCase,
  verdict: Verdict,
  policy: CasePolicy,
  book: CorridorBook,
): readonly SecondReason[] {
  const reasons: SecondReason[] = [];
  if (found.kind === 'HOLD' && verdict === 'APPROVE') {
    const { instruction } = found.hold.held;
    const corridor = book.between(instruction.sourceCurrency, instruction.targetCurrency)?.id ?? null;
    if (isFrom(policy.approveFrom, instruction.instructedAmount, corridor, book)) reasons.push('AMOUNT');
    if (policy.onTrueMatch && isTrueMatch(found)) reasons.push('TRUE_MATCH');
  }
  if (found.kind === 'CUSTOMER' && verdict === 'CLEAR' && policy.onTrueMatch && isTrueMatch(found)) {
    reasons.push('TRUE_MATCH');
  }
  if (found.kind === 'PAYOUT' && policy.closeCodes.includes(found.one.code)) reasons.push('PAYOUT_CASE');
  return reasons;
}

function isFrom(from: CasePolicy['approveFrom'], amount: Money, corridor: string | null, book: CorridorBook): boolean {
  return from !== 'NEVER' && BANDS.indexOf(bandOf(amount, corridor, book)) >= BANDS.indexOf(from);
}

/** Whether screening found more than a resemblance, at any look. */
function isTrueMatch(found: FoundCase): boolean {
  if (found.kind === 'CUSTOMER') return isIdentified(found.found.candidate);
  if (found.kind !== 'HOLD') return false;
  const { screening } = found.hold.held;
  if (!screening) return false;
  const looks = [screening, ...screening.rechecks];
  return looks.some(({ parties }) => parties.some(({ outcome }) => outcome === 'TRUE_MATCH'));
}
