// One act over holds that are alike: each of them gets a decision of its own, sealed and kept like any other.
import type { KeyRing } from '../../../domain/seals/seal.ts';
import { type ErrorCode, errorCodes } from '../../../ports/error-codes.ts';
import { CodedError, codeAndDetail, isCoded } from '../../../ports/fault.ts';
import type { CaseDocument } from '../../../sinks/cases/case.ts';
import { decideCase } from '../holds/cases.ts';
import { type HoldVerdict, wholeCase } from '../holds/decide.ts';
import type { HoldCases } from '../holds/ports.ts';
import { alikeTo, checkSeen, MAX_ALIKE, seenOfAll } from './alike.ts';
import { type CaseVerdict, type DecidingStores, nowAt, secondNeeded } from './decide.ts';
import { justificationOf } from './decision-reasons.ts';
import { secondReasons } from './policy.ts';
import type { OpenHolds } from './ports.ts';
import { fitting } from './verdict.ts';

export interface AlikeCases {
  /** The one that was asked for is the first. */
  readonly cases: readonly CaseDocument[];
  /** Hash of all that a decision on them is bound to. */
  readonly seen: string;
}

interface AlikeStores {
  readonly holds: Pick<HoldCases, 'clock' | 'find' | 'decide'> & Pick<OpenHolds, 'between'>;
}
type AlikeDecisions = AlikeStores & Pick<DecidingStores, 'policy' | 'corridors'>;

/** The hold, with every open one that is like it. @throws CodedError CASE_UNKNOWN, CASE_ALTERED, CASE_NOT_OPEN */
export async function findAlike(
  { holds }: { readonly holds: Omit<AlikeStores['holds'], 'clock'> },
  holdId: string,
): Promise<AlikeCases> {
  const first = wholeCase(holdId, await holds.find(holdId));
  if (first.state !== 'OPEN') throw new CodedError('CASE_NOT_OPEN', `case ${holdId} is ${first.state} already`);
  const { debtorToken, creditorToken } = first.held.instruction;
  // The one itself is among those that are found.
  const found = await holds.between({ stage: first.stage, debtorToken, creditorToken }, MAX_ALIKE + 1);
  const cases = alikeTo(first, found);
  return { cases, seen: seenOfAll(cases) };
}

/** What became of one of the cases; `refused`: nothing was decided of it, and why. */
export interface AlikeOutcome {
  readonly caseId: string;
  readonly transferId: string;
  readonly refused: { readonly code: ErrorCode; readonly detail: string } | null;
}

/**
 * Decides all that are alike, one after the other. Where a dependency is at fault, those that are left are not tried: who asks
 * again sees them anew.
 * @throws CodedError VERDICT_UNFIT, DECISION_REASON_UNFIT, EVIDENCE_CHANGED when they are not those that were shown
 */
export async function decideAlike(
  stores: AlikeDecisions,
  asked: CaseVerdict,
  operators: KeyRing,
): Promise<readonly AlikeOutcome[]> {
  const verdict = fitting({ kind: 'HOLD', id: asked.caseId }, asked.verdict);
  const reason = justificationOf(verdict, asked.code, asked.reason);
  const { cases } = await findAlike(stores, asked.caseId);
  checkSeen(cases, asked.seen);
  const at = new Date(await nowAt(stores, asked.at));
  const outcomes: AlikeOutcome[] = [];
  let fault: AlikeOutcome['refused'] = null;
  for (const hold of cases) {
    const { _id: holdId, transferId, evidenceHash } = hold;
    const decision = verdict === 'APPROVE' ? 'APPROVE' : 'REJECT';
    const one = { holdId, evidenceHash, decision, by: asked.by, reason, at } as const;
    const refused: AlikeOutcome['refused'] = fault ?? (await refusalOf(() => decideOne(stores, hold, one, operators)));
    if (refused && errorCodes[refused.code].classes[0] !== 'invalid-request') fault = refused;
    outcomes.push({ caseId: holdId, transferId, refused });
  }
  return outcomes;
}

/** One of them. @throws CodedError SECOND_APPROVER_NEEDED, and as `decideCase` */
async function decideOne(
  { holds, policy, corridors }: AlikeDecisions,
  hold: CaseDocument,
  verdict: HoldVerdict,
  operators: KeyRing,
): Promise<void> {
  const { _id: id, transferId, evidenceHash: seen } = hold;
  const found = { kind: 'HOLD', id, transferId, isOpen: true, seen, hold, proven: true } as const;
  const why = secondReasons(found, verdict.decision, policy, corridors);
  if (why.length > 0) throw secondNeeded(id, why);
  await decideCase(holds, verdict, operators);
}

/** Why it was refused; null: it was done. @throws what is no coded error */
async function refusalOf(act: () => Promise<unknown>): Promise<AlikeOutcome['refused']> {
  try {
    await act();
    return null;
  } catch (error) {
    if (!isCoded(error)) throw error;
    return codeAndDetail(error);
  }
}
