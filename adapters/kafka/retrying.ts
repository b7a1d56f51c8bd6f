// One-off requests: tried again over fresh connections while the cluster is unavailable.
import { backoffMs } from '../../ports/backoff.ts';
import { pause } from '../../ports/pause.ts';
import { KAFKA_BACKOFF } from './backoff.ts';
import { type Connections, connectCluster, discardCluster } from './client.ts';
import { codedError } from './fault.ts';
import type { Cluster } from './kafkajs/internals.ts';

/** How long a one-off request is tried, ms. */
export const REQUEST_TIMEOUT_MS = 15_000;

/**
 * Runs `request` on a connected cluster that knows the topics. It must be safe to run twice. Rejects with a coded error at
 * once when trying again is no use, else after `timeoutMs`.
 */
export async function retrying<T>(
  connections: Connections,
  topics: readonly string[],
  request: (cluster: Cluster) => Promise<T>,
  timeoutMs = REQUEST_TIMEOUT_MS,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (let failures = 1; ; failures++) {
    let cluster: Cluster | undefined;
    try {
      cluster = connections.cluster();
      await connectCluster(cluster, topics);
      return await request(cluster);
    } catch (error) {
      const coded = codedError(error);
      if (coded.faultClass !== 'transient-dependency' || performance.now() > deadline) throw coded;
    } finally {
      if (cluster) discardCluster(cluster);
    }
    await pause(backoffMs(failures, KAFKA_BACKOFF));
  }
}
