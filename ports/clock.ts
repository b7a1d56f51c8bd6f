// Time as the runtime sees it; tests bring their own.

export interface Clock {
  /** Wall-clock ms since 1970. */
  now(): number;
  /** Resolves after `ms`, or at once when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Who sleeps until a signal aborts: thousands may, and a listener for each would be looked through each time. */
const sleepers = new WeakMap<AbortSignal, Set<() => void>>();

function sleepersOf(signal: AbortSignal): Set<() => void> {
  const known = sleepers.get(signal);
  if (known) return known;
  const sleeping = new Set<() => void>();
  sleepers.set(signal, sleeping);
  signal.addEventListener('abort', () => {
    for (const wake of sleeping) wake();
  });
  return sleeping;
}

export const systemClock: Clock = {
  now: Date.now,
  sleep(ms, signal) {
    if (signal?.aborted) return Promise.resolve();
    const sleeping = signal && sleepersOf(signal);
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        sleeping?.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      sleeping?.add(wake);
    });
  },
};
