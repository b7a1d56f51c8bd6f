// The topic of controls as people write to it, and what there is to be paused.
import { corridorBook } from '../domain/corridors/corridors.ts';
import type { ControlLog } from '../operations/control/ports.ts';
import { recent } from '../operations/control/recent.ts';
import type { KnownTargets } from '../operations/control/targets.ts';
import { RAILS_KNOWN } from '../payouts/instruction.ts';
import type { ActFailpoint } from '../ports/act-failpoints.ts';
import { recordMaker } from '../ports/records.ts';
import { failpoint } from '../runtime/failpoints.ts';
import { createTable } from '../runtime/hosts/table.ts';
import type { RuntimeControl } from '../schemas/types.generated.ts';
import { runtimeControls } from '../topics/boundary.ts';
import { corridors } from './configured-rules.ts';
import type { Connections } from './connections.ts';
import { CONSUMER_NAMES } from './process-parts/part-selection.ts';

const OWNER = 'controls';
const at = (name: ActFailpoint) => failpoint(name);

type LogComponents = Pick<Connections, 'log' | 'codec'> & { readonly config: Pick<Connections['config'], 'keys'> };

/**
 * Reads the topic to its end whenever it is asked for the latest: it is small, and what was acknowledged before must be seen.
 * Lists share a read.
 */
export function controlLog({ config, log, codec }: LogComponents): ControlLog {
  const topic = runtimeControls.name;
  const latest = async (): Promise<ReadonlyMap<string, RuntimeControl>> => {
    const table = createTable({ topic, log, codec, rings: config.keys });
    try {
      await table.start();
      return new Map(table.entries());
    } finally {
      await table.stop();
    }
  };
  const lists = recent(latest);
  return {
    latest,
    recent: lists.get,
    async publish(control: RuntimeControl) {
      await codec.load([topic]);
      const make = recordMaker({ owner: OWNER, writes: [runtimeControls], codec, rings: config.keys });
      const writer = await log.writer(OWNER);
      try {
        await at('controls.before-publish');
        await writer.send([make(topic, control, { partition: 0 })]);
        await at('controls.after-publish');
      } finally {
        lists.forget();
        await writer.close();
      }
    },
  };
}

export function knownTargets({ config }: Connections): KnownTargets {
  return {
    processors: CONSUMER_NAMES,
    partitions: config.kafka.chainPartitions,
    corridors: corridorBook(corridors(config)).corridors.map(({ id }) => id),
    providers: [config.provider.name],
    rails: RAILS_KNOWN,
  };
}
