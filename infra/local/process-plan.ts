// Which processes make up the stack: their programs, ports and data, and what is still to be fetched for them.
import { type Artifact, fetchArtifacts } from './artifacts.ts';
import { classArchiveFile, type Rehearsal } from './class-archives.ts';
import { findJava, type Java } from './java.ts';
import { fetchMongod } from './mongod-download.ts';
import { fixedPort, freePorts } from './ports.ts';
import type { RunnerOptions } from './runner.ts';
import { kafkaServers } from './servers/kafka.ts';
import { type MongoProgram, mongoFindings, mongoServer, mongoUri } from './servers/mongo.ts';
import { chooseMongo, type MongoChoice, type MongoFindings, withoutDownload } from './servers/mongo-choice.ts';
import { redisFromArtifact, redisOnPath, redisServer } from './servers/redis.ts';
import { REGISTRY_PATH, registryServer } from './servers/registry.ts';
import type { ServerKindSpec } from './servers/server.ts';
import type { ServerKind, ServerName, StackUrls } from './types.ts';

export interface ProcessPlan {
  /** Each comes when its program is there. */
  readonly kinds: readonly Promise<ServerKindSpec>[];
  readonly urls: Partial<StackUrls>;
  readonly kafkaBehindProxy: readonly string[];
  /** Servers whose classes can be archived; undefined: it turned out to be no JVM. */
  readonly rehearsals: readonly Promise<Rehearsal | undefined>[];
}

/** Throws StackError JAVA_MISSING, PORT_IN_USE or BAD_SETTING; what concerns a download rejects its server. */
export async function planProcesses(options: RunnerOptions): Promise<ProcessPlan> {
  const { env, settings } = options;
  const dataDir = options.state.data;
  const wants = (kind: ServerKind) => options.kinds.includes(kind);
  const wantsRedis = wants('redisLimits') || wants('redisQueue');
  const redisBinary = wantsRedis ? redisOnPath(env) : null;
  const findings = wants('mongo') ? mongoFindings(env, dataDir) : null;
  const choice = findings && chooseMongo(findings);

  const artifacts: Artifact[] = [];
  if (wants('kafka')) artifacts.push('kafka');
  if (wants('registry')) artifacts.push('registry');
  if (wantsRedis && !redisBinary) artifacts.push('redis');
  if (choice?.kind === 'stand-in') artifacts.push('mongo-stand-in');
  const needsJava = artifacts.some((artifact) => artifact !== 'redis');
  const java = needsJava ? await findJava(env) : { file: 'java', build: 'none' };

  const brokerNames = (['kafka-1', 'kafka-2', 'kafka-3'] as const).slice(0, settings.brokers);
  const spare = await freePorts(4 + 3 * brokerNames.length);
  const anyPort = () => spare.pop() as number;
  const portOf = async (server: ServerName) =>
    options.ports.get(server) ?? (options.fixedPorts ? fixedPort(server, env) : anyPort());
  // All ports before the first download: one that is taken is to be known at once.
  const ports = new Map<ServerName, number>();
  for (const kind of options.kinds) {
    for (const server of kind === 'kafka' ? brokerNames : [kind]) ports.set(server, await portOf(server));
  }
  const port = (server: ServerName) => ports.get(server) as number;

  const folders = fetchArtifacts(artifacts, { dir: options.artifactsDir, env, onProgress: options.onProgress });
  const folder = (artifact: Artifact) => folders.get(artifact) as Promise<string>;

  const kinds: Promise<ServerKindSpec>[] = [];
  const rehearsals: Promise<Rehearsal | undefined>[] = [];
  const urls: { -readonly [K in keyof StackUrls]?: StackUrls[K] } = {};
  let kafkaBehindProxy: string[] = [];
  if (wants('kafka')) {
    const brokers = brokerNames.map((name, index) => {
      const advertised = options.advertisedPorts[index];
      const proxied = advertised === undefined ? {} : { proxied: { port: anyPort(), advertised } };
      return { port: port(name), controllerPort: anyPort(), ...proxied };
    });
    const { trial } = options;
    const kafka = folder('kafka').then((jars) => ({ java, jars, clusterId: settings.clusterId, trial }));
    kinds.push(kafka.then((common) => kafkaServers({ ...common, dataDir, brokers })));
    rehearsals.push(
      kafka.then((common) => ({
        archive: classArchiveFile(common.jars, java),
        rehearse: async (dir) => {
          const [own = 0, controllerPort = 0] = await freePorts(2);
          return kafkaServers({ ...common, dataDir: dir, brokers: [{ port: own, controllerPort }] });
        },
      })),
    );
    urls.kafkaBrokers = brokers.map((broker) => `127.0.0.1:${broker.port}`);
    kafkaBehindProxy = brokers.flatMap(({ proxied }) => (proxied ? [`127.0.0.1:${proxied.port}`] : []));
  }
  if (wants('registry')) {
    const registry = folder('registry').then((dir) => ({ java, dir }));
    kinds.push(registry.then((common) => registryServer({ ...common, dataDir, port: port('registry') })));
    rehearsals.push(
      registry.then((common) => ({
        archive: classArchiveFile(common.dir, java),
        rehearse: async (dir) => registryServer({ ...common, dataDir: dir, port: (await freePorts(1))[0] as number }),
      })),
    );
    urls.registryUrl = `http://127.0.0.1:${port('registry')}${REGISTRY_PATH}`;
  }
  if (findings && choice) {
    urls.mongoUri = mongoUri(port('mongo'));
    if (choice.kind === 'stand-in') options.onProgress(saysStandIn(choice.why));
    const program: Promise<MongoProgram> =
      choice.kind === 'stand-in'
        ? folder('mongo-stand-in').then((standIn) => ({ standIn, java }))
        : genuineOrElse(choice, findings, options);
    kinds.push(program.then((found) => mongoServer({ program: found, dataDir, port: port('mongo') })));
    rehearsals.push(program.then(standInRehearsal));
  }
  const redis = redisBinary
    ? Promise.resolve(redisBinary)
    : wantsRedis
      ? folder('redis').then(redisFromArtifact)
      : null;
  for (const [name, url] of [
    ['redisLimits', 'redisLimitsUrl'],
    ['redisQueue', 'redisQueueUrl'],
  ] as const) {
    if (!wants(name) || !redis) continue;
    kinds.push(redis.then((binary) => redisServer({ name, binary, dataDir, port: port(name) })));
    urls[url] = `redis://127.0.0.1:${port(name)}`;
  }
  // A failure is heard by whoever starts the servers, once; the rest is not to be reported as unhandled.
  for (const promise of [...kinds, ...rehearsals]) promise.catch(() => undefined);
  return { kinds, urls, kafkaBehindProxy, rehearsals };
}

const saysStandIn = (why: string) => `MongoDB is played by a stand-in: ${why} (docs/local-stack.md)`;

/** A genuine server; where it does not come, the stand-in, which is built then. */
async function genuineOrElse(
  choice: Exclude<MongoChoice, { kind: 'stand-in' }>,
  findings: MongoFindings,
  { env, artifactsDir, onProgress }: RunnerOptions,
): Promise<MongoProgram> {
  if (choice.kind === 'genuine') return { mongod: choice.file };
  const mongod = await fetchMongod({ dir: artifactsDir, env, onProgress });
  if (mongod !== undefined) return { mongod };
  const otherwise = withoutDownload(findings, 'no genuine one could be fetched');
  if (otherwise.kind === 'stand-in') onProgress(saysStandIn(otherwise.why));
  const java: Java = await findJava(env);
  const built = fetchArtifacts(['mongo-stand-in'], { dir: artifactsDir, env, onProgress });
  return { standIn: await (built.get('mongo-stand-in') as Promise<string>), java };
}

function standInRehearsal(program: MongoProgram): Rehearsal | undefined {
  if ('mongod' in program) return undefined;
  return {
    archive: classArchiveFile(program.standIn, program.java),
    rehearse: async (dir) => mongoServer({ program, dataDir: dir, port: (await freePorts(1))[0] as number }),
  };
}
