// The `containers` provider, on testcontainers. Data live in named volumes, so that they outlive the containers; an
// ephemeral stack has none. If this process dies, testcontainers' reaper removes the containers.
import { createHash } from 'node:crypto';
import { createWriteStream, mkdirSync } from 'node:fs';
import type { StartedNetwork, StartedTestContainer, WaitStrategy } from 'testcontainers';
import { docker } from './docker.ts';
import { describeError, StackError } from './errors.ts';
import { DATA_PATHS, IMAGES, INNER_PORTS } from './images.ts';
import { fixedPort, freePorts } from './ports.ts';
import { probeMongo, probeRedis, probeRegistry, until } from './probes.ts';
import { READY_TIMEOUT_MS } from './process-server.ts';
import type { ProvidedServer, ProviderOptions, ProviderStack } from './provider.ts';
import { commonSettings, settleKafka } from './servers/kafka-cluster.ts';
import { mongoUri } from './servers/mongo.ts';
import { REDIS_FLAGS } from './servers/redis.ts';
import { REGISTRY_PATH, requireCompatibility } from './servers/registry.ts';
import type { PartName, ServerName, StackUrls } from './types.ts';

interface ContainerSpec {
  readonly name: ServerName;
  readonly part: PartName;
  readonly image: keyof typeof IMAGES;
  readonly ports: readonly { container: number; host: number }[];
  readonly command?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Where its image's own user cannot write to a new volume. */
  readonly user?: string;
  readonly probe: (signal: AbortSignal) => Promise<void>;
}

interface Running {
  readonly spec: ContainerSpec;
  readonly container: StartedTestContainer;
}

/** Whether the server is ready is asked by our own probes. */
const DO_NOT_WAIT: WaitStrategy = {
  waitUntilReady: async () => undefined,
  withStartupTimeout: () => DO_NOT_WAIT,
  isStartupTimeoutSet: () => true,
  getStartupTimeout: () => READY_TIMEOUT_MS,
};

export class ContainerStack implements ProviderStack {
  readonly urls: Partial<StackUrls>;
  readonly kafkaBehindProxy: readonly string[];
  readonly #options: ProviderOptions;
  readonly #running: Running[] = [];
  #network: StartedNetwork | null = null;

  private constructor(options: ProviderOptions, plan: Plan) {
    this.#options = options;
    this.urls = plan.urls;
    this.kafkaBehindProxy = plan.kafkaBehindProxy;
  }

  /** Pulls what is missing and starts all parts. If one fails, those already started are removed. */
  static async start(options: ProviderOptions): Promise<ContainerStack> {
    if (options.detached) {
      throw new StackError(
        'DOCKER_UNAVAILABLE',
        'Containers started here end with this process.',
        'Run `docker compose -f docker-compose.kafka.yml up -d --wait` and set the URLs that docs/local-stack.md lists, or start the stack with plain processes.',
      );
    }
    const plan = await planContainers(options);
    const stack = new ContainerStack(options, plan);
    try {
      await stack.#start(plan.specs);
    } catch (error) {
      await stack.stop();
      if (error instanceof StackError) throw error;
      throw new StackError(
        'CONTAINER_FAILED',
        `The containers did not start (${describeError(error)}).`,
        `Look into ${options.state.logs} and \`docker ps -a\`; check that the images can be pulled, and try again.`,
        { cause: error },
      );
    }
    return stack;
  }

  servers(): ProvidedServer[] {
    return this.#running.map(({ spec, container }) => ({
      name: spec.name,
      identity: null,
      container: container.getId(),
      log: this.#options.state.log(spec.name),
    }));
  }

  async stop(): Promise<void> {
    const timeout = this.#options.ephemeral ? 0 : 15_000;
    await Promise.all(
      this.#running.splice(0).map(({ container }) => container.stop({ timeout, remove: true, removeVolumes: false })),
    );
    await this.#network?.stop();
    this.#network = null;
  }

  async kill(target: PartName | ServerName, signal: NodeJS.Signals): Promise<void> {
    await this.#each(target, async (id) => {
      await docker('kill', '--signal', signal, id);
      await docker('wait', id);
    });
  }

  async stopPart(target: PartName | ServerName): Promise<void> {
    await this.#each(target, (id) => docker('stop', id));
  }

  async restart(target: PartName | ServerName): Promise<void> {
    await this.#each(target, (id) => docker('restart', id));
    await this.#ready(this.#select(target));
  }

  async freeze(target: PartName | ServerName): Promise<void> {
    await this.#each(target, (id) => docker('pause', id));
  }

  async thaw(target: PartName | ServerName): Promise<void> {
    await this.#each(target, (id) => docker('unpause', id));
  }

  async #start(specs: readonly ContainerSpec[]): Promise<void> {
    const { Network } = await import('testcontainers');
    this.#options.onProgress('Starting containers (the first time, Docker fetches their images)');
    this.#network = await new Network().start();
    const network = this.#network;
    await Promise.all(
      specs.map(async (spec) => {
        this.#running.push({ spec, container: await this.#startOne(spec, network) });
        this.#options.onChange(this);
      }),
    );
    await this.#ready(this.#running);
  }

  async #startOne(spec: ContainerSpec, network: StartedNetwork): Promise<StartedTestContainer> {
    const { GenericContainer } = await import('testcontainers');
    mkdirSync(this.#options.state.logs, { recursive: true });
    const log = createWriteStream(this.#options.state.log(spec.name), { flags: 'a' });
    const container = new GenericContainer(IMAGES[spec.image])
      .withNetwork(network)
      .withNetworkAliases(spec.name)
      .withExposedPorts(...spec.ports)
      .withWaitStrategy(DO_NOT_WAIT)
      .withLogConsumer((stream) => stream.pipe(log));
    if (spec.command) container.withCommand([...spec.command]);
    if (spec.env) container.withEnvironment({ ...spec.env });
    if (spec.user) container.withUser(spec.user);
    if (!this.#options.ephemeral) {
      const source = volumeName(this.#options.state.dir, spec.name);
      container.withBindMounts([{ source, target: DATA_PATHS[spec.image] }]);
    }
    return container.start();
  }

  async #ready(servers: readonly Running[]): Promise<void> {
    const signal = AbortSignal.timeout(READY_TIMEOUT_MS);
    await Promise.all(
      servers.map(async ({ spec }) => {
        try {
          await spec.probe(signal);
        } catch (error) {
          throw new StackError(
            'SERVER_TIMEOUT',
            `The container of ${spec.name} does not answer (${describeError(error)}).`,
            `Look into ${this.#options.state.log(spec.name)}. If the machine is very busy, try again.`,
            { cause: error },
          );
        }
      }),
    );
  }

  #select(target: PartName | ServerName): readonly Running[] {
    const found = this.#running.filter(({ spec }) => spec.name === target || spec.part === target);
    if (found.length > 0) return found;
    throw new StackError(
      'NOT_RUNNING',
      `${target} is not run by this stack.`,
      'Choose a part that this stack started.',
    );
  }

  async #each(target: PartName | ServerName, act: (id: string) => Promise<unknown>): Promise<void> {
    await Promise.all(this.#select(target).map(({ container }) => act(container.getId())));
  }
}

/** Volumes are told apart by the state folder, and removed with it. */
export function volumeName(stateDir: string, server: string): string {
  return `${volumePrefix(stateDir)}${server.toLowerCase()}`;
}

function volumePrefix(stateDir: string): string {
  return `corridor-${createHash('sha256').update(stateDir).digest('hex').slice(0, 10)}-`;
}

/** Removes the volumes of a state folder. */
export async function removeVolumes(stateDir: string): Promise<void> {
  const names = await docker('volume', 'ls', '--quiet', '--filter', `name=${volumePrefix(stateDir)}`);
  if (names !== '') await docker('volume', 'rm', '--force', ...names.split('\n'));
}

interface Plan {
  readonly specs: readonly ContainerSpec[];
  readonly urls: Partial<StackUrls>;
  readonly kafkaBehindProxy: readonly string[];
}

async function planContainers(options: ProviderOptions): Promise<Plan> {
  const wants = (part: PartName) => options.parts.includes(part);
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
    const url = `http://127.0.0.1:${port}${REGISTRY_PATH}`;
    specs.push({
      name: 'registry',
      part: 'registry',
      image: 'registry',
      ports: [{ container: INNER_PORTS.registry, host: port }],
      env: { REGISTRY_DATASOURCE_URL: `jdbc:h2:file:${DATA_PATHS.registry}/schemas;WRITE_DELAY=0` },
      user: '0',
      probe: async (signal) => {
        await until(signal, () => probeRegistry(url));
        await requireCompatibility(url);
      },
    });
    urls.registryUrl = url;
  }
  if (wants('mongo')) {
    const port = await portOf('mongo');
    specs.push({
      name: 'mongo',
      part: 'mongo',
      image: 'mongo',
      ports: [{ container: INNER_PORTS.mongo, host: port }],
      command: ['--replSet', 'corridor', '--bind_ip_all'],
      probe: (signal) => until(signal, () => initiateReplicaSet(mongoUri(port))),
    });
    urls.mongoUri = mongoUri(port);
  }
  for (const [name, url] of [
    ['redisLimits', 'redisLimitsUrl'],
    ['redisQueue', 'redisQueueUrl'],
  ] as const) {
    if (!wants(name)) continue;
    const port = await portOf(name);
    const address = `redis://127.0.0.1:${port}`;
    specs.push({
      name,
      part: name,
      image: 'redis',
      ports: [{ container: INNER_PORTS.redis, host: port }],
      command: ['redis-server', ...REDIS_FLAGS],
      probe: (signal) => until(signal, () => probeRedis(address)),
    });
    urls[url] = address;
  }
  return { specs, urls, kafkaBehindProxy };
}

function kafkaContainer(
  options: ProviderOptions,
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
    part: 'kafka',
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
