// Waits until what a process can wait for is there. Meanwhile its health answers, and names what is missing: a process
// that is started during an outage of the registry begins by itself when it is over.

import { backoffMs, DEPENDENCY_BACKOFF } from '../../ports/backoff.ts';
import { type Clock, systemClock } from '../../ports/clock.ts';
import { faultOf } from '../fault.ts';
import type { DependencyTrouble, Host, HostState } from '../hosts/host.ts';
import type { Logger } from '../logs-and-metrics/logger.ts';

export interface StartUpOptions {
  /** Reaches everything that is needed; throws coded errors, and is called again when one is of an outage. */
  readonly reach: () => Promise<void>;
  readonly logger: Logger;
  readonly clock?: Clock;
}

/** A host that runs once everything was reached. Its start rejects with any fault that is no outage. */
export function startUpHost({ reach, logger, clock = systemClock }: StartUpOptions): Host {
  const stopping = new AbortController();
  let state: HostState = 'new';
  let trouble: DependencyTrouble | undefined;

  async function start(): Promise<void> {
    state = 'starting';
    for (let failures = 1; !stopping.signal.aborted; failures++) {
      try {
        await reach();
        if (trouble) logger.info({ dependency: trouble.dependency }, 'the dependency is back: starting');
        trouble = undefined;
        state = 'running';
        return;
      } catch (error) {
        const fault = faultOf(error);
        if (fault.faultClass !== 'transient-dependency') {
          state = 'failed';
          throw error;
        }
        const { code, detail, dependency = 'unknown' } = fault;
        if (trouble?.code !== code) logger.warn({ code, dependency, detail }, 'cannot start yet: a dependency is down');
        const since = trouble?.dependency === dependency ? trouble.since : clock.now();
        const place = { topic: 'start', partition: 0 };
        trouble = { dependency, code, detail, since, ...place, lastMetAt: performance.now() };
        await clock.sleep(backoffMs(failures, DEPENDENCY_BACKOFF), stopping.signal);
      }
    }
  }

  return {
    name: 'start-up',
    start,
    failed: new Promise<never>(() => undefined),
    health: () => ({ name: 'start-up', state, partitions: [], troubles: trouble ? [trouble] : [], tables: [] }),
    async stop() {
      stopping.abort();
      state = 'stopped';
    },
  };
}
