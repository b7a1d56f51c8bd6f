// Why screening decided as it did, for whoever may see so much of the parties.

import { explainEvidence } from '../../screening/explain-evidence.ts';
import { reproduceDecision } from '../../screening/reproduce.ts';
import { maskedEvidence, type Sight } from '../access/masking.ts';
import { type EvidenceSources, type FoundEvidence, screeningEvidence } from './evidence.ts';

export interface Explanation {
  readonly sight: Sight;
  /** Events that carry evidence, in order. */
  readonly found: readonly Pick<FoundEvidence, 'topic' | 'sequence' | 'occurredAt' | 'reasons'>[];
  readonly last: FoundEvidence;
  /** In plain words. Names are there with full sight alone. */
  readonly lines: readonly string[];
  /** The decision made again from the evidence is the same; undefined: the parties are sealed. */
  readonly isReproduced: boolean | undefined;
}

/** @throws CodedError EVIDENCE_UNKNOWN */
export async function explanationOf(sources: EvidenceSources, transferId: string, sight: Sight): Promise<Explanation> {
  const { found, last } = await screeningEvidence(sources, transferId);
  const { evidence, parties } = last;
  const isReproduced = parties ? reproduceDecision(evidence, parties).identical : undefined;
  const lines = explainEvidence(maskedEvidence(evidence, sight), sight === 'full' ? parties : undefined);
  return { sight, found, last, lines, isReproduced };
}
