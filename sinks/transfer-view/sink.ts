// The transfer view sink.
import { consumers } from '../../processors/topology.ts';
import type { Sink } from '../contract.ts';
import type { GuardedStore } from '../idempotent-writes.ts';
import { toReport } from '../report.ts';
import { type TransferDocument, toWrite } from './to-write.ts';

const { reads } = consumers['sink-transfer-view'];

/** Folds a batch into one sequence-guarded replacement per transfer. */
export function transferViewSink(store: GuardedStore<TransferDocument>): Sink<typeof reads> {
  return {
    name: 'sink-transfer-view',
    reads,
    async write(batch) {
      return toReport(batch, await store.replaceGuarded(toWrite(batch)), (record) => record.value.transferId);
    },
  };
}
