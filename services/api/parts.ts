// What the API works with. Everything that a route needs is a part here; routes make nothing themselves.
import { transferEvents } from '../../adapters/mongo/transfer-events.ts';
import { transferViews } from '../../adapters/mongo/transfer-views.ts';
import { type CorridorBook, corridorBook } from '../../domain/corridors/corridors.ts';
import type { EvidenceSources } from '../../operations/queries/evidence.ts';
import type { TransferEvents, TransferViews } from '../../operations/queries/ports.ts';
import { corridors } from '../configured-rules.ts';
import type { Connections } from '../connections.ts';
import { EVENTS, TRANSFERS } from '../process-parts/sinks.ts';

/** The parts of the API. */
export interface ApiParts {
  readonly corridors: CorridorBook;
  readonly transferEvents: TransferEvents;
  readonly transferViews: TransferViews;
  readonly evidence: EvidenceSources;
  /** ms since 1970 */
  readonly clock: () => number;
}

/** The parts over these connections. @throws CodedError when the database is away */
export async function apiParts(connections: Connections): Promise<ApiParts> {
  const { config, log, codec } = connections;
  const db = await connections.db();
  return {
    corridors: corridorBook(corridors(config)),
    transferEvents: transferEvents(db, EVENTS),
    transferViews: transferViews(db, TRANSFERS),
    evidence: { log, codec, chainPartitions: config.kafka.chainPartitions },
    clock: Date.now,
  };
}
