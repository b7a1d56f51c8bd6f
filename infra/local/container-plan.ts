// Which containers make up the stack, on which ports, and how each is asked whether it is ready.
import { DATA_PATHS, type IMAGES, INNER_PORTS } from './images.ts';
import { fixedPort, freePorts } from './ports.ts';
import { probeMongo, probeRedis, probeRegistry, until } from './probes.ts';
import type { RunnerOptions } from './runner.ts';
import { commonSettings, settleKafka } from './servers/kafka-cluster.ts';
import { mongoUri } from './servers/mongo.ts';
import { REDIS_FLAGS } from './servers/redis.ts';
import { REGISTRY_PATH, requireCompatibility } from './servers/registry.ts';
import type { ServerKind, ServerName, StackUrls } from './types.ts';

export interface ContainerSpec {
  readonly name: ServerName;
  readonly kind: ServerKind;
  readonly image: keyof typeof IMAGES;
  readonly ports: readonly { container: number; host: number }[];
  readonly command?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Where its image's own user cannot write to a new volume. */
  readonly user?: string;
  readonly probe: (signal: AbortSignal) => Promise<void>;
}

export interface ContainerPlan {
  readonly specs: readonly ContainerSpec[];
  readonly urls: Partial<StackUrls>;
  readonly kafkaBehindProxy: readonly string[];
}

export async function planContainers(options: RunnerOptions): Promise<ContainerPlan> {
  const wants = (kind: ServerKind) => options.kinds.includes(kind);
  const names = (['kafka-1', 'kafka-2', 'kafka-3'] as const).slice(0, options.settings.brokers);
  const spare = await freePorts(4 + 2 * names.length);
  const portOf = async (server: ServerName): Promise<number> =>
    options.fixedPorts ? fixedPort(server, options.env) : (spare.pop() as number);

  const specs: ContainerSpec[] = [];
  const urls: { -readonly [K in keyof StackUrls]?: StackUrls[K] } = {};
  const kafkaBehindProxy: string[] = [];
  if (wants('kafka')) {
    const brokers = await Promise.all(
      names.map(async (name, index) => ({
        name,
        port: await portOf(name),
        advertised: options.advertisedPorts[index],
        proxied: spare.pop() as number,
      })),
    );
    const addresses = brokers.map(({ port }) => `127.0.0.1:${port}`);
    for (const [index, broker] of brokers.entries()) {
      specs.push(kafkaContainer(options, broker, index, names, addresses));
      if (broker.advertised !== undefined) kafkaBehindProxy.push(`127.0.0.1:${broker.proxied}`);
    }
    urls.kafkaBrokers = addresses;
  }
  if (wants('registry')) {
    const port = await portOf('registry');
    urls.registryUrl = `http://127.0.0.1:${port}${REGISTRY_PATH}`;
    specs.push(registryContainer(port, urls.registryUrl));
  }
  if (wants('mongo')) {
    const port = await portOf('mongo');
    urls.mongoUri = mongoUri(port);
    specs.push(mongoContainer(port, urls.mongoUri));
  }
  for (const [name, url] of [
    ['redisLimits', 'redisLimitsUrl'],
    ['redisQueue', 'redisQueueUrl'],
  ] as const) {
    if (!wants(name)) continue;
    const port = await portOf(name);
    urls[url] = `redis://127.0.0.1:${port}`;
    specs.push(redisContainer(name, port, urls[url]));
  }
  return { specs, urls, kafkaBehindProxy };
}

const registryContainer = (port: number, url: string): ContainerSpec => ({
  name: 'registry',
  kind: 'registry',
  image: 'registry',
  ports: [{ container: INNER_PORTS.registry, host: port }],
  env: { REGISTRY_DATASOURCE_URL: `jdbc:h2:file:${DATA_PATHS.registry}/schemas;WRITE_DELAY=0` },
  user: '0',
  probe: async (signal) => {
    await until(signal, () => probeRegistry(url));
    await requireCompatibility(url);
  },
});

const mongoContainer = (port: number, uri: string): ContainerSpec => ({
  name: 'mongo',
  kind: 'mongo',
  image: 'mongo',
  ports: [{ container: INNER_PORTS.mongo, host: port }],
  command: ['--replSet', 'corridor', '--bind_ip_all'],
  probe: (signal) => until(signal, () => initiateReplicaSet(uri)),
});

const redisContainer = (name: 'redisLimits' | 'redisQueue', port: number, url: string): ContainerSpec => ({
  name,
  kind: name,
  image: 'redis',
  ports: [{ container: INNER_PORTS.redis, host: port }],
  command: ['redis-server', ...REDIS_FLAGS],
  probe: (signal) => until(signal, () => probeRedis(url)),
});

function kafkaContainer(
  options: RunnerOptions,
  broker: { name: ServerName; port: number; advertised: number | undefined; proxied: number },
  index: number,
  names: readonly string[],
  addresses: readonly string[],
): ContainerSpec {
  const proxied = broker.advertised !== undefined;
  const settings = {
    ...commonSettings(names.length),
    'node.id': index + 1,
    'controller.quorum.voters': names.map((name, at) => `${at + 1}@${name}:9093`).join(),
    // PLAINTEXT is among the containers, HOST for this machine, PROXIED for a proxy on this machine.
    listeners: `PLAINTEXT://:9091,HOST://:${INNER_PORTS.kafka},PROXIED://:${INNER_PORTS.proxied},CONTROLLER://:9093`,
    'advertised.listeners': [
      `PLAINTEXT://${broker.name}:9091`,
      `HOST://127.0.0.1:${broker.port}`,
      `PROXIED://127.0.0.1:${broker.advertised ?? broker.proxied}`,
    ].join(),
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,HOST:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': DATA_PATHS.kafka,
  };
  return {
    name: broker.name,
    kind: 'kafka',
    image: 'kafka',
    ports: [
      { container: INNER_PORTS.kafka, host: broker.port },
      ...(proxied ? [{ container: INNER_PORTS.proxied, host: broker.proxied }] : []),
    ],
    env: { CLUSTER_ID: options.settings.clusterId, ...kafkaEnvironment(settings) },
    probe: (signal) => settleKafka(addresses, signal),
  };
}

/** The image reads `some.setting` from KAFKA_SOME_SETTING. */
export function kafkaEnvironment(settings: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(settings).map(([key, value]) => [`KAFKA_${key.toUpperCase().replaceAll('.', '_')}`, String(value)]),
  );
}

/** A replica set of one, so that what works here works on a real one; done once for the life of the data. */
async function initiateReplicaSet(uri: string): Promise<void> {
  await probeMongo(uri);
  const { MongoClient } = await import('mongodb');
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: 3_000 });
  try {
    const admin = client.db('admin');
    const hello = await admin.command({ hello: 1 });
    if (hello['isWritablePrimary']) return;
    if (!hello['setName']) {
      const members = [{ _id: 0, host: `127.0.0.1:${INNER_PORTS.mongo}` }];
      await admin.command({ replSetInitiate: { _id: 'corridor', members } });
    }
    throw new Error('the replica set has no primary yet');
  } finally {
    await client.close();
  }
}
