// Starts servers as child processes that can never outlive what started them, however it ends.
//
// A guard (a shell of a few lines) reads a pipe from this process. Each server is announced to the guard before it may
// begin: it waits at a gate (another pipe) until then. When this process dies, both pipes close: a server at the gate
// gives up, and the guard ends every server that was reported to it.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import path from 'node:path';
import type { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive, type ProcessIdentity, processStart } from '../../ports/process-identity.ts';

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const GATE = 'read -r go <&3 || exit 1; exec 3<&-; exec "$@"';

// $1: seconds between TERM and KILL (0: KILL at once); $2: a folder to remove afterwards, or nothing.
const GUARD = `
pids=''
while read -r verb pid; do
  case $verb in
    add) pids="$pids $pid" ;;
    drop) kept=''; for p in $pids; do [ "$p" = "$pid" ] || kept="$kept $p"; done; pids=$kept ;;
    done) exit 0 ;;
  esac
done
some() { for p in $pids; do kill -0 "$p" 2>/dev/null && return 0; done; return 1; }
if [ "$1" -gt 0 ]; then
  kill -TERM $pids 2>/dev/null
  kill -CONT $pids 2>/dev/null
  i=$(($1 * 10))
  while [ $i -gt 0 ] && some; do sleep 0.1; i=$((i - 1)); done
fi
some && kill -KILL $pids 2>/dev/null
i=50
while [ $i -gt 0 ] && some; do sleep 0.1; i=$((i - 1)); done
[ -n "$2" ] && rm -rf "$2"
exit 0
`;

export class ManagedProcess {
  readonly identity: ProcessIdentity;
  readonly exited: Promise<string>;
  /** How it ended ("exit code 1", "signal SIGKILL"), or null while it runs. */
  ended: string | null = null;
  readonly #child: ChildProcess;

  constructor(child: ChildProcess, identity: ProcessIdentity) {
    this.#child = child;
    this.identity = identity;
    this.exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.ended = signal ? `signal ${signal}` : `exit code ${code}`;
        resolve(this.ended);
      });
    });
  }

  signal(signal: NodeJS.Signals): void {
    if (this.ended === null) this.#child.kill(signal);
  }

  /** SIGTERM, and after `graceMs` SIGKILL. Also ends a process that is held by SIGSTOP. */
  async stop(graceMs: number): Promise<void> {
    if (this.ended !== null) return;
    this.#child.ref();
    if (graceMs > 0) {
      this.signal('SIGTERM');
      this.signal('SIGCONT');
      const waiting = new AbortController();
      await Promise.race([this.exited, sleep(graceMs, undefined, { signal: waiting.signal }).catch(() => undefined)]);
      waiting.abort();
    }
    this.signal('SIGKILL');
    await this.exited;
  }
}

export class ProcessGroup {
  readonly #guard: ChildProcess | null;
  readonly #running = new Set<ManagedProcess>();

  /**
   * `detached`: the processes may outlive this one. Otherwise, if this process dies they get `graceMs` to end in good
   * order, and then `removeAfterCrash` (a folder) is removed.
   */
  constructor(options: { detached: boolean; graceMs: number; removeAfterCrash?: string | undefined }) {
    if (options.detached) {
      this.#guard = null;
      return;
    }
    const grace = String(Math.ceil(options.graceMs / 1_000));
    this.#guard = spawn('sh', ['-c', GUARD, 'corridor-guard', grace, options.removeAfterCrash ?? ''], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
      cwd: '/',
    });
    this.#guard.stdin?.on('error', () => undefined);
    this.#guard.unref();
    unrefStream(this.#guard.stdin);
  }

  /** Starts a command; its output is appended to `logFile`. Throws when the program cannot be run. */
  async start(command: Command, logFile: string): Promise<ManagedProcess> {
    mkdirSync(path.dirname(logFile), { recursive: true });
    const log = openSync(logFile, 'a');
    try {
      const child = spawn('sh', ['-c', GATE, path.basename(command.file), command.file, ...command.args], {
        stdio: ['ignore', log, log, 'pipe'],
        env: { ...process.env, ...command.env },
        detached: true,
        cwd: path.dirname(logFile),
      });
      await once(child, 'spawn');
      const pid = child.pid as number;
      this.#tell(`add ${pid}`);
      const gate = child.stdio[3] as Writable;
      gate.on('error', () => undefined);
      const managed = new ManagedProcess(child, { pid, startedAt: processStart(pid) });
      await new Promise((resolve) => gate.end('go\n', () => resolve(undefined)));
      if (!this.#guard) child.unref();
      this.#running.add(managed);
      void managed.exited.then(() => {
        this.#tell(`drop ${pid}`);
        this.#running.delete(managed);
      });
      return managed;
    } finally {
      closeSync(log);
    }
  }

  /** Stops everything, and the guard. */
  async stop(graceMs: number): Promise<void> {
    await Promise.all([...this.#running].map((running) => running.stop(graceMs)));
    this.#tell('done');
    this.#guard?.stdin?.end();
  }

  #tell(line: string): void {
    if (this.#guard?.stdin?.writable) this.#guard.stdin.write(`${line}\n`);
  }
}

function unrefStream(stream: unknown): void {
  (stream as { unref?: () => void } | null)?.unref?.();
}

/** Ends processes that are not our children: SIGTERM, then SIGKILL after `graceMs`. Resolves when they are gone. */
export async function endProcesses(identities: readonly ProcessIdentity[], graceMs: number): Promise<void> {
  const signal = (name: NodeJS.Signals) => {
    for (const identity of identities) {
      if (!isAlive(identity)) continue;
      try {
        process.kill(identity.pid, name);
      } catch {
        // It ended in between.
      }
    }
  };
  const gone = async (ms: number) => {
    for (const until = Date.now() + ms; Date.now() < until; await sleep(50)) {
      if (!identities.some(isAlive)) return true;
    }
    return !identities.some(isAlive);
  };
  signal('SIGTERM');
  signal('SIGCONT');
  if (await gone(graceMs)) return;
  signal('SIGKILL');
  await gone(10_000);
}
