// Processor time of processes of this machine.
import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks of /proc per second. */
const TICKS = 100;

/** Processor time that a process has used (user and system), ms; undefined when it is no process of this machine. */
export function cpuMs(pid: number | string | null | undefined): number | undefined {
  if (pid === null || pid === undefined) return undefined;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return ((Number(fields[11]) + Number(fields[12])) * 1_000) / TICKS;
  } catch {
    return undefined;
  }
}

const COMPILER = /^C[12] Compiler/;

/** The part of it that the compilers of a Java process have used, ms: in a short run it can be the larger one. */
export function compilersMs(pid: number | null | undefined): number {
  if (pid === null || pid === undefined) return 0;
  try {
    const tasks = readdirSync(`/proc/${pid}/task`);
    const compilers = tasks.filter((task) => COMPILER.test(readFileSync(`/proc/${pid}/task/${task}/comm`, 'utf8')));
    return compilers.reduce((sum, task) => sum + (cpuMs(`${pid}/task/${task}`) ?? 0), 0);
  } catch {
    return 0;
  }
}

/** Processor times of several processes, by name. */
export type CpuReading = ReadonlyMap<string, number>;

export function readCpu(pids: ReadonlyMap<string, number | null | undefined>): CpuReading {
  return new Map(
    [...pids].flatMap(([name, pid]) => {
      const ms = cpuMs(pid);
      return ms === undefined ? [] : [[name, ms] as const];
    }),
  );
}

/** What each process used between two readings, ms. */
export function cpuBetween(before: CpuReading, after: CpuReading): Readonly<Record<string, number>> {
  return Object.fromEntries([...after].map(([name, ms]) => [name, Math.round(ms - (before.get(name) ?? 0))]));
}
