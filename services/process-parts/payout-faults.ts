// What goes wrong with payouts, for health, metrics and the log.
import type { PayoutEvent } from '../../payouts/ports.ts';
import type { ErrorCode, ShownCode } from '../../ports/error-codes.ts';
import { faultOf } from '../../runtime/fault.ts';
import { recentOutages } from '../../runtime/health/recent-outages.ts';
import type { DependencyTrouble } from '../../runtime/hosts/host.ts';
import type { HostRuntime } from '../../runtime/hosts/processor-host.ts';

const CONSUMER = 'payout-executor';

export interface PayoutFaults {
  /** Into health, metrics and the log. */
  fault(code: ErrorCode, detail: string): void;
  /** The same of something that was thrown. */
  thrown(error: unknown): void;
  /** Into the log alone: health has a trouble of its own for it. */
  warn(code: ErrorCode, detail: string): void;
  /** What the executor reports, as far as it is a fault. */
  report(event: PayoutEvent): void;
  troubles(): readonly DependencyTrouble[];
}

/** @param topic what waits meanwhile, for people */
export function payoutFaults(
  { logger, metrics }: Pick<HostRuntime, 'logger' | 'metrics'>,
  topic: string,
): PayoutFaults {
  const recent = recentOutages(topic);
  const count = (code: ShownCode) => metrics.faults.inc({ consumer: CONSUMER, code });
  const warn = (code: ErrorCode, detail: string) => logger.warn({ stage: CONSUMER, code, detail }, 'payout fault');
  const fault = (code: ErrorCode, detail: string) => {
    recent.met(code, detail);
    count(code);
    warn(code, detail);
  };
  return {
    fault,
    thrown(error) {
      const { code, detail } = faultOf(error);
      fault(code, detail);
    },
    warn,
    report(event) {
      if (event.kind === 'fault') fault(event.code, event.detail);
      if (event.kind === 'case') fault(event.code, `payout ${event.payoutId} needs a person`);
      // Counted only: in an outage there is one for each payout, and the circuit reports it once.
      if (event.kind === 'no-answer') count(event.code);
      if (event.kind === 'clock' && event.isDoubtful) count('PROVIDER_CLOCK');
      if (event.kind === 'of-other-provider' && event.count > 0) count('PAYOUT_OTHER_PROVIDER');
    },
    troubles: () => recent.troubles(),
  };
}
