// The payout executor with its store, provider, timer and outbox.

import { payoutOutbox } from '../../adapters/mongo/payout-outbox.ts';
import { mongoPayoutStore } from '../../adapters/mongo/payouts.ts';
import { replayClaims } from '../../adapters/mongo/replay-claims.ts';
import { bullPollTimer } from '../../adapters/queue/poll-timer.ts';
import { corridorBook } from '../../domain/corridors/corridors.ts';
import { DEFAULT_EXECUTOR_CONFIG, type PayoutExecutorConfig } from '../../payouts/config.ts';
import { createPayoutExecutor, type PayoutExecutor } from '../../payouts/executor.ts';
import { forgedDetail } from '../../payouts/outbox.ts';
import type { RequestCodec } from '../../payouts/ports.ts';
import { requestCodec } from '../../payouts/request-codec.ts';
import { systemClock } from '../../ports/clock.ts';
import { CodedError } from '../../ports/fault.ts';
import { ringOf } from '../../ports/seals.ts';
import { consumers } from '../../processors/topology.ts';
import { logAttemptClaims } from '../../runtime/attempt-claims.ts';
import type { Config } from '../../runtime/config/config.ts';
import { failpoint } from '../../runtime/failpoints.ts';
import type { HostRuntime } from '../../runtime/hosts/processor-host.ts';
import { createSinkHost } from '../../runtime/hosts/sink-host.ts';
import { type PayoutRelayOptions, payoutRelay } from '../../runtime/outbox/payout-relay.ts';
import type { Sink } from '../../sinks/contract.ts';
import { corridors } from '../configured-rules.ts';
import type { Connections } from '../connections.ts';
import { unguardedReplays, unsafeSwitches } from '../unsafe-switches/unsafe.ts';
import { pausable, payoutPauses } from './paused-payouts.ts';
import { type PayoutFaults, payoutFaults } from './payout-faults.ts';
import { payoutProvider } from './payout-provider.ts';
import { payoutScreening } from './payout-screening.ts';
import type { Hosted } from './processors.ts';
import { referenceVersionsHost } from './reference-versions.ts';

const { reads } = consumers['payout-executor'];
const [{ name: TOPIC }] = reads;

export interface UnsafePayouts {
  /** Test only: payout writes win whoever wrote before. */
  readonly noCompareAndSet?: boolean;
  /** Test only: the provider's clock alone says when an attempt is over. */
  readonly noOwnClock?: boolean;
}

/** The executor as a consumer of payout.requested. */
export async function payoutHosts(
  connections: Connections,
  runtime: HostRuntime,
  unsafe: UnsafePayouts = {},
): Promise<Hosted> {
  const { config, codec, log } = connections;
  await codec.load(['payout.requested', 'payout.updated']);
  const faults = payoutFaults(runtime, TOPIC);
  const requests = requestCodec(codec);
  // A writer of its own: no partition of payout.updated that cannot be written to may hold up a claim.
  const claimsWriter = await log.writer('payout-attempts');
  const { rings } = runtime;
  const attempts = logAttemptClaims({ log, writer: claimsWriter, codec, rings, onFault: faults.fault });
  const look = (payoutIds: readonly string[]) => void executor.pollNow(payoutIds).catch(() => {});
  const terms = { faults, requests, unsafe, attempts, onBehind: look };
  const { store, relay, writer } = await storeAndRelay(connections, runtime, terms);
  const provider = payoutProvider(config, runtime, faults, TOPIC);
  const screening = await payoutScreening(connections, runtime, faults);
  const pauses = payoutPauses(runtime.controls, config.provider.name, corridorBook(corridors(config)));
  const executor = createPayoutExecutor({
    config: executorConfig(config, unsafe),
    payouts: store,
    provider: pausable(provider.client, runtime.controls),
    ...(pauses && { pauses }),
    timer: pollTimer(config, faults),
    outbox: relay,
    codec: requests,
    attempts,
    gate: screening.gate,
    clock: { ...systemClock, monotonic: () => performance.now() },
    failpoint,
    onEvent: (event) => {
      provider.report(event);
      faults.report(event);
    },
  });
  const kept = replayClaims(() => connections.db());
  const host = createSinkHost({
    ...runtime,
    sink: executorSink(executor),
    refusesRepeats: true,
    replayClaims: unsafeSwitches().has('no-replay-claim') ? unguardedReplays(kept) : kept,
    moreTroubles: () => [...provider.troubles(), ...attempts.troubles(), ...faults.troubles()],
    underWay: () => {
      const { inFlight, unsettled, polls } = executor.stats();
      return { submit: inFlight, outcome: unsettled, query: polls, publication: relay.backlog() };
    },
    resources: {
      // Whoever cannot read claims does not know what was sent: the executor stands.
      failed: attempts.failed,
      open: async () => {
        await screening.open();
        await attempts.start();
        relay.start();
        await executor.start();
      },
      close: async (deadlineMs) => {
        await executor.stop(deadlineMs);
        await relay.stop(deadlineMs);
        await attempts.stop();
        await writer.close();
        await claimsWriter.close();
        await provider.client.close();
        await screening.close();
      },
    },
  });
  return { hosts: [host, referenceVersionsHost(connections, runtime, ['provider'])], resources: [] };
}

interface StoreTerms extends Pick<PayoutRelayOptions, 'attempts' | 'onBehind'> {
  readonly faults: PayoutFaults;
  readonly requests: RequestCodec;
  readonly unsafe: UnsafePayouts;
}

/** Payouts in MongoDB, with their indexes, and the relay of what they publish. */
async function storeAndRelay(
  connections: Connections,
  { rings }: HostRuntime,
  { faults, requests, unsafe, ...ends }: StoreTerms,
) {
  const { codec, config, log } = connections;
  const db = await connections.db();
  const writer = await log.writer('payout-outbox');
  const keys = { ring: config.keys.executor, stages: ringOf(rings, 'stages'), operators: ringOf(rings, 'operators') };
  const store = mongoPayoutStore(db, {
    ...keys,
    onForged: (payoutId) => faults.fault('PAYOUT_FORGED', forgedDetail(payoutId)),
    ...(unsafe.noCompareAndSet && { unsafe: { noCompareAndSet: true } }),
  });
  await store.ensureIndexes();
  const relay = payoutRelay({
    source: payoutOutbox(db, keys),
    codec,
    requests,
    rings,
    writer,
    ...ends,
    afterPublish: () => failpoint('payout.after-publish'),
    onEvent: (event) => {
      if (event.kind !== 'published') faults.fault(event.code, event.detail);
    },
  });
  return { store, relay, writer };
}

const pollTimer = (config: Config, { fault }: PayoutFaults) =>
  bullPollTimer({
    redisUrl: config.redis.queueUrl,
    prefix: config.appName,
    // Executors of two providers wake up each its own payouts.
    queue: `payout-polls-${config.provider.name}`,
    emptied: ['payout-polls'],
    onFault: fault,
  });

function executorSink(executor: PayoutExecutor): Sink<typeof reads> {
  return {
    name: 'payout-executor',
    reads,
    statusMarkStage: 'PAYOUT_DISPATCH',
    async write(batch) {
      const refused = await executor.handle(batch);
      const failed = refused.map(({ index, cause }) => ({
        index,
        disposition: { kind: 'dead-letter' as const, cause },
      }));
      return { written: batch.length - failed.length, stale: 0, failed };
    },
  };
}

/** Throws CONFIG_INVALID when a submit could outlast the lease of its attempt. */
function executorConfig({ payouts, provider }: Config, unsafe: UnsafePayouts): PayoutExecutorConfig {
  const { policy } = DEFAULT_EXECUTOR_CONFIG;
  if (provider.requestTimeoutMs + provider.connectTimeoutMs >= policy.leaseMs) {
    const bound = policy.leaseMs - provider.connectTimeoutMs;
    const message = `CORRIDOR_PROVIDER_REQUEST_TIMEOUT_MS must be below ${bound}: a submit must be over before its lease is`;
    throw new CodedError('CONFIG_INVALID', message, { faultClass: 'fatal' });
  }
  return {
    ...DEFAULT_EXECUTOR_CONFIG,
    maxInFlight: payouts.maxInFlight,
    asksFirst: payouts.asksFirst,
    policy: {
      ...policy,
      returnPollsMs: payouts.returnPollsMs,
      visibilityMs: payouts.visibilityMs,
      maxClockSkewMs: payouts.maxClockSkewMs,
      maxDeadAttempts: payouts.maxDeadAttempts,
      ...(unsafe.noOwnClock && { unsafe: { noOwnClock: true } }),
    },
  };
}
