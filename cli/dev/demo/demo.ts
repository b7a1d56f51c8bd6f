// One run of the demo, from nothing to the summary.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type LocalSignIn, startLocalSignIn } from '../../../adapters/auth/local-sign-in.ts';
import { pushSchemas } from '../../../adapters/registry/push.ts';
import { type Child, startChild } from '../../../infra/local/children.ts';
import { freePorts } from '../../../infra/local/ports.ts';
import { type LocalStack, stackEnvironment, startStack } from '../../../infra/local/stack.ts';
import type { LogAdmin, LogWriter } from '../../../ports/log.ts';
import { type Config, loadConfig } from '../../../runtime/config/config.ts';
import { applyTopics } from '../../../runtime/provision.ts';
import { Books } from '../../../samples/books.ts';
import { publishSampleRates } from '../../../samples/rates.ts';
import { sampleFeed } from '../../../samples/sample.ts';
import { listedPersons, loadSampleList } from '../../../screening/lists/sample/load.ts';
import { Connections, registryOptions } from '../../../services/connections.ts';
import { activateSampleList } from '../../../services/screening.ts';
import { explain } from '../../output.ts';
import { publish } from '../../publish.ts';
import { healthFile, issuerFile, localKeyFile, stateDir } from '../environment.ts';
import { Display } from './display.ts';
import { followToTheEnd } from './follow.ts';
import { INTERRUPTED, type Interrupt, interrupted } from './interrupt.ts';
import type { DemoOptions } from './options.ts';
import { printSummary, summarise } from './summary.ts';
import { Watch } from './watch.ts';

const DRAIN_MS = 20_000;
/** The same when somebody does not want to wait: what is cut short runs again at the next start. */
const INTERRUPTED_DRAIN_MS = 800;
/** How long an end by itself waits for the archives of classes that make the next start faster. */
const ARCHIVE_MS = 20_000;
const RATES_EVERY_MS = 10 * 60_000;
/**
 * The process that reads the bytes of producers is not the one that pays, so a stall of the first does not stop the second.
 * A part that stops by itself is started again by its process.
 */
const PROCESSES = [
  ['intake', ['run', '--stay', '--processors', 'intake']],
  ['chain', ['run', '--stay', '--processors', 'screening,fx-pricing,limits,payout-dispatch,settlement']],
  ['payouts', ['run', '--stay', '--payouts']],
  [
    'sinks',
    [
      'run',
      '--stay',
      '--sinks',
      'all',
      '--cases',
      '--rescreening',
      '--replays',
      '--audit',
      '--webhooks',
      '--analytics',
    ],
  ],
  ['api', ['api']],
] as const;

/** The simulated provider pays after this long, and returns money as soon. */
const PROVIDER_DELAY_MS = 100;

/** Runs the demo. Resolves with the exit code: 0 when every transfer is where it was expected. */
export async function runDemo(options: DemoOptions): Promise<number> {
  const startedAt = Number(process.env['CORRIDOR_COMMAND_STARTED_AT'] ?? Date.now());
  const say = (line: string) =>
    console.error(`${((Date.now() - startedAt) / 1_000).toFixed(1).padStart(6)} s  ${line}`);
  const stop = interrupted(say);
  const begun: Begun = { children: [] };
  try {
    const pipeline = await startPipeline(begun, say, stop);
    return await feedAndWatch(pipeline, { options, startedAt, say, stop });
  } finally {
    say('Stopping');
    if (begun.stack) {
      for (const file of [healthFile, issuerFile]) rmSync(file(begun.stack.stateDir), { force: true });
    }
    await begun.signIn?.close();
    const drainMs = stop.asked ? INTERRUPTED_DRAIN_MS : DRAIN_MS;
    await Promise.all(begun.children.toReversed().map((child) => child.stop(drainMs)));
    await begun.connections?.close();
    await begun.stack?.stop();
  }
}

type Say = (line: string) => void;

/** What has to be stopped at the end, as far as the start came. */
interface Begun {
  readonly children: Child[];
  stack?: LocalStack;
  connections?: Connections;
  signIn?: LocalSignIn;
}

/** Everything that a run needs, started. */
interface Pipeline {
  readonly stack: LocalStack;
  /** Folder. */
  readonly logs: string;
  readonly config: Config;
  readonly connections: Connections;
  readonly admin: LogAdmin;
  /** Simulator first, then the processes of Corridor. */
  readonly children: readonly Child[];
  readonly running: readonly Child[];
  readonly books: Books;
  readonly watch: Watch;
}

/** The servers, the provider, the topics and schemas, and the processes. What was begun is in `begun`, also when it fails. */
async function startPipeline(begun: Begun, say: Say, stop: Interrupt): Promise<Pipeline> {
  const stack = await startStack({
    stateDir: stateDir(),
    trial: true,
    onProgress: say,
    onUnexpectedExit: (server, how) => {
      say(`${server} ended by itself (${how}): starting it again`);
      const again = begun.stack?.restart(server) ?? Promise.resolve();
      again.catch((error: unknown) => stop.because(`${server} ended and does not start again: ${explain(error)}`));
    },
  });
  begun.stack = stack;
  const logs = path.join(stack.stateDir, 'logs');
  mkdirSync(logs, { recursive: true });
  const env = environmentOf(stack);
  const unexpected = (name: string) => (how: string) => stop.because(`${name} ended by itself (${how}); see ${logs}`);

  const started = startSimulator(stack.stateDir, logs, env, unexpected('simulator'));
  const config = loadConfig(env);
  const connections = new Connections(config, 'corridor-demo');
  begun.connections = connections;
  const { log, codec } = connections;
  say('Creating topics and registering schemas');
  const admin = await log.admin();
  const { chainPartitions, replicationFactor } = config.kafka;
  await Promise.all([
    applyTopics(admin, { app: config.appName, chainPartitions, replicationFactor }),
    pushSchemas(registryOptions(config)),
  ]);
  await activateSampleList(connections);
  const simulator = await started;
  begun.children.push(simulator);
  env['CORRIDOR_PROVIDER_URL'] = simulator.ready['url'] as string;

  say('Starting processors, sinks and the payout executor');
  const books = new Books();
  const watch = new Watch(books, codec, config.keys);
  const [running] = await Promise.all([
    launchAll(env, logs, unexpected),
    watch.start(log.reader()),
    codec.load(['transfer.requested']),
  ]);
  begun.children.push(...running);
  const health = running.flatMap(({ ready }) => (typeof ready['health'] === 'string' ? [ready['health']] : []));
  writeFileSync(healthFile(stack.stateDir), `${health.join(',')}\n`);
  await offerSignIn(begun, stack.stateDir, env);
  return { stack, logs, config, connections, admin, children: begun.children, running, books, watch };
}

function environmentOf(stack: LocalStack): NodeJS.ProcessEnv {
  const environment = {
    CORRIDOR_ENV: 'development',
    CORRIDOR_RETURN_POLLS_MS: '500,2000,10000,60000',
    CORRIDOR_API_PORT: '0',
    ...(process.env['CORRIDOR_AUTH_ISSUER'] ? {} : { CORRIDOR_AUTH_LOCAL_KEY_FILE: localKeyFile(stack.stateDir) }),
    ...process.env,
  };
  return { ...environment, ...stackEnvironment(stack.urls) };
}

/** Signing in as in an installation, where the local issuer is whom the API believes. */
async function offerSignIn(begun: Begun, state: string, env: NodeJS.ProcessEnv): Promise<void> {
  const keyFile = env['CORRIDOR_AUTH_LOCAL_KEY_FILE'];
  if (!keyFile) return;
  begun.signIn = await startLocalSignIn({ keyFile, env, port: 0 });
  writeFileSync(issuerFile(state), `${begun.signIn.url}\n`);
}

/** Side by side. The API asks all how they are, so where each answers is known before they start. */
async function launchAll(
  env: NodeJS.ProcessEnv,
  logs: string,
  unexpected: (name: string) => (how: string) => void,
): Promise<readonly Child[]> {
  const ports = await freePorts(PROCESSES.length);
  const urls = ports.map((port) => `http://127.0.0.1:${port}`).join(',');
  return Promise.all(
    PROCESSES.map(([name, args], place) => {
      const own = { ...env, CORRIDOR_HEALTH_PORT: String(ports[place]), CORRIDOR_HEALTH_URLS: urls };
      return launch(name, args, { env: own, logs, onUnexpectedExit: unexpected(name) });
    }),
  );
}

interface Launch {
  readonly env: NodeJS.ProcessEnv;
  readonly logs: string;
  readonly onUnexpectedExit: (how: string) => void;
}

function launch(name: string, args: readonly string[], { env, logs, onUnexpectedExit }: Launch): Promise<Child> {
  return startChild({
    name,
    entry: 'cli/main.ts',
    args,
    env,
    logFile: path.join(logs, `${name}.log`),
    onUnexpectedExit,
  });
}

interface Run {
  readonly options: DemoOptions;
  /** ms since 1970 */
  readonly startedAt: number;
  readonly say: Say;
  readonly stop: Interrupt;
}

/** Resolves with the exit code. */
async function feedAndWatch(pipeline: Pipeline, { options, startedAt, say, stop }: Run): Promise<number> {
  const { stack, logs, config, connections, admin, children, running, books, watch } = pipeline;
  const { log, codec } = connections;
  const writer = await log.writer('demo');
  await publishSampleRates(writer, codec, config.keys);
  const rates = setInterval(
    () => void publishSampleRates(writer, codec, config.keys).catch(() => undefined),
    RATES_EVERY_MS,
  );
  stop.started();
  say(`Feeding ${options.transfers} sample transfers (seed ${options.seed})`);
  const display = new Display(watch, books, running, options.transfers);
  const feeding = feed(writer, pipeline, options, startedAt);
  display.start();
  const outcome = await followToTheEnd({ feeding, books, watch, quietMs: options.quietMs, stop });
  await display.stop();

  if (outcome.kind === 'interrupted' && stop.reason === undefined) {
    const { transfers, unaccounted } = books.balance();
    say(`Interrupted: ${transfers - unaccounted} of ${transfers} transfers had come to an end`);
    return INTERRUPTED;
  }
  const summary = summarise({ books, watch, startedAt, outcome, options });
  if (options.json) writeFileSync(options.json, `${JSON.stringify(summary, null, 2)}\n`);
  printSummary(summary, { stack, children, logs, config });
  const archiving = stack.archiveClasses();
  if (!options.exit && outcome.kind === 'settled') {
    console.error('\nRunning on. Try `npm run corridor -- feed --count 100` in another terminal; Ctrl-C ends it all.');
    await stop.requested;
  }
  // Fresh checkouts of a build machine have no next start. What is not archived in time is by a later run.
  const isWorthIt = options.exit && !process.env['CI'];
  if (isWorthIt) await Promise.race([archiving, stop.requested, sleep(ARCHIVE_MS, undefined, { ref: false })]);
  clearInterval(rates);
  await watch.stop();
  await writer.close();
  await admin.close();
  if (stop.reason !== undefined) console.error(stop.reason);
  return summary.ok && stop.reason === undefined ? 0 : 1;
}

/** Publishes the sample transfers, and enters each in the books. @returns how many */
async function feed(
  writer: LogWriter,
  { connections, config, books }: Pipeline,
  options: DemoOptions,
  startedAt: number,
): Promise<number> {
  const intents = sampleFeed({
    count: options.transfers,
    seed: options.seed,
    runId: startedAt.toString(36),
    now: Date.now(),
    listedNames: listedPersons(await loadSampleList()),
    encode: (intent) => connections.codec.encode('transfer.requested', intent),
  });
  return publish(intents, {
    writer,
    chainPartitions: config.kafka.chainPartitions,
    ...(options.rate === undefined ? {} : { rate: options.rate }),
    onBatch: (records) => {
      for (const record of records) books.fed(record);
    },
  });
}

function startSimulator(
  state: string,
  logs: string,
  env: NodeJS.ProcessEnv,
  onUnexpectedExit: (how: string) => void,
): Promise<Child> {
  const ledger = path.join(state, 'provider-ledger.ndjson');
  return startChild({
    name: 'simulator',
    entry: 'simulator/main.ts',
    args: ['--ledger', ledger, '--delay-ms', String(PROVIDER_DELAY_MS), '--duplicate-protection', 'on'],
    env,
    logFile: path.join(logs, 'simulator.log'),
    onUnexpectedExit,
  });
}
