// The event log sink.
import { consumers } from '../../processors/topology.ts';
import type { Sink } from '../contract.ts';
import type { IdempotentStore } from '../idempotent-writes.ts';
import { toReport } from '../report.ts';
import { conflictingPlaces, type EventDocument, toWrite } from './to-write.ts';

const { reads } = consumers['sink-events'];

/** Writes each lifecycle record, rejected and repeated intent once, in one insert per batch. */
export function eventsSink(store: IdempotentStore<EventDocument>): Sink<typeof reads> {
  return {
    name: 'sink-events',
    reads,
    async write(batch) {
      const counts = await store.insertOnly(toWrite(batch));
      return toReport(batch, counts, (record) => record.value.eventId, conflictingPlaces(batch));
    },
  };
}
