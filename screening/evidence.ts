// What the evidence covers, what it comes to, and how later looks and reviews add to it. Pure.
import type {
  ListReference,
  ReviewOutcome,
  ScreeningEvidence,
  ScreeningOutcome,
  ScreeningRecheck,
} from '../schemas/types.generated.ts';
import { worstOf } from './screened-party.ts';

/** The list versions that the parties were screened against, all looks taken together. */
export const coveredLists = ({ lists, rechecks }: ScreeningEvidence): readonly ListReference[] =>
  rechecks.at(-1)?.lists ?? lists;

/** What the looks and reviews come to: a look that is neither clear nor approved decides. */
export function overallOutcome(evidence: Pick<ScreeningEvidence, 'parties' | 'review' | 'rechecks'>): ScreeningOutcome {
  let reviewed = false;
  for (const { parties, review } of [evidence, ...evidence.rechecks]) {
    const outcome = worstOf(parties);
    if (outcome === 'CLEAR') continue;
    if (review?.decision !== 'APPROVE') return outcome;
    reviewed = true;
  }
  return reviewed ? 'APPROVED' : 'CLEAR';
}

const judged = (evidence: ScreeningEvidence): ScreeningEvidence => ({ ...evidence, outcome: overallOutcome(evidence) });

/** The evidence with the decision of a person on its last look. */
export function withReview(evidence: ScreeningEvidence, review: ReviewOutcome): ScreeningEvidence {
  const last = evidence.rechecks.at(-1);
  if (last === undefined) return judged({ ...evidence, review });
  return judged({ ...evidence, rechecks: [...evidence.rechecks.slice(0, -1), { ...last, review }] });
}

/** The evidence with a later look. */
export const withRecheck = (evidence: ScreeningEvidence, recheck: ScreeningRecheck): ScreeningEvidence =>
  judged({ ...evidence, rechecks: [...evidence.rechecks, recheck] });
