// Tells a shared client that is broken for ever from a server that is away. Drivers reconnect by themselves; one that never
// does, while a connection of its own to the same address is answered, is of no more use, and nobody else would notice: what
// waits for it looks like an outage.
//
// Silence alone proves nothing. A look that counts is a contradiction: nothing came to the client, a fresh connection was
// answered, and the client, waited for once more, still was not. Whatever the client hears ends the suspicion; so does a
// server that does not answer the fresh connection either. Time is that in which the event loop turned (loop-timeout.ts).
import { loopTimeout, withinLoopTime } from './loop-timeout.ts';

/** What is known of the client since it was last proven to work. */
export interface Suspicion {
  /** Looks in a row that contradict a client that works. */
  readonly contradictions: number;
  /** It was heard of since the last look. */
  readonly isHeard: boolean;
}

export const NO_SUSPICION: Suspicion = { contradictions: 0, isHeard: false };

export type Sign =
  /** The server has answered the client, whatever it said. */
  | { readonly kind: 'heard' }
  /** A look has ended: who was answered in it. `fresh` counts only for what it asked before the last wait for the client. */
  | { readonly kind: 'looked'; readonly client: boolean; readonly fresh: boolean };

/** The suspicion after a sign. Pure. */
export function suspect({ contradictions, isHeard }: Suspicion, sign: Sign): Suspicion {
  if (sign.kind === 'heard') return { contradictions: 0, isHeard: true };
  const isContradiction = !isHeard && !sign.client && sign.fresh;
  return { contradictions: isContradiction ? contradictions + 1 : 0, isHeard: false };
}

export interface WatchedClient {
  /** Asks the server through the client; rejects, or never settles, when that is no use. */
  ask(): Promise<unknown>;
  /** Asks it through a connection of its own, which ends in any case, at the latest when the signal aborts. */
  askAnew(signal: AbortSignal): Promise<unknown>;
  /** Has the client drop its connections and make new ones, if that is possible: the first help. Must not throw. */
  reconnect?(): void;
}

export interface WatchOptions {
  /** Between two looks, ms. */
  readonly everyMs?: number;
  /** How long an answer is waited for, ms. */
  readonly answerMs?: number;
  /** So many contradictions in a row make a client broken. */
  readonly looks?: number;
}

/** A client is broken at the earliest after six looks: a minute of contradictions. */
const DEFAULTS: Required<WatchOptions> = { everyMs: 10_000, answerMs: 5_000, looks: 6 };

export interface ClientWatch {
  /** To be called whenever the server answered the client. Cheap. */
  heard(): void;
  stop(): void;
}

/** Looks at a client until it is broken, then calls `onBroken` once, with what was seen. A client that works costs nothing. */
export function watchClient(
  client: WatchedClient,
  onBroken: (detail: string) => void,
  options: WatchOptions = {},
): ClientWatch {
  const { everyMs, answerMs, looks } = { ...DEFAULTS, ...options };
  const stopping = new AbortController();
  let suspicion = NO_SUSPICION;
  let asking: Promise<boolean> | undefined;
  let callOff = loopTimeout(everyMs, turn);

  const inTime = (asked: Promise<boolean>) =>
    withinLoopTime(asked, answerMs, () => new Error('late')).catch(() => false);

  /** One question at a time: a client that never answers must not gather them. */
  function clientAnswers(): Promise<boolean> {
    asking ??= isAnswered(() => client.ask()).finally(() => {
      asking = undefined;
    });
    return inTime(asking);
  }

  async function freshAnswers(): Promise<boolean> {
    const over = new AbortController();
    try {
      return await inTime(isAnswered(() => client.askAnew(over.signal)));
    } finally {
      over.abort();
    }
  }

  async function look(): Promise<Sign> {
    if (suspicion.isHeard || (await clientAnswers())) return { kind: 'looked', client: true, fresh: false };
    if (!(await freshAnswers())) return { kind: 'looked', client: false, fresh: false };
    return { kind: 'looked', client: await clientAnswers(), fresh: true };
  }

  function turn(): void {
    void look().then((sign) => {
      if (stopping.signal.aborted) return;
      suspicion = suspect(suspicion, sign);
      const { contradictions } = suspicion;
      if (contradictions >= looks) {
        stopping.abort();
        onBroken(
          `the client had no answer for ${looks} looks in a row, and a fresh connection to the same address was answered each time`,
        );
        return;
      }
      if (contradictions > 0) client.reconnect?.();
      callOff = loopTimeout(everyMs, turn);
    });
  }

  return {
    heard() {
      if (!suspicion.isHeard) suspicion = suspect(suspicion, { kind: 'heard' });
    },
    stop() {
      stopping.abort();
      callOff();
    },
  };
}

/** Never rejects, whatever `ask` throws. */
async function isAnswered(ask: () => Promise<unknown>): Promise<boolean> {
  try {
    await ask();
    return true;
  } catch {
    return false;
  }
}
