// What the use-cases of rates need of the log.
import type { AcceptedRate, RateJumpAccepted } from '../../schemas/types.generated.ts';

/** Every method throws a coded error when the log cannot be asked. */
export interface RateLog {
  /** Whether `accepted` is what stages have sealed. Else anybody who may write to the topic may have written it. */
  readonly isProven: boolean;
  /**
   * What each corridor last went by, by `pairKey`, with everything that was acknowledged before the call. Where the keys of
   * stages are not, it is what the log says, proven by nobody: good to be shown and named, since the stage alone goes by it.
   */
  accepted(): Promise<ReadonlyMap<string, AcceptedRate>>;
  /** The latest jump of each pair and corridor that was accepted, by `pairKey`. */
  jumps(): Promise<ReadonlyMap<string, RateJumpAccepted>>;
  /** Writes it, sealed; resolves when it is acknowledged. */
  publish(jump: RateJumpAccepted): Promise<void>;
}
