// What screening needs from outside: an engine over the lists in force.
import type { Parties, ScreeningEvidence } from '../../schemas/types.generated.ts';

/** What a screener finds for one transfer: evidence, but for the time and the review. */
export type Findings = Omit<ScreeningEvidence, 'screenedAt' | 'review'>;

export interface Screener {
  /**
   * Screens the parties of each transfer against the lists in force, all against the same versions.
   * Deterministic: the same parties, list versions and configuration give the same findings.
   */
  screen(batch: readonly Parties[]): readonly Findings[];
}
