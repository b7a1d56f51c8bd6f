// Runs the replays of dead letters that two persons have let through.
import { randomUUID } from 'node:crypto';
import { approvals } from '../../adapters/mongo/approvals.ts';
import { deadLetters } from '../../adapters/mongo/dead-letters.ts';
import { letterChecks } from '../../adapters/mongo/letter-checks.ts';
import { transfersNow } from '../../adapters/mongo/transfers-now.ts';
import { runCheck } from '../../operations/dead-letters/checks/checks.ts';
import { ReplayRunner } from '../../operations/dead-letters/replays/run.ts';
import { systemClock } from '../../ports/clock.ts';
import type { ErrorCode } from '../../ports/error-codes.ts';
import { within } from '../../ports/pause.ts';
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
  const transfers = transfersNow(db, TRANSFERS, EVENTS);
  const recent = recentOutages('replays');
  const met = (code: ErrorCode, detail: string, replayId?: string) => {
    recent.met(code, detail);
    metrics.faults.inc({ consumer: PART, code });
    logger.warn({ stage: PART, code, detail, replayId }, 'replays wait');
  };
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
  });
  const stopping = new AbortController();
  let running: Promise<void> | undefined;
  let settledAt = Number.NEGATIVE_INFINITY;

  async function settle(): Promise<void> {
    if (performance.now() - settledAt < SETTLE_MS) return;
    settledAt = performance.now();
    await settleSkipsOf(connections, audit);
  }

  /** Checks of letters, one at a time and beside the rest: they take long, and send nothing. */
  let checking: Promise<unknown> | undefined;
  let checkedAt = Number.NEGATIVE_INFINITY;
  function check(): void {
    if (checking || performance.now() - checkedAt < CHECK_MS) return;
    const sources = { checks, letters: deadLetters(db), log: stores.log, now: () => new Date() };
    const trial = { runner: dryRunner, transfers, rings, signal: stopping.signal };
    checking = runCheck(sources, trial)
      .catch((error: unknown) => {
        if (stopping.signal.aborted) return;
        const { code, detail } = faultOf(error);
        met(code, detail);
      })
      .finally(() => {
        checkedAt = performance.now();
        checking = undefined;
      });
  }

  async function loop(): Promise<void> {
    while (!stopping.signal.aborted) {
      const failed = (error: unknown) => {
        const { code, detail } = faultOf(error);
        met(code, detail);
        return false;
      };
      const isBusy = await runner.tick().catch(failed);
      await settle().catch(failed);
      check();
      await systemClock.sleep(isBusy ? BUSY_MS : IDLE_MS, stopping.signal);
    }
  }

  const host = backgroundHost({
    name: PART,
    troubles: () => recent.troubles(),
    start: async () => {
      running = loop();
    },
    stop: async (deadlineMs) => {
      stopping.abort();
      await within(deadlineMs, running);
      await within(deadlineMs, checking);
      await runner.stop();
      await within(deadlineMs, audit.close(deadlineMs));
      await stores.log.close();
      await dryRunner.close();
    },
  });
  return { hosts: [host], resources: [] };
}
