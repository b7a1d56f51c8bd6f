// Permits: what the flight of a payout holds meanwhile. Each is disposable, so that whoever took it with `using` gives it
// back however the block ends; giving back twice is giving back once.

function permit(giveBack: () => void): Disposable {
  let isHeld = true;
  return {
    [Symbol.dispose]() {
      if (!isHeld) return;
      isHeld = false;
      giveBack();
    },
  };
}

interface Waiting {
  readonly grant: (permit: Disposable | undefined) => void;
  timer: NodeJS.Timeout | undefined;
}

/** A bulkhead: at most `size` permits at once; who comes later waits, the first first. */
export class Semaphore {
  readonly size: number;
  readonly #waiting: Waiting[] = [];
  #taken = 0;

  constructor(size: number) {
    this.size = size;
  }

  get taken(): number {
    return this.#taken;
  }

  /** A permit; with `waitMs`, undefined when none came free by then. */
  acquire(): Promise<Disposable>;
  acquire(waitMs: number): Promise<Disposable | undefined>;
  acquire(waitMs?: number): Promise<Disposable | undefined> {
    if (this.#taken < this.size) {
      this.#taken++;
      return Promise.resolve(this.#permit());
    }
    if (waitMs !== undefined && waitMs <= 0) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const entry: Waiting = { grant: resolve, timer: undefined };
      if (waitMs !== undefined) {
        entry.timer = setTimeout(() => {
          const index = this.#waiting.indexOf(entry);
          if (index >= 0) this.#waiting.splice(index, 1);
          resolve(undefined);
        }, waitMs);
      }
      this.#waiting.push(entry);
    });
  }

  /** What is given back goes to the next who waits; nobody who comes meanwhile gets ahead. */
  #permit(): Disposable {
    return permit(() => {
      const next = this.#waiting.shift();
      if (!next) {
        this.#taken--;
        return;
      }
      clearTimeout(next.timer);
      next.grant(this.#permit());
    });
  }
}

/** One permit for each key: who holds it is busy with what the key names. */
export class KeyedLocks {
  readonly #held = new Set<string>();

  isHeld(key: string): boolean {
    return this.#held.has(key);
  }

  /** The permit of this key; undefined: somebody has it. */
  tryAcquire(key: string): Disposable | undefined {
    if (this.#held.has(key)) return undefined;
    this.#held.add(key);
    return permit(() => this.#held.delete(key));
  }
}
