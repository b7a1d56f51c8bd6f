// A timeout that counts only the time in which the event loop turned. After a long stretch of work, or on a machine that is
// starved, a timer and the answer that it waits for are due together, and Node runs the timer first: what is there already
// would pass for what did not come.

/** The loop has to turn so often before a timeout is believed. */
const TURNS = 10;

/**
 * Calls `onTimeout` once the loop has turned for `ms`; a stretch in which it stood still counts as one turn, and what came
 * during the last one is seen first. Returns what calls it off.
 */
export function loopTimeout(ms: number, onTimeout: () => void): () => void {
  let turns = 0;
  let last: NodeJS.Immediate | undefined;
  const turn = () => {
    turns++;
    if (turns < TURNS) timer = setTimeout(turn, ms / TURNS);
    else last = setImmediate(onTimeout);
  };
  let timer = setTimeout(turn, ms / TURNS);
  return () => {
    clearTimeout(timer);
    clearImmediate(last);
  };
}

/** Settles as `work` does, or rejects with what `late` makes once the loop has turned for `ms` without that. */
export async function withinLoopTime<T>(work: Promise<T>, ms: number, late: () => Error): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const callOff = loopTimeout(ms, () => reject(late()));
  try {
    return await Promise.race([work, promise]);
  } finally {
    callOff();
  }
}
