// The stages of the chain as they are, over stores that are read and never written: for dry runs.

import { claimsOnHolds } from '../../adapters/mongo/hold-claims.ts';
import { intentClaims } from '../../adapters/mongo/intent-claims.ts';
import { quotes } from '../../adapters/mongo/quotes.ts';
import { settlementClaims } from '../../adapters/mongo/settlement-claims.ts';
import { limitsClient, ready } from '../../adapters/redis/limits-client.ts';
import { limitsNamespace } from '../../adapters/redis/limits-generation.ts';
import { limitsPreview } from '../../adapters/redis/limits-preview.ts';
import { corridorBook } from '../../domain/corridors/corridors.ts';
import { policyKey } from '../../domain/policies/versions.ts';
import { listPolicies } from '../../operations/policies/versions.ts';
import type { AnyProcessor } from '../../processors/contract.ts';
import { createFxPricing } from '../../processors/fx-pricing/processor.ts';
import { createIntake } from '../../processors/intake/processor.ts';
import { createLimits } from '../../processors/limits/processor.ts';
import { createPayoutDispatch } from '../../processors/payout-dispatch/processor.ts';
import { createScreening } from '../../processors/screening/processor.ts';
import { createSettlement } from '../../processors/settlement/processor.ts';
import type { StageName } from '../../processors/topology.ts';
import type { HostRuntime } from '../../runtime/hosts/processor-host.ts';
import { createTable, type Table } from '../../runtime/hosts/table.ts';
import type { TopicValues } from '../../topics/catalogue.ts';
import { homePartition } from '../../topics/home-partition.ts';
import { followedRates } from '../accepted-rates.ts';
import { producerRules } from '../configured-producers.ts';
import { casePolicy, corridors, needsTwo, transferRules } from '../configured-rules.ts';
import type { Connections } from '../connections.ts';
import { dispatchedRequests } from '../dispatched-requests.ts';
import { followedLimits, followedTerms, policyBook, policyLog } from '../policies.ts';
import { activeInTable, customerCasesFor, maySeeLists, screenerFor, termsOf } from '../screening.ts';
import { previewHolds, previewIntents, previewQuotes, previewSettlements } from './preview-claims.ts';

/** The stages of one dry run. Each is made when it is first asked for. */
export interface DryStages {
  stage(name: StageName): Promise<AnyProcessor>;
  /** Versions of the lists in force. */
  lists(): Promise<readonly string[]>;
  /** Versions of policies that are in force. */
  policies(): Promise<readonly string[]>;
  close(): Promise<void>;
}

export function dryStages(connections: Connections, runtime: HostRuntime): DryStages {
  const { config, log, codec } = connections;
  const made = new Map<StageName, Promise<AnyProcessor>>();
  const lists = createTable({ topic: 'screening.list-activated', log, codec, rings: config.keys });
  const closing: Closing[] = [() => lists.stop()];
  const make = stageMakers({ connections, runtime, lists, onClose: (close) => closing.push(close) });
  return {
    stage(name) {
      const known = made.get(name) ?? make[name]();
      made.set(name, known);
      return known;
    },
    async lists() {
      await lists.start();
      return [...lists.entries()]
        .map(([, { list }]) => `${list.source}/${list.versionId}/${list.activation}`)
        .toSorted();
    },
    async policies() {
      const found = await listPolicies(policyBook(config), policyLog(connections), { now: Date.now() });
      return found.map(({ kind, inForce }) => policyKey({ kind, version: inForce }));
    },
    async close() {
      await Promise.allSettled(closing.map((close) => close()));
    },
  };
}

type Closing = () => Promise<void>;

/** What the stages of one dry run share. */
interface Shared {
  readonly connections: Connections;
  readonly runtime: HostRuntime;
  readonly lists: Table<TopicValues['screening.list-activated']>;
  /** Called with what ends something that a stage has opened. */
  readonly onClose: (close: Closing) => void;
}

/** How each stage is made. */
function stageMakers(shared: Shared): Record<StageName, () => Promise<AnyProcessor>> {
  const { connections, runtime, onClose } = shared;
  const { config, codec } = connections;
  const clock = Date.now;
  const book = corridorBook(corridors(config));
  return {
    intake: async () =>
      createIntake({
        claims: previewIntents(intentClaims(await connections.db())),
        corridors: book,
        transferRules: transferRules(config),
        producers: producerRules(config),
        homePartitionOf: (transferId) => homePartition(transferId, config.kafka.chainPartitions),
        tokenKey: Buffer.from(config.tokenKey, 'utf8'),
        clock,
      }),
    screening: async () =>
      createScreening({ ...(await holding(connections)), screener: await screenerOf('screening', shared) }),
    'fx-pricing': async () => {
      const terms = followedTerms(connections);
      onClose(() => terms.table.stop());
      await terms.table.start();
      const store = previewQuotes(quotes(await connections.db()));
      const priced = {
        corridors: book,
        terms,
        clock,
        quotes: { store, ring: config.keys.stages, voidBefore: config.quotes.voidBefore },
      };
      return createFxPricing({ ...(await dryRates(shared)), ...priced });
    },
    limits: async () => {
      const redis = limitsClient({ url: config.redis.limitsUrl });
      onClose(async () => redis.disconnect());
      await ready(redis);
      const ledger = limitsPreview(redis, limitsNamespace(config.appName));
      const policy = followedLimits(connections);
      onClose(() => policy.table.stop());
      await policy.table.start();
      return createLimits({ ...(await holding(connections)), ledger, rules: policy });
    },
    'payout-dispatch': async () =>
      createPayoutDispatch({
        ...(await holding(connections)),
        screener: await screenerOf('payout-dispatch', shared),
        maySeeLists: maySeeLists(termsOf(config)),
        cases: customerCasesFor('payout-dispatch', await connections.db(), runtime, casePolicy(connections.config)),
      }),
    settlement: async () =>
      createSettlement({
        dispatched: dispatchedRequests(codec, runtime.rings),
        claims: previewSettlements(settlementClaims(await connections.db())),
        clock,
      }),
  };
}

/** What the stages that hold have, with claims that are read alone. */
async function holding(connections: Connections) {
  const { config } = connections;
  const db = await connections.db();
  return {
    holds: previewHolds((ids) => claimsOnHolds(db, ids)),
    keys: { ...(config.keys as Required<typeof config.keys>), needsTwo: needsTwo(config) },
    clock: Date.now,
    holdTtlMs: config.transfers.holdExpiryMs,
  };
}

/** Rates, and what two persons have accepted of them, as they are now. */
async function dryRates({ connections, onClose }: Shared) {
  const { config, log, codec } = connections;
  const rates = createTable({ topic: 'fx.rates', log, codec, rings: config.keys });
  const { accepted, tables } = followedRates({ log, codec, config }, { isDry: true });
  for (const table of [rates, ...tables]) {
    onClose(() => table.stop());
    await table.start();
  }
  return { rates, accepted };
}

async function screenerOf(name: string, { connections, runtime, lists, onClose }: Shared) {
  await lists.start();
  const screener = await screenerFor(name, connections, runtime, activeInTable(lists));
  onClose(() => screener.close());
  return screener;
}
