// What each corridor goes by, in the log before anything is priced by it: a stage that was just started, or another process,
// holds the next rate against the same one.
import type { Corridor, CorridorBook } from '../../domain/corridors/corridors.ts';
import { pairKey } from '../../domain/pricing/jumps.ts';
import { type Failpoint, NO_FAILPOINT } from '../../ports/failpoint.ts';
import type { AcceptedRate } from '../../schemas/types.generated.ts';
import type { AcceptedRates, PricingFailpoint } from './ports.ts';
import { ratesOfPrices } from './recall.ts';
import type { PairMemory, Taken } from './routes.ts';

export interface CorridorMemory {
  of(corridor: Corridor): PairMemory;
  /**
   * Remembers what is gone by from now on; resolves when the log has it.
   * @param now ms since 1970
   * @throws CodedError of the log
   */
  take(taken: readonly (Taken & { readonly corridor: Corridor })[], now: number): Promise<void>;
  /**
   * Once: remembers again what prices in the log went by and nobody remembers. The table was made anew, or deleted from.
   * @returns what had been forgotten
   * @throws CodedError of the log
   */
  recall(corridors: CorridorBook): Promise<readonly AcceptedRate[]>;
}

export function corridorMemory(
  accepted: AcceptedRates,
  failpoint: Failpoint<PricingFailpoint> = NO_FAILPOINT,
): CorridorMemory {
  /** What this process wrote, which the followed table may not have yet. */
  const written = new Map<string, AcceptedRate>();
  let isRecalled = false;
  const last = (key: string): AcceptedRate | undefined => {
    const [read, own] = [accepted.last(key), written.get(key)];
    // Of two with one version the table has the one that the log took last, and everybody else has that one.
    return own && own.version > (read?.version ?? 0) ? own : read;
  };

  return {
    of: ({ id: corridor }) => {
      const keyOf = (pair: string) => `${corridor}/${pair}`;
      return { last: (pair) => last(keyOf(pair)), jump: (pair) => accepted.jump(keyOf(pair)) };
    },
    async take(taken, now) {
      const rates = new Map<string, AcceptedRate>();
      for (const { corridor, leg, version, approvalId } of taken) {
        const { base, quote, rate, source, observedAt } = leg;
        const record = {
          ...{ corridor: corridor.id, base, quote, rate, source, observedAt },
          ...{ version, acceptedAt: now, approvalId },
        };
        // Another batch of this process may have been quicker: what it wrote is as near as this one.
        if ((last(pairKey(record))?.version ?? 0) < version) rates.set(pairKey(record), record);
      }
      if (rates.size === 0) return;
      await failpoint('fx-pricing.before-accepted');
      await accepted.write([...rates.values()]);
      for (const [key, record] of rates) written.set(key, record);
      await failpoint('fx-pricing.after-accepted');
    },
    async recall(corridors) {
      if (isRecalled || accepted.lastPrices === undefined) return [];
      const priced = ratesOfPrices(await accepted.lastPrices(), corridors);
      const forgotten = [...priced].filter(([key]) => last(key) === undefined);
      if (forgotten.length > 0) await accepted.write(forgotten.map(([, record]) => record));
      for (const [key, record] of forgotten) written.set(key, record);
      isRecalled = true;
      return forgotten.map(([, record]) => record);
    },
  };
}
