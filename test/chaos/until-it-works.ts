// What the harness does while servers come and go.
import { setTimeout as sleep } from 'node:timers/promises';

const RETRY_MS = 500;
const MAX_FAILURES = 120;

/** Again until it works: brokers come back. */
export async function untilItWorks<T>(work: () => Promise<T>): Promise<T> {
  for (let failures = 0; ; failures++) {
    try {
      return await work();
    } catch (error) {
      if (failures > MAX_FAILURES) throw error;
      await sleep(RETRY_MS);
    }
  }
}
