// Closes cases of payouts that two persons let through, with the key of the executor.
import type { DecidingStores } from '../../operations/cases/inbox/decide.ts';
import { decisionHandler } from '../../operations/cases/inbox/second-person.ts';
import { ApprovedClosings } from '../../operations/cases/payouts/close-approved.ts';
import { systemClock } from '../../ports/clock.ts';
import { within } from '../../ports/pause.ts';
import { ringOf } from '../../ports/seals.ts';
import { failpoint } from '../../runtime/failpoints.ts';
import { type Fault, faultOf } from '../../runtime/fault.ts';
import { recentOutages } from '../../runtime/health/recent-outages.ts';
import type { HostRuntime } from '../../runtime/hosts/processor-host.ts';
import { approvalStore } from '../approval-store.ts';
import { followedClaims } from '../attempt-claims.ts';
import { openAudit } from '../audit.ts';
import type { Connections } from '../connections.ts';
import { openInbox } from '../inbox.ts';
import { loopingHost } from './background.ts';
import type { Hosted } from './processors.ts';

const PART = 'payout-closings';
/** Between two looks, and after one in which the approvals could not be read, ms. */
const LOOK_MS = 500;
const TROUBLED_MS = 5_000;

export async function closingHosts(connections: Connections, runtime: HostRuntime): Promise<Hosted> {
  const { logger, metrics, rings } = runtime;
  const store = approvalStore(await connections.db());
  await store.ensureIndexes();
  const { deciding } = await openInbox(connections);
  const operators = ringOf(rings, 'operators');
  const recent = recentOutages(PART);
  const met = ({ code, detail }: Pick<Fault, 'code' | 'detail'>, approvalId?: string) => {
    recent.met(code, detail);
    metrics.faults.inc({ consumer: PART, code });
    logger.warn({ stage: PART, code, detail, name: approvalId }, 'a case of a payout was not closed');
  };
  const followed = followedClaims(connections, (code, detail) => met({ code, detail }));
  const payouts = { ...withFailpoints(deciding.payouts), claims: followed.claims };
  const handler = decisionHandler({ ...deciding, payouts }, operators);
  const handlers = { 'payouts.resolve': handler, 'payouts.state': handler };
  const audit = await openAudit(connections, PART, { logger, metrics });
  const closings = new ApprovedClosings({
    ...{ store, handlers, operators, audit, now: () => new Date() },
    onFault: (approvalId: string, fault: Pick<Fault, 'code' | 'detail'>) => met(fault, approvalId),
  });

  async function loop(stopping: AbortSignal): Promise<void> {
    while (!stopping.aborted) {
      const isRead = await closings.look().then(
        () => true,
        (error: unknown) => {
          met(faultOf(error));
          return false;
        },
      );
      await systemClock.sleep(isRead ? LOOK_MS : TROUBLED_MS, stopping);
    }
  }

  const host = loopingHost({
    name: PART,
    troubles: () => recent.troubles(),
    loop,
    close: async (deadlineMs) => {
      await within(deadlineMs, followed.stop());
      await within(deadlineMs, audit.close(deadlineMs));
    },
  });
  return { hosts: [host], resources: [] };
}

const withFailpoints = ({ load, apply }: DecidingStores['payouts']): DecidingStores['payouts'] => ({
  load,
  async apply(changes) {
    await failpoint('payout.before-closing');
    const won = await apply(changes);
    await failpoint('payout.after-closing');
    return won;
  },
});
