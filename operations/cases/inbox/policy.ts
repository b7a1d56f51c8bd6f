// What is asked of people who work on cases, as data: by when, and where a second person has to agree. A file may change any
// of it; what it does not name stays as it is here.
import { z } from 'zod';
import { AMOUNT_BANDS } from '../../../domain/corridors/amount-bands.ts';
import type { CorridorBook } from '../../../domain/corridors/corridors.ts';
import { PAYOUT_CASE_CODES } from '../../../payouts/payout.ts';
import { type HoldPolicy, type HoldSecondReason, needsTwoBy } from '../../../processors/second-person.ts';
import { isIdentified } from '../../../screening/screened-party.ts';
import type { FoundCase } from './find.ts';
import { DEFAULT_SLA, type SlaPolicy } from './sla.ts';
import type { Verdict } from './verdict.ts';

const STAGES = ['SCREENING', 'LIMITS', 'PAYOUT_DISPATCH', 'PAYOUT', 'RESCREENING'] as const;
const HOUR_MS = 3_600_000;

const hours = z
  .number()
  .positive()
  .max(24 * 30);
const bandHours = z.strictObject({ SMALL: hours, MEDIUM: hours, LARGE: hours });
const fromBand = z.enum([...AMOUNT_BANDS, 'NEVER']);

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

export interface CasePolicy extends HoldPolicy {
  readonly sla: SlaPolicy;
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
export type SecondReason = HoldSecondReason | 'PAYOUT_CASE' | 'NO_EXECUTOR_KEY' | 'STATEMENT';

/** Why one person may not give this verdict alone; empty: they may. Pure. */
export function secondReasons(
  found: FoundCase,
  verdict: Verdict,
  policy: CasePolicy,
  book: CorridorBook,
): readonly SecondReason[] {
  // The stage looks at the same, on what it has sealed.
  if (found.kind === 'HOLD') return verdict === 'APPROVE' ? needsTwoBy(policy, book)(found.hold.held) : [];
  if (found.kind === 'PAYOUT') return policy.closeCodes.includes(found.one.code) ? ['PAYOUT_CASE'] : [];
  const isMatch = verdict === 'CLEAR' && policy.onTrueMatch && isIdentified(found.found.candidate);
  return isMatch ? ['TRUE_MATCH'] : [];
}
