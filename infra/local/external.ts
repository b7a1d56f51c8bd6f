// Parts that somebody else runs: a URL in the environment replaces a local server.
import { withoutCredentials } from '../../ports/hide.ts';
import { describeError, StackError } from './fault.ts';
import { probeKafka, probeMongo, probeRedis, probeRegistry, until } from './probes.ts';
import type { PartName, StackUrls } from './types.ts';

/** The variable that names each part's own server. */
export const OVERRIDE_VARIABLES: Readonly<Record<PartName, string>> = {
  kafka: 'CORRIDOR_KAFKA_BROKERS',
  registry: 'CORRIDOR_REGISTRY_URL',
  mongo: 'MONGODB_URI',
  redisLimits: 'CORRIDOR_REDIS_LIMITS_URL',
  redisQueue: 'CORRIDOR_REDIS_QUEUE_URL',
};

/** A server may be starting just as we are; this is how long it is waited for. */
const PATIENCE_MS = 10_000;

export interface Overrides {
  readonly parts: readonly PartName[];
  readonly urls: Partial<StackUrls>;
}

/** The parts that the environment replaces, with their URLs. An empty variable counts as unset. */
export function overrides(env: NodeJS.ProcessEnv, wanted: readonly PartName[]): Overrides {
  const parts = wanted.filter((part) => env[OVERRIDE_VARIABLES[part]]);
  const value = (part: PartName) => env[OVERRIDE_VARIABLES[part]] as string;
  const urls: { -readonly [K in keyof StackUrls]?: StackUrls[K] } = {};
  for (const part of parts) {
    if (part === 'kafka')
      urls.kafkaBrokers = value(part)
        .split(',')
        .map((broker) => broker.trim());
    if (part === 'registry') urls.registryUrl = value(part).replace(/\/+$/, '');
    if (part === 'mongo') urls.mongoUri = value(part);
    if (part === 'redisLimits') urls.redisLimitsUrl = value(part);
    if (part === 'redisQueue') urls.redisQueueUrl = value(part);
  }
  return { parts, urls };
}

/** The environment that points another process to these servers: `startStack` in it starts nothing. */
export function stackEnvironment(urls: StackUrls): Record<string, string> {
  const values: Record<PartName, string> = {
    kafka: urls.kafkaBrokers.join(','),
    registry: urls.registryUrl,
    mongo: urls.mongoUri,
    redisLimits: urls.redisLimitsUrl,
    redisQueue: urls.redisQueueUrl,
  };
  return Object.fromEntries(
    Object.entries(values)
      .filter(([, value]) => value !== '')
      .map(([part, value]) => [OVERRIDE_VARIABLES[part as PartName], value]),
  );
}

/** Asks each of these servers one question. Throws StackError EXTERNAL_UNREACHABLE. */
export async function probeOverrides(
  { parts, urls }: Overrides,
  onProgress: (line: string) => void,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  const probes: Record<PartName, () => Promise<void>> = {
    kafka: () => probeKafka(urls.kafkaBrokers ?? [], 1),
    registry: () => probeRegistry(urls.registryUrl ?? ''),
    mongo: () => probeMongo(urls.mongoUri ?? ''),
    redisLimits: () => probeRedis(urls.redisLimitsUrl ?? ''),
    redisQueue: () => probeRedis(urls.redisQueueUrl ?? ''),
  };
  await Promise.all(
    parts.map(async (part) => {
      const slow = setTimeout(() => onProgress(`Waiting for the server that ${OVERRIDE_VARIABLES[part]} names`), 1_000);
      try {
        await until(AbortSignal.timeout(patienceMs), probes[part]);
      } catch (error) {
        const variable = OVERRIDE_VARIABLES[part];
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
