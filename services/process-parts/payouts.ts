// The payout executor with its store, provider, timer and outbox.

import { httpProviderClient, type ProviderCircuit } from '../../adapters/http/provider-client.ts';
import { listStore } from '../../adapters/mongo/list-versions.ts';
import { payoutOutbox } from '../../adapters/mongo/payout-outbox.ts';
import { mongoPayoutStore } from '../../adapters/mongo/payouts.ts';
import { replayClaims } from '../../adapters/mongo/replay-claims.ts';
import { bullPollTimer } from '../../adapters/queue/poll-timer.ts';
import { DEFAULT_EXECUTOR_CONFIG, type PayoutExecutorConfig } from '../../payouts/config.ts';
import { createPayoutExecutor } from '../../payouts/executor.ts';
import { forgedDetail } from '../../payouts/outbox.ts';
import type { PayoutEvent } from '../../payouts/ports.ts';
import { requestCodec } from '../../payouts/request-codec.ts';
import { createScreeningGate } from '../../payouts/screening-gate.ts';
import { systemClock } from '../../ports/clock.ts';
import type { ErrorCode, ShownCode } from '../../ports/error-codes.ts';
import { CodedError } from '../../ports/fault.ts';
import { ringOf } from '../../ports/seals.ts';
import { consumers } from '../../processors/topology.ts';
import { logAttemptClaims } from '../../runtime/attempt-claims.ts';
import type { Config } from '../../runtime/config/config.ts';
import { failpoint } from '../../runtime/failpoints.ts';
import { faultOf } from '../../runtime/fault.ts';
import { recentOutages } from '../../runtime/health/recent-outages.ts';
import type { DependencyTrouble } from '../../runtime/hosts/host.ts';
import type { HostRuntime } from '../../runtime/hosts/processor-host.ts';
import { createSinkHost } from '../../runtime/hosts/sink-host.ts';
import { createTable } from '../../runtime/hosts/table.ts';
import { payoutRelay } from '../../runtime/outbox/payout-relay.ts';
import type { Sink } from '../../sinks/contract.ts';
import type { Connections } from '../connections.ts';
import { providerAuth } from '../provider-auth.ts';
import { customerCasesFor, durableLists, maySeeLists, screenerFor, termsOf } from '../screening.ts';
import { unguardedReplays, unsafeSwitches } from '../unsafe-switches/unsafe.ts';
import { heldPayouts } from './held-payouts.ts';
import type { Hosted } from './processors.ts';
import { providerClock } from './provider-clock.ts';

const { reads } = consumers['payout-executor'];
const CIRCUIT_VALUES: Readonly<Record<ProviderCircuit, number>> = { closed: 0, 'half-open': 1, open: 2 };

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
  const { logger, metrics } = runtime;
  const { name: providerName } = config.provider;
  const db = await connections.db();
  await codec.load(['payout.requested', 'payout.updated']);
  const writer = await log.writer('payout-outbox');
  const requests = requestCodec(codec);
  const recent = recentOutages(reads[0].name);
  const fault = (code: ErrorCode, detail: string) => {
    recent.met(code, detail);
    metrics.faults.inc({ consumer: 'payout-executor', code });
    logger.warn({ stage: 'payout-executor', code, detail }, 'payout fault');
  };
  const ring = config.keys.executor;
  const stages = ringOf(runtime.rings, 'stages');
  const operators = ringOf(runtime.rings, 'operators');
  const store = mongoPayoutStore(db, {
    ring,
    stages,
    operators,
    onForged: (payoutId) => fault('PAYOUT_FORGED', forgedDetail(payoutId)),
    ...(unsafe.noCompareAndSet && { unsafe: { noCompareAndSet: true } }),
  });
  await store.ensureIndexes();
  const relay = payoutRelay({
    source: payoutOutbox(db, { ring, stages, operators }),
    codec,
    requests,
    rings: runtime.rings,
    writer,
    afterPublish: () => failpoint('payout.after-publish'),
    onEvent: (event) => {
      if (event.kind !== 'published') fault(event.code, event.detail);
    },
  });
  let providerAway: readonly DependencyTrouble[] = [];
  const provider = httpProviderClient({
    name: providerName,
    url: config.provider.url,
    answers: config.provider.answers,
    auth: providerAuth(config.provider),
    // As many connections as submits and polls may be on their way: neither waits for the other.
    connections: config.payouts.maxInFlight + DEFAULT_EXECUTOR_CONFIG.maxPolls,
    connectTimeoutMs: config.provider.connectTimeoutMs,
    submitTimeoutMs: config.provider.requestTimeoutMs,
    queryTimeoutMs: config.provider.requestTimeoutMs,
    onCircuit: (state) => {
      providerAway = state === 'closed' ? [] : [providerTrouble(providerName, state, providerAway[0])];
      metrics.providerCircuit.set({ provider: providerName }, CIRCUIT_VALUES[state]);
      logger.warn({ stage: 'payout-executor', code: 'PROVIDER_CIRCUIT', detail: state }, 'circuit of the provider');
    },
  });
  const clock = providerClock({
    provider: providerName,
    topic: reads[0].name,
    onDoubt: (detail) => logger.warn({ stage: 'payout-executor', code: 'PROVIDER_CLOCK', detail }, 'payout fault'),
    onAhead: (seconds) => metrics.providerClockAhead.set({ provider: providerName }, seconds),
  });
  const held = heldPayouts({
    provider: providerName,
    topic: reads[0].name,
    onHeld: (detail) =>
      logger.warn({ stage: 'payout-executor', code: 'PAYOUT_OTHER_PROVIDER', detail }, 'payout fault'),
    onCount: (count) => metrics.payoutsHeld.set({ provider: providerName }, count),
  });
  const listActivations = createTable({
    topic: 'screening.list-activated',
    log,
    codec,
    rings: runtime.rings,
    onFault: ({ code, detail }) => fault(code, detail),
  });
  // The database stays what counts: the log only says whether it was put back.
  listActivations.failed.catch((error: unknown) => fault(...faultParts(error)));
  const lists = durableLists(listStore(db, config.keys), listActivations);
  const screener = await screenerFor('payout-executor', connections, runtime, lists);
  const gate = createScreeningGate({
    screener,
    cases: customerCasesFor('payout-executor', db, runtime),
    maySeeLists: maySeeLists(termsOf(config)),
    onBlocked: (payoutId, code) => fault(code, `payout ${payoutId} is stopped by screening`),
  });
  // A writer of its own: no partition of payout.updated that cannot be written to may hold up a claim.
  const claimsWriter = await log.writer('payout-attempts');
  const attempts = logAttemptClaims({ log, writer: claimsWriter, codec, rings: runtime.rings, onFault: fault });
  const executor = createPayoutExecutor({
    config: executorConfig(config, unsafe),
    payouts: store,
    provider,
    timer: bullPollTimer({
      redisUrl: config.redis.queueUrl,
      prefix: config.appName,
      // Executors of two providers wake up each its own payouts.
      queue: `payout-polls-${providerName}`,
      emptied: ['payout-polls'],
      onFault: fault,
    }),
    outbox: relay,
    codec: requests,
    attempts,
    gate,
    clock: { ...systemClock, monotonic: () => performance.now() },
    failpoint,
    onEvent: (event) => {
      if (event.kind === 'held') held.counted(event.count);
      if (event.kind === 'clock') clock.observed(event.aheadMs, event.isDoubtful);
      report(event, fault, (code) => metrics.faults.inc({ consumer: 'payout-executor', code }));
    },
  });
  const sink: Sink<typeof reads> = {
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
  const kept = replayClaims(() => connections.db());
  const host = createSinkHost({
    ...runtime,
    sink,
    refusesRepeats: true,
    replayClaims: unsafeSwitches().has('no-replay-claim') ? unguardedReplays(kept) : kept,
    moreTroubles: () => [
      ...providerAway,
      ...clock.troubles(),
      ...held.troubles(),
      ...attempts.troubles(),
      ...recent.troubles(),
    ],
    underWay: () => {
      const { inFlight, unsettled, polls } = executor.stats();
      return { submit: inFlight, outcome: unsettled, query: polls, publication: relay.backlog() };
    },
    resources: {
      // Whoever cannot read claims does not know what was sent: the executor stands.
      failed: attempts.failed,
      open: async () => {
        await listActivations.start();
        screener.warmExceptions();
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
        await provider.close();
        await screener.close();
        await listActivations.stop();
      },
    },
  });
  return { hosts: [host], resources: [] };
}

/** While the circuit is not closed, payouts wait in the store: no partition shows it. */
function providerTrouble(provider: string, state: string, before: DependencyTrouble | undefined): DependencyTrouble {
  return {
    dependency: 'provider',
    code: 'PROVIDER_CIRCUIT',
    detail: `the circuit of ${provider} is ${state}: payouts wait until it answers`,
    since: before?.since ?? Date.now(),
    topic: reads[0].name,
    partition: 0,
    lastMetAt: performance.now(),
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

const faultParts = (error: unknown): [code: ErrorCode, detail: string] => {
  const { code, detail } = faultOf(error);
  return [code, detail];
};

function report(
  event: PayoutEvent,
  fault: (code: ErrorCode, detail: string) => void,
  count: (code: ShownCode) => void,
): void {
  if (event.kind === 'fault') fault(event.code, event.detail);
  if (event.kind === 'case') fault(event.code, `payout ${event.payoutId} needs a person`);
  // Counted only: in an outage there is one for each payout, and the circuit tells it once.
  if (event.kind === 'no-answer') count(event.code);
  if (event.kind === 'clock' && event.isDoubtful) count('PROVIDER_CLOCK');
  if (event.kind === 'held' && event.count > 0) count('PAYOUT_OTHER_PROVIDER');
}
