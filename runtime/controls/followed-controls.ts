// Follows the topic of controls for as long as the process lives. Nothing of the process is started before all that was set is
// read; what is set later holds as soon as it is read, a few milliseconds after it was written.
import { backoffMs, DEPENDENCY_BACKOFF } from '../../ports/backoff.ts';
import { type Clock, systemClock } from '../../ports/clock.ts';
import type { Codec } from '../../ports/codec.ts';
import { type Controls, codeOf, controlsOver, pauseDetail } from '../../ports/controls.ts';
import type { Log } from '../../ports/log.ts';
import type { Rings } from '../../ports/seals.ts';
import type { RuntimeControl } from '../../schemas/types.generated.ts';
import { runtimeControls } from '../../topics/boundary.ts';
import { isInForce } from '../../topics/control-key.ts';
import { faultOf } from '../fault.ts';
import type { DependencyTrouble, Host, HostState } from '../hosts/host.ts';
import { createTable, type Table } from '../hosts/table.ts';
import type { Logger } from '../logs-and-metrics/logger.ts';
import type { Metrics } from '../logs-and-metrics/metrics.ts';
import { UnreadControls } from './unread-controls.ts';

const NAME = 'controls';
/** How often it is looked whether something has changed, for the log and the metrics alone, ms. */
const TELL_MS = 250;

export interface FollowedControls {
  readonly controls: Controls;
  /** Follows and tells; to be started before whatever asks. */
  readonly host: Host;
}

export interface FollowedControlsOptions {
  readonly log: Log;
  readonly codec: Codec;
  readonly rings: Rings;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly clock?: Clock;
}

export function followedControls(options: FollowedControlsOptions): FollowedControls {
  const { logger, metrics, clock = systemClock } = options;
  const topic = runtimeControls.name;
  const unread = new UnreadControls();
  const table = createTable({
    ...options,
    topic,
    onRecord: (record, flaw) => unread.note(record, flaw),
    onFault: ({ code }) => metrics.faults.inc({ consumer: NAME, code }),
  });
  const stopping = new AbortController();
  let state: HostState = 'new';
  let trouble: DependencyTrouble | undefined;
  let telling: Promise<void> | undefined;
  const inForce = () => inForceIn(table);
  let known = { version: -1, some: false };
  const some = () => {
    if (known.version !== table.version) known = { version: table.version, some: inForce().length > 0 };
    return known.some;
  };

  async function start(): Promise<void> {
    state = 'starting';
    for (let failures = 1; !stopping.signal.aborted; failures++) {
      try {
        await table.start();
        break;
      } catch (error) {
        const { code, detail, faultClass, dependency = 'kafka' } = faultOf(error);
        if (stopping.signal.aborted) return;
        if (faultClass !== 'transient-dependency') throw error;
        if (trouble?.code !== code) logger.warn({ code, dependency, detail }, 'cannot start yet: a dependency is down');
        trouble = { ...troubleOf(dependency, detail, trouble?.since ?? clock.now()), code };
        await clock.sleep(backoffMs(failures, DEPENDENCY_BACKOFF), stopping.signal);
      }
    }
    trouble = undefined;
    state = 'running';
    telling = tellChanges(table, unread, { logger, metrics, clock }, stopping.signal);
  }

  const troubleOf = (dependency: string, detail: string, since: number) => ({
    ...{ dependency, detail, since, topic, partition: 0, lastMetAt: performance.now() },
  });
  const pauses = (): readonly DependencyTrouble[] =>
    inForce().map(([key, control]) => ({
      ...troubleOf(key, pauseDetail(control), control.changedAt),
      code: codeOf(control),
    }));
  const notHonoured = (): readonly DependencyTrouble[] =>
    unread.all().map(({ key, detail, since }) => ({ ...troubleOf(key, detail, since), code: 'SEAL_KEY_UNKNOWN' }));
  const host: Host = {
    name: NAME,
    start,
    failed: table.failed,
    health: () => ({
      ...{ name: NAME, state, partitions: [], tables: [table.health()] },
      troubles: [...(trouble ? [trouble] : []), ...pauses(), ...notHonoured()],
    }),
    async stop() {
      state = 'draining';
      stopping.abort();
      await telling;
      await table.stop();
      state = 'stopped';
    },
  };
  return { controls: controlsOver(table, some), host };
}

type Telling = Required<Pick<FollowedControlsOptions, 'logger' | 'metrics' | 'clock'>>;

const inForceIn = (table: Table<RuntimeControl>) => [...table.entries()].filter(([, control]) => isInForce(control));

/** One line in the log for each change, and the numbers of what is in force. */
async function tellChanges(
  table: Table<RuntimeControl>,
  unread: UnreadControls,
  { logger, metrics, clock }: Telling,
  stopping: AbortSignal,
): Promise<void> {
  const logged = new Map<string, RuntimeControl>();
  for (let seen = -1; !stopping.aborted; await clock.sleep(TELL_MS, stopping)) {
    for (const { key, detail } of unread.take()) {
      metrics.faults.inc({ consumer: NAME, code: 'SEAL_KEY_UNKNOWN' });
      logger.error({ stage: NAME, code: 'SEAL_KEY_UNKNOWN', detail }, `a control is not honoured: ${key}`);
    }
    if (seen === table.version) continue;
    seen = table.version;
    for (const [key, control] of table.entries()) {
      const before = logged.get(key);
      if (before?.version === control.version && before.state === control.state) continue;
      logged.set(key, control);
      if (before === undefined && !isInForce(control)) continue;
      const { approvedBy, version } = control;
      const detail = `${key} ${control.state} (version ${version}) by ${control.changedBy}${approvedBy ? ` and ${approvedBy}` : ''}: ${control.reason}`;
      logger[isInForce(control) ? 'warn' : 'info']({ stage: NAME, detail }, 'control set');
    }
    metrics.controlsInForce.reset();
    for (const [, { kind }] of inForceIn(table)) metrics.controlsInForce.inc({ kind });
  }
}
