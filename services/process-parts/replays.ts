// Runs the replays of dead letters that two persons have let through.
import { randomUUID } from 'node:crypto';
import { approvals } from '../../adapters/mongo/approvals.ts';
import { deadLetters } from '../../adapters/mongo/dead-letters.ts';
import { letterChecks } from '../../adapters/mongo/letter-checks.ts';
import { payoutKeys, transfersNow } from '../../adapters/mongo/transfers-now.ts';
import { runCheck } from '../../operations/dead-letters/checks/checks.ts';
import { ReplayRunner } from '../../operations/dead-letters/replays/run.ts';
import { systemClock } from '../../ports/clock.ts';
import type { ErrorCode } from '../../ports/error-codes.ts';
import { within } from '../../ports/pause.ts';
import { failpoint } from '../../runtime/failpoints.ts';
import { faultOf } from '../../runtime/fault.ts';
import { recentOutages } from '../../runtime/health/recent-outages.ts';
import type { HostRuntime } from '../../runtime/hosts/processor-host.ts';
import { openAudit } from '../audit.ts';
import type { Connections } from '../connections.ts';
import { createDryRunner } from '../dry-run/dry-runner.ts';
import { replayStores } from '../replay-stores.ts';
import { settleSkipsOf } from '../skips.ts';
import { backgroundHost } from './background.ts';
import type { Hosted } from './processors.ts';
import { EVENTS, TRANSFERS } from './sinks.ts';

const PART = 'replays';
/** Between two looks when there is nothing to do, and while letters are being sent, ms. */
const IDLE_MS = 500;
const BUSY_MS = 50;
/** Between two looks at skips that were done, ms. */
const SETTLE_MS = 5_000;
/** Between two looks for a check that is wanted, ms. */
const CHECK_MS = 1_000;

export async function replayHosts(connections: Connections, runtime: HostRuntime): Promise<Hosted> {
  const { logger, metrics, rings } = runtime;
  const db = await connections.db();
  await approvals(db).ensureIndexes();
  const stores = await replayStores(connections);
  const checks = letterChecks(db);
  await checks.ensureIndexes();
  const transfers = transfersNow(db, TRANSFERS, EVENTS, payoutKeys(rings));
  const { met, failed, troubles } = troublesOf(runtime);
  const audit = await openAudit(connections, PART, { logger, metrics });
  const dryRunner = createDryRunner(connections, runtime);
  const runner = new ReplayRunner({
    ...stores,
    transfers,
    dryRunner,
    rings,
    entries: audit,
    clock: systemClock,
    runner: randomUUID(),
    onChange: ({ _id: replayId }, { state, halted }) => {
      logger.info({ stage: PART, replayId, detail: state, ...(halted && { code: halted.code }) }, 'replay changed');
    },
    onFault: (replayId, { code, detail }) => met(code, detail, replayId),
    onSend: (when) => (when === 'before' ? failpoint('replays.before-send') : failpoint('replays.after-send')),
  });
  const stopping = new AbortController();
  let running: Promise<void> | undefined;
  const settler = oneAtATime(SETTLE_MS, async () => {
    await settleSkipsOf(connections, audit).catch(failed);
  });

  const checker = oneAtATime(CHECK_MS, async () => {
    const sources = { checks, letters: deadLetters(db), log: stores.log, now: () => new Date() };
    const trial = { runner: dryRunner, transfers, rings, signal: stopping.signal };
    await runCheck(sources, trial).catch((error: unknown) => stopping.signal.aborted || failed(error));
  });

  async function loop(): Promise<void> {
    while (!stopping.signal.aborted) {
      const isBusy = await runner.tick().catch(failed);
      settler.look();
      await settler.running();
      checker.look();
      await systemClock.sleep(isBusy ? BUSY_MS : IDLE_MS, stopping.signal);
    }
  }

  const host = backgroundHost({
    name: PART,
    troubles,
    start: async () => {
      running = loop();
    },
    stop: async (deadlineMs) => {
      stopping.abort();
      await within(deadlineMs, running);
      await within(deadlineMs, checker.running());
      await runner.stop();
      await within(deadlineMs, audit.close(deadlineMs));
      await stores.log.close();
      await dryRunner.close();
    },
  });
  return { hosts: [host], resources: [] };
}

/** What the part meets: in health, metrics and the log. */
function troublesOf({ metrics, logger }: Pick<HostRuntime, 'metrics' | 'logger'>) {
  const recent = recentOutages(PART);
  const met = (code: ErrorCode, detail: string, replayId?: string) => {
    recent.met(code, detail);
    metrics.faults.inc({ consumer: PART, code });
    logger.warn({ stage: PART, code, detail, replayId }, 'replays wait');
  };
  const failed = (error: unknown): false => {
    const { code, detail } = faultOf(error);
    met(code, detail);
    return false;
  };
  return { met, failed, troubles: () => recent.troubles() };
}

/**
 * Work that the loop begins from time to time, one at a time.
 * @param work never rejects
 */
function oneAtATime(spacingMs: number, work: () => Promise<void>) {
  let running: Promise<void> | undefined;
  let endedAt = Number.NEGATIVE_INFINITY;
  return {
    /** Begins it, unless it runs or ended less than the spacing ago. */
    look(): void {
      if (running || performance.now() - endedAt < spacingMs) return;
      running = work().finally(() => {
        endedAt = performance.now();
        running = undefined;
      });
    },
    running: () => running,
  };
}
