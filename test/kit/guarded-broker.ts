// A broker with a listener on which clients log in, and may do what access control lists allow.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DEFAULT_STATE_DIR, fetchArtifacts } from '../../infra/local/artifacts.ts';
import { findJava } from '../../infra/local/java.ts';
import { freePorts } from '../../infra/local/ports.ts';
import { kafkaServers } from '../../infra/local/servers/kafka.ts';
import { kafkaUuid } from '../../infra/local/servers/kafka-cluster.ts';

const START_WITHIN_MS = 240_000;

export interface GuardedBroker {
  /** Whoever comes in here may do everything. */
  readonly open: string;
  readonly guarded: string;
  stop(): Promise<void>;
}

/** @param passwords of the users who can log in, by name */
export async function startGuardedBroker(passwords: Readonly<Record<string, string>>): Promise<GuardedBroker> {
  const [port = 0, controllerPort = 0, guardedPort = 0] = await freePorts(3);
  const options = { dir: path.join(DEFAULT_STATE_DIR, 'artifacts'), env: process.env, onProgress: () => undefined };
  const jars = await fetchArtifacts(['kafka'], options).get('kafka')!;
  const dataDir = mkdtempSync(path.join(tmpdir(), 'corridor-guarded-'));
  const { servers, settle } = kafkaServers({
    ...{ java: await findJava(process.env), jars, dataDir, clusterId: kafkaUuid(), trial: true },
    brokers: [{ port, controllerPort, guarded: { port: guardedPort, passwords } }],
  });
  const [server] = servers;
  await server!.prepare();
  const { file, args } = server!.command([]);
  const child = spawn(file, args, { stdio: 'ignore' });
  const stop = async () => {
    await ended(child);
    rmSync(dataDir, { recursive: true, force: true });
  };
  try {
    await settle!(AbortSignal.timeout(START_WITHIN_MS), [server!.name]);
  } catch (error) {
    await stop();
    throw error;
  }
  return { open: `127.0.0.1:${port}`, guarded: `127.0.0.1:${guardedPort}`, stop };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}
