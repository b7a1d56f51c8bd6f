// The case sink.
import { consumers } from '../../processors/topology.ts';
import type { Sink } from '../contract.ts';
import type { IdempotentStore } from '../idempotent-writes.ts';
import { toReport } from '../report.ts';
import type { CaseDocument } from './case.ts';
import { toWrite } from './to-write.ts';

const { reads } = consumers['sink-cases'];

/** Opens a case per hold. */
export function casesSink(store: IdempotentStore<CaseDocument>): Sink<typeof reads> {
  return {
    name: 'sink-cases',
    reads,
    async write(batch) {
      return toReport(batch, await store.insertOnly(toWrite(batch)), (record) => record.value.hold.holdId);
    },
  };
}
