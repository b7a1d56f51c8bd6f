// A bulkhead (semaphore): at most `size` payouts at once; the others wait their turn.

export class Semaphore {
  readonly #waiting: { readonly grant: (granted: boolean) => void; timer: NodeJS.Timeout | undefined }[] = [];
  readonly size: number;
  #taken = 0;

  constructor(size: number) {
    this.size = size;
  }

  get taken(): number {
    return this.#taken;
  }

  /** Takes a slot; false when none came free within `waitMs` (default: waits for ever). */
  take(waitMs?: number): Promise<boolean> {
    if (this.#taken < this.size) {
      this.#taken++;
      return Promise.resolve(true);
    }
    if (waitMs !== undefined && waitMs <= 0) return Promise.resolve(false);
    return new Promise((resolve) => {
      const entry = { grant: resolve, timer: undefined as NodeJS.Timeout | undefined };
      if (waitMs !== undefined) {
        entry.timer = setTimeout(() => {
          const index = this.#waiting.indexOf(entry);
          if (index >= 0) this.#waiting.splice(index, 1);
          resolve(false);
        }, waitMs);
      }
      this.#waiting.push(entry);
    });
  }

  release(): void {
    const next = this.#waiting.shift();
    if (!next) {
      this.#taken--;
      return;
    }
    clearTimeout(next.timer);
    next.grant(true);
  }
}
