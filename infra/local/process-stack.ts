// The `processes` provider: every part that no URL replaces, as a child process.
import { rmSync } from 'node:fs';
import { type Artifact, fetchArtifacts } from './artifacts.ts';
import { classArchiveFile, makeClassArchives, type Rehearsal } from './class-archives.ts';
import { describeError, StackError } from './errors.ts';
import { findJava } from './java.ts';
import { fixedPort, freePorts } from './ports.ts';
import { ProcessServer, READY_TIMEOUT_MS } from './process-server.ts';
import { ProcessGroup } from './processes.ts';
import type { ProvidedServer, ProviderOptions, ProviderStack } from './provider.ts';
import { kafkaPart } from './servers/kafka.ts';
import { mongodOnPath, mongoPart, mongoUri } from './servers/mongo.ts';
import { redisFromArtifact, redisOnPath, redisPart } from './servers/redis.ts';
import { REGISTRY_PATH, registryPart } from './servers/registry.ts';
import type { PartSpec } from './servers/server.ts';
import type { PartName, ServerName, StackUrls } from './types.ts';

interface RunningPart {
  readonly spec: PartSpec;
  readonly servers: readonly ProcessServer[];
}

export class ProcessStack implements ProviderStack {
  readonly urls: Partial<StackUrls>;
  readonly kafkaBehindProxy: readonly string[];
  readonly #parts: readonly RunningPart[];
  readonly #group: ProcessGroup;
  readonly #options: ProviderOptions;
  readonly #archiving = new AbortController();
  #archives: Promise<void> = Promise.resolve();

  private constructor(
    options: ProviderOptions,
    parts: readonly RunningPart[],
    group: ProcessGroup,
    found: { urls: Partial<StackUrls>; kafkaBehindProxy: readonly string[] },
  ) {
    this.#options = options;
    this.#parts = parts;
    this.#group = group;
    this.urls = found.urls;
    this.kafkaBehindProxy = found.kafkaBehindProxy;
  }

  /** Fetches what is missing, then starts all parts at once. If one fails, those already started are stopped. */
  static async start(options: ProviderOptions): Promise<ProcessStack> {
    const plan = await planParts(options);
    const group = new ProcessGroup({
      detached: options.detached,
      graceMs: options.ephemeral ? 0 : 10_000,
      removeAfterCrash: options.ephemeral ? options.state.dir : undefined,
    });
    const parts = plan.parts.map((spec) => ({
      spec,
      servers: spec.servers.map(
        (server) =>
          new ProcessServer(server, options.state.log(server.name), group, (how) =>
            options.onUnexpectedExit(server.name, how),
          ),
      ),
    }));
    const stack = new ProcessStack(options, parts, group, plan);
    const failed = new AbortController();
    const starts = parts.map((part) =>
      stack.#startPart(part, part.servers, failed.signal).catch((error: unknown) => {
        failed.abort();
        throw error;
      }),
    );
    try {
      await Promise.all(starts);
    } catch (error) {
      await Promise.allSettled(starts);
      await stack.stop();
      throw error;
    }
    stack.#archives = makeClassArchives({ group, signal: stack.#archiving.signal, rehearsals: plan.rehearsals });
    return stack;
  }

  servers(): ProvidedServer[] {
    return this.#parts.flatMap(({ servers }) =>
      servers.map((server) => ({
        name: server.spec.name,
        identity: server.process?.identity ?? null,
        container: null,
        log: server.log,
      })),
    );
  }

  async stop(): Promise<void> {
    const graceMs = this.#options.ephemeral ? 0 : undefined;
    this.#archiving.abort();
    await Promise.all(this.#parts.flatMap(({ servers }) => servers.map((server) => server.stop(graceMs))));
    await this.#archives;
    await this.#group.stop(0);
    if (this.#options.ephemeral) rmSync(this.#options.state.data, { recursive: true, force: true, maxRetries: 3 });
  }

  async kill(target: PartName | ServerName, signal: NodeJS.Signals): Promise<void> {
    await Promise.all(this.#select(target).servers.map((server) => server.kill(signal)));
  }

  async stopPart(target: PartName | ServerName): Promise<void> {
    await Promise.all(this.#select(target).servers.map((server) => server.stop()));
  }

  async restart(target: PartName | ServerName): Promise<void> {
    const { part, servers } = this.#select(target);
    await Promise.all(servers.map((server) => server.stop()));
    await this.#startPart(part, servers, new AbortController().signal);
  }

  async freeze(target: PartName | ServerName): Promise<void> {
    for (const server of this.#select(target).servers) server.hold('SIGSTOP');
  }

  async thaw(target: PartName | ServerName): Promise<void> {
    for (const server of this.#select(target).servers) server.hold('SIGCONT');
  }

  async #startPart(part: RunningPart, servers: readonly ProcessServer[], cancelled: AbortSignal): Promise<void> {
    const signal = AbortSignal.any([AbortSignal.timeout(READY_TIMEOUT_MS), cancelled]);
    await Promise.all(servers.map((server) => server.start(signal)));
    this.#options.onChange(this);
    const ended = new AbortController();
    for (const server of servers) void server.process?.exited.then(() => ended.abort());
    try {
      // A cluster of which one broker was started settles with those that run.
      const running = part.servers.filter((server) => server.process !== null).map((server) => server.spec.name);
      await part.spec.settle(AbortSignal.any([signal, ended.signal]), running);
    } catch (error) {
      const dead = servers.find((server) => server.process === null);
      if (dead) throw dead.explain('it ended');
      throw new StackError(
        'SERVER_TIMEOUT',
        `${servers[0]?.spec.title} runs, but is not ready for work (${describeError(error)}).`,
        `Look into ${this.#options.state.logs}. If the machine is very busy, try again.`,
        { cause: error },
      );
    }
  }

  #select(target: PartName | ServerName): RunningPart & { part: RunningPart } {
    for (const part of this.#parts) {
      if (part.spec.name === target) return { ...part, part };
      const servers = part.servers.filter((server) => server.spec.name === target);
      if (servers.length > 0) return { spec: part.spec, servers, part };
    }
    throw new StackError(
      'NOT_RUNNING',
      `${target} is not run by this stack.`,
      'Choose a part that this stack started.',
    );
  }
}

/** Finds programs and ports for the parts. */
async function planParts(options: ProviderOptions) {
  const { env, parts, state } = options;
  const wants = (part: PartName) => parts.includes(part);
  const redisBinary = wants('redisLimits') || wants('redisQueue') ? redisOnPath(env) : null;
  const mongod = wants('mongo') ? mongodOnPath(env) : null;

  const artifacts: Artifact[] = [];
  if (wants('kafka')) artifacts.push('kafka');
  if (wants('registry')) artifacts.push('registry');
  if ((wants('redisLimits') || wants('redisQueue')) && !redisBinary) artifacts.push('redis');
  if (wants('mongo') && !mongod) artifacts.push('mongo-stand-in');
  const needsJava = artifacts.some((artifact) => artifact !== 'redis');
  const java = needsJava ? await findJava(env) : { file: 'java', build: 'none' };
  const folders = await fetchArtifacts(artifacts, { dir: options.artifactsDir, env, onProgress: options.onProgress });
  const folder = (artifact: Artifact) => folders.get(artifact) as string;

  const brokerNames = (['kafka-1', 'kafka-2', 'kafka-3'] as const).slice(0, options.settings.brokers);
  const spare = await freePorts(4 + 3 * brokerNames.length);
  const portOf = (server: ServerName) =>
    options.fixedPorts ? fixedPort(server, env) : Promise.resolve(spare.pop() as number);

  const specs: PartSpec[] = [];
  const rehearsals: Rehearsal[] = [];
  const urls: { -readonly [K in keyof StackUrls]?: StackUrls[K] } = {};
  let kafkaBehindProxy: string[] = [];
  const dataDir = state.data;
  if (wants('kafka')) {
    const brokers = await Promise.all(
      brokerNames.map(async (name, index) => {
        const advertised = options.advertisedPorts[index];
        return {
          port: await portOf(name),
          controllerPort: spare.pop() as number,
          ...(advertised === undefined ? {} : { proxied: { port: spare.pop() as number, advertised } }),
        };
      }),
    );
    const kafka = { java, jars: folder('kafka'), clusterId: options.settings.clusterId };
    specs.push(kafkaPart({ ...kafka, dataDir, brokers }));
    rehearsals.push({
      archive: classArchiveFile(folder('kafka'), java),
      rehearse: async (dir) => {
        const [port = 0, controllerPort = 0] = await freePorts(2);
        return kafkaPart({ ...kafka, dataDir: dir, brokers: [{ port, controllerPort }] });
      },
    });
    urls.kafkaBrokers = brokers.map(({ port }) => `127.0.0.1:${port}`);
    kafkaBehindProxy = brokers.flatMap(({ proxied }) => (proxied ? [`127.0.0.1:${proxied.port}`] : []));
  }
  if (wants('registry')) {
    const port = await portOf('registry');
    const registry = { java, dir: folder('registry') };
    specs.push(registryPart({ ...registry, dataDir, port }));
    rehearsals.push({
      archive: classArchiveFile(folder('registry'), java),
      rehearse: async (dir) => registryPart({ ...registry, dataDir: dir, port: (await freePorts(1))[0] as number }),
    });
    urls.registryUrl = `http://127.0.0.1:${port}${REGISTRY_PATH}`;
  }
  if (wants('mongo')) {
    const port = await portOf('mongo');
    const program = mongod ? { mongod } : { standIn: folder('mongo-stand-in'), java };
    specs.push(mongoPart({ program, dataDir, port }));
    if (!mongod) {
      rehearsals.push({
        archive: classArchiveFile(folder('mongo-stand-in'), java),
        rehearse: async (dir) => mongoPart({ program, dataDir: dir, port: (await freePorts(1))[0] as number }),
      });
    }
    urls.mongoUri = mongoUri(port);
  }
  for (const [name, url] of [
    ['redisLimits', 'redisLimitsUrl'],
    ['redisQueue', 'redisQueueUrl'],
  ] as const) {
    if (!wants(name)) continue;
    const port = await portOf(name);
    specs.push(redisPart({ name, binary: redisBinary ?? redisFromArtifact(folder('redis')), dataDir, port }));
    urls[url] = `redis://127.0.0.1:${port}`;
  }
  return { parts: specs, urls, kafkaBehindProxy, rehearsals };
}
