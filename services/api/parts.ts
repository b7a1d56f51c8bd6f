// What the API works with. Everything that a route needs is a part here; routes make nothing themselves.
import { deadLetters } from '../../adapters/mongo/dead-letters.ts';
import { intentClaims } from '../../adapters/mongo/intent-claims.ts';
import { replays } from '../../adapters/mongo/replays.ts';
import { submissions } from '../../adapters/mongo/submissions.ts';
import { transferEvents } from '../../adapters/mongo/transfer-events.ts';
import { transferViews } from '../../adapters/mongo/transfer-views.ts';
import { type CorridorBook, corridorBook } from '../../domain/corridors/corridors.ts';
import { producerBook } from '../../domain/producers/producers.ts';
import type { Sight } from '../../operations/access/masking.ts';
import type { DeadLetters } from '../../operations/dead-letters/ports.ts';
import type { Replays } from '../../operations/dead-letters/replays/ports.ts';
import { type Explanation, explanationOf } from '../../operations/queries/explanation.ts';
import type { TransferEvents, TransferViews } from '../../operations/queries/ports.ts';
import { intentLog } from '../../operations/submissions/intent-log.ts';
import type { OwnerSources } from '../../operations/submissions/owner.ts';
import { type SubmitOutcome, type SubmitRequest, submitter } from '../../operations/submissions/submit.ts';
import { CodedError } from '../../ports/fault.ts';
import type { Logger } from '../../runtime/logs-and-metrics/logger.ts';
import { producerTerms } from '../configured-producers.ts';
import { corridors } from '../configured-rules.ts';
import type { Connections } from '../connections.ts';
import { EVENTS, TRANSFERS } from '../process-parts/sinks.ts';
import { gated } from './gated.ts';
import { composeOperators, type OperatorParts } from './operators.ts';

/** Each reads a partition of five topics from its beginning. */
const MAX_EXPLANATIONS = 2;

/** Who was shown the personal data of which transfer. */
export interface Look {
  readonly subject: string;
  readonly transferId: string;
  readonly traceId: string;
}

/** The parts of the API. */
export interface ApiParts {
  readonly corridors: CorridorBook;
  readonly transferEvents: TransferEvents;
  readonly transferViews: TransferViews;
  /** Reads the log: a few at once. @throws CodedError EVIDENCE_UNKNOWN, TOO_BUSY */
  readonly explain: (transferId: string, sight: Sight) => Promise<Explanation>;
  /** Told when somebody is shown names as they are. */
  readonly onLook: (look: Look) => void;
  /** Together with those that come meanwhile. @throws CodedError as submitTransfers */
  readonly submit: (request: SubmitRequest) => Promise<SubmitOutcome>;
  readonly owners: OwnerSources;
  readonly deadLetters: Pick<DeadLetters, 'groups' | 'list' | 'find'>;
  readonly replays: Pick<Replays, 'list' | 'find' | 'counts'>;
  /** Undefined: this process has not the face of operators, nor its key. */
  readonly operators: OperatorParts | undefined;
  /** ms since 1970 */
  readonly clock: () => number;
}

/** The parts, and what they use: closed after the last request. */
export interface ComposedApi {
  readonly parts: ApiParts;
  readonly resources: readonly { readonly name: string; close(): Promise<void> }[];
}

/** The parts over these connections. @throws CodedError when the database or the registry is away */
export async function composeApi(connections: Connections, logger: Pick<Logger, 'info'>): Promise<ComposedApi> {
  const { config, log, codec } = connections;
  const { chainPartitions } = config.kafka;
  const submits = config.api.faces.includes('producers');
  if (submits && config.producers.file !== undefined && config.producers.intentKeys === undefined)
    throw new CodedError('CONFIG_INVALID', 'set CORRIDOR_INTENT_KEYS: intake takes no intent that nobody has sealed', {
      faultClass: 'fatal',
    });
  const [db] = await Promise.all([connections.db(), codec.load(['transfer.requested'])]);
  const book = corridorBook(corridors(config));
  const owners = { submissions: submissions(db), intentClaims: intentClaims(db) };
  const writer = await log.writer('api');
  const operators = config.api.faces.includes('operators') ? await composeOperators(connections) : undefined;
  const parts: ApiParts = {
    corridors: book,
    submit: submitter({
      ...owners,
      intents: intentLog({ codec, writer, chainPartitions, keys: config.producers.intentKeys }),
      corridors: book,
      producers: producerBook(producerTerms(config)),
      clock: Date.now,
    }),
    owners,
    deadLetters: deadLetters(db),
    replays: replays(db),
    operators,
    transferEvents: transferEvents(db, EVENTS),
    transferViews: transferViews(db, TRANSFERS),
    explain: gated(MAX_EXPLANATIONS, (transferId, sight) =>
      explanationOf({ log, codec, chainPartitions }, transferId, sight),
    ),
    onLook: ({ subject, ...look }) => logger.info({ actor: subject, ...look }, 'personal data was shown'),
    clock: Date.now,
  };
  const resources = [
    { name: 'writer of intents', close: () => writer.close() },
    ...(operators ? [{ name: 'parts of operators', close: () => operators.close() }] : []),
  ];
  return { parts, resources };
}
