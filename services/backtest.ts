// A backtest with its adapters: the stages of this build over the log, list versions from the database, files in the place of
// what was in force. Reads alone.
import { listStore } from '../adapters/mongo/list-versions.ts';
import type { TermBook } from '../domain/terms/term-book.ts';
import type { StageSources } from '../operations/backtest/backtest.ts';
import { PAIR_TOPICS } from '../operations/backtest/pairs.ts';
import { intakeJudge } from '../operations/backtest/stages/intake.ts';
import { pricingJudge } from '../operations/backtest/stages/pricing.ts';
import { screeningJudge } from '../operations/backtest/stages/screening.ts';
import { CodedError } from '../ports/fault.ts';
import { requireRings, ringOf } from '../ports/seals.ts';
import { versionOf } from '../processors/intake/rules/rule-set.ts';
import { allTheTime, BACKTEST_TOPICS } from '../processors/limits/backtest.ts';
import { bookOf } from '../processors/limits/processor.ts';
import type { RuleBook } from '../processors/limits/requests.ts';
import { fixedPolicy, type Policy } from '../processors/policies.ts';
import type { Config } from '../runtime/config/config.ts';
import { inboundReader } from '../runtime/hosts/inbound-records.ts';
import type { ListReference } from '../schemas/types.generated.ts';
import type { ScreeningTerms } from '../screening/configuration.ts';
import { openIndexThread } from '../screening/index/thread.ts';
import type { OpenIndexes, VersionSource } from '../screening/ports.ts';
import { type ClosableScreener, createScreener } from '../screening/screener.ts';
import { referenceTo } from '../screening/versions/version.ts';
import { homePartition } from '../topics/home-partition.ts';
import { producerRules } from './configured-producers.ts';
import { corridorBookOf, limitRulesOf, transferRules } from './configured-rules.ts';
import type { Connections } from './connections.ts';
import { buildId } from './dry-run/build-id.ts';
import { type FollowedPolicy, followedLimits, followedTerms } from './policies.ts';
import { termsOf } from './screening.ts';
import { configuredPolicy } from './terms.ts';

/** What stands in the place of what was in force; absent: what was. */
export interface BacktestWith {
  /** List versions, by id. */
  readonly lists: readonly string[];
  /** Files of rules of data, of terms, of limits. */
  readonly rulesFile?: string | undefined;
  readonly termsFile?: string | undefined;
  readonly limitsFile?: string | undefined;
}

/** What was compared, by name. */
export interface BacktestBasis {
  readonly build: string;
  readonly lists: string;
  readonly rules: string;
  readonly terms: string;
  readonly limits: string;
}

export interface OpenBacktest {
  readonly sources: StageSources;
  readonly basis: BacktestBasis;
  close(): Promise<void>;
}

/** To be closed. @throws CodedError when a file, a list version or a key is not there */
export async function openBacktest(connections: Connections, asked: BacktestWith): Promise<OpenBacktest> {
  const { log, codec } = connections;
  const { config } = connections;
  const files = configWith(config, asked);
  const topics = [...new Set([...PAIR_TOPICS, ...BACKTEST_TOPICS])];
  requireRings(config.keys, topics);
  await codec.load(topics);
  const terms = asked.termsFile === undefined ? followedTerms(connections) : configuredPolicy(files);
  const limits = asked.limitsFile === undefined ? followedLimits(connections) : limitsIn(asked.limitsFile, config);
  const tables = [tableOf(terms), tableOf(limits)].filter((table) => table !== undefined);
  const screeners = new ScreenersByLists(listStoreOf(connections), termsOf(config));
  const close = async () => {
    await Promise.allSettled([screeners.close(), ...tables.map((table) => table.stop())]);
  };
  try {
    for (const table of tables) await table.start();
    const lists = await listsNamed(connections, asked.lists);
    const rules = transferRules(files);
    const sources: StageSources = {
      reader: log.reader(),
      receive: receiver(connections),
      judges: {
        INTAKE: intakeJudge({
          ...{ corridors: corridorBookOf(config), transferRules: rules, producers: producerRules(config) },
          homePartitionOf: (transferId) => homePartition(transferId, config.kafka.chainPartitions),
          tokenKey: Buffer.from(config.tokenKey, 'utf8'),
        }),
        SCREENING: screeningJudge({
          ...{ lists, stages: ringOf(config.keys, 'stages') },
          screenerOf: (versions) => screeners.of(versions),
        }),
        FX_PRICING: pricingJudge({ corridors: corridorBookOf(config), terms }),
      },
      limits: { ...{ reader: log.reader(), codec, rings: config.keys, policy: limits }, book: newestIn(limits) },
    };
    const basis = {
      build: buildId(),
      lists: lists.length === 0 ? 'those of then' : lists.map(({ versionId }) => versionId).join(' '),
      rules: rules === undefined ? 'none' : versionOf(rules),
      terms: namesOf(terms, asked.termsFile),
      limits: asked.limitsFile === undefined ? 'those of then' : newestIn(limits).name,
    };
    return { sources, basis, close };
  } catch (error) {
    await close();
    throw error;
  }
}

const configWith = (config: Config, { rulesFile, termsFile }: BacktestWith): Config => ({
  ...config,
  transfers: {
    ...config.transfers,
    ...(rulesFile !== undefined && { rulesFile }),
    ...(termsFile !== undefined && { termsFile }),
  },
});

/** The rules of a file, as though they had been in force all the time. */
const limitsIn = (file: string, config: Config): Policy<RuleBook> =>
  fixedPolicy(bookOf(allTheTime(limitRulesOf(file)), corridorBookOf(config)));

/** What is followed in the log; a file is not. */
const tableOf = <T>(policy: Policy<T> | FollowedPolicy<T>): FollowedPolicy<T>['table'] | undefined =>
  'table' in policy ? policy.table : undefined;

const newestIn = (limits: Policy<RuleBook>): RuleBook => limits.all()[0]!.content;
const namesOf = (terms: Policy<TermBook>, file: string | undefined): string =>
  file === undefined ? 'those of then' : terms.all()[0]!.content.name;

const receiver = ({ codec, config }: Connections): StageSources['receive'] =>
  inboundReader({
    ...{ owner: 'backtest', reads: PAIR_TOPICS, codec, rings: config.keys, sealsRecovery: true },
    chainPartitions: config.kafka.chainPartitions,
  });

const listStoreOf = (connections: Connections): Pick<VersionSource, 'load'> => ({
  load: async (versionId) => listStore(await connections.db(), connections.config.keys).load(versionId),
});

async function listsNamed(connections: Connections, ids: readonly string[]): Promise<readonly ListReference[]> {
  if (ids.length === 0) return [];
  const store = listStore(await connections.db(), connections.config.keys);
  const lists: ListReference[] = [];
  for (const id of ids) lists.push(referenceTo(await store.head(id), 0));
  const sources = new Set(lists.map(({ source }) => source));
  if (sources.size < lists.length) throw new CodedError('OPTION_INVALID', '--lists names two versions of one source');
  return lists;
}

/** Indexes that are open at once: lists change a few times a day, and the log is read in order. */
const MAX_SCREENERS = 2;
const INDEX_TIMEOUT_MS = 600_000;

/** Screeners by what they screen against, the ones used last kept. Without exceptions. */
export class ScreenersByLists {
  readonly #open = new Map<string, ClosableScreener>();
  readonly #versions: VersionSource;
  readonly #terms: ScreeningTerms;
  readonly #openIndex: OpenIndexes;

  constructor(versions: VersionSource, terms: ScreeningTerms, openIndex: OpenIndexes = openIndexThread) {
    this.#versions = versions;
    this.#terms = terms;
    this.#openIndex = openIndex;
  }

  async of(lists: readonly ListReference[]): Promise<ClosableScreener> {
    const key = lists.map(({ versionId }) => versionId).join(' ');
    const known = this.#open.get(key);
    this.#open.delete(key);
    const screener = known ?? this.#made(lists);
    this.#open.set(key, screener);
    for (const [oldest, other] of this.#open) {
      if (this.#open.size <= MAX_SCREENERS) break;
      this.#open.delete(oldest);
      await other.close();
    }
    return screener;
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#open.values()].map((screener) => screener.close()));
    this.#open.clear();
  }

  #made(lists: readonly ListReference[]): ClosableScreener {
    return createScreener({
      ...{ versions: this.#versions, openIndex: this.#openIndex, terms: this.#terms, clock: Date.now },
      active: { current: async () => lists },
      exceptions: { find: async () => [] },
      timeoutMs: INDEX_TIMEOUT_MS,
    });
  }
}
