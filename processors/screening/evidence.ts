// What a decision is bound to, what it covers, and how later looks and reviews add to it. Pure.
import { hash } from 'node:crypto';
import type {
  ListReference,
  ReviewOutcome,
  ScreenedParty,
  ScreeningEvidence,
  ScreeningOutcome,
  ScreeningRecheck,
} from '../../schemas/types.generated.ts';
import { worstOf } from './screened-party.ts';

interface Look {
  readonly lists: readonly ListReference[];
  readonly parties: readonly ScreenedParty[];
}

/** SHA-256 over hits, parties and list versions of the screening and of every later look, hexadecimal. */
export function evidenceHashOf(
  evidence: Pick<ScreeningEvidence, 'outcome' | 'lists' | 'parties' | 'rechecks'>,
): string {
  const looks = [evidence, ...evidence.rechecks].map(boundOf);
  return hash('sha256', JSON.stringify(['v2', evidence.outcome, ...looks]), 'hex');
}

function boundOf({ lists, parties }: Look): unknown {
  return [
    lists.map(({ source, versionId, contentHash }) => [source, versionId, contentHash]),
    parties.map(({ role, outcome, queryHash, candidates }) => [
      role,
      outcome,
      queryHash,
      candidates
        .filter((candidate) => candidate.isHit)
        .map(({ source, entityId, matchedName }) => [source, entityId, matchedName]),
    ]),
  ];
}

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
