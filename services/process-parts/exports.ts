// Exports of what has been recorded, period after period: files for analysts, without anybody who runs a command.
//
// What could happen: it dies, or two processes run it. What stops a row from being there twice or not at all: the manifest of the
// export alone says how far it has come (operations/analytics/export.ts); this only begins it again.
import { systemClock } from '../../ports/clock.ts';
import { faultOf } from '../../runtime/fault.ts';
import type { Host } from '../../runtime/hosts/host.ts';
import type { HostRuntime } from '../../runtime/hosts/processor-host.ts';
import type { Connections } from '../connections.ts';
import { openTarget, requireTarget, runExport } from '../exports.ts';
import { loopingHost } from './background.ts';

export const EXPORTS = 'sink-parquet';
/** After a fault, ms. */
const AGAIN_MS = 30_000;

/** @throws CodedError EXPORT_TARGET_MISSING */
export function exportHost(connections: Connections, { logger, metrics, clock = systemClock }: HostRuntime): Host {
  const { exportEveryMs, clockToleranceMs } = connections.config.analytics;
  const target = requireTarget(connections.config);

  async function exportUntil(to: number): Promise<void> {
    const { folder, close } = await openTarget(target, connections.config);
    try {
      const exported = await runExport(connections, folder, { format: 'parquet', to });
      const rows = exported.reduce((sum, one) => sum + one.rows, 0);
      const detail = `${rows} rows, until ${new Date(to).toISOString()}`;
      if (rows > 0) logger.info({ stage: EXPORTS, detail }, 'exported');
    } finally {
      close();
    }
  }

  async function loop(stopping: AbortSignal): Promise<void> {
    let failed: string | undefined;
    while (!stopping.aborted) {
      const { to, waitMs } = periodAt(clock.now(), exportEveryMs, clockToleranceMs);
      let pauseMs = waitMs;
      try {
        await exportUntil(to);
        failed = undefined;
      } catch (error) {
        const { code, detail } = faultOf(error);
        metrics.faults.inc({ consumer: EXPORTS, code });
        if (code !== failed) logger.warn({ stage: EXPORTS, code, detail }, 'the export waits, and begins again');
        failed = code;
        pauseMs = Math.min(waitMs, AGAIN_MS);
      }
      await clock.sleep(pauseMs, stopping);
    }
  }

  return loopingHost({
    name: EXPORTS,
    loop,
  });
}

/**
 * The end of the last period that has ended on every clock, and how long the next one takes until then. All ms. Pure.
 * A record that comes later with a time of before is not lost: an export goes on by offset.
 */
export function periodAt(now: number, everyMs: number, toleranceMs: number): { to: number; waitMs: number } {
  const to = Math.floor((now - toleranceMs) / everyMs) * everyMs;
  return { to, waitMs: to + everyMs + toleranceMs - now };
}
