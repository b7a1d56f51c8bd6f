// `npm run bench -- webhooks --url MONGODB`: how many webhooks go while many wait, to endpoints that take their time.
import { parseArgs } from 'node:util';
import { MongoClient } from 'mongodb';
import { webhookDeliveries } from '../../adapters/mongo/webhook-deliveries.ts';
import { webhookEndpoints } from '../../adapters/mongo/webhook-endpoints.ts';
import { WebhookSender } from '../../operations/webhooks/sender.ts';
import { webhookRing } from '../../operations/webhooks/testing/memory-webhooks.ts';
import { deliveryFor, endpointFor } from '../../operations/webhooks/testing/world.ts';
import { systemClock } from '../../ports/clock.ts';
import { load, table } from '../report.ts';

const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    waiting: { type: 'string', default: '20000' },
    endpoints: { type: 'string', default: '2' },
    sent: { type: 'string', default: '2000' },
  },
});
if (values.url === undefined) throw new Error('--url is needed: a MongoDB that may be written to');
const [waiting, endpoints, wanted] = [values.waiting, values.endpoints, values.sent].map(Number) as [
  number,
  number,
  number,
];
/** As the host of webhooks waits. */
const [BUSY_MS, IDLE_MS] = [20, 250];
const ANSWER_MS = 100;
const INSERTED_AT_ONCE = 1_000;

const client = await new MongoClient(values.url).connect();
const db = client.db(`bench-webhooks-${process.pid}`);
try {
  const [deliveries, known] = [webhookDeliveries(db), webhookEndpoints(db)];
  await Promise.all([deliveries.ensureIndexes(), known.ensureIndexes()]);
  const ids = Array.from({ length: endpoints }, (_, n) => `endpoint-${n}`);
  for (const id of ids) await known.insert(endpointFor(id));
  for (let n = 0; n < waiting; n += INSERTED_AT_ONCE) {
    const some = Array.from({ length: Math.min(INSERTED_AT_ONCE, waiting - n) }, (_, i) =>
      deliveryFor(ids[(n + i) % ids.length]!, `e-${n + i}`, { dueAt: new Date(0) }),
    );
    await deliveries.insertOnly(some);
  }
  let sent = 0;
  const sender = new WebhookSender({
    ...{ deliveries, endpoints: known, ring: webhookRing, clock: Date.now, random: Math.random },
    post: async () => {
      await systemClock.sleep(ANSWER_MS);
      return { kind: 'answered', status: 200, retryAfterMs: undefined };
    },
    terms: { connections: 64, perEndpoint: 4, claimMs: 15_000 },
    failpoint: () => undefined,
    onSettled: () => (sent += 1),
    onFault: (error) => {
      throw error;
    },
    onForged: (code) => {
      throw new Error(code);
    },
  });
  const began = performance.now();
  const stopping = new AbortController();
  while (sent < wanted) await systemClock.sleep((await sender.tick()) ? BUSY_MS : IDLE_MS, stopping.signal);
  const perSecond = Math.round(sent / ((performance.now() - began) / 1_000));
  await sender.stop(10_000);
  console.log(table(['waiting', 'endpoints', 'webhooks/s', 'load'], [[waiting, endpoints, perSecond, load()]]));
} finally {
  await db.dropDatabase();
  await client.close();
}
