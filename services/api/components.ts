// What the API works with. Everything that a route needs is a part here; routes make nothing themselves.
import { deadLetters } from '../../adapters/mongo/dead-letters.ts';
import { intentClaims } from '../../adapters/mongo/intent-claims.ts';
import { positionCounts } from '../../adapters/mongo/position-counts.ts';
import { quotes } from '../../adapters/mongo/quotes.ts';
import { replays } from '../../adapters/mongo/replays.ts';
import { submissions } from '../../adapters/mongo/submissions.ts';
import { transferEvents } from '../../adapters/mongo/transfer-events.ts';
import { transferViews } from '../../adapters/mongo/transfer-views.ts';
import { webhookDeliveries } from '../../adapters/mongo/webhook-deliveries.ts';
import { webhookEndpoints } from '../../adapters/mongo/webhook-endpoints.ts';
import { type CorridorBook, corridorBook } from '../../domain/corridors/corridors.ts';
import { producerBook } from '../../domain/producers/producers.ts';
import type { TermBook } from '../../domain/terms/term-book.ts';
import type { Sight } from '../../operations/access/masking.ts';
import type { Audit } from '../../operations/audit/audit.ts';
import type { DeadLetters } from '../../operations/dead-letters/ports.ts';
import type { Replays } from '../../operations/dead-letters/replays/ports.ts';
import type { DisclosureRules } from '../../operations/disclosure/rules.ts';
import type { PositionCounts } from '../../operations/positions/ports.ts';
import { type Explanation, explanationOf } from '../../operations/queries/explanation.ts';
import type { TransferEvents, TransferTotals, TransferViews } from '../../operations/queries/ports.ts';
import type { Quotes } from '../../operations/quotes/ports.ts';
import { intentLog } from '../../operations/submissions/intent-log.ts';
import type { OwnerSources } from '../../operations/submissions/owner.ts';
import { type SubmitOutcome, type SubmitRequest, submitter } from '../../operations/submissions/submit.ts';
import type { EndpointComponents } from '../../operations/webhooks/endpoints.ts';
import type { WebhookStanding } from '../../operations/webhooks/ports.ts';
import type { ResendComponents } from '../../operations/webhooks/resend.ts';
import { CodedError, codeAndDetail } from '../../ports/fault.ts';
import type { TransferRules } from '../../processors/intake/rules/rule-set.ts';
import { type AuditReports, openAudit } from '../audit.ts';
import { producerTerms } from '../configured-producers.ts';
import { corridors, disclosureRules, transferRules } from '../configured-rules.ts';
import type { Connections } from '../connections.ts';
import { termsNow } from '../policies-now.ts';
import { EVENTS, TRANSFERS } from '../process-parts/sinks.ts';
import { webhookReach } from '../webhooks.ts';
import { gated } from './gated.ts';
import { composeOperators, type OperatorComponents } from './operators.ts';

/** Each reads a partition of five topics from its beginning. */
const MAX_EXPLANATIONS = 2;
/** Names of endpoints that are looked up: the system does few at a time, and needs them for more than this. */
const MAX_LOOKUPS = 2;
/** How long what was noted last may take to be written. */
const AUDIT_CLOSE_MS = 5_000;

/** The parts of the API. */
export interface ApiComponents {
  readonly corridors: CorridorBook;
  /** What a transfer must say beside; undefined: nothing. */
  readonly transferRules: TransferRules | undefined;
  /** By which prices are made now. @throws CodedError of the log when it was never read */
  readonly terms: () => Promise<TermBook>;
  /** What senders must be told. */
  readonly disclosureRules: DisclosureRules;
  readonly transferEvents: TransferEvents;
  readonly transferViews: TransferViews & TransferTotals;
  /** Reads the log: a few at once. @throws CodedError EVIDENCE_UNKNOWN, TOO_BUSY */
  readonly explain: (transferId: string, sight: Sight) => Promise<Explanation>;
  readonly audit: Audit;
  /** Together with those that come meanwhile. @throws CodedError as submitTransfers */
  readonly submit: (request: SubmitRequest) => Promise<SubmitOutcome>;
  readonly owners: OwnerSources;
  readonly deadLetters: Pick<DeadLetters, 'groups' | 'list' | 'find'>;
  readonly replays: Pick<Replays, 'list' | 'find' | 'counts'>;
  /** The open exposure, as it was counted last. */
  readonly positions: Pick<PositionCounts, 'find'>;
  readonly quotes: Pick<Quotes, 'ask' | 'show' | 'open' | 'unused' | 'withdraw'>;
  /** Whether quotes may be asked for. */
  readonly offersQuotes: boolean;
  /** Guaranteed ones of a producer that hold and are not used, at most. */
  readonly maxUnusedQuotes: number;
  /** The face of operators has no keys of them: it can look, and disable. */
  readonly webhooks: EndpointComponents & ResendComponents & WebhookStanding;
  /** Undefined: this process has not the face of operators, nor its key. */
  readonly operators: OperatorComponents | undefined;
  /** ms since 1970 */
  readonly clock: () => number;
}

/** The parts, and what they use: closed after the last request. */
export interface ComposedApi {
  readonly parts: ApiComponents;
  readonly resources: readonly { readonly name: string; close(): Promise<void> }[];
}

/** The parts over these connections. @throws CodedError when the database or the registry is away */
export async function composeApi(connections: Connections, reports: AuditReports = {}): Promise<ComposedApi> {
  const { config, log, codec } = connections;
  const { chainPartitions } = config.kafka;
  const submits = config.api.faces.includes('producers');
  if (submits && config.producers.file !== undefined && config.producers.intentKeys === undefined)
    throw new CodedError('CONFIG_INVALID', 'set CORRIDOR_INTENT_KEYS: intake takes no intent that nobody has sealed', {
      faultClass: 'fatal',
    });
  const [db] = await Promise.all([connections.db(), codec.load(['transfer.requested'])]);
  const book = corridorBook(corridors(config));
  const rules = transferRules(config);
  const owners = { submissions: submissions(db), intentClaims: intentClaims(db) };
  const writer = await log.writer('api');
  const audit = await openAudit(connections, 'api', reports);
  const onFault = (error: unknown) => {
    const { code, detail } = codeAndDetail(error);
    reports.logger?.warn({ code, detail }, 'what changed cannot be looked at');
  };
  const webhooks = { endpoints: webhookEndpoints(db), deliveries: webhookDeliveries(db) };
  const reach = webhookReach(config);
  const asked = quotes(db);
  const indexed = [webhooks.endpoints, webhooks.deliveries, ...(config.quotes.offered ? [asked] : [])];
  await Promise.all(indexed.map((store) => store.ensureIndexes()));
  const operators = config.api.faces.includes('operators') ? await composeOperators(connections, onFault) : undefined;
  const parts: ApiComponents = {
    corridors: book,
    terms: termsNow(connections),
    transferRules: rules,
    disclosureRules: disclosureRules(config),
    submit: submitter({
      ...owners,
      intents: intentLog({ codec, writer, chainPartitions, keys: config.producers.intentKeys }),
      corridors: book,
      transferRules: rules,
      producers: producerBook(producerTerms(config)),
      clock: Date.now,
    }),
    owners,
    deadLetters: deadLetters(db),
    replays: replays(db),
    positions: positionCounts(db),
    ...{ quotes: asked, offersQuotes: config.quotes.offered, maxUnusedQuotes: config.quotes.maxUnused },
    webhooks: {
      ...webhooks,
      ring: submits ? config.webhooks.keys : undefined,
      reach: { ...reach, resolve: gated(MAX_LOOKUPS, reach.resolve) },
    },
    operators,
    transferEvents: transferEvents(db, EVENTS),
    transferViews: transferViews(db, TRANSFERS),
    explain: gated(MAX_EXPLANATIONS, (transferId, sight) =>
      explanationOf({ log, codec, rings: config.keys, chainPartitions }, transferId, sight),
    ),
    audit,
    clock: Date.now,
  };
  const resources = [
    { name: 'entries of the audit log', close: async () => void (await audit.close(AUDIT_CLOSE_MS)) },
    { name: 'writer of intents', close: () => writer.close() },
    ...(operators ? [{ name: 'parts of operators', close: () => operators.close() }] : []),
  ];
  return { parts, resources };
}
