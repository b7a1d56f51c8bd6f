// Which process of this machine somebody is, so that a later one with the same id does not pass for it.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A process id with what tells it from a later process of the same id. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startedAt: string;
}

/** When a process began, in the system's own terms (only equality means anything); empty where no such process runs. */
export function processStart(pid: number): string {
  try {
    // The 22nd field; the second is the program's name in parentheses and may itself hold spaces.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    if (process.platform === 'linux') return '';
  }
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
  } catch {
    return '';
  }
}

export function ownIdentity(): ProcessIdentity {
  return { pid: process.pid, startedAt: processStart(process.pid) };
}

/** Does that very process still run? A zombie that nobody has waited for counts as ended. */
export function isAlive({ pid, startedAt }: ProcessIdentity): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return startedAt !== '' && processStart(pid) === startedAt && !isZombie(pid);
}

function isZombie(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z');
  } catch {
    return false;
  }
}
