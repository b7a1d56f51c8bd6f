// The kept count of positions, in memory.
import type { PositionCount, PositionCounts } from '../ports.ts';

export interface MemoryCounts extends PositionCounts {
  kept: PositionCount | undefined;
}

export function memoryCounts(): MemoryCounts {
  const counts: MemoryCounts = {
    kept: undefined,
    find: async () => counts.kept,
    async keep(count) {
      if ((counts.kept?.version ?? 0) !== count.version - 1) return false;
      counts.kept = count;
      return true;
    },
  };
  return counts;
}
