// What the use-cases of controls need of the log.
import type { RuntimeControl } from '../../schemas/types.generated.ts';

/** The topic of controls. Every method throws a coded error when the log cannot be asked. */
export interface ControlLog {
  /** The latest record of each key, with everything that was acknowledged before the call. */
  latest(): Promise<ReadonlyMap<string, RuntimeControl>>;
  /** Writes it, sealed; resolves when it is acknowledged. */
  publish(control: RuntimeControl): Promise<void>;
}
