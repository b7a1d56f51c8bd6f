// Waiting for something to change. Nothing is remembered: look at the state and wait in the same turn.

export class Signal {
  readonly #waiting = new Set<() => void>();

  /** Ends every wait in progress. */
  wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  }

  /** Resolves at the next wake, or after `ms` if given. */
  async wait(ms?: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    let resolveWait: (() => void) | undefined;
    await new Promise<void>((resolve) => {
      resolveWait = resolve;
      this.#waiting.add(resolve);
      if (ms !== undefined) timer = setTimeout(resolve, ms);
    });
    clearTimeout(timer);
    if (resolveWait !== undefined) this.#waiting.delete(resolveWait);
  }
}
