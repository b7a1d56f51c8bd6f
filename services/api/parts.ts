// What the API works with. Everything that a route needs is a part here; routes make nothing themselves.
import { intentClaims } from '../../adapters/mongo/intent-claims.ts';
import { submissions } from '../../adapters/mongo/submissions.ts';
import { transferEvents } from '../../adapters/mongo/transfer-events.ts';
import { transferViews } from '../../adapters/mongo/transfer-views.ts';
import { type CorridorBook, corridorBook } from '../../domain/corridors/corridors.ts';
import type { EvidenceSources } from '../../operations/queries/evidence.ts';
import type { TransferEvents, TransferViews } from '../../operations/queries/ports.ts';
import { intentLog } from '../../operations/submissions/intent-log.ts';
import type { SubmitParts } from '../../operations/submissions/submit.ts';
import { corridors } from '../configured-rules.ts';
import type { Connections } from '../connections.ts';
import { EVENTS, TRANSFERS } from '../process-parts/sinks.ts';

/** The parts of the API. */
export interface ApiParts {
  readonly corridors: CorridorBook;
  readonly transferEvents: TransferEvents;
  readonly transferViews: TransferViews;
  readonly evidence: EvidenceSources;
  readonly submit: SubmitParts;
  /** ms since 1970 */
  readonly clock: () => number;
}

/** The parts, and what they use: closed after the last request. */
export interface ComposedApi {
  readonly parts: ApiParts;
  readonly resources: readonly { readonly name: string; close(): Promise<void> }[];
}

/** The parts over these connections. @throws CodedError when the database or the registry is away */
export async function composeApi(connections: Connections): Promise<ComposedApi> {
  const { config, log, codec } = connections;
  const { chainPartitions } = config.kafka;
  const [db] = await Promise.all([connections.db(), codec.load(['transfer.requested'])]);
  const book = corridorBook(corridors(config));
  const writer = await log.writer('api');
  const parts: ApiParts = {
    corridors: book,
    submit: {
      submissions: submissions(db),
      intentClaims: intentClaims(db),
      intents: intentLog({ codec, writer, chainPartitions }),
      corridors: book,
      clock: Date.now,
    },
    transferEvents: transferEvents(db, EVENTS),
    transferViews: transferViews(db, TRANSFERS),
    evidence: { log, codec, chainPartitions },
    clock: Date.now,
  };
  return { parts, resources: [{ name: 'writer of intents', close: () => writer.close() }] };
}
