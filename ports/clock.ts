// Time as the runtime sees it; tests bring their own.
import { pause } from './pause.ts';

export interface Clock {
  /** Wall-clock ms since 1970. */
  now(): number;
  /** Resolves after `ms`, or at once when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = { now: Date.now, sleep: pause };
