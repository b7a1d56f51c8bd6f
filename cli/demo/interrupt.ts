// Ctrl-C and other reasons to end a run early.

export interface Interrupt {
  /** Resolves when somebody asked to stop, or something broke. */
  readonly requested: Promise<void>;
  readonly asked: boolean;
  /** Why, when it was not a person. */
  readonly reason: string | undefined;
  because(reason: string): void;
}

/** Takes SIGINT and SIGTERM once; a second Ctrl-C ends the process at once. */
export function interrupted(): Interrupt {
  const { promise, resolve } = Promise.withResolvers<void>();
  let asked = false;
  let reason: string | undefined;
  const stop = () => {
    if (asked) process.exit(130);
    asked = true;
    resolve();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return {
    requested: promise,
    get asked() {
      return asked;
    },
    get reason() {
      return reason;
    },
    because(why) {
      if (asked) return;
      reason ??= why;
      asked = true;
      resolve();
    },
  };
}
