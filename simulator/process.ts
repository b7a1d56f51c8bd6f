/** Runs the simulator as a process of its own, as tests and harnesses do that want to kill it. */
import { startChild } from '../infra/local/children.ts';
import type { FaultPlanInput } from './injected-faults.ts';

/** How long it may take to stop in order, ms. */
const STOP_MS = 30_000;

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
  /** SIGTERM; resolves with the exit code (null when it had to be killed) when the process has ended. */
  stop(): Promise<number | null>;
  /** SIGKILL; resolves when the process has ended. */
  kill(): Promise<void>;
}

/** Starts `main.ts` and waits for its ready line. @throws CodedError CHILD_FAILED with what it printed when it ends before that. */
export async function spawnSimulator(options: SpawnOptions): Promise<SimulatorProcess> {
  const child = await startChild({
    name: 'simulator',
    entry: 'simulator/main.ts',
    args: argumentsOf(options),
    env: process.env,
  });
  return {
    url: String(child.ready['url']),
    pid: child.pid,
    stop: () => child.stop(STOP_MS),
    kill: () => child.kill(),
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
