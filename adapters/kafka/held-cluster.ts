// Connections that are made when they are first needed, shared by all who need them meanwhile, and given up together.
import { CodedError } from '../../ports/fault.ts';
import { type Connections, connectCluster, discardCluster } from './client.ts';
import type { Cluster } from './kafkajs/internals.ts';

export class HeldCluster {
  readonly #connections: Connections;
  readonly #topics: readonly string[];
  #connecting: Promise<Cluster> | undefined;
  #isClosed = false;

  /** `topics`: those whose metadata it keeps from the beginning. */
  constructor(connections: Connections, topics: readonly string[]) {
    this.#connections = connections;
    this.#topics = topics;
  }

  /** Throws what kafkajs throws, and STOPPING once it is closed. */
  async connected(): Promise<Cluster> {
    if (this.#isClosed) throw new CodedError('STOPPING', 'The consumer was stopped.');
    if (this.#connecting !== undefined) return this.#connecting;
    const connecting = this.#connect();
    this.#connecting = connecting;
    connecting.catch(() => {
      if (this.#connecting === connecting) this.#connecting = undefined;
    });
    return connecting;
  }

  /** Gives the connections up, also those that are still being made; whoever needs them next makes new ones. */
  drop(): void {
    this.#connecting?.then(discardCluster, () => {});
    this.#connecting = undefined;
  }

  /** Gives them up for good: nobody makes new ones. */
  close(): void {
    this.#isClosed = true;
    this.drop();
  }

  async #connect(): Promise<Cluster> {
    const cluster = this.#connections.cluster();
    try {
      await connectCluster(cluster, this.#topics);
      return cluster;
    } catch (error) {
      discardCluster(cluster);
      throw error;
    }
  }
}
