// Held transfers as people work on them: listed, shown, decided once.
import type { KeyRing } from '../../../domain/seals/seal.ts';
import { CodedError } from '../../../ports/fault.ts';
import type { CaseDocument, CaseState } from '../../../sinks/cases/case.ts';
import { alteredIn, heldIn, isProven } from '../../../sinks/cases/check.ts';
import { decideHold, type HoldVerdict, wholeCase } from './decide.ts';
import type { HoldCases } from './ports.ts';

/** A case in a list. Of one that was changed in the database it has the id alone, and what was changed. */
export interface HoldSummary {
  readonly holdId: string;
  /** NOT SEALED: it says that it was decided, and nobody decided it. ALTERED: it is not what is held. */
  readonly state: CaseState | 'NOT SEALED' | 'ALTERED';
  /** Names of the fields that were changed in the database. */
  readonly altered: readonly string[];
  /** What a person may rely on: absent when anything was changed. */
  readonly whole?: CaseDocument;
}

/** Summaries of cases, the oldest first. */
export async function listHolds(
  store: Pick<HoldCases, 'list'>,
  filter: { readonly state?: CaseState; readonly limit: number },
  operators: KeyRing,
): Promise<readonly HoldSummary[]> {
  return (await store.list(filter)).map((found) => summaryOf(found, operators));
}

export function summaryOf(found: CaseDocument, operators: KeyRing): HoldSummary {
  const altered = alteredIn(found);
  if (altered.length > 0) return { holdId: found._id, state: 'ALTERED', altered };
  // A decision without a seal does not count: it never leaves the database.
  return { holdId: found._id, state: isProven(found, operators) ? found.state : 'NOT SEALED', altered, whole: found };
}

/**
 * Everything that is held, as the schema knows it, and whether what the case says of its end is proven.
 * @throws CodedError CASE_UNKNOWN, CASE_ALTERED
 */
export async function showHold(
  store: Pick<HoldCases, 'find'>,
  holdId: string,
  operators: KeyRing,
): Promise<CaseDocument & { readonly proven: boolean }> {
  const found = wholeCase(holdId, await store.find(holdId));
  return { ...found, held: heldIn(found), proven: isProven(found, operators) };
}

/**
 * Decides a case. Decision and expiry compete: one compare-and-set wins, and the other is told why it lost.
 * @throws DomainError and CodedError as `decideHold`; CodedError CASE_MOVED when the case was written again meanwhile
 */
export async function decideCase(
  store: Pick<HoldCases, 'find' | 'decide'>,
  verdict: HoldVerdict,
  operators: KeyRing,
): Promise<CaseDocument> {
  const { holdId, evidenceHash } = verdict;
  const decision = decideHold(await store.find(holdId), verdict, operators);
  const decided = await store.decide(holdId, evidenceHash, decision);
  if (decided) return decided;
  decideHold(await store.find(holdId), verdict, operators);
  throw caseMoved(holdId);
}

export const caseMoved = (holdId: string): CodedError =>
  new CodedError('CASE_MOVED', `case ${holdId} was decided or written meanwhile: look at it, then try again`);
