// Asking the broker that coordinates a group or a transactional id.
import { pause } from '../../ports/pause.ts';
import { findCoordinator } from './client.ts';
import { brokerErrorType } from './fault.ts';
import type { Broker, Cluster } from './kafkajs/internals.ts';

/** The broker did not do it and says so: it may be asked again. */
const NOT_DONE_YET = new Set(['CONCURRENT_TRANSACTIONS', 'GROUP_LOAD_IN_PROGRESS', 'UNSTABLE_OFFSET_COMMIT']);
const MOVED = new Set(['NOT_COORDINATOR_FOR_GROUP', 'GROUP_COORDINATOR_NOT_AVAILABLE']);
const FIRST_WAIT_MS = 1;
const MAX_WAIT_MS = 50;

/** The coordinator of one id, looked up once and again only when it says that it is not the one any more. */
export class Coordinator {
  readonly #cluster: Cluster;
  readonly #id: string;
  readonly #kind: 'group' | 'transaction';
  readonly #timeoutMs: number;
  #broker: Broker | undefined;

  /** `timeoutMs`: how long to ask again while the answer is "not yet". */
  constructor(cluster: Cluster, id: string, kind: 'group' | 'transaction', timeoutMs: number) {
    this.#cluster = cluster;
    this.#id = id;
    this.#kind = kind;
    this.#timeoutMs = timeoutMs;
  }

  /** The broker, when it is known. */
  get known(): Broker | undefined {
    return this.#broker;
  }

  /** Asks, and asks again as long as the broker answers that it has not done it yet. Other errors are the caller's. */
  async ask<T>(call: (broker: Broker) => Promise<T>, timeoutMs = this.#timeoutMs): Promise<T> {
    const deadline = performance.now() + timeoutMs;
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, MAX_WAIT_MS)) {
      try {
        this.#broker ??= await findCoordinator(this.#cluster, this.#id, this.#kind);
        return await call(this.#broker);
      } catch (error) {
        const type = brokerErrorType(error) ?? '';
        const moved = MOVED.has(type);
        if ((!moved && !NOT_DONE_YET.has(type)) || performance.now() > deadline) throw error;
        if (moved) this.#broker = undefined;
        await pause(waitMs);
      }
    }
  }
}
