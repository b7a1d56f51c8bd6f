// Waiting, in a way that ends early: the one pause and the one deadline of the product.

/** A timer takes no longer one (24 days), and would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Who waits until a signal aborts: thousands may, and a listener for each would be looked through each time. */
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

/** Resolves after `ms` (24 days at the most), or at once when the signal is or gets aborted. Never rejects. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  const sleeping = signal && sleepersOf(signal);
  return new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer);
      sleeping?.delete(wake);
      resolve();
    };
    const timer = setTimeout(wake, Math.min(Math.max(0, ms), MAX_TIMER_MS));
    sleeping?.add(wake);
  });
}

/**
 * Waits for `work`, for `ms` at most; true when it was done in time. Rejects when the work does so in time; what it rejects
 * with later is dropped. Leaves no timer behind, so it keeps no process alive.
 */
export async function within(
  ms: number,
  work: Promise<unknown> | undefined,
  clock: { sleep(ms: number, signal?: AbortSignal): Promise<void> } = { sleep: pause },
): Promise<boolean> {
  if (work === undefined) return true;
  const over = new AbortController();
  const done = work.then(() => true);
  const late = clock.sleep(ms, over.signal).then(() => false);
  try {
    return await Promise.race([done, late]);
  } finally {
    over.abort();
  }
}
