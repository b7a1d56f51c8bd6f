// What has changed since somebody looked, as ids: those who watch ask for the rest. One process looks for all who watch it, and
// keeps the last changes in a ring; who was away for longer than that is told to look at everything again.
import { randomUUID } from 'node:crypto';
import { CodedError } from '../../ports/fault.ts';

export const CHANGED = ['replay', 'approval', 'letter-group', 'case'] as const;
export type Changed = (typeof CHANGED)[number];

export interface Change {
  /** Place in the ring, rising by one. */
  readonly place: number;
  readonly kind: Changed;
  /** Id of what changed; nothing of what it says. */
  readonly id: string;
}

/** Of each thing that is watched, what tells whether it changed. */
export type Snapshot = Readonly<Record<Changed, ReadonlyMap<string, string>>>;

/** What is another in the later snapshot, or gone from it. Pure. */
export function changesBetween(before: Snapshot, after: Snapshot): readonly Omit<Change, 'place'>[] {
  return CHANGED.flatMap((kind) => {
    const [old, now] = [before[kind], after[kind]];
    const ids = new Set([...old.keys(), ...now.keys()]);
    return [...ids].filter((id) => old.get(id) !== now.get(id)).map((id) => ({ kind, id }));
  });
}

export interface ChangeFeedOptions {
  /** Looks at everything that is watched, in bounded queries. */
  readonly look: () => Promise<Snapshot>;
  /** Called with a look that failed: the next one is made all the same. Never throws. */
  readonly onFault: (error: unknown) => void;
  readonly everyMs: number;
  /** Changes that are kept. */
  readonly kept?: number;
  /** Watchers at once, and of one person. */
  readonly maxWatchers?: number;
  readonly maxOfOne?: number;
}

const KEPT = 2_000;
const MAX_WATCHERS = 200;
const MAX_OF_ONE = 5;

/** What a watcher is told: a change, or that it must look at everything; undefined: nothing happened for a while. */
export type Notice = { readonly at: string; readonly change: Change | undefined } | undefined;

export class ChangeFeed {
  readonly #options: ChangeFeedOptions;
  /** Of this process: places of another's ring mean nothing here. */
  readonly #feed = randomUUID().slice(0, 8);
  readonly #ring: Change[] = [];
  readonly #watchers = new Map<symbol, string>();
  readonly #waiting = new Set<() => void>();
  #next = 1;
  #before: Snapshot | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;
  #isOver = false;

  constructor(options: ChangeFeedOptions) {
    this.#options = options;
  }

  /** Whether it was looked once: what changes from then on is told. */
  get isReady(): boolean {
    return this.#before !== undefined;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /**
   * Lets one more watch, and looks while anybody does.
   * @returns ends it
   * @throws CodedError TOO_BUSY when there are so many, or so many of this person
   */
  watch(subject: string): () => void {
    const { maxWatchers = MAX_WATCHERS, maxOfOne = MAX_OF_ONE } = this.#options;
    const own = [...this.#watchers.values()].filter((each) => each === subject).length;
    if (this.#isOver || this.#watchers.size >= maxWatchers || own >= maxOfOne)
      throw new CodedError('TOO_BUSY', `${own} of yours, ${this.#watchers.size} in all watch already`);
    const watcher = Symbol(subject);
    this.#watchers.set(watcher, subject);
    this.#timer ??= setInterval(() => void this.#look(), this.#options.everyMs).unref();
    void this.#look();
    return () => {
      this.#watchers.delete(watcher);
      if (this.#watchers.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
  }

  /** Ends all that watch, for good. */
  end(): void {
    this.#isOver = true;
    clearInterval(this.#timer);
    this.#wake();
  }

  /** The place that an id of an event names; undefined: it is of another feed, or its successors are gone. */
  placeIn(lastEventId: string | undefined): number | undefined {
    const [, feed, text] = /^([0-9a-f]{8})\.(\d{1,15})$/.exec(lastEventId ?? '') ?? [];
    if (feed !== this.#feed) return undefined;
    const place = Number(text);
    const oldest = this.#ring[0]?.place ?? this.#next;
    return place < this.#next && place >= oldest - 1 ? place : undefined;
  }

  idOf(place: number): string {
    return `${this.#feed}.${place}`;
  }

  /** What comes after this place, which may be gone by now. */
  after(place: number): { readonly isGone: boolean; readonly changes: readonly Change[] } {
    const oldest = this.#ring[0]?.place ?? this.#next;
    if (place < oldest - 1) return { isGone: true, changes: [] };
    return { isGone: false, changes: this.#ring.slice(place - oldest + 1) };
  }

  /** Place of the latest change. */
  get latest(): number {
    return this.#next - 1;
  }

  /** Resolves when something changed, when it is over, or after so many ms. */
  async changed(withinMs: number, signal: AbortSignal): Promise<void> {
    if (this.#isOver || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, withinMs);
      this.#waiting.add(done);
      signal.addEventListener('abort', done, { once: true });
    });
  }

  /** One look at a time: a slow store is asked less often. */
  async #look(): Promise<void> {
    if (this.#isLooking || this.#isOver) return;
    this.#isLooking = true;
    try {
      const now = await this.#options.look();
      const isFirst = this.#before === undefined;
      const found = this.#before ? changesBetween(this.#before, now) : [];
      this.#before = now;
      for (const change of found) this.#ring.push({ ...change, place: this.#next++ });
      this.#ring.splice(0, Math.max(0, this.#ring.length - (this.#options.kept ?? KEPT)));
      if (isFirst || found.length > 0) this.#wake();
    } catch (error) {
      this.#options.onFault(error);
    } finally {
      this.#isLooking = false;
    }
  }

  #wake(): void {
    for (const resolve of [...this.#waiting]) resolve();
  }
}

export interface WatchTerms {
  /** `Last-Event-ID` of who watched before. */
  readonly lastEventId: string | undefined;
  /** How long nothing may happen before that is told, ms. */
  readonly heartbeatMs: number;
  readonly signal: AbortSignal;
}

/**
 * What a watcher is told, until it or the feed ends. Nothing is kept for it but its place: one that is slow is told to look at
 * everything again when the ring has gone on without it.
 */
export async function* watched(feed: ChangeFeed, terms: WatchTerms): AsyncGenerator<Notice> {
  const { lastEventId, heartbeatMs, signal } = terms;
  const isOver = () => signal.aborted || feed.isOver;
  // What was looked at first is what changes are told against: who is told to look before that might miss some.
  while (!feed.isReady && !isOver()) {
    await feed.changed(heartbeatMs, signal);
    if (!feed.isReady) yield undefined;
  }
  const known = feed.placeIn(lastEventId);
  let place = known ?? feed.latest;
  if (known === undefined && !isOver()) yield { at: feed.idOf(place), change: undefined };
  while (!isOver()) {
    const { isGone, changes } = feed.after(place);
    if (isGone) {
      place = feed.latest;
      yield { at: feed.idOf(place), change: undefined };
      continue;
    }
    for (const change of changes) {
      place = change.place;
      yield { at: feed.idOf(place), change };
    }
    if (changes.length > 0) continue;
    await feed.changed(heartbeatMs, signal);
    if (feed.latest === place && !isOver()) yield undefined;
  }
}
