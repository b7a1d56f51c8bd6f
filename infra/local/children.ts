// Programs of this repository as child processes: started, ready when they say so, stopped, and never left behind. Servers
// that are somebody else's are started by processes.ts.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { CodedError } from '../../ports/fault.ts';
import { FOLLOW_PARENT, followed } from './follow-parent.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const TAIL_BYTES = 2_000;

export interface ChildOptions {
  readonly name: string;
  /** Entry, from the repository root. */
  readonly entry: string;
  readonly args?: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Standard output and error go to this file, appended. Absent: what it said last is kept in memory, for its fault. */
  readonly logFile?: string;
  /**
   * The child is ready once a line of its standard output is JSON with `ready: true`; that line is the result. A child that
   * ends before is noticed at once; this ends one that hangs, and a busy machine is no reason to give one up.
   */
  readonly readyTimeoutMs?: number;
  /** Called when the child ends although nobody stopped it. */
  readonly onUnexpectedExit?: (how: string) => void;
}

export interface Child {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string | undefined;
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

/**
 * Starts a program and waits until it says that it is ready.
 * @throws CodedError CHILD_FAILED with the end of what it said, when it ends or does not get ready in time
 */
export async function startChild(options: ChildOptions): Promise<Child> {
  const { name, entry, args = [], env, logFile, readyTimeoutMs = 300_000 } = options;
  const said = outputOf(logFile);
  const child = spawn(process.execPath, [...FOLLOW_PARENT, path.join(ROOT, entry), ...args], {
    env: followed(env),
    stdio: ['ignore', 'pipe', said.file ?? 'pipe'],
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
  let timer: NodeJS.Timeout | undefined;
  const ready = await new Promise<Record<string, unknown>>((resolve, reject) => {
    const fail = (how: string) => reject(childFailed(name, how, said.end(), logFile));
    timer = setTimeout(() => {
      child.kill('SIGKILL');
      fail(`was not ready after ${readyTimeoutMs / 1_000} s`);
    }, readyTimeoutMs);
    child.on('error', (error) => fail(error.message));
    // Once all that it said was read.
    child.on('close', (code, signal) => fail(`ended with ${signal ?? `code ${code}`} before it was ready`));
    child.stderr?.setEncoding('utf8').on('data', said.add);
    readLines(child, said.add, (line) => {
      const ready = readyLine(line);
      if (ready) resolve(ready);
    });
  }).finally(() => {
    clearTimeout(timer);
    // The log stays open for the pipe; it is closed with the child.
    void exited.then(said.close);
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

interface Output {
  /** Descriptor of the log, where there is one. */
  readonly file: number | undefined;
  readonly add: (chunk: string) => void;
  /** What was said last. */
  readonly end: () => string;
  readonly close: () => void;
}

/** Keeps what a child says: in a file, or the end of it in memory. */
function outputOf(logFile: string | undefined): Output {
  if (logFile === undefined) {
    let end = '';
    const add = (chunk: string) => {
      end = (end + chunk).slice(-TAIL_BYTES);
    };
    return { file: undefined, add, end: () => end, close: () => undefined };
  }
  mkdirSync(path.dirname(logFile), { recursive: true });
  const file = openSync(logFile, 'a');
  return { file, add: (chunk) => writeLog(file, chunk), end: () => tailOf(logFile), close: () => closeSync(file) };
}

/** Keeps the child's output and hands each line on. */
function readLines(child: ChildProcess, add: (chunk: string) => void, onLine: (line: string) => void): void {
  let rest = '';
  child.stdout!.setEncoding('utf8');
  child.stdout!.on('data', (chunk: string) => {
    add(chunk);
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

function tailOf(logFile: string): string {
  try {
    return readFileSync(logFile, 'utf8').slice(-TAIL_BYTES);
  } catch {
    // No log, no tail.
    return '';
  }
}

function childFailed(name: string, how: string, tail: string, logFile: string | undefined): CodedError {
  const where = logFile === undefined ? '' : `; its log is ${logFile}`;
  const end = tail ? `${where === '' ? '; what it said' : ' and'} ends with:\n${tail}` : '';
  return new CodedError('CHILD_FAILED', `${name} ${how}${where}${end}`, { faultClass: 'fatal' });
}
