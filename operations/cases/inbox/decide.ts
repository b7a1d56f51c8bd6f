// The decision on a case, whichever kind it is of, bound to what the person has seen of it.
import type { CorridorBook } from '../../../domain/corridors/corridors.ts';
import { secondPersonOf } from '../../../domain/people/two-persons.ts';
import type { KeyRing } from '../../../domain/seals/seal.ts';
import type { ProviderStatement } from '../../../payouts/payout.ts';
import { CodedError } from '../../../ports/fault.ts';
import { decideFoundCustomerCase } from '../customers/cases.ts';
import type { DecidableCustomerCases } from '../customers/ports.ts';
import { decideCase } from '../holds/cases.ts';
import type { HoldCases } from '../holds/ports.ts';
import { closePayoutCase } from '../payouts/cases.ts';
import type { ClosingStore } from '../payouts/ports.ts';
import { justificationOf } from './decision-reasons.ts';
import { type FoundCase, findCase } from './find.ts';
import { type CasePolicy, type SecondReason, secondReasons } from './policy.ts';
import { fitting, isStated, type Verdict } from './verdict.ts';

export type StatedDocument = Omit<ProviderStatement, 'outcome'>;

export interface CaseVerdict {
  readonly caseId: string;
  readonly verdict: Verdict;
  /** `seen` of the case as it was shown to the person. */
  readonly seen: string;
  readonly by: string;
  /** Of `REASONS_OF` the verdict. */
  readonly code: string;
  readonly reason: string;
  /** ms since 1970. With an approval, when it was let through; else what the caller's clock says: that of the store counts. */
  readonly at: number;
  /** With PAID and UNPAID: the document in which the provider says so. */
  readonly statement?: StatedDocument;
  /** See `CaseClosing`. */
  readonly keys?: readonly string[];
  readonly doneAt?: number;
  /** Who let it through, where the policy asks for a second person; only `second-person.ts` says so. */
  readonly agreedBy?: string;
  /** The broken glass under which who asked let it through. */
  readonly glass?: string;
  /** The approval by which it was let through, with the hash of what both have seen. */
  readonly approvalId?: string;
  readonly approvalHash?: string;
}

export interface DecidingStores {
  readonly holds: Pick<HoldCases, 'clock' | 'find' | 'decide'>;
  readonly customers: Pick<DecidableCustomerCases, 'find' | 'decide'>;
  /** Writes under the executor's seal, and knows no payout that does not bear it. */
  readonly payouts: ClosingStore;
  /** Whether this program has the executor's key. Without it the executor closes what two persons let through. */
  readonly closesPayouts: boolean;
  /** Says where one person alone may not decide. */
  readonly policy: CasePolicy;
  readonly corridors: CorridorBook;
}

/**
 * Decides an open case once, by compare-and-set.
 * @returns the case as it was found
 * @throws CodedError VERDICT_UNFIT, EVIDENCE_CHANGED, DECISION_REASON_UNFIT, STATEMENT_UNFIT, CASE_UNKNOWN,
 *   SECOND_APPROVER_NEEDED (see `askToDecide`), and what the decision of its kind throws
 */
export async function decideInboxCase(
  stores: DecidingStores,
  asked: CaseVerdict,
  operators: KeyRing,
): Promise<FoundCase> {
  const found = await findCase({ ...stores, operators }, asked.caseId);
  const verdict = fitting(found, asked.verdict);
  if (asked.seen !== found.seen) throw changed(found.id);
  const { by, agreedBy, keys, doneAt } = asked;
  const at = asked.approvalId === undefined ? await nowAt(stores, asked.at) : asked.at;
  const statement = statementIn(verdict, asked);
  const second = secondOf(asked);
  const reason = justificationOf(verdict, asked.code, asked.reason);
  const why = agreedBy === undefined ? reasonsForTwo(found, verdict, stores) : [];
  if (found.isOpen && why.length > 0) throw secondNeeded(found.id, why);
  if (found.kind === 'HOLD') {
    const hold = { holdId: found.id, evidenceHash: asked.seen, by, reason, at: new Date(at), ...second };
    await decideCase(stores.holds, { ...hold, decision: verdict === 'APPROVE' ? 'APPROVE' : 'REJECT' }, operators);
  } else if (found.kind === 'CUSTOMER') {
    const state = verdict === 'CLEAR' ? 'CLEARED' : 'CONFIRMED';
    const decision = { state, by, reason, at, ...second } as const;
    await decideFoundCustomerCase(stores.customers, found.id, found.found, decision, operators);
  } else {
    const { number, transferId } = found;
    const closing = { number, by, reason, operators, seen: asked.seen, ...(statement && { statement }) };
    const { agreedBy: letThroughBy } = second;
    const agreed = {
      ...(letThroughBy !== undefined && { agreedBy: letThroughBy }),
      ...(keys && { keys }),
      ...(doneAt !== undefined && { doneAt }),
    };
    await closePayoutCase(stores.payouts, transferId, { ...closing, ...agreed }, at);
  }
  return found;
}

/** What time it is by the store. */
export const nowAt = async ({ holds }: { readonly holds: Pick<HoldCases, 'clock'> }, own: number): Promise<number> =>
  (await holds.clock(new Date(own))).getTime();

/** Who agreed beside the one who asked: another person, or nobody under a broken glass. */
const secondOf = ({ agreedBy, ...rest }: CaseVerdict) =>
  secondPersonOf(rest.glass === undefined ? { ...rest, agreedBy: agreedBy ?? null } : rest);

/** Why it takes two persons here; empty: one is enough. Pure. */
export const reasonsForTwo = (
  found: FoundCase,
  verdict: Verdict,
  { policy, corridors, closesPayouts }: Pick<DecidingStores, 'policy' | 'corridors' | 'closesPayouts'>,
): readonly SecondReason[] => [
  ...secondReasons(found, verdict, policy, corridors),
  ...(isStated(verdict) ? (['STATEMENT'] as const) : []),
  ...(found.kind === 'PAYOUT' && !closesPayouts ? (['NO_EXECUTOR_KEY'] as const) : []),
];

/** What the provider states, with PAID and UNPAID alone. @throws CodedError STATEMENT_UNFIT when there is none */
export function statementIn(
  verdict: Verdict,
  { statement }: Pick<CaseVerdict, 'statement'>,
): ProviderStatement | undefined {
  if (!isStated(verdict) && statement === undefined) return undefined;
  if (isStated(verdict) && statement) return { outcome: verdict, ...statement };
  throw new CodedError(
    'STATEMENT_UNFIT',
    'paid and unpaid take the document in which the provider says so; no other verdict has one',
  );
}

export const secondNeeded = (id: string, why: readonly string[]): CodedError =>
  new CodedError(
    'SECOND_APPROVER_NEEDED',
    `case ${id} is not for one person alone (${why.join(', ')}): ask, and another lets it through`,
  );

const changed = (id: string): CodedError =>
  new CodedError('EVIDENCE_CHANGED', `case ${id} is not as it was shown: look at it again`);
