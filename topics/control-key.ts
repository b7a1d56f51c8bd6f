// Which control a record is about, and which of two holds. Pure.
import type { ControlKind, RuntimeControl } from '../schemas/types.generated.ts';

export interface ControlTarget {
  readonly kind: Exclude<ControlKind, 'UNKNOWN'>;
  readonly name: string;
  /** Of the chain; only where one partition of a processor is meant. */
  readonly partition?: number;
}

/** `PROCESSOR/limits`, `PARTITION/limits/3`, `CORRIDOR/GB-IN`. Frozen: keys stand in the log. */
export const controlKey = ({ kind, name, partition }: Pick<RuntimeControl, 'kind' | 'name' | 'partition'>): string =>
  partition === null ? `${kind}/${name}` : `${kind}/${name}/${partition}`;

export const targetKey = ({ kind, name, partition }: ControlTarget): string =>
  controlKey({ kind, name, partition: partition ?? null });

/** Whether it stops something, or is a glass that nobody has reviewed. What is not known does. */
export const isInForce = ({ state }: Pick<RuntimeControl, 'state'>): boolean =>
  state !== 'RUNNING' && state !== 'REVIEWED';

/** Rises with each change of a control. Of two people who change the same one at once, who stops it is right. */
export const controlOrder = (control: Pick<RuntimeControl, 'version' | 'state'>): number =>
  2 * control.version + (isInForce(control) ? 1 : 0);
