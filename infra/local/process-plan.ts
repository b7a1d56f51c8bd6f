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
  const { env } = options;
  const wants = (kind: ServerKind) => options.kinds.includes(kind);
  const wantsRedis = wants('redisLimits') || wants('redisQueue');
  const redisBinary = wantsRedis ? redisOnPath(env) : null;
  const findings = wants('mongo') ? mongoFindings(env, options.state.data) : null;
  const choice = findings && chooseMongo(findings);

  const artifacts: Artifact[] = [];
  if (wants('kafka')) artifacts.push('kafka');
  if (wants('registry')) artifacts.push('registry');
  if (wantsRedis && !redisBinary) artifacts.push('redis');
  if (choice?.kind === 'stand-in') artifacts.push('mongo-stand-in');
  const needsJava = artifacts.some((artifact) => artifact !== 'redis');
  const java = needsJava ? await findJava(env) : { file: 'java', build: 'none' };
  const ports = await takenPorts(options);
  const folders = fetchArtifacts(artifacts, { dir: options.artifactsDir, env, onProgress: options.onProgress });
  const folder = (artifact: Artifact) => folders.get(artifact) as Promise<string>;

  const plan = new Plan();
  const planning: Planning = { options, java, folder, ...ports };
  if (wants('kafka')) planKafka(plan, planning);
  if (wants('registry')) planRegistry(plan, planning);
  if (findings && choice) planMongo(plan, planning, findings, choice);
  if (wantsRedis) planRedis(plan, planning, redisBinary);
  // A failure is heard by whoever starts the servers, once; the rest is not to be reported as unhandled.
  for (const promise of [...plan.kinds, ...plan.rehearsals]) promise.catch(() => undefined);
  return plan;
}

/** Filled by one server after the other. */
class Plan implements ProcessPlan {
  readonly kinds: Promise<ServerKindSpec>[] = [];
  readonly rehearsals: Promise<Rehearsal | undefined>[] = [];
  readonly urls: { -readonly [K in keyof StackUrls]?: StackUrls[K] } = {};
  kafkaBehindProxy: readonly string[] = [];
}

interface Ports {
  readonly port: (server: ServerName) => number;
  /** Any that is free; each call another. */
  readonly anyPort: () => number;
}

interface Planning extends Ports {
  readonly options: RunnerOptions;
  readonly java: Java;
  readonly folder: (artifact: Artifact) => Promise<string>;
}

const brokerNames = ({ settings }: RunnerOptions) =>
  (['kafka-1', 'kafka-2', 'kafka-3'] as const).slice(0, settings.brokers);

/** All ports before the first download: one that is taken is to be known at once. */
async function takenPorts(options: RunnerOptions): Promise<Ports> {
  const names = brokerNames(options);
  const spare = await freePorts(4 + 3 * names.length);
  const anyPort = () => spare.pop() as number;
  const portOf = async (server: ServerName) =>
    options.ports.get(server) ?? (options.fixedPorts ? fixedPort(server, options.env) : anyPort());
  const ports = new Map<ServerName, number>();
  for (const kind of options.kinds) {
    for (const server of kind === 'kafka' ? names : [kind]) ports.set(server, await portOf(server));
  }
  return { anyPort, port: (server) => ports.get(server) as number };
}

function planKafka(plan: Plan, { options, java, folder, port, anyPort }: Planning): void {
  const { trial, settings, state } = options;
  const brokers = brokerNames(options).map((name, index) => {
    const advertised = options.advertisedPorts[index];
    const proxied = advertised === undefined ? {} : { proxied: { port: anyPort(), advertised } };
    return { port: port(name), controllerPort: anyPort(), ...proxied };
  });
  const kafka = folder('kafka').then((jars) => ({ java, jars, clusterId: settings.clusterId, trial }));
  plan.kinds.push(kafka.then((common) => kafkaServers({ ...common, dataDir: state.data, brokers })));
  plan.rehearsals.push(
    kafka.then((common) => ({
      archive: classArchiveFile(common.jars, java),
      rehearse: async (dir) => {
        const [own = 0, controllerPort = 0] = await freePorts(2);
        return kafkaServers({ ...common, dataDir: dir, brokers: [{ port: own, controllerPort }] });
      },
    })),
  );
  plan.urls.kafkaBrokers = brokers.map((broker) => `127.0.0.1:${broker.port}`);
  plan.kafkaBehindProxy = brokers.flatMap(({ proxied }) => (proxied ? [`127.0.0.1:${proxied.port}`] : []));
}

function planRegistry(plan: Plan, { options, java, folder, port }: Planning): void {
  const registry = folder('registry').then((dir) => ({ java, dir }));
  const own = { dataDir: options.state.data, port: port('registry') };
  plan.kinds.push(registry.then((common) => registryServer({ ...common, ...own })));
  plan.rehearsals.push(
    registry.then((common) => ({
      archive: classArchiveFile(common.dir, java),
      rehearse: async (dir) => registryServer({ ...common, dataDir: dir, port: (await freePorts(1))[0] as number }),
    })),
  );
  plan.urls.registryUrl = `http://127.0.0.1:${own.port}${REGISTRY_PATH}`;
}

function planMongo(
  plan: Plan,
  { options, java, folder, port }: Planning,
  findings: MongoFindings,
  choice: MongoChoice,
): void {
  const own = { dataDir: options.state.data, port: port('mongo') };
  plan.urls.mongoUri = mongoUri(own.port);
  if (choice.kind === 'stand-in') options.onProgress(saysStandIn(choice.why));
  const program: Promise<MongoProgram> =
    choice.kind === 'stand-in'
      ? folder('mongo-stand-in').then((standIn) => ({ standIn, java }))
      : genuineOrElse(choice, findings, options);
  plan.kinds.push(program.then((found) => mongoServer({ program: found, ...own })));
  plan.rehearsals.push(program.then(standInRehearsal));
}

function planRedis(plan: Plan, { options, folder, port }: Planning, onPath: string | null): void {
  const redis = onPath ? Promise.resolve(onPath) : folder('redis').then(redisFromArtifact);
  for (const [name, url] of [
    ['redisLimits', 'redisLimitsUrl'],
    ['redisQueue', 'redisQueueUrl'],
  ] as const) {
    if (!options.kinds.includes(name)) continue;
    const own = { dataDir: options.state.data, port: port(name) };
    plan.kinds.push(redis.then((binary) => redisServer({ name, binary, ...own })));
    plan.urls[url] = `redis://127.0.0.1:${own.port}`;
  }
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
