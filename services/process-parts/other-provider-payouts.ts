// Payouts of other providers than the one that is configured, for health, metrics and the log.
import type { DependencyTrouble } from '../../runtime/hosts/host.ts';

export interface OtherProviderPayoutsOptions {
  /** The provider that is configured. */
  readonly provider: string;
  /** What the payouts were asked for on. */
  readonly topic: string;
  /** Called when such payouts begin to be due. Never throws. */
  readonly onDue: (detail: string) => void;
  /** Called with each count. */
  readonly onCount: (count: number) => void;
  readonly monotonic?: () => number;
}

/** Keeps how many of them are due, as it was last counted. */
export function otherProviderPayouts(options: OtherProviderPayoutsOptions) {
  const { provider, topic, onDue, onCount, monotonic = () => performance.now() } = options;
  let trouble: DependencyTrouble | undefined;
  return {
    counted(count: number): void {
      onCount(count);
      if (count === 0) {
        trouble = undefined;
        return;
      }
      const detail = `${count} payouts or more that were opened with another provider than ${provider} are due: nothing of them is sent or asked here. Set CORRIDOR_PROVIDER_NAME to the name that they bear (corridor payouts cases show), with the address and credentials of that provider, until they have ended`;
      if (!trouble) onDue(detail);
      const since = trouble?.since ?? Date.now();
      trouble = {
        dependency: 'provider',
        code: 'PAYOUT_OTHER_PROVIDER',
        detail,
        since,
        topic,
        partition: 0,
        lastMetAt: monotonic(),
      };
    },
    troubles: (): readonly DependencyTrouble[] => (trouble ? [trouble] : []),
  };
}
