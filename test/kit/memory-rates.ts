// The topics of accepted rates in memory: the latest of each key by its order, as every process reads them.
import { pairKey } from '../../domain/pricing/jumps.ts';
import type { RateLog } from '../../operations/rates/ports.ts';
import type { AcceptedRates } from '../../processors/fx-pricing/ports.ts';
import type { AcceptedRate, RateJumpAccepted } from '../../schemas/types.generated.ts';

export interface MemoryRates extends RateLog, AcceptedRates {
  /** All that was written, in the order of the log. */
  readonly acceptedRecords: AcceptedRate[];
  readonly jumpRecords: RateJumpAccepted[];
  /** Called before each write of a jump is taken. */
  beforePublish: () => void | Promise<void>;
}

/** @param isProven false: as the log of a program without the keys of stages */
export function memoryRates(isProven = true): MemoryRates {
  const acceptedRecords: AcceptedRate[] = [];
  const jumpRecords: RateJumpAccepted[] = [];
  const latest = <V extends AcceptedRate | RateJumpAccepted>(records: readonly V[], orderOf: (value: V) => number) => {
    const found = new Map<string, V>();
    for (const record of records) {
      const known = found.get(pairKey(record));
      if (!known || orderOf(record) >= orderOf(known)) found.set(pairKey(record), record);
    }
    return found;
  };
  const accepted = () => latest(acceptedRecords, ({ version }) => version);
  const jumps = () => latest(jumpRecords, ({ acceptedAt }) => acceptedAt);
  const rates: MemoryRates = {
    ...{ acceptedRecords, jumpRecords, isProven },
    beforePublish: () => undefined,
    accepted: async () => accepted(),
    jumps: async () => jumps(),
    async publish(jump) {
      await rates.beforePublish();
      jumpRecords.push(jump);
    },
    last: (key) => accepted().get(key),
    jump: (key) => jumps().get(key),
    write: async (records) => void acceptedRecords.push(...records),
  };
  return rates;
}
