// Parts that somebody else runs: a URL in the environment replaces a local server.
import { withoutCredentials } from '../../ports/hide.ts';
import { describeError, StackError } from './fault.ts';
import { probeKafka, probeMongo, probeRedis, probeRegistry, until } from './probes.ts';
import type { ServerKind, StackUrls } from './types.ts';

/** The variable that names a server of somebody else. */
export const OVERRIDE_VARIABLES: Readonly<Record<ServerKind, string>> = {
  kafka: 'CORRIDOR_KAFKA_BROKERS',
  registry: 'CORRIDOR_REGISTRY_URL',
  mongo: 'MONGODB_URI',
  redisLimits: 'CORRIDOR_REDIS_LIMITS_URL',
  redisQueue: 'CORRIDOR_REDIS_QUEUE_URL',
};

/** A server may be starting just as we are; this is how long it is waited for. */
const TIMEOUT_MS = 10_000;

export interface Overrides {
  readonly kinds: readonly ServerKind[];
  readonly urls: Partial<StackUrls>;
}

/** The servers that the environment replaces, with their URLs. An empty variable counts as unset. */
export function overrides(env: NodeJS.ProcessEnv, wanted: readonly ServerKind[]): Overrides {
  const kinds = wanted.filter((kind) => env[OVERRIDE_VARIABLES[kind]]);
  const value = (kind: ServerKind) => env[OVERRIDE_VARIABLES[kind]] as string;
  const urls: { -readonly [K in keyof StackUrls]?: StackUrls[K] } = {};
  for (const kind of kinds) {
    if (kind === 'kafka')
      urls.kafkaBrokers = value(kind)
        .split(',')
        .map((broker) => broker.trim());
    if (kind === 'registry') urls.registryUrl = value(kind).replace(/\/+$/, '');
    if (kind === 'mongo') urls.mongoUri = value(kind);
    if (kind === 'redisLimits') urls.redisLimitsUrl = value(kind);
    if (kind === 'redisQueue') urls.redisQueueUrl = value(kind);
  }
  return { kinds, urls };
}

/** The environment that points another process to these servers: `startStack` in it starts nothing. */
export function stackEnvironment(urls: StackUrls): Record<string, string> {
  const values: Record<ServerKind, string> = {
    kafka: urls.kafkaBrokers.join(','),
    registry: urls.registryUrl,
    mongo: urls.mongoUri,
    redisLimits: urls.redisLimitsUrl,
    redisQueue: urls.redisQueueUrl,
  };
  return Object.fromEntries(
    Object.entries(values)
      .filter(([, value]) => value !== '')
      .map(([kind, value]) => [OVERRIDE_VARIABLES[kind as ServerKind], value]),
  );
}

/** Asks each of these servers one question. Throws StackError EXTERNAL_UNREACHABLE. */
export async function probeOverrides(
  { kinds, urls }: Overrides,
  onProgress: (line: string) => void,
  timeoutMs = TIMEOUT_MS,
): Promise<void> {
  const probes: Record<ServerKind, () => Promise<void>> = {
    kafka: () => probeKafka(urls.kafkaBrokers ?? [], 1),
    registry: () => probeRegistry(urls.registryUrl ?? ''),
    mongo: () => probeMongo(urls.mongoUri ?? ''),
    redisLimits: () => probeRedis(urls.redisLimitsUrl ?? ''),
    redisQueue: () => probeRedis(urls.redisQueueUrl ?? ''),
  };
  await Promise.all(
    kinds.map(async (kind) => {
      const slow = setTimeout(() => onProgress(`Waiting for the server that ${OVERRIDE_VARIABLES[kind]} names`), 1_000);
      try {
        await until(AbortSignal.timeout(timeoutMs), probes[kind]);
      } catch (error) {
        const variable = OVERRIDE_VARIABLES[kind];
        throw new StackError(
          'EXTERNAL_UNREACHABLE',
          `The server that ${variable} names does not answer (${withoutCredentials(describeError(error))}).`,
          `Start it, correct ${variable}, or unset it to have one started here.`,
          { cause: error },
        );
      } finally {
        clearTimeout(slow);
      }
    }),
  );
}
