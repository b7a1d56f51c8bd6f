// The sender of webhooks of a process.
import { webhookPoster } from '../../adapters/http/webhook-post.ts';
import { webhookDeliveries } from '../../adapters/mongo/webhook-deliveries.ts';
import { webhookEndpoints } from '../../adapters/mongo/webhook-endpoints.ts';
import type { Settled } from '../../operations/webhooks/ports.ts';
import { WebhookSender } from '../../operations/webhooks/sender.ts';
import { systemClock } from '../../ports/clock.ts';
import { within } from '../../ports/pause.ts';
import { failpoint } from '../../runtime/failpoints.ts';
import { faultOf } from '../../runtime/fault.ts';
import { recentOutages } from '../../runtime/health/recent-outages.ts';
import type { HostRuntime } from '../../runtime/hosts/processor-host.ts';
import type { Connections } from '../connections.ts';
import { webhookKeys, webhookReach } from '../webhooks.ts';
import { backgroundHost } from './background.ts';
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

// oxlint-disable-next-line eslint/max-lines-per-function -- wires the sender, step by step, over what its options share
export async function webhookHosts(
  connections: Connections,
  { logger, metrics }: Pick<HostRuntime, 'logger' | 'metrics'>,
): Promise<Hosted> {
  const { config } = connections;
  const { timeoutMs, perEndpoint, connections: most } = config.webhooks;
  const ring = webhookKeys(config);
  const db = await connections.db();
  const endpoints = webhookEndpoints(db);
  const deliveries = webhookDeliveries(db);
  await Promise.all([endpoints.ensureIndexes(), deliveries.ensureIndexes()]);
  const { takesHttp, allowed } = webhookReach(config);
  const poster = webhookPoster({ takesHttp, allowed, timeoutMs, perEndpoint });
  const recent = recentOutages(PART);
  const onFault = (error: unknown) => {
    const { code, detail } = faultOf(error);
    recent.met(code, detail);
    metrics.faults.inc({ consumer: PART, code });
    logger.warn({ stage: PART, code, detail }, 'webhooks wait');
  };
  const onSettled = ({ settlement, delivery }: Settled) => {
    metrics.webhookTries.inc({ outcome: settlement.kind });
    if (settlement.kind !== 'failed') return;
    const { code } = settlement;
    logger.warn({ stage: PART, code, detail: delivery._id }, 'a webhook was given up: its producer can have it resent');
  };
  const sender = new WebhookSender({
    ...{ deliveries, endpoints, ring, failpoint, onFault, onSettled },
    post: poster.post,
    terms: { connections: most, perEndpoint, claimMs: timeoutMs + CLAIM_MARGIN_MS },
    clock: Date.now,
    random: Math.random,
    onForged: (code, id) => {
      metrics.faults.inc({ consumer: PART, code });
      logger.error({ stage: PART, code, detail: id }, 'what nobody has sealed is not sent');
    },
  });

  async function look(): Promise<void> {
    const [{ waiting, oldestSince }, open] = await Promise.all([
      deliveries.standing(),
      endpoints.countOpen(new Date()),
      sender.sweep(),
    ]);
    metrics.webhooksWaiting.set(waiting);
    metrics.webhookOldest.set(oldestSince === null ? 0 : Math.max(0, Date.now() - oldestSince.getTime()) / 1_000);
    metrics.webhookBreakersOpen.set(open);
  }

  const stopping = new AbortController();
  const { signal } = stopping;
  let lookedAt = Number.NEGATIVE_INFINITY;
  async function loop(): Promise<void> {
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
  let running: Promise<void> | undefined;
  const host = backgroundHost({
    name: PART,
    troubles: () => recent.troubles(),
    start: async () => {
      running = loop();
    },
    stop: async (deadlineMs) => {
      stopping.abort();
      await within(deadlineMs, running);
      await sender.stop(deadlineMs);
      await poster.close();
    },
  });
  return { hosts: [host], resources: [] };
}
