// The broker of a benchmark, and what it costs.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type LocalStack, startStack } from '../../infra/local/stack.ts';
import { cpuMs } from '../cpu.ts';

/** A broker of the benchmark's own. */
export async function startBroker(): Promise<LocalStack> {
  const stateDir = mkdtempSync(path.join(tmpdir(), 'corridor-bench-'));
  return startStack({ stateDir, ephemeral: true, kinds: ['kafka'], env: {} });
}

/** Processor time that the broker has used, ms; undefined when it is not a process of this machine. */
export function brokerCpuMs(stack: LocalStack): number | undefined {
  const pid = stack.servers().find(({ name }) => name === 'kafka-1')?.pid;
  return cpuMs(pid);
}
