// What pricing needs from outside: the table of market rates.
import type { FxRate } from '../../schemas/types.generated.ts';

/** The latest rate of each source and pair, as the followed topic has it. */
export interface RateTable {
  /** Rises with every change. */
  readonly version: number;
  entries(): Iterable<readonly [key: string, rate: FxRate]>;
}
