// The topic of controls in memory: the latest of each key by its order, as every process reads it.
import type { RuntimeControl } from '../../../schemas/types.generated.ts';
import { controlKey, controlOrder } from '../../../topics/control-key.ts';
import type { ControlLog } from '../ports.ts';

export interface MemoryControls extends ControlLog {
  /** All that was written, in the order of the log. */
  readonly records: RuntimeControl[];
  /** Called before each write is taken. */
  beforePublish: (control: RuntimeControl) => void | Promise<void>;
}

export function memoryControls(): MemoryControls {
  const records: RuntimeControl[] = [];
  const controls: MemoryControls = {
    records,
    beforePublish: () => undefined,
    async latest() {
      const latest = new Map<string, RuntimeControl>();
      for (const control of records) {
        const known = latest.get(controlKey(control));
        if (!known || controlOrder(control) >= controlOrder(known)) latest.set(controlKey(control), control);
      }
      return latest;
    },
    recent: () => controls.latest(),
    async publish(control) {
      await controls.beforePublish(control);
      records.push(control);
    },
  };
  return controls;
}
