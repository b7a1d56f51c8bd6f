// One run of the demo, from nothing to the summary.

import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pushSchemas } from '../../../adapters/registry/push.ts';
import { type Child, startChild } from '../../../infra/local/children.ts';
import { type LocalStack, stackEnvironment, startStack } from '../../../infra/local/stack.ts';
import { loadConfig } from '../../../runtime/config/config.ts';
import { applyTopics } from '../../../runtime/provision.ts';
import { Books } from '../../../samples/books.ts';
import { publishSampleRates } from '../../../samples/rates.ts';
import { sampleFeed } from '../../../samples/sample.ts';
import { listedPersons, loadSampleList } from '../../../screening/lists/sample/load.ts';
import { Connections, registryOptions } from '../../../services/connections.ts';
import { activateSampleList } from '../../../services/screening.ts';
import { explain } from '../../output.ts';
import { publish } from '../../publish.ts';
import { localKeyFile, stateDir } from '../environment.ts';
import { Display } from './display.ts';
import { followToTheEnd } from './follow.ts';
import { INTERRUPTED, interrupted } from './interrupt.ts';
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
  ['sinks', ['run', '--stay', '--sinks', 'all', '--cases', '--rescreening', '--replays']],
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
  let stack: LocalStack | undefined;
  const children: Child[] = [];
  let connections: Connections | undefined;
  try {
    stack = await startStack({
      stateDir: stateDir(),
      trial: true,
      onProgress: say,
      onUnexpectedExit: (server, how) => {
        say(`${server} ended by itself (${how}): starting it again`);
        const again = stack?.restart(server) ?? Promise.resolve();
        again.catch((error: unknown) => stop.because(`${server} ended and does not start again: ${explain(error)}`));
      },
    });
    const logs = path.join(stack.stateDir, 'logs');
    mkdirSync(logs, { recursive: true });
    const environment = {
      CORRIDOR_ENV: 'development',
      CORRIDOR_RETURN_POLLS_MS: '500,2000,10000,60000',
      CORRIDOR_API_PORT: '0',
      ...(process.env['CORRIDOR_AUTH_ISSUER'] ? {} : { CORRIDOR_AUTH_LOCAL_KEY_FILE: localKeyFile(stack.stateDir) }),
      ...process.env,
    };
    const env: NodeJS.ProcessEnv = { ...environment, ...stackEnvironment(stack.urls) };
    const unexpected = (name: string) => (how: string) => stop.because(`${name} ended by itself (${how}); see ${logs}`);

    const started = startSimulator(stack.stateDir, logs, env, unexpected('simulator'));
    const config = loadConfig(env);
    connections = new Connections(config, 'corridor-demo');
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
    children.push(simulator);
    env['CORRIDOR_PROVIDER_URL'] = simulator.ready['url'] as string;

    say('Starting processors, sinks and the payout executor');
    const launch = ([name, args]: (typeof PROCESSES)[number]) =>
      startChild({
        name,
        entry: 'cli/main.ts',
        args,
        env,
        logFile: path.join(logs, `${name}.log`),
        onUnexpectedExit: unexpected(name),
      });
    const books = new Books();
    const watch = new Watch(books, codec);
    const [running] = await Promise.all([
      Promise.all(PROCESSES.map(launch)),
      watch.start(log.reader()),
      codec.load(['transfer.requested']),
    ]);
    children.push(...running);

    const writer = await log.writer('demo');
    await publishSampleRates(writer, codec, config.keys);
    const rates = setInterval(
      () => void publishSampleRates(writer, codec, config.keys).catch(() => undefined),
      RATES_EVERY_MS,
    );
    stop.started();
    say(`Feeding ${options.transfers} sample transfers (seed ${options.seed})`);
    const display = new Display(watch, books, running, options.transfers);
    const feeding = publish(
      sampleFeed({
        count: options.transfers,
        seed: options.seed,
        runId: startedAt.toString(36),
        now: Date.now(),
        listedNames: listedPersons(await loadSampleList()),
        encode: (intent) => codec.encode('transfer.requested', intent),
      }),
      {
        writer,
        chainPartitions,
        ...(options.rate === undefined ? {} : { rate: options.rate }),
        onBatch: (records) => {
          for (const record of records) books.fed(record);
        },
      },
    );
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
      console.error(
        '\nRunning on. Try `npm run corridor -- feed --count 100` in another terminal; Ctrl-C ends it all.',
      );
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
  } finally {
    say('Stopping');
    const drainMs = stop.asked ? INTERRUPTED_DRAIN_MS : DRAIN_MS;
    await Promise.all(children.toReversed().map((child) => child.stop(drainMs)));
    await connections?.close();
    await stack?.stop();
  }
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
