// Screens against the list versions in force. A new set of versions takes over between two batches, when its index is
// ready; until then the one before serves: its evidence names what it was, and the difference is looked at later.
import { foreignCodeOf, type ShownCode } from '../ports/error-codes.ts';
import { CodedError } from '../ports/fault.ts';
import { within } from '../ports/pause.ts';
import type { ListReference, ScreenedParty } from '../schemas/types.generated.ts';
import type { NamedConfig, ScreeningTerms } from './configuration.ts';
import { counterpartiesOf, tokensOf } from './counterparties.ts';
import { ENGINE_VERSION } from './engine/index.ts';
import { applyExceptions, tokensWithHits } from './exceptions.ts';
import type { IndexPart, IndexQuery } from './index/built-index.ts';
import type {
  ActiveLists,
  Difference,
  ExceptionBook,
  Findings,
  OpenIndex,
  OpenIndexes,
  Screener,
  ScreeningRequest,
  VersionSource,
} from './ports.ts';
import { queryOf } from './query.ts';
import { worstOf } from './screened-party.ts';
import { changesSince, coveredAfter, type VersionChange } from './versions/version.ts';

export interface ScreenerOptions {
  readonly active: ActiveLists;
  readonly versions: VersionSource;
  readonly exceptions: ExceptionBook;
  readonly openIndex: OpenIndexes;
  readonly terms: ScreeningTerms;
  /** ms since 1970 */
  readonly clock: () => number;
  /** Called when an index is in use, or could not be built. */
  readonly onIndex?: (event: IndexEvent) => void;
  /** How long a batch waits for an index that is being built before it is told to come back, ms. */
  readonly timeoutMs?: number;
}

export type IndexEvent =
  | {
      readonly kind: 'ready';
      readonly versions: readonly string[];
      readonly difference: boolean;
      readonly elapsedMs: number;
    }
  | { readonly kind: 'failed'; readonly code: ShownCode; readonly detail: string };

/** Indexes over differences that are kept: transfers in flight were screened against few different sets of versions. */
const MAX_DIFFERENCES = 4;
const TIMEOUT_MS = 2_000;

interface Whole {
  readonly key: string;
  readonly lists: readonly ListReference[];
  readonly index: OpenIndex;
}

export interface ClosableScreener extends Screener {
  /** Begins to build the index over what is in force, so that the first batch need not wait. Never throws. */
  warm(): void;
  close(): Promise<void>;
}

export function createScreener(options: ScreenerOptions): ClosableScreener {
  return new ListScreener(options);
}

class ListScreener implements ClosableScreener {
  readonly #options: ScreenerOptions;
  readonly #differences = new Map<string, Promise<OpenIndex>>();
  #whole: Whole | undefined;
  #next: { readonly key: string; readonly promise: Promise<Whole> } | undefined;

  constructor(options: ScreenerOptions) {
    this.#options = options;
  }

  async screen(batch: readonly ScreeningRequest[]): Promise<readonly Findings[]> {
    if (batch.length === 0) return [];
    const { lists, index } = await this.#inForce();
    const configs = batch.map((request) => this.#configOf(request));
    const screened = await this.#partiesOf(batch, configs, index);
    return screened.map((parties, i) => {
      const { config, hash, overrides } = configs[i]!;
      return {
        outcome: worstOf(parties),
        lists,
        engineVersion: ENGINE_VERSION,
        configurationHash: hash,
        configuration: overrides,
        threshold: config.threshold,
        parties,
        rechecks: [],
      };
    });
  }

  async recheck(
    batch: readonly { readonly request: ScreeningRequest; readonly covered: readonly ListReference[] }[],
  ): Promise<readonly (Difference | undefined)[]> {
    if (batch.length === 0) return [];
    const active = await this.#active();
    const results = new Array<Difference | undefined>(batch.length).fill(undefined);
    const places = batch.map(({ covered }, place) => ({ place, changes: changesSince(covered, active) }));
    const groups = Map.groupBy(
      places.filter(({ changes }) => changes.length > 0),
      ({ changes }) => changes.map(({ from, to }) => `${from?.versionId ?? ''}>${to.versionId}`).join(' '),
    );
    for (const [key, group] of groups) {
      const index = await this.#difference(key, group[0]!.changes);
      const requests = group.map(({ place }) => batch[place]!.request);
      const configs = requests.map((request) => this.#configOf(request));
      const screened = await this.#partiesOf(requests, configs, index);
      group.forEach(({ place }, i) => {
        const parties = screened[i]!;
        const { hash, overrides } = configs[i]!;
        results[place] = {
          outcome: worstOf(parties),
          lists: coveredAfter(batch[place]!.covered, active),
          engineVersion: ENGINE_VERSION,
          configurationHash: hash,
          configuration: overrides,
          parties,
        };
      });
    }
    return results;
  }

  warm(): void {
    this.#inForce().catch(() => undefined);
  }

  async close(): Promise<void> {
    const next = this.#next ? [this.#next.promise.then(({ index }) => index)] : [];
    const settled = await Promise.allSettled([...next, ...this.#differences.values()]);
    const opened = settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    const indexes = new Set(this.#whole ? [this.#whole.index, ...opened] : opened);
    await Promise.all([...indexes].map((index) => index.close()));
  }

  #configOf({ instruction }: ScreeningRequest): NamedConfig {
    return this.#options.terms.forCorridor(instruction.sourceCurrency, instruction.targetCurrency);
  }

  /** The parties of all requests in one question, and their exceptions in one more, where there are hits. */
  async #partiesOf(
    batch: readonly ScreeningRequest[],
    configs: readonly NamedConfig[],
    index: OpenIndex,
  ): Promise<readonly (readonly ScreenedParty[])[]> {
    const queries: IndexQuery[] = batch.flatMap(({ parties }, i) =>
      counterpartiesOf(parties).map(({ role, party }) => ({
        role,
        party: queryOf(party),
        configuration: configs[i]!.overrides,
      })),
    );
    const answers = await index.screen(queries).catch((error: unknown) => this.#forget(index, error));
    let next = 0;
    const screened = batch.map(({ parties }) => counterpartiesOf(parties).map(() => answers[next++]!));
    const { exceptions } = this.#options;
    const tokens = screened.flatMap((parties, i) => tokensWithHits(parties, tokensOf(batch[i]!.instruction)));
    if (tokens.length === 0) return screened;
    const granted = await exceptions.find([...new Set(tokens)]);
    return screened.map((parties, i) => applyExceptions(parties, granted, tokensOf(batch[i]!.instruction)));
  }

  /** An index whose thread has ended is built anew for the next batch. */
  #forget(index: OpenIndex, error: unknown): never {
    if ((error as { code?: unknown }).code === 'INDEX_THREAD_ENDED') {
      if (this.#whole?.index === index) this.#whole = undefined;
      this.#differences.clear();
    }
    throw error;
  }

  async #active(): Promise<readonly ListReference[]> {
    const active = await this.#options.active.current();
    if (active.length > 0) return active.toSorted((a, b) => (a.source < b.source ? -1 : 1));
    throw notReady('NO_ACTIVE_LIST', 'no sanctions list is active: import one and activate it (corridor lists)');
  }

  async #inForce(): Promise<Whole> {
    const lists = await this.#active();
    const key = lists.map(({ versionId }) => versionId).join(' ');
    if (this.#whole?.key === key) return { ...this.#whole, lists };
    if (this.#next?.key !== key) this.#prepare(key, lists);
    if (this.#whole) return this.#whole;
    const next = this.#next!.promise;
    if (await within(this.#options.timeoutMs ?? TIMEOUT_MS, next)) return next;
    throw notReady('LIST_INDEX_NOT_READY', 'the index over the active lists is being built');
  }

  #prepare(key: string, lists: readonly ListReference[]): void {
    const promise = this.#open(
      lists.map((to) => ({ from: undefined, to })),
      false,
    ).then((index) => ({ key, lists, index }));
    this.#next = { key, promise };
    promise.then(
      async (whole) => {
        if (this.#next?.key !== key) return whole.index.close();
        const before = this.#whole;
        this.#whole = whole;
        this.#next = undefined;
        await before?.index.close();
      },
      (error: unknown) => {
        if (this.#next?.key === key) this.#next = undefined;
        this.#reportFailure(error);
      },
    );
  }

  #difference(key: string, changes: readonly VersionChange[]): Promise<OpenIndex> {
    const known = this.#differences.get(key);
    if (known) {
      // The one used last is the last to go.
      this.#differences.delete(key);
      this.#differences.set(key, known);
      return known;
    }
    const opened = this.#open(changes, true);
    this.#differences.set(key, opened);
    opened.catch((error: unknown) => {
      this.#differences.delete(key);
      this.#reportFailure(error);
    });
    for (const [oldest, index] of this.#differences) {
      if (this.#differences.size <= MAX_DIFFERENCES) break;
      this.#differences.delete(oldest);
      index.then((open) => open.close()).catch(() => undefined);
    }
    return opened;
  }

  async #open(changes: readonly VersionChange[], difference: boolean): Promise<OpenIndex> {
    const { versions, openIndex, terms, onIndex } = this.#options;
    const began = performance.now();
    const parts = await Promise.all(
      changes.map(async ({ from, to }): Promise<IndexPart> => {
        const [after, before] = await Promise.all([
          versions.load(to.versionId).catch(notStored),
          // Screened against a version that nobody has any more: then all of the list is new.
          from &&
            versions.load(from.versionId).catch((error: unknown) => (isUnknown(error) ? undefined : raise(error))),
        ]);
        const part = { list: to, chunks: after.chunks };
        return from && before ? { ...part, since: { list: from, chunks: before.chunks } } : part;
      }),
    );
    const index = await openIndex({ parts, configurations: terms.configurations, difference });
    const elapsedMs = Math.round(performance.now() - began);
    onIndex?.({ kind: 'ready', versions: changes.map(({ to }) => to.versionId), difference, elapsedMs });
    return index;
  }

  #reportFailure(error: unknown): void {
    const { message = '' } = error as { message?: string };
    this.#options.onIndex?.({ kind: 'failed', code: foreignCodeOf(error) ?? 'UNEXPECTED_ERROR', detail: message });
  }
}

const isUnknown = (error: unknown) => (error as { code?: unknown }).code === 'LIST_VERSION_UNKNOWN';

function raise(error: unknown): never {
  throw error;
}

/** What is in force must be there: its import may still be on its way to this replica. */
function notStored(error: unknown): never {
  throw isUnknown(error) ? notReady('LIST_VERSION_UNKNOWN', (error as Error).message) : error;
}

const notReady = (code: 'LIST_VERSION_UNKNOWN' | 'LIST_INDEX_NOT_READY' | 'NO_ACTIVE_LIST', detail: string) =>
  new CodedError(code, detail, { faultClass: 'transient-dependency', dependency: 'screening-lists' });
