// The `containers` runner, on testcontainers. Data live in named volumes, so that they outlive the containers; an
// ephemeral stack has none. If this process dies, testcontainers' reaper removes the containers.
import { createHash } from 'node:crypto';
import { createWriteStream, mkdirSync } from 'node:fs';
import type { StartedNetwork, StartedTestContainer, WaitStrategy } from 'testcontainers';
import { type ContainerPlan, type ContainerSpec, planContainers } from './container-plan.ts';
import { docker } from './docker.ts';
import { describeError, StackError } from './fault.ts';
import { DATA_PATHS, IMAGES } from './images.ts';
import { READY_TIMEOUT_MS } from './process-server.ts';
import type { RunnerOptions, RunnerStack, RunServer } from './runner.ts';
import type { ServerKind, ServerName, StackUrls } from './types.ts';

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

export class ContainerStack implements RunnerStack {
  readonly urls: Partial<StackUrls>;
  readonly kafkaBehindProxy: readonly string[];
  readonly #options: RunnerOptions;
  readonly #running: Running[] = [];
  #network: StartedNetwork | null = null;

  private constructor(options: RunnerOptions, plan: ContainerPlan) {
    this.#options = options;
    this.urls = plan.urls;
    this.kafkaBehindProxy = plan.kafkaBehindProxy;
  }

  /** Pulls what is missing and starts all servers. If one fails, those already started are removed. */
  static async start(options: RunnerOptions): Promise<ContainerStack> {
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

  servers(): RunServer[] {
    return this.#running.map(({ spec, container }) => ({
      name: spec.name,
      identity: null,
      container: container.getId(),
      log: this.#options.state.log(spec.name),
    }));
  }

  async archiveClasses(): Promise<void> {}

  async stop(): Promise<void> {
    const timeout = this.#options.ephemeral ? 0 : 15_000;
    await Promise.all(
      this.#running.splice(0).map(({ container }) => container.stop({ timeout, remove: true, removeVolumes: false })),
    );
    await this.#network?.stop();
    this.#network = null;
  }

  async kill(target: ServerKind | ServerName, signal: NodeJS.Signals): Promise<void> {
    await this.#each(target, async (id) => {
      await docker('kill', '--signal', signal, id);
      await docker('wait', id);
    });
  }

  async stopServer(target: ServerKind | ServerName): Promise<void> {
    await this.#each(target, (id) => docker('stop', id));
  }

  async restart(target: ServerKind | ServerName): Promise<void> {
    await this.#each(target, (id) => docker('restart', id));
    await this.#ready(this.#select(target));
  }

  async freeze(target: ServerKind | ServerName): Promise<void> {
    await this.#each(target, (id) => docker('pause', id));
  }

  async thaw(target: ServerKind | ServerName): Promise<void> {
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

  #select(target: ServerKind | ServerName): readonly Running[] {
    const found = this.#running.filter(({ spec }) => spec.name === target || spec.kind === target);
    if (found.length > 0) return found;
    throw new StackError(
      'NOT_RUNNING',
      `${target} is not run by this stack.`,
      'Choose a server that this stack started.',
    );
  }

  async #each(target: ServerKind | ServerName, act: (id: string) => Promise<unknown>): Promise<void> {
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
