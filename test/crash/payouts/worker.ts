// A payout executor as a process of its own, fed from a list instead of a consumer: like a consumer that has committed no
// offset, it hands in every record from the start each time it is started. Its relay writes to a file instead of a log.

import { closeSync, fdatasyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { connectMongo } from '../../../adapters/mongo/client.ts';
import { payoutOutbox } from '../../../adapters/mongo/payout-outbox.ts';
import { mongoPayoutStore } from '../../../adapters/mongo/payouts.ts';
import { httpProviderClient } from '../../../adapters/payout-providers/client.ts';
import { bullPollTimer } from '../../../adapters/queue/poll-timer.ts';
import { keyRing } from '../../../domain/seals/seal.ts';
import { DEFAULT_EXECUTOR_CONFIG } from '../../../payouts/config.ts';
import { createPayoutExecutor } from '../../../payouts/executor.ts';
import type { PayoutPolicy } from '../../../payouts/policy.ts';
import type { PayoutEvent } from '../../../payouts/ports.ts';
import { requestCodec } from '../../../payouts/request-codec.ts';
import { systemClock } from '../../../ports/clock.ts';
import { failpoint } from '../../../runtime/failpoints.ts';
import { payoutRelay } from '../../../runtime/outbox/payout-relay.ts';
import { memoryCodec } from '../../kit/memory-codec.ts';
import { asDispatched, payoutRequestedFor, received } from '../../kit/payouts/requested.ts';
import { testRings } from '../../kit/rings.ts';

export interface WorkerSettings {
  readonly mongoUri: string;
  readonly database: string;
  readonly redisUrl: string;
  readonly queue: string;
  readonly providerUrl: string;
  readonly logFile: string;
  readonly transfers: readonly { readonly transferId: string; readonly account: string }[];
  readonly now: number;
  readonly priceExpiresAt: number;
  readonly policy: Partial<PayoutPolicy>;
  readonly batch: number;
  readonly maxInFlight: number;
  readonly submitTimeoutMs: number;
  readonly noCompareAndSet?: boolean;
}

export interface WorkerReport {
  /** All have come to an end and left the outbox. */
  readonly done: boolean;
  readonly byPhase: Readonly<Record<string, number>>;
  readonly events: Readonly<Record<string, number>>;
}

/** As long as a start of a process of the product is waited for, ms. */
const START_MS = 60_000;

async function main(): Promise<void> {
  const settings = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as WorkerSettings;
  const events: Record<string, number> = {};
  const count = (name: string) => {
    events[name] = (events[name] ?? 0) + 1;
  };
  const { db } = await connectMongo({ uri: settings.mongoUri, database: settings.database, firstWaitMs: START_MS });
  const codec = memoryCodec();
  const unsafe = settings.noCompareAndSet ? { unsafe: { noCompareAndSet: true } } : {};
  const ring = keyRing('test:test-only-executor-key-000000000000');
  const { stages } = testRings;
  const payouts = mongoPayoutStore(db, { ring, stages, onForged: () => count('forged'), ...unsafe });
  await payouts.ensureIndexes();
  const log = openSync(settings.logFile, 'a');
  const requests = requestCodec(codec);
  const relay = payoutRelay({
    source: payoutOutbox(db, { ring, stages }),
    codec,
    requests,
    rings: testRings,
    writer: {
      send: async (records) => {
        const lines = records.map(({ partition, key, headers }) =>
          JSON.stringify({ partition, key, eventId: headers['event-id'] }),
        );
        writeSync(log, `${lines.join('\n')}\n`);
        fdatasyncSync(log);
      },
    },
    afterPublish: () => failpoint('payout.after-publish'),
    onEvent: (event) => event.kind !== 'published' && count(`relay ${event.kind}`),
  });
  const provider = httpProviderClient({
    name: 'simulator',
    url: settings.providerUrl,
    submitTimeoutMs: settings.submitTimeoutMs,
    queryTimeoutMs: settings.submitTimeoutMs,
    connections: settings.maxInFlight,
  });
  const executor = createPayoutExecutor({
    config: {
      ...DEFAULT_EXECUTOR_CONFIG,
      policy: { ...DEFAULT_EXECUTOR_CONFIG.policy, returnPollsMs: [], ...settings.policy },
      maxInFlight: settings.maxInFlight,
      maxPolls: settings.maxInFlight,
      sweepEveryMs: 200,
      overdueMs: 300,
    },
    payouts,
    provider,
    timer: bullPollTimer({ redisUrl: settings.redisUrl, queue: settings.queue, prefix: 'test' }),
    outbox: relay,
    codec: requests,
    clock: { ...systemClock, monotonic: () => performance.now() },
    failpoint,
    onEvent: (event) => count(nameOf(event)),
  });
  relay.start();
  await executor.start();
  const records = settings.transfers.map(({ transferId, account }, index) => {
    const { now, priceExpiresAt: expiresAt } = settings;
    const requested = payoutRequestedFor({ transferId, account, now, expiresAt, homePartition: index % 8 });
    return asDispatched(received(requested), stages, codec.encode('payout.requested', requested));
  });
  const started = performance.now();
  for (let from = 0; from < records.length; from += settings.batch) {
    const refused = await handOver(() => executor.handle(records.slice(from, from + settings.batch)));
    for (const { cause } of refused) count(cause.code);
  }
  console.error(`consumed after ${Math.round(performance.now() - started)} ms`);
  let report: WorkerReport;
  do {
    await new Promise((resolve) => setTimeout(resolve, 50));
    report = await look();
  } while (!report.done);
  console.error(`done after ${Math.round(performance.now() - started)} ms, cpu ${JSON.stringify(process.cpuUsage())}`);
  process.stdout.write(`${JSON.stringify(report)}\n`);
  await executor.stop(2_000);
  await relay.stop(1_000);
  closeSync(log);
  process.exit(0);

  async function look(): Promise<WorkerReport> {
    const byPhase = await payouts.countByPhase();
    const ended = ['PAID', 'FAILED', 'EXPIRED', 'RETURNED'].reduce((sum, phase) => sum + (byPhase[phase] ?? 0), 0);
    const left = await db.collection('payouts').countDocuments({ unpublishedSince: { $lte: new Date(8.64e15) } });
    return { done: ended === settings.transfers.length && left === 0, byPhase, events };
  }
}

function nameOf(event: PayoutEvent): string {
  if (event.kind === 'transition') return `${event.from} -> ${event.to}`;
  if (event.kind === 'clock') return event.isDoubtful ? 'clock doubtful' : 'clock';
  if (event.kind === 'no-answer') return `${event.call} ${event.code}`;
  return 'code' in event ? `${event.kind} ${event.code}` : event.kind;
}

/** As the host does: a batch that could not be stored is handed in again. */
async function handOver<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      console.error(String(error));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

await main();
