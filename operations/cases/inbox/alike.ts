// Holds that say the same of the same parties: decided in one act, each by a decision of its own. Pure.
import { hash } from 'node:crypto';
import { CodedError } from '../../../ports/fault.ts';
import { recordContentOf } from '../../../schemas/record-content.ts';
import type { ScreenedParty, TransferHeld } from '../../../schemas/types.generated.ts';
import { tokensOf } from '../../../screening/counterparties.ts';
import type { CaseDocument } from '../../../sinks/cases/case.ts';
import { alteredIn } from '../../../sinks/cases/check.ts';

/** Holds that one act may decide. */
export const MAX_ALIKE = 200;

/**
 * What two holds must have in common: the stage, the reasons, who the parties are (by token and by what was compared of them),
 * the list versions and every candidate of every look, and what a person said before. Amount and time may differ, so holds of
 * limits never are alike.
 * Undefined: this one is like no other.
 */
export function likenessOf({ hold, instruction, screening }: TransferHeld): string | undefined {
  if (screening === null || hold.stage === 'LIMITS') return undefined;
  const looks = [screening, ...screening.rechecks].map(({ lists, parties, review }) => [
    lists.map(({ versionId, contentHash }) => [versionId, contentHash]),
    parties.map(contentOf),
    review && [review.decision, review.justification],
  ]);
  const tokens = tokensOf({ ...instruction, intermediaryTokens: instruction.intermediaryTokens ?? [] });
  const reasons = hold.reasons.map(({ code, detail }) => [code, detail]);
  const { threshold, configurationHash, engineVersion } = screening;
  const common = [hold.stage, reasons, tokens, threshold, configurationHash, engineVersion, looks];
  return hash('sha256', `corridor-alike-1\n${JSON.stringify(common)}`, 'hex');
}

const contentOf = (party: ScreenedParty): string => recordContentOf('ScreenedParty', party);

/** The whole and open holds among `others` that are like this one, which is the first; at most `MAX_ALIKE`. */
export function alikeTo(first: CaseDocument, others: readonly CaseDocument[]): readonly CaseDocument[] {
  const likeness = likenessOf(first.held);
  if (likeness === undefined) return [first];
  const isLike = (each: CaseDocument) =>
    each._id !== first._id &&
    each.state === 'OPEN' &&
    alteredIn(each).length === 0 &&
    likenessOf(each.held) === likeness;
  return [first, ...others.filter(isLike)].slice(0, MAX_ALIKE);
}

/** The hash of all that is decided in one act: which holds, and the evidence of each. */
export function seenOfAll(cases: readonly Pick<CaseDocument, '_id' | 'evidenceHash'>[]): string {
  const each = cases.map(({ _id, evidenceHash }) => `${_id} ${evidenceHash}`).sort();
  return hash('sha256', `corridor-cases-1\n${each.join('\n')}`, 'hex');
}

/** @throws CodedError EVIDENCE_CHANGED when it is not what the person saw */
export function checkSeen(cases: readonly CaseDocument[], seen: string): void {
  if (seenOfAll(cases) === seen) return;
  throw new CodedError(
    'EVIDENCE_CHANGED',
    'the cases that are alike are not those that were shown: look at them again',
  );
}
