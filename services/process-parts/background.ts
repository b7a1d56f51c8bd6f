// Work of a process that is no consumer (relays, sweeps, looks), as a host of the service.
import { within } from '../../ports/pause.ts';
import type { DependencyTrouble, Host, HostState } from '../../runtime/hosts/host.ts';

interface BackgroundWork {
  readonly name: string;
  start(): Promise<void>;
  stop(deadlineMs: number): Promise<void>;
  /** Dependencies that the work waits for. */
  troubles?(): readonly DependencyTrouble[];
}

/** A host that only starts and stops; its faults are the concern of the work itself. */
export function backgroundHost(work: BackgroundWork): Host {
  let state: HostState = 'new';
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined);
  return {
    name: work.name,
    failed: failed.promise,
    async start() {
      state = 'starting';
      await work.start();
      state = 'running';
    },
    health: () => ({ name: work.name, state, partitions: [], troubles: work.troubles?.() ?? [], tables: [] }),
    async stop(deadlineMs) {
      state = 'draining';
      await work.stop(deadlineMs);
      state = 'stopped';
    },
  };
}

interface LoopingWork {
  readonly name: string;
  /** Goes on until the signal is aborted. A fault that it throws fails the host, and so does an end of its own. */
  loop(stopping: AbortSignal): Promise<void>;
  /** Closes what the loop has used, once it has ended or the time for that is over. */
  close?(deadlineMs: number): Promise<void>;
  /** Dependencies that the work waits for. */
  troubles?(): readonly DependencyTrouble[];
}

/** A host of work that looks, waits and looks again. What it throws once it is to stop is thrown by `stop`. */
export function loopingHost(work: LoopingWork): Host {
  const stopping = new AbortController();
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined);
  let ended: Promise<void> | undefined;
  const untilStopped = async () => {
    await work.loop(stopping.signal);
    if (!stopping.signal.aborted) throw new Error(`${work.name} has ended by itself`);
  };
  const host = backgroundHost({
    name: work.name,
    start: async () => {
      const running = untilStopped();
      ended = running;
      running.catch((error: unknown) => {
        if (stopping.signal.aborted) return;
        ended = undefined;
        failed.reject(error);
      });
    },
    stop: async (deadlineMs) => {
      stopping.abort();
      try {
        await within(deadlineMs, ended);
      } finally {
        await work.close?.(deadlineMs);
      }
    },
    ...(work.troubles ? { troubles: work.troubles } : {}),
  });
  return { ...host, failed: failed.promise };
}
