// Which ports a running stack uses.
import type { RunningState } from './state.ts';
import type { ServerName } from './types.ts';

/** The port that each server of a stack had. */
export function portsOf({ urls }: RunningState): ReadonlyMap<ServerName, number> {
  const ports = new Map<ServerName, number>();
  for (const [index, broker] of urls.kafkaBrokers.entries()) {
    ports.set(`kafka-${index + 1}` as ServerName, Number(broker.split(':').at(-1)));
  }
  const others = {
    registry: urls.registryUrl,
    mongo: urls.mongoUri,
    redisLimits: urls.redisLimitsUrl,
    redisQueue: urls.redisQueueUrl,
  };
  for (const [name, url] of Object.entries(others)) if (url) ports.set(name as ServerName, Number(new URL(url).port));
  return ports;
}
