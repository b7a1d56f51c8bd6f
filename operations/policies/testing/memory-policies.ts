// The topic of policy versions in memory: of two records of one version the first counts, as every process reads it.
import { policyKey } from '../../../domain/policies/versions.ts';
import type { PolicyVersion } from '../../../schemas/types.generated.ts';
import type { LoggedVersion, PolicyLog } from '../ports.ts';

export interface MemoryPolicies extends PolicyLog {
  /** All that was written, in the order of the log. */
  readonly records: LoggedVersion[];
  /** Called before each write is taken. */
  beforePublish: () => void | Promise<void>;
}

/** @param clock of the broker, ms since 1970 */
export function memoryPolicies(clock: () => number): MemoryPolicies {
  const records: LoggedVersion[] = [];
  const policies: MemoryPolicies = {
    records,
    beforePublish: () => undefined,
    async versions() {
      const first = new Map<string, LoggedVersion>();
      for (const each of records) if (!first.has(policyKey(each.record))) first.set(policyKey(each.record), each);
      return [...first.values()];
    },
    async publish(record: PolicyVersion) {
      await policies.beforePublish();
      records.push({ record, appendedAt: clock() });
    },
  };
  return policies;
}
