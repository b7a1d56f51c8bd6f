// Ctrl-C and other reasons to end a run early.

export interface Interrupt {
  /** Resolves when somebody asked to stop, or something broke. */
  readonly requested: Promise<void>;
  readonly asked: boolean;
  /** Why, when it was not a person. */
  readonly reason: string | undefined;
  because(reason: string): void;
  /** Everything runs: from now on whoever asks is waited for, so that work that was begun can end. */
  started(): void;
}

/** As a shell reports a program that Ctrl-C ended. */
export const INTERRUPTED = 130;

/**
 * Takes SIGINT and SIGTERM once; a second Ctrl-C ends the process at once, and so does the first one before `started`:
 * what this process began ends with it (children are killed, the guard ends the servers), and everything survives that.
 */
export function interrupted(say: (line: string) => void): Interrupt {
  const { promise, resolve } = Promise.withResolvers<void>();
  let asked = false;
  let isStarted = false;
  let reason: string | undefined;
  const stop = () => {
    if (!isStarted) say('Stopped while starting');
    if (asked || !isStarted) process.exit(INTERRUPTED);
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
    started() {
      isStarted = true;
    },
    because(why) {
      if (asked) return;
      reason ??= why;
      asked = true;
      resolve();
    },
  };
}
