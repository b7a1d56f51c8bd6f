// Work of a process that is no consumer (relays, sweeps), as a host of the service.
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
