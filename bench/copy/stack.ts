// The broker of a benchmark, and what it costs.
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type LocalStack, startStack } from '../../infra/local/stack.ts';

/** Clock ticks of /proc per second. */
const TICKS = 100;

/** A broker of the benchmark's own. */
export async function startBroker(): Promise<LocalStack> {
  const stateDir = mkdtempSync(path.join(tmpdir(), 'corridor-bench-'));
  return startStack({ stateDir, ephemeral: true, parts: ['kafka'], env: {} });
}

/** Processor time that the broker has used, ms; undefined when it is not a process of this machine. */
export function brokerCpuMs(stack: LocalStack): number | undefined {
  const pid = stack.servers().find(({ name }) => name === 'kafka-1')?.pid;
  if (pid === null || pid === undefined) return undefined;
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1_000) / TICKS;
}
