// A Kafka broker of a test's own (KRaft, one node), as a plain Java process that may be killed and started again.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, connect as tcpConnect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Folder of the broker's jars: as `infra/local` fetches them, or CORRIDOR_KAFKA_JARS. Undefined when there are none. */
export function kafkaJars(): string | undefined {
  const candidates = [process.env['CORRIDOR_KAFKA_JARS'], '/tmp/kafka-adapter/lib'];
  return candidates.find((folder) => folder !== undefined && existsSync(folder));
}

/** A running broker. */
export interface TestBroker {
  readonly brokers: string[];
  /** The Java process, for SIGSTOP and CPU times. */
  pid(): number;
  /** kill -9; returns when it is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same port and data; returns when it answers. */
  start(): Promise<void>;
  /** Kills it and removes its data. */
  dispose(): Promise<void>;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function properties(port: number, controllerPort: number, dir: string, extra: Record<string, string>): string {
  const entries = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': join(dir, 'data'),
    'auto.create.topics.enable': 'false',
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '4',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'transaction.state.log.num.partitions': '4',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    'share.coordinator.state.topic.num.partitions': '1',
    'group.initial.rebalance.delay.ms': '0',
    'group.min.session.timeout.ms': '1000',
    'log.cleaner.dedupe.buffer.size': '4194304',
    'log.cleaner.threads': '1',
    'num.network.threads': '2',
    'num.io.threads': '4',
    'broker.session.timeout.ms': '2000',
    'broker.heartbeat.interval.ms': '300',
    ...extra,
  };
  return Object.entries(entries)
    .map(([key, value]) => `${key}=${value}`)
    .join('\n');
}

async function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = tcpConnect(port, '127.0.0.1');
    socket.once('connect', () => socket.destroy(resolve(true) as never));
    socket.once('error', () => resolve(false));
  });
}

/** Formats and starts a broker on free ports. `extra` are further server properties. */
export async function startBroker(extra: Record<string, string> = {}): Promise<TestBroker> {
  const jars = kafkaJars();
  if (jars === undefined) throw new Error('No Kafka jars: set CORRIDOR_KAFKA_JARS to the folder that holds them.');
  const dir = mkdtempSync(join(tmpdir(), 'corridor-kafka-'));
  const port = await freePort();
  const config = join(dir, 'server.properties');
  writeFileSync(config, properties(port, await freePort(), dir, extra));
  const classpath = ['-cp', `${jars}/*`];
  const quiet = '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn';
  await run('java', [
    quiet,
    ...classpath,
    'kafka.tools.StorageTool',
    'format',
    '-t',
    'MkU3OEVBNTcwNTJENDM2Qg',
    '-c',
    config,
  ]);
  let child: ChildProcess | undefined;
  const start = async () => {
    const jvm = ['-Xms128m', '-Xmx512m', '-XX:+UseSerialGC', quiet, ...classpath, 'kafka.Kafka', config];
    child = spawn('java', jvm, { stdio: 'ignore' });
    for (let waited = 0; !(await answers(port)); waited += 50) {
      if (child.exitCode !== null) throw new Error(`The broker ended with ${child.exitCode}: see ${dir}`);
      if (waited > 60_000) throw new Error(`The broker does not answer on port ${port}`);
      await sleep(50);
    }
  };
  const kill = async () => {
    const running = child;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const gone = new Promise((resolve) => running.once('exit', resolve));
    running.kill('SIGKILL');
    await gone;
  };
  await start();
  return {
    brokers: [`127.0.0.1:${port}`],
    pid: () => child?.pid ?? 0,
    kill,
    start,
    dispose: async () => {
      await kill();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
