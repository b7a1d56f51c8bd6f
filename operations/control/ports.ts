// What the use-cases of controls need of the log.
import type { RuntimeControl } from '../../schemas/types.generated.ts';

/** The topic of controls. Every method throws a coded error when the log cannot be asked. */
export interface ControlLog {
  /** The latest record of each key, with everything that was acknowledged before the call. */
  latest(): Promise<ReadonlyMap<string, RuntimeControl>>;
  /** The same as it was at most a second ago, read once for all who ask: for lists. What this process wrote is in it. */
  recent(): Promise<ReadonlyMap<string, RuntimeControl>>;
  /** Writes it, sealed; resolves when it is acknowledged. */
  publish(control: RuntimeControl): Promise<void>;
}
