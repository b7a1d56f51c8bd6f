/** Runs the simulator as a process of its own, as tests and harnesses do that want to kill it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { FOLLOW_PARENT, followed } from '../infra/local/follow-parent.ts';
import type { FaultPlanInput } from './injected-faults.ts';

export interface SpawnOptions {
  readonly ledgerFile: string;
  readonly port?: number;
  readonly seed?: number;
  readonly duplicateProtection?: boolean;
  readonly delayMs?: number;
  readonly returnDelayMs?: number;
  readonly faults?: FaultPlanInput;
}

export interface SimulatorProcess {
  readonly url: string;
  readonly pid: number;
  readonly child: ChildProcess;
  /** SIGTERM; resolves with the exit code (null when it had to be killed) when the process has ended. */
  stop(): Promise<number | null>;
  /** SIGKILL; resolves when the process has ended. */
  kill(): Promise<void>;
}

/** Starts `main.ts` and waits for its ready line. @throws Error with what it printed when it ends before that. */
export async function spawnSimulator(options: SpawnOptions): Promise<SimulatorProcess> {
  const child = spawn(
    process.execPath,
    [...FOLLOW_PARENT, fileURLToPath(new URL('./main.ts', import.meta.url)), ...argumentsOf(options)],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: followed(process.env),
    },
  );
  const ended = once(child, 'exit').then(([code]) => code as number | null);
  let errors = '';
  child.stderr.on('data', (data: Buffer) => {
    errors = (errors + data.toString()).slice(-4_000);
  });
  const lines = createInterface({ input: child.stdout });
  const first = await Promise.race([once(lines, 'line').then(([line]) => String(line)), ended.then(() => null)]);
  if (first === null) throw new Error(`the simulator ended before it was ready: ${errors.trim()}`);
  const { url } = JSON.parse(first) as { url: string };
  return {
    url,
    pid: child.pid ?? 0,
    child,
    stop: () => {
      child.kill('SIGTERM');
      return ended;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function argumentsOf(options: SpawnOptions): string[] {
  const { ledgerFile, port, seed, duplicateProtection, delayMs, returnDelayMs, faults } = options;
  const given: Record<string, string | undefined> = {
    ledger: ledgerFile,
    port: port?.toString(),
    seed: seed?.toString(),
    'duplicate-protection': duplicateProtection === undefined ? undefined : duplicateProtection ? 'on' : 'off',
    'delay-ms': delayMs?.toString(),
    'return-delay-ms': returnDelayMs?.toString(),
    faults: faults && JSON.stringify(faults),
  };
  return Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, value]));
}
