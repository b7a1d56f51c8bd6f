// Why screening decided as it did, for whoever may see so much of the parties.

import { explainEvidence } from '../../screening/explain-evidence.ts';
import { reproduceDecision } from '../../screening/reproduce.ts';
import { maskedEvidence, type Sight } from '../access/masking.ts';
import { type EvidenceInLog, type EvidenceSources, type FoundEvidence, screeningEvidence } from './evidence.ts';

export interface Explanation extends Pick<EvidenceInLog, 'proof' | 'strangers' | 'isContradictory'> {
  readonly sight: Sight;
  /** Events that carry evidence, in order. */
  readonly found: readonly Pick<FoundEvidence, 'topic' | 'proof' | 'sequence' | 'occurredAt' | 'reasons'>[];
  readonly last: FoundEvidence;
  /** In plain words, first of all what of it is not proven. Names are there with full sight alone. */
  readonly lines: readonly string[];
  /** The decision made again from the evidence is the same; undefined: the parties are sealed. */
  readonly isReproduced: boolean | undefined;
}

/** @throws CodedError EVIDENCE_UNKNOWN */
export async function explanationOf(sources: EvidenceSources, transferId: string, sight: Sight): Promise<Explanation> {
  const { last, ...inLog } = await screeningEvidence(sources, transferId);
  const { evidence, parties } = last;
  const isReproduced = parties ? reproduceDecision(evidence, parties).identical : undefined;
  const lines = explainEvidence(maskedEvidence(evidence, sight), sight === 'full' ? parties : undefined);
  return { sight, ...inLog, last, lines: [...marksOf(inLog), ...lines], isReproduced };
}

/** What whoever reads it must know before all else. */
function marksOf({ proof, strangers, isContradictory }: EvidenceInLog): readonly string[] {
  const marks: string[] = [];
  if (proof === 'NOT_CHECKED') {
    marks.push(
      'NOT CHECKED HERE: this program has no key of stages, so whoever may write to these topics may have made it up. `corridor explain` where that key is checks it.',
    );
  }
  if (isContradictory) {
    marks.push('CONTRADICTORY: two records say different things at one step. One of them is not the word of a stage.');
  }
  if (strangers > 0) {
    const which = proof === 'CHECKED' ? 'bear no true seal of a stage' : 'cannot be read';
    marks.push(
      `LEFT OUT: ${strangers} records under this id that ${which}. Somebody else may have written to the log.`,
    );
  }
  return marks;
}
