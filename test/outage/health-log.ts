// What the health of one process said during an outage, asked twice a second.
import { setTimeout as sleep } from 'node:timers/promises';

const ASK_EVERY_MS = 500;

export interface HealthSaid {
  /** From the outage to the first answer that named the dependency, ms; null: none did. */
  readonly namedAfterMs: number | null;
  /** The last answer of the outage named it. */
  readonly namedAtEnd: boolean;
  readonly asked: number;
  /** Questions without an answer: the process was not there, or hung. */
  readonly unanswered: number;
  readonly notLive: number;
  readonly notReady: number;
  /** Every dependency that was named, in order of appearance. */
  readonly named: readonly string[];
}

interface Answer {
  readonly live: boolean;
  readonly ready: boolean;
  readonly waitingFor: readonly string[];
}

/** Asks until it is told to stop. */
export class HealthLog {
  readonly #url: () => string | undefined;
  readonly #dependency: string;
  readonly #began = performance.now();
  readonly #named = new Set<string>();
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;
  #namedAfterMs: number | null = null;
  #namedAtEnd = false;
  #counts = { asked: 0, unanswered: 0, notLive: 0, notReady: 0 };

  constructor(url: () => string | undefined, dependency: string) {
    this.#url = url;
    this.#dependency = dependency;
    this.#running = this.#run();
  }

  async stop(): Promise<HealthSaid> {
    this.#stopping.abort();
    await this.#running;
    const { asked, unanswered, notLive, notReady } = this.#counts;
    const named = [...this.#named];
    return {
      namedAfterMs: this.#namedAfterMs,
      namedAtEnd: this.#namedAtEnd,
      asked,
      unanswered,
      notLive,
      notReady,
      named,
    };
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      this.#take(await this.#ask());
      await sleep(ASK_EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  #take(answer: Answer | undefined): void {
    this.#counts.asked++;
    if (answer === undefined) {
      this.#counts.unanswered++;
      return;
    }
    if (!answer.live) this.#counts.notLive++;
    if (!answer.ready) this.#counts.notReady++;
    for (const dependency of answer.waitingFor) this.#named.add(dependency);
    this.#namedAtEnd = answer.waitingFor.includes(this.#dependency);
    if (this.#namedAtEnd) this.#namedAfterMs ??= Math.round(performance.now() - this.#began);
  }

  async #ask(): Promise<Answer | undefined> {
    const url = this.#url();
    if (url === undefined) return undefined;
    try {
      const [all, ready] = await Promise.all([
        fetch(`${url}/health`, { signal: AbortSignal.timeout(2_000) }),
        fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(2_000) }),
      ]);
      const body = (await all.json()) as { live: boolean; waitingFor: readonly string[] };
      await ready.body?.cancel();
      return { live: body.live, waitingFor: body.waitingFor, ready: ready.status === 200 };
    } catch {
      return undefined;
    }
  }
}
