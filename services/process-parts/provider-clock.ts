// What the provider's clock says beside ours, for health, metrics and the log.
import type { DependencyTrouble } from '../../runtime/hosts/host.ts';

export interface ProviderClockOptions {
  readonly provider: string;
  /** What waits for it, for people. */
  readonly topic: string;
  /** Called each time that the clock begins to be doubtful, or is again after a good answer. Never throws. */
  readonly onDoubt: (detail: string) => void;
  /** The last difference, in seconds; positive: the provider is ahead. */
  readonly onAhead: (seconds: number) => void;
  readonly monotonic?: () => number;
}

/** Polls are at most half a minute apart: what was not met for longer is over, ms. */
const OVER_AFTER_MS = 90_000;

/** Keeps what answers said of the provider's clock. */
export function providerClock(options: ProviderClockOptions) {
  const { provider, topic, onDoubt, onAhead, monotonic = () => performance.now() } = options;
  let trouble: DependencyTrouble | undefined;
  const troubles = (): readonly DependencyTrouble[] => {
    if (trouble && trouble.lastMetAt < monotonic() - OVER_AFTER_MS) trouble = undefined;
    return trouble ? [trouble] : [];
  };
  return {
    /** An answer bore a clock. */
    observed(aheadMs: number, isDoubtful: boolean): void {
      if (Number.isFinite(aheadMs)) onAhead(aheadMs / 1_000);
      if (!isDoubtful) {
        trouble = undefined;
        return;
      }
      const seconds = Math.round(Math.abs(aheadMs) / 1_000);
      const way = aheadMs > 0 ? 'ahead of' : 'behind';
      const detail = `the clock of ${provider} is ${seconds} s ${way} ours: nothing is taken for expired by it; check both clocks`;
      const [before] = troubles();
      if (!before) onDoubt(detail);
      const since = before?.since ?? Date.now();
      trouble = {
        dependency: 'provider',
        code: 'PROVIDER_CLOCK',
        detail,
        since,
        topic,
        partition: 0,
        lastMetAt: monotonic(),
      };
    },
    troubles,
  };
}
