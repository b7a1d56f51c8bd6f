// What a process goes by, told to analysts: at its start, and whenever the log has another version of it.
import { systemClock } from '../../ports/clock.ts';
import { faultOf } from '../../runtime/fault.ts';
import type { Host } from '../../runtime/hosts/host.ts';
import type { HostRuntime } from '../../runtime/hosts/processor-host.ts';
import type { Connections } from '../connections.ts';
import { type ReferenceGroup, SOURCES_OF, tellVersions } from '../reference-versions.ts';
import { loopingHost } from './background.ts';

const PART = 'reference-versions';
/** Between two looks at whether there is another version, ms. */
const LOOK_EVERY_MS = 10_000;

/** Beside the stage that goes by it: there are the keys that prove it. */
export function referenceVersionsHost(
  connections: Pick<Connections, 'log' | 'codec' | 'config'>,
  { clock = systemClock, metrics, logger }: HostRuntime,
  groups: readonly ReferenceGroup[],
): Host {
  const topics = [...new Set(groups.flatMap((each) => SOURCES_OF[each]))];
  /** Ends of the topics at the look before; undefined: nothing was told yet. */
  let seen: string | undefined;

  async function look(): Promise<void> {
    // First the ends: what comes after them is another look.
    const ends = topics.length === 0 ? [] : await connections.log.reader().offsets(topics);
    const now = ends.map(({ topic, to }) => `${topic} ${to}`).join();
    if (seen === now) return;
    const written = await tellVersions(connections, groups, { isFirst: seen === undefined, now: clock.now() });
    seen = now;
    if (written.length > 0) logger.info({ stage: PART, detail: `${written.length} versions` }, 'told to analysts');
  }

  async function loop(stopping: AbortSignal): Promise<void> {
    let failed: string | undefined;
    while (!stopping.aborted) {
      try {
        await look();
        failed = undefined;
      } catch (error) {
        const { code, detail } = faultOf(error);
        metrics.faults.inc({ consumer: PART, code });
        if (code !== failed) logger.warn({ stage: PART, code, detail }, 'versions were not told to analysts');
        failed = code;
      }
      await clock.sleep(LOOK_EVERY_MS, stopping);
    }
  }

  return loopingHost({
    name: PART,
    loop,
  });
}
