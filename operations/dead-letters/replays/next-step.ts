// What a running replay does next. Pure.
import type { ReplayTerms } from './replay.ts';

/** How far a replay has come, in letters. */
export interface Progress {
  /** Neither sent nor skipped. */
  readonly left: number;
  readonly sent: number;
  /** Sent, and known what became of them: ended, held for a person, or a dead letter again. */
  readonly known: number;
  /** Letters put aside in the same groups since it was started, those of its own that failed again among them. */
  readonly newFailures: number;
  /** Sent, and failed again, or declined where the dry run saw them go on. */
  readonly bad: number;
}

export type NextStep =
  | { readonly do: 'send'; readonly letters: number }
  | { readonly do: 'wait'; readonly for: 'canary' | 'rate' | 'outcomes' }
  | { readonly do: 'stop'; readonly code: 'REPLAY_CANARY_FAILED' | 'REPLAY_FAILURES'; readonly detail: string }
  | { readonly do: 'end' };

/**
 * @param allowance letters that the rate lets go now
 * @param isTimedOut whether the last letter was sent so long ago that what is in flight is left to itself
 */
export function nextStep(terms: ReplayTerms, progress: Progress, allowance: number, isTimedOut: boolean): NextStep {
  const { left, sent, known } = progress;
  const failures = Math.max(progress.newFailures, progress.bad);
  const { canary, maxFailureRatio } = terms;
  if (sent > 0 && failures > sent * maxFailureRatio) return stop(progress, canary);
  const isInCanary = sent < canary;
  if (left === 0) return known >= sent || isTimedOut ? { do: 'end' } : { do: 'wait', for: 'outcomes' };
  if (!isInCanary && known < Math.min(canary, sent)) {
    return isTimedOut ? stop(progress, canary) : { do: 'wait', for: 'canary' };
  }
  const most = isInCanary ? Math.min(left, canary - sent) : left;
  const letters = Math.min(most, Math.floor(allowance));
  return letters > 0 ? { do: 'send', letters } : { do: 'wait', for: 'rate' };
}

function stop({ sent, known, newFailures, bad }: Progress, canary: number): NextStep {
  const detail = `of ${sent} letters sent ${known} are known, ${bad} of them not as they should be; ${newFailures} new failures of the same cause`;
  return { do: 'stop', code: sent <= canary ? 'REPLAY_CANARY_FAILED' : 'REPLAY_FAILURES', detail };
}
