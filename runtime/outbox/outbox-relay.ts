// Moves changes from documents to the log: at least once, in order per document, in batches.
//
// A change is stored in the same write as the state that it describes, published, and only then marked. A crash between
// the last two publishes it again with the same command id, which its readers drop. Two relays at once do no harm.
import type { ErrorCode } from '../../ports/error-codes.ts';
import { codeAndDetail, isOutage } from '../../ports/fault.ts';
import type { LogWriter, OutputRecord } from '../../ports/log.ts';
import type { OutboxSource } from '../../ports/outbox.ts';
import { pause, within } from '../../ports/pause.ts';

export type OutboxEvent =
  | { readonly kind: 'published'; readonly items: number; readonly records: number }
  /** Tried again after a pause. */
  | { readonly kind: 'fault'; readonly code: ErrorCode; readonly detail: string }
  /** This item cannot be turned into records; the others go on. It stays pending, and is tried again later. */
  | { readonly kind: 'refused'; readonly id: string; readonly code: ErrorCode; readonly detail: string };

export interface OutboxRelayOptions<I> {
  readonly source: OutboxSource<I>;
  readonly idOf: (item: I) => string;
  /** The records of the items, with an explicit partition; those of one item in order. */
  readonly toRecords: (items: readonly I[]) => Promise<readonly OutputRecord[]>;
  readonly writer: Pick<LogWriter, 'send'>;
  /** How often the source is searched for what nobody offered (after a crash, or written elsewhere), ms. */
  readonly sweepEveryMs?: number;
  /** How old a change must be for the search to take it; leave time for the offer where changes are offered, ms. */
  readonly graceMs?: number;
  readonly maxBatch?: number;
  /**
   * Of a page that the search found, what may be published now; absent: all of it. `isFirst`: the search begins at the oldest
   * again.
   */
  readonly passed?: (found: readonly I[], isFirst: boolean) => readonly I[];
  /** Waits this long for company before it publishes, ms. */
  readonly lingerMs?: number;
  readonly retryMs?: number;
  /** How long the search passes over an item that was refused, ms. */
  readonly refusedForMs?: number;
  /** Between the log's acknowledgement and the mark. */
  readonly afterPublish?: () => Promise<void> | undefined;
  /** Never throws. */
  readonly onEvent?: (event: OutboxEvent) => void;
}

export interface OutboxRelay<I> {
  /** Publishes these soon, without a search. An item offered again takes the place of its older self. Never throws. */
  offer(items: readonly I[]): void;
  start(): void;
  /** Publishes what was offered, `deadlineMs` at most; the rest stays pending in the source. */
  stop(deadlineMs: number): Promise<void>;
  /** Items offered and not yet published. */
  backlog(): number;
}

/** Beyond this many, offers are left to the search. */
const MAX_OFFERED = 20_000;
/** So many refused items are known; of more, the longest refused are tried again. */
const MAX_REFUSED = 5_000;
/** Before the next page of a search that found nothing to publish on this one, ms. */
const NEXT_PAGE_MS = 20;

export function createOutboxRelay<I>(options: OutboxRelayOptions<I>): OutboxRelay<I> {
  return new Relay(options);
}

class Relay<I> implements OutboxRelay<I> {
  readonly #options: OutboxRelayOptions<I>;
  readonly #offered = new Map<string, I>();
  /** Refused items, the longest refused first, and until when (monotonic ms) the search passes over them. */
  readonly #refused = new Map<string, number>();
  readonly #maxBatch: number;
  /** The last item of the page before, where that was full: what is behind it is looked at next. */
  #after: I | undefined;
  #publishing: Promise<void> | undefined;
  #sweeper: NodeJS.Timeout | undefined;
  #stopping = false;

  constructor(options: OutboxRelayOptions<I>) {
    this.#options = options;
    this.#maxBatch = options.maxBatch ?? 500;
  }

  offer(items: readonly I[]): void {
    for (const item of items) {
      const id = this.#options.idOf(item);
      if (this.#offered.size >= MAX_OFFERED && !this.#offered.has(id)) return;
      this.#offered.set(id, item);
    }
    this.#publishing ??= this.#publish();
  }

  start(): void {
    this.#sweepLater(0);
  }

  async stop(deadlineMs: number): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#sweeper);
    await within(deadlineMs, this.#publishing);
  }

  backlog(): number {
    return this.#offered.size;
  }

  /** One batch at a time, so that the changes of one item stay in order. */
  async #publish(): Promise<void> {
    await pause(this.#options.lingerMs ?? 5);
    while (this.#offered.size > 0) {
      const batch = [...this.#offered].slice(0, this.#maxBatch);
      try {
        await this.#send(batch.map(([, item]) => item));
      } catch (error) {
        this.#fault(error);
        if (this.#stopping) break;
        await pause(this.#options.retryMs ?? 500);
        continue;
      }
      // An item offered anew meanwhile has changes that were not in this batch.
      for (const [id, item] of batch) if (this.#offered.get(id) === item) this.#offered.delete(id);
    }
    this.#publishing = undefined;
  }

  async #send(items: readonly I[]): Promise<void> {
    const { source, writer, afterPublish, onEvent } = this.#options;
    const { taken, records } = await this.#recordsOf(items);
    if (taken.length === 0) return;
    if (records.length > 0) await writer.send(records);
    await afterPublish?.();
    onEvent?.({ kind: 'published', items: taken.length, records: records.length });
    await source.markPublished(taken);
  }

  /** The records of a batch; when it cannot be turned into records as a whole, those of the items that can. */
  async #recordsOf(items: readonly I[]): Promise<{ taken: readonly I[]; records: readonly OutputRecord[] }> {
    const { toRecords, idOf } = this.#options;
    try {
      return { taken: items, records: await toRecords(items) };
    } catch (error) {
      if (isOutage(error)) throw error;
    }
    const taken: I[] = [];
    const records: OutputRecord[] = [];
    for (const item of items) {
      try {
        records.push(...(await toRecords([item])));
        taken.push(item);
      } catch (error) {
        if (isOutage(error)) throw error;
        this.#refuse(idOf(item), error);
      }
    }
    return { taken, records };
  }

  #refuse(id: string, error: unknown): void {
    const { refusedForMs = 60_000, onEvent } = this.#options;
    this.#refused.delete(id);
    this.#refused.set(id, performance.now() + refusedForMs);
    if (this.#refused.size > MAX_REFUSED) this.#refused.delete(this.#refused.keys().next().value!);
    onEvent?.({ kind: 'refused', id, ...codeAndDetail(error) });
  }

  async #sweep(): Promise<void> {
    const { source, idOf, passed, graceMs = 3_000 } = this.#options;
    try {
      const now = performance.now();
      for (const [id, until] of this.#refused) if (until <= now) this.#refused.delete(id);
      // Page by page to the end: what is refused or waits never hides what is behind it, however many those are.
      const found = await source.pending(this.#maxBatch, Date.now() - graceMs, this.#after);
      const pending = passed ? passed(found, this.#after === undefined) : found;
      const fresh = pending.filter((item) => !this.#offered.has(idOf(item)) && !this.#refused.has(idOf(item)));
      if (fresh.length > 0) this.offer(fresh);
      await this.#publishing;
      this.#after = found.length >= this.#maxBatch ? found.at(-1) : undefined;
      if (this.#after === undefined) return this.#sweepLater();
      this.#sweepLater(fresh.length > 0 ? 0 : NEXT_PAGE_MS);
    } catch (error) {
      this.#after = undefined;
      this.#fault(error);
      this.#sweepLater();
    }
  }

  #sweepLater(inMs = this.#options.sweepEveryMs ?? 1_000): void {
    if (this.#stopping) return;
    this.#sweeper = setTimeout(() => void this.#sweep(), inMs);
  }

  #fault(error: unknown): void {
    this.#options.onEvent?.({ kind: 'fault', ...codeAndDetail(error) });
  }
}
