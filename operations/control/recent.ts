// What takes a while to read, for many who only look: one read at a time, kept for a moment. The topic of controls is read from
// its beginning, and a list that is asked for often must not read it as often.

/** How old a list may be, ms. */
const KEPT_MS = 1_000;

export interface Recent<T> {
  get(): Promise<T>;
  /** What is asked for from now on is read anew: something was written. */
  forget(): void;
}

/** @param clock ms since 1970, or of any other beginning */
export function recent<T>(read: () => Promise<T>, clock: () => number = performance.now.bind(performance)): Recent<T> {
  let last: { readonly value: Promise<T>; endedAt: number | undefined } | undefined;
  return {
    get() {
      if (last && (last.endedAt === undefined || clock() - last.endedAt < KEPT_MS)) return last.value;
      const mine = { value: read(), endedAt: undefined as number | undefined };
      last = mine;
      mine.value.then(
        () => {
          mine.endedAt = clock();
        },
        () => {
          if (last === mine) last = undefined;
        },
      );
      return mine.value;
    },
    forget() {
      last = undefined;
    },
  };
}
