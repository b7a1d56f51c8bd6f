// The programs of one local run (pipeline processes, provider simulator) as child processes with logs of their own.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { FOLLOW_PARENT, followed } from '../../infra/local/follow-parent.ts';
import { CodedError } from '../../ports/fault.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const TAIL_BYTES = 2_000;

export interface ChildOptions {
  readonly name: string;
  /** Entry, from the repository root. */
  readonly entry: string;
  readonly args?: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Standard output and error go to this file, appended. */
  readonly logFile: string;
  /** The child is ready once a line of its standard output is JSON with `ready: true`; that line is the result. */
  readonly readyTimeoutMs?: number;
  /** Called when the child ends although nobody stopped it. */
  readonly onUnexpectedExit?: (how: string) => void;
}

export interface Child {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  /** What the child said when it was ready. */
  readonly ready: Readonly<Record<string, unknown>>;
  /** Resolves with how it ended, whoever ended it. */
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  /** SIGTERM, and SIGKILL past the deadline. Resolves with the exit code (null when killed). */
  stop(deadlineMs: number): Promise<number | null>;
  /** Without warning. */
  kill(signal?: NodeJS.Signals): Promise<void>;
}

/** Children that may be alive: none outlives this process, also when it does not wait for them. */
const alive = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

/** Starts a program and waits until it says that it is ready. Throws CHILD_FAILED with the end of its log. */
export async function startChild(options: ChildOptions): Promise<Child> {
  const { name, entry, args = [], env, logFile, readyTimeoutMs = 60_000 } = options;
  mkdirSync(path.dirname(logFile), { recursive: true });
  const log = openSync(logFile, 'a');
  const child = spawn(process.execPath, [...FOLLOW_PARENT, path.join(ROOT, entry), ...args], {
    env: followed(env),
    stdio: ['ignore', 'pipe', log],
    cwd: ROOT,
    // In a group of its own: a terminal sends Ctrl-C to all of its group, and the SIGTERM of an orderly stop would be the
    // second signal, which ends a service at once instead of draining it.
    detached: true,
  });
  alive.add(child);
  let stopping = false;
  const exited: Child['exited'] = new Promise((resolve) => {
    child.on('exit', (code, signal) => {
      alive.delete(child);
      resolve({ code, signal });
    });
  });
  const ready = await new Promise<Record<string, unknown>>((resolve, reject) => {
    const fail = (how: string) => reject(childFailed(name, how, logFile));
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      fail(`was not ready after ${readyTimeoutMs / 1_000} s`);
    }, readyTimeoutMs);
    child.on('error', (error) => fail(error.message));
    child.on('exit', (code, signal) => fail(`ended with ${signal ?? `code ${code}`} before it was ready`));
    readLines(child, log, (line) => {
      const said = readyLine(line);
      if (!said) return;
      clearTimeout(timer);
      resolve(said);
    });
  }).finally(() => {
    // The log stays open for the pipe; it is closed with the child.
    void exited.then(() => closeSync(log));
  });
  child.on('exit', (code, signal) => {
    if (!stopping) options.onUnexpectedExit?.(signal ?? `code ${code}`);
  });

  return {
    name,
    pid: child.pid!,
    logFile,
    ready,
    exited,
    async stop(deadlineMs) {
      stopping = true;
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), deadlineMs);
      const { code } = await exited;
      clearTimeout(timer);
      return code;
    },
    async kill(signal = 'SIGKILL') {
      stopping = true;
      child.kill(signal);
      if (signal === 'SIGKILL') await exited;
    },
  };
}

/** Appends the child's output to its log and hands each line on. */
function readLines(child: ChildProcess, log: number, onLine: (line: string) => void): void {
  let rest = '';
  child.stdout!.setEncoding('utf8');
  child.stdout!.on('data', (chunk: string) => {
    writeLog(log, chunk);
    rest += chunk;
    const lines = rest.split('\n');
    rest = lines.pop()!;
    for (const line of lines) onLine(line);
  });
}

function writeLog(log: number, chunk: string): void {
  try {
    writeSync(log, chunk);
  } catch {
    // The child has ended and its log is closed: the last words were already written.
  }
}

function readyLine(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{') || !line.includes('"ready":true')) return undefined;
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

function childFailed(name: string, how: string, logFile: string): CodedError {
  let tail = '';
  try {
    tail = readFileSync(logFile, 'utf8').slice(-TAIL_BYTES);
  } catch {
    // No log, no tail.
  }
  return new CodedError(
    'CHILD_FAILED',
    `${name} ${how}; its log is ${logFile}${tail ? ` and ends with:\n${tail}` : ''}`,
    {
      faultClass: 'fatal',
    },
  );
}
