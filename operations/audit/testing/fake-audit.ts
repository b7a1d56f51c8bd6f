// An audit log in memory, for tests of whatever lets somebody do something.
import { dependencyDown } from '../../../ports/fault.ts';
import type { AuditEntry } from '../../../schemas/types.generated.ts';
import type { Audit } from '../audit.ts';
import { type Act, entryOf } from '../entry.ts';

export interface FakeAudit extends Audit {
  /** In the order in which they were written. */
  readonly entries: readonly AuditEntry[];
  /** While true, nothing can be recorded. */
  isDown: boolean;
}

/** Ids count from 0; each entry is 1 ms later than the one before. */
export function fakeAudit(): FakeAudit {
  const entries: AuditEntry[] = [];
  const add = (act: Act): string => {
    const entryId = `00000000-0000-4000-8000-${String(entries.length).padStart(12, '0')}`;
    entries.push(entryOf(act, { entryId, at: entries.length, program: 'test' }));
    return entryId;
  };
  const audit: FakeAudit = {
    entries,
    isDown: false,
    record: async (acts) => {
      if (audit.isDown) throw dependencyDown('kafka', 'AUDIT_UNAVAILABLE', new Error('the log is away'));
      return acts.map(add);
    },
    note: (acts) => {
      for (const act of acts) add(act);
    },
  };
  return audit;
}
