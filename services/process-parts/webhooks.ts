// The sender of webhooks of a process.
import { webhookPoster } from '../../adapters/http/webhook-post.ts';
import { webhookDeliveries } from '../../adapters/mongo/webhook-deliveries.ts';
import { webhookEndpoints } from '../../adapters/mongo/webhook-endpoints.ts';
import type { Settled } from '../../operations/webhooks/ports.ts';
import { WebhookSender } from '../../operations/webhooks/sender.ts';
import { systemClock } from '../../ports/clock.ts';
import type { ShownCode } from '../../ports/error-codes.ts';
import { failpoint } from '../../runtime/failpoints.ts';
import { faultOf } from '../../runtime/fault.ts';
import { recentOutages } from '../../runtime/health/recent-outages.ts';
import type { HostRuntime } from '../../runtime/hosts/processor-host.ts';
import type { Connections } from '../connections.ts';
import { webhookKeys, webhookReach } from '../webhooks.ts';
import { loopingHost } from './background.ts';
import type { Hosted } from './processors.ts';

const PART = 'webhooks';
/** Between two looks at what is due: when there was nothing, and when there was, ms. */
const IDLE_MS = 250;
const BUSY_MS = 20;
/** After a look that failed, ms. */
const FAILED_MS = 1_000;
/** Between two looks at what waits, and at what is no longer kept, ms. */
const LOOK_EVERY_MS = 15_000;
/** A claim holds longer than a try takes by so much, ms. */
const CLAIM_MARGIN_MS = 5_000;

export async function webhookHosts(connections: Connections, runtime: Runtime): Promise<Hosted> {
  const { config } = connections;
  const ring = webhookKeys(config);
  const db = await connections.db();
  const endpoints = webhookEndpoints(db);
  const deliveries = webhookDeliveries(db);
  await Promise.all([endpoints.ensureIndexes(), deliveries.ensureIndexes()]);
  const { timeoutMs, perEndpoint, connections: most } = config.webhooks;
  const { takesHttp, allowed } = webhookReach(config);
  const poster = webhookPoster({ takesHttp, allowed, timeoutMs, perEndpoint });
  const { troubles, ...callbacks } = tellers(runtime);
  const sender = new WebhookSender({
    ...{ deliveries, endpoints, ring, failpoint, ...callbacks },
    post: poster.post,
    terms: { connections: most, perEndpoint, claimMs: timeoutMs + CLAIM_MARGIN_MS },
    clock: Date.now,
    random: Math.random,
  });
  const look = async () => {
    const { metrics } = runtime;
    const [{ waiting, oldestSince }, open, disabled] = await Promise.all([
      deliveries.standing(),
      endpoints.countOpen(new Date()),
      endpoints.countDisabled(),
      sender.sweep(),
    ]);
    metrics.webhooksWaiting.set(waiting);
    metrics.webhookOldest.set(oldestSince === null ? 0 : Math.max(0, Date.now() - oldestSince.getTime()) / 1_000);
    metrics.webhookBreakersOpen.set(open);
    metrics.webhookEndpointsDisabled.set(disabled);
  };
  const host = loopingHost({
    name: PART,
    troubles,
    loop: (stopping) => loop({ sender, look, onFault: callbacks.onFault }, stopping),
    close: async (deadlineMs) => {
      await sender.stop(deadlineMs);
      await poster.close();
    },
  });
  return { hosts: [host], resources: [] };
}

type Runtime = Pick<HostRuntime, 'logger' | 'metrics'>;

/** Logs and counts of what the sender tells. */
function tellers({ logger, metrics }: Runtime) {
  const recent = recentOutages(PART);
  return {
    troubles: () => recent.troubles(),
    onFault: (error: unknown) => {
      const { code, detail } = faultOf(error);
      recent.met(code, detail);
      metrics.faults.inc({ consumer: PART, code });
      logger.warn({ stage: PART, code, detail }, 'webhooks wait');
    },
    onSettled: ({ settlement, delivery }: Settled) => {
      metrics.webhookTries.inc({ outcome: settlement.kind });
      if (settlement.kind !== 'failed') return;
      const line = { stage: PART, code: settlement.code, detail: delivery._id };
      logger.warn(line, 'a webhook was given up: its producer can have it resent');
    },
    onForged: (code: ShownCode, id: string) => {
      metrics.faults.inc({ consumer: PART, code });
      logger.error({ stage: PART, code, detail: id }, 'what nobody has sealed is not sent');
    },
  };
}

interface Looping {
  readonly sender: Pick<WebhookSender, 'tick'>;
  /** Counts what waits, and deletes what is no longer kept. */
  readonly look: () => Promise<void>;
  readonly onFault: (error: unknown) => void;
}

/** Sends what is due until the signal. */
async function loop({ sender, look, onFault }: Looping, signal: AbortSignal): Promise<void> {
  let lookedAt = Number.NEGATIVE_INFINITY;
  while (!signal.aborted) {
    const waitMs = await sender.tick().then(
      (hasSent) => (hasSent ? BUSY_MS : IDLE_MS),
      (error: unknown) => {
        onFault(error);
        return FAILED_MS;
      },
    );
    if (performance.now() - lookedAt >= LOOK_EVERY_MS) {
      lookedAt = performance.now();
      await look().catch(onFault);
    }
    await systemClock.sleep(waitMs, signal);
  }
}
