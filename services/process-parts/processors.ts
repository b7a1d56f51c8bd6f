// The six stages with their adapters.

import { holdClaims } from '../../adapters/mongo/hold-claims.ts';
import { intentClaims } from '../../adapters/mongo/intent-claims.ts';
import { quotes } from '../../adapters/mongo/quotes.ts';
import { replayClaims } from '../../adapters/mongo/replay-claims.ts';
import { settlementClaims } from '../../adapters/mongo/settlement-claims.ts';
import { watchRedis } from '../../adapters/redis/client-watch.ts';
import { limitsLedger } from '../../adapters/redis/limits.ts';
import { LIMITS_DEPENDENCY, limitsClient } from '../../adapters/redis/limits-client.ts';
import { limitsNamespace } from '../../adapters/redis/limits-generation.ts';
import { corridorBook } from '../../domain/corridors/corridors.ts';
import type { ErrorCode } from '../../ports/error-codes.ts';
import { CodedError } from '../../ports/fault.ts';
import { ringOf } from '../../ports/seals.ts';
import type { AnyProcessor } from '../../processors/contract.ts';
import { createFxPricing } from '../../processors/fx-pricing/processor.ts';
import { createIntake } from '../../processors/intake/processor.ts';
import { createLimits } from '../../processors/limits/processor.ts';
import { rulesOf } from '../../processors/limits/requests.ts';
import { createPayoutDispatch } from '../../processors/payout-dispatch/processor.ts';
import { createScreening } from '../../processors/screening/processor.ts';
import { createSettlement } from '../../processors/settlement/processor.ts';
import { type FailpointName, failpoint } from '../../runtime/failpoints.ts';
import type { Host } from '../../runtime/hosts/host.ts';
import {
  createProcessorHost,
  type HostRuntime,
  type ProcessorHostOptions,
} from '../../runtime/hosts/processor-host.ts';
import { createTable, type Table } from '../../runtime/hosts/table.ts';
import { fxAcceptedRates } from '../../topics/boundary.ts';
import { homePartition } from '../../topics/home-partition.ts';
import { followedRates } from '../accepted-rates.ts';
import { producerRules } from '../configured-producers.ts';
import { casePolicy, corridors, needsTwo, transferRules } from '../configured-rules.ts';
import { type Connections, firstLoss } from '../connections.ts';
import { dispatchedRequests } from '../dispatched-requests.ts';
import { checkFeedKeys } from '../feed-keys.ts';
import { limitsSnapshots } from '../limits-snapshots.ts';
import { followedLimits, followedTerms } from '../policies.ts';
import { activeInTable, customerCasesFor, maySeeLists, screenerFor, termsOf } from '../screening.ts';
import { unguardedClaims, unguardedQuotes, unguardedReplays, unsafeSwitches } from '../unsafe-switches/unsafe.ts';
import { hydrationHost } from './hydration.ts';
import type { ProcessorName } from './part-selection.ts';
import { positionCountsHost } from './position-counts.ts';
import { quotesHost } from './quotes.ts';
import { ratesForgotten } from './rates-forgotten.ts';
import { ratesWaiting } from './rates-waiting.ts';
import { referenceVersionsHost } from './reference-versions.ts';
import { tableFaults } from './table-faults.ts';

export interface Hosted {
  readonly hosts: readonly Host[];
  readonly resources: readonly { readonly name: string; close(): Promise<void> }[];
  /** Rejects when a client of its own is broken for ever. */
  readonly lost?: Promise<never>;
}

interface Built {
  readonly processor: AnyProcessor;
  readonly tables?: readonly Table<unknown>[];
  readonly beside?: readonly Host[];
  readonly moreTroubles?: ProcessorHostOptions['moreTroubles'];
  readonly resources?: Hosted['resources'];
  readonly lost?: Promise<never>;
}

/** Hosts for these processors. Throws a coded error when one cannot be made. */
export async function processorHosts(
  names: readonly ProcessorName[],
  connections: Connections,
  runtime: HostRuntime,
): Promise<Hosted> {
  const kept = replayClaims(() => connections.db());
  const unsafe = unsafeSwitches();
  const claims = unsafe.has('no-replay-claim') ? unguardedReplays(kept) : kept;
  const believes = unsafe.has('topics-by-name') ? { unsafeBelievesOffsets: true } : {};
  const built = await Promise.all(names.map((name) => BUILDERS[name](connections, runtime)));
  return {
    hosts: built.flatMap(({ processor, tables, moreTroubles, beside = [] }) => [
      ...beside,
      createProcessorHost({
        ...{ ...runtime, ...believes, processor, replayClaims: claims },
        ...(tables ? { tables } : {}),
        ...(moreTroubles ? { moreTroubles } : {}),
      }),
    ]),
    resources: built.flatMap(({ resources = [] }) => resources),
    lost: firstLoss(built.flatMap(({ lost }) => lost ?? [])),
  };
}

const clock = Date.now;
const hook = async (name: FailpointName) => failpoint(name);
const dropped = (stage: string, { logger, metrics }: HostRuntime) => {
  return (cause: { code: ErrorCode; detail: string }) => {
    metrics.faults.inc({ consumer: stage, code: cause.code });
    logger.info({ stage, code: cause.code, detail: cause.detail }, 'dropped');
  };
};

const brokenLimits = (detail: string) =>
  new CodedError('REDIS_CLIENT_BROKEN', `${LIMITS_DEPENDENCY}: ${detail}`, {
    faultClass: 'fatal',
    dependency: LIMITS_DEPENDENCY,
  });

/** A table that calls `then` each time it has started. */
function followedBy(table: Table<unknown>, then: () => void): Table<unknown> {
  const start = async () => {
    await table.start();
    then();
  };
  return Object.create(table, { start: { value: start } }) as Table<unknown>;
}

const BUILDERS: Record<ProcessorName, (connections: Connections, runtime: HostRuntime) => Promise<Built>> = {
  intake: async (connections) => {
    const claims = intentClaims(await connections.db(), { failpoint: hook });
    return {
      processor: createIntake({
        claims: unsafeSwitches().has('no-intake-claim') ? unguardedClaims(claims) : claims,
        corridors: corridorBook(corridors(connections.config)),
        transferRules: transferRules(connections.config),
        producers: producerRules(connections.config),
        homePartitionOf: (transferId) => homePartition(transferId, connections.config.kafka.chainPartitions),
        tokenKey: Buffer.from(connections.config.tokenKey, 'utf8'),
        clock,
        failpoint: hook,
      }),
    };
  },

  screening: async (connections, runtime) => {
    const { config, log, codec } = connections;
    const onFault = tableFaults('screening', runtime);
    const lists = createTable({ topic: 'screening.list-activated', log, codec, rings: config.keys, onFault });
    const screener = await screenerFor('screening', connections, runtime, activeInTable(lists));
    return {
      processor: createScreening({
        screener,
        holds: holdClaims(await connections.db(), { failpoint: hook }),
        keys: { ...config.keys, needsTwo: needsTwo(config) },
        clock,
        holdTtlMs: config.transfers.holdExpiryMs,
        onDropped: dropped('screening', runtime),
        failpoint: hook,
      }),
      // The index is begun as soon as the table is there, so that the first batch need not wait for it.
      tables: [followedBy(lists, () => screener.warm())],
      beside: [referenceVersionsHost(connections, runtime, ['lists'])],
      resources: [{ name: 'screening-index', close: () => screener.close() }],
    };
  },

  'fx-pricing': async (connections, runtime) => {
    const { config, log, codec } = connections;
    const onFault = tableFaults('fx-pricing', runtime);
    const rates = createTable({ topic: 'fx.rates', log, codec, rings: config.keys, onFault });
    const { accepted, tables, close } = followedRates({ log, codec, config }, { onFault });
    await codec.load([fxAcceptedRates.name]);
    const book = corridorBook(corridors(config));
    checkFeedKeys(config.keys.feeds, book.corridors);
    const terms = followedTerms(connections, { onFault });
    const { onForgotten, troubles } = ratesForgotten(runtime, clock);
    const store = quotes(await connections.db(), { failpoint: hook });
    const ring = ringOf(config.keys, 'stages');
    const isStopped = (corridor: string) => runtime.controls?.corridorPause(corridor) !== undefined;
    const claimed = unsafeSwitches().has('no-quote-claim') ? unguardedQuotes(store) : store;
    const desk = { store: claimed, ring, isStopped, voidBefore: config.quotes.voidBefore };
    const common = { corridors: book, clock, failpoint: hook, quotes: desk };
    const processor = createFxPricing({ ...common, rates, accepted, terms, onForgotten });
    const followed = [rates, ...tables, terms.table];
    const answering = { quotes: store, pricing: processor, ring, clock, failpoint: hook };
    const waiting = ratesWaiting(processor, runtime.metrics, clock);
    return {
      processor,
      tables: followed,
      moreTroubles: () => [...waiting(), ...terms.troubles(), ...troubles()],
      beside: [
        positionCountsHost(connections, runtime),
        referenceVersionsHost(connections, runtime, ['corridors', 'terms']),
        quotesHost({ ...answering, tables: followed, ensureIndexes: store.ensureIndexes }, runtime),
      ],
      resources: [{ name: 'writer of accepted rates', close }],
    };
  },

  limits: async (connections, runtime) => {
    const { config, log, codec } = connections;
    // First what may fail: nothing would close the client.
    const holds = holdClaims(await connections.db(), { failpoint: hook });
    const redis = limitsClient({ url: config.redis.limitsUrl });
    const lost = Promise.withResolvers<never>();
    const watch = watchRedis(redis, (detail) => lost.reject(brokenLimits(detail)));
    const policy = followedLimits(connections, { onFault: tableFaults('limits', runtime) });
    const rules = () => rulesOf(policy);
    const ledger = limitsLedger(redis, {
      namespace: limitsNamespace(config.appName),
      keys: config.keys.stages,
    });
    const { logger } = runtime;
    return {
      processor: createLimits({
        ledger,
        holds,
        keys: { ...config.keys, needsTwo: needsTwo(config) },
        rules: policy,
        clock,
        holdTtlMs: config.transfers.holdExpiryMs,
        onDropped: dropped('limits', runtime),
        failpoint: hook,
      }),
      tables: [policy.table],
      moreTroubles: policy.troubles,
      beside: [
        hydrationHost({
          ledger,
          log,
          codec,
          rings: config.keys,
          rules,
          ready: () => policy.table.start(),
          snapshots: limitsSnapshots({ log, codec, config }),
          metrics: runtime.metrics,
          logger,
          transactionTimeoutMs: config.kafka.transactionTimeoutMs,
        }),
        referenceVersionsHost(connections, runtime, ['limits']),
      ],
      resources: [
        {
          name: LIMITS_DEPENDENCY,
          close: async () => {
            watch.stop();
            redis.disconnect();
          },
        },
      ],
      lost: firstLoss([lost.promise]),
    };
  },

  'payout-dispatch': async (connections, runtime) => {
    const { config, log, codec } = connections;
    const onFault = tableFaults('payout-dispatch', runtime);
    const lists = createTable({ topic: 'screening.list-activated', log, codec, rings: config.keys, onFault });
    const screener = await screenerFor('payout-dispatch', connections, runtime, activeInTable(lists));
    return {
      processor: createPayoutDispatch({
        clock,
        holds: holdClaims(await connections.db(), { failpoint: hook }),
        keys: { ...config.keys, needsTwo: needsTwo(config) },
        screener,
        maySeeLists: maySeeLists(termsOf(config)),
        cases: customerCasesFor('payout-dispatch', await connections.db(), runtime, casePolicy(connections.config)),
        holdTtlMs: config.transfers.holdExpiryMs,
        onDropped: dropped('payout-dispatch', runtime),
        failpoint: hook,
      }),
      tables: [followedBy(lists, () => screener.warmExceptions())],
      resources: [{ name: 'payout-dispatch-index', close: () => screener.close() }],
    };
  },

  settlement: async (connections, runtime) => ({
    processor: createSettlement({
      dispatched: dispatchedRequests(connections.codec, runtime.rings),
      claims: settlementClaims(await connections.db(), { failpoint: hook }),
      clock,
      onDropped: dropped('settlement', runtime),
      failpoint: hook,
    }),
  }),
};
