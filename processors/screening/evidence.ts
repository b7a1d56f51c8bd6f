// The hash that binds a decision to what it was made on. Pure.
import { hash } from 'node:crypto';
import type { ScreeningEvidence } from '../../schemas/types.generated.ts';

/** SHA-256 over hits, parties and list versions, hexadecimal. */
export function evidenceHashOf(evidence: Pick<ScreeningEvidence, 'lists' | 'parties' | 'outcome'>): string {
  const lists = evidence.lists.map(({ source, versionId, contentHash }) => [source, versionId, contentHash]);
  const parties = evidence.parties.map(({ role, outcome, queryHash, candidates }) => [
    role,
    outcome,
    queryHash,
    candidates
      .filter((candidate) => candidate.isHit)
      .map(({ source, entityId, matchedName }) => [source, entityId, matchedName]),
  ]);
  return hash('sha256', JSON.stringify(['v1', evidence.outcome, lists, parties]), 'hex');
}
