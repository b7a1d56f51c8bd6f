// What keeps a table from being read on, told to metrics and log.
import type { ErrorCode } from '../../ports/error-codes.ts';
import type { HostRuntime } from '../../runtime/hosts/processor-host.ts';
import type { TableOptions } from '../../runtime/hosts/table.ts';

/** What keeps a table from being read on, for metrics, and for the log whenever it is another thing than before. */
export function tableFaults(
  stage: string,
  { logger, metrics }: HostRuntime,
): NonNullable<TableOptions<'fx.rates'>['onFault']> {
  let logged: ErrorCode | undefined;
  return ({ code, detail }) => {
    metrics.faults.inc({ consumer: stage, code });
    if (code !== logged) logger.warn({ stage, code, detail }, 'a table cannot be read on');
    logged = code;
  };
}
