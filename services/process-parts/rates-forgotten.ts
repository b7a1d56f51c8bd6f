// What corridors went by was not where it should be: reported in health, the log and metrics for as long as this process runs, since a
// person has to find out who deleted it.
import type { DependencyTrouble } from '../../runtime/hosts/host.ts';
import type { HostRuntime } from '../../runtime/hosts/processor-host.ts';
import type { AcceptedRate } from '../../schemas/types.generated.ts';
import { fxAcceptedRates } from '../../topics/boundary.ts';

const STAGE = 'fx-pricing';
const CODE = 'RATES_FORGOTTEN';
const MAX_NAMED = 10;

export function ratesForgotten({ logger, metrics }: Pick<HostRuntime, 'logger' | 'metrics'>, clock: () => number) {
  let reported: readonly DependencyTrouble[] = [];
  return {
    onForgotten(forgotten: readonly AcceptedRate[]): void {
      const names = forgotten
        .slice(0, MAX_NAMED)
        .map(({ corridor, base, quote, rate }) => `${corridor} ${base}/${quote} ${rate}`);
      const detail = `${fxAcceptedRates.name} lacked what ${forgotten.length} pairs went by, and has it again from prices in the log: ${names.join(', ')}`;
      metrics.faults.inc({ consumer: STAGE, code: CODE });
      logger.error({ stage: STAGE, code: CODE, detail }, 'what corridors went by was forgotten');
      reported = [
        {
          ...{ dependency: fxAcceptedRates.name, code: CODE, detail, since: clock() },
          ...{ topic: fxAcceptedRates.name, partition: 0, lastMetAt: performance.now() },
        },
      ];
    },
    /** With when it was met last, so that it does not pass for over. */
    troubles: (): readonly DependencyTrouble[] => reported.map((each) => ({ ...each, lastMetAt: performance.now() })),
  };
}
