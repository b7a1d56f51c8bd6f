// The API over parts in memory, with an issuer of its own: for tests of routes and of what holds for every one of them.
import type { FastifyInstance } from 'fastify';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { localKeys, type TokenTerms, tokenAuthenticator } from '../../adapters/auth/tokens.ts';
import { CORRIDORS } from '../../domain/corridors/corridor-table.ts';
import { corridorBook } from '../../domain/corridors/corridors.ts';
import { NO_PRODUCERS, type ProducerTerms, producerBook } from '../../domain/producers/producers.ts';
import type { Role } from '../../operations/access/table.ts';
import { memoryApprovals } from '../../operations/approvals/testing/memory-approvals.ts';
import { type FakeAudit, fakeAudit } from '../../operations/audit/testing/fake-audit.ts';
import { inboxWorld } from '../../operations/cases/inbox/testing/world.ts';
import { memoryControls } from '../../operations/control/testing/memory-controls.ts';
import type { CountedGroup } from '../../operations/dead-letters/ports.ts';
import type { ReplayDocument } from '../../operations/dead-letters/replays/replay.ts';
import { memoryEyes } from '../../operations/limits/testing/memory-eyes.ts';
import { memoryPolicies } from '../../operations/policies/testing/memory-policies.ts';
import { type MemoryCounts, memoryCounts } from '../../operations/positions/testing/memory-counts.ts';
import { explanationOf } from '../../operations/queries/explanation.ts';
import { type MemoryQuotes, memoryQuotes } from '../../operations/quotes/testing/memory-quotes.ts';
import type { Submission } from '../../operations/submissions/ports.ts';
import { submitter } from '../../operations/submissions/submit.ts';
import { memorySubmissions } from '../../operations/submissions/testing/memory.ts';
import {
  type MemoryWebhooks,
  memoryReach,
  memoryWebhooks,
  webhookRing,
} from '../../operations/webhooks/testing/memory-webhooks.ts';
import type { IntentClaim } from '../../processors/intake/ports.ts';
import { loadConfig } from '../../runtime/config/config.ts';
import { createMetrics } from '../../runtime/logs-and-metrics/metrics.ts';
import type { TransferRequested } from '../../schemas/types.generated.ts';
import type { ApiComponents } from '../../services/api/components.ts';
import { disclosureRules } from '../../services/configured-rules.ts';
import type { DeadLetterDocument } from '../../sinks/dead-letters/letter.ts';
import type { EventDocument } from '../../sinks/events/to-write.ts';
import type { TransferDocument } from '../../sinks/transfer-view/to-write.ts';
import { AT, BUILT_IN_PRICES } from '../../test/kit/builders.ts';
import { exampleRules } from '../../test/kit/example-rules.ts';
import { memoryCodec } from '../../test/kit/memory-codec.ts';
import { MemoryLog } from '../../test/kit/memory-log.ts';
import { memoryRates } from '../../test/kit/memory-rates.ts';
import { testRings } from '../../test/kit/rings.ts';
import { NOT_IN_LIFECYCLE } from '../../test/kit/undeclared.ts';
import { type ApiOptions, createApi } from '../http/app.ts';
import { ROUTES } from '../v1/routes.ts';
import { deskMemory } from './desks.ts';
import { memoryOperators, type OperatorMemory } from './operators.ts';

export const TERMS: TokenTerms = {
  issuer: 'https://issuer.test',
  audience: 'corridor-test',
  algorithm: 'ES256',
  rolesClaim: 'roles',
  clockToleranceS: 5,
};

const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
export const PUBLIC_JWK = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256' };

/** What a token says beside the usual. */
export interface TokenWishes {
  readonly issuer?: string;
  readonly audience?: string;
  readonly issuedAt?: number;
  readonly expiresAt?: number;
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly kid?: string;
}

const nowS = () => Math.floor(Date.now() / 1_000);

/** A token of the issuer. */
export function tokenFor(subject: string, roles: readonly Role[], wishes: TokenWishes = {}): Promise<string> {
  return new SignJWT({ roles, ...wishes.claims })
    .setProtectedHeader({ alg: 'ES256', kid: wishes.kid ?? 'k1' })
    .setSubject(subject)
    .setIssuer(wishes.issuer ?? TERMS.issuer)
    .setAudience(wishes.audience ?? TERMS.audience)
    .setIssuedAt(wishes.issuedAt ?? nowS())
    .setExpirationTime(wishes.expiresAt ?? nowS() + 600)
    .sign(privateKey);
}

export const bearer = async (subject: string, ...roles: readonly Role[]) => ({
  authorization: `Bearer ${await tokenFor(subject, roles)}`,
});

/** What the parts in memory hold. Tests change it. */
export interface Memory extends OperatorMemory {
  readonly transfers: TransferDocument[];
  readonly events: (EventDocument & { readonly transferId: string })[];
  readonly submissions: Map<string, Submission>;
  readonly intentClaims: Map<string, IntentClaim>;
  /** Whose ids begin how, when the API is made. */
  readonly producers: ProducerTerms;
  /** Intents in the log, in order. */
  readonly published: TransferRequested[];
  readonly audit: FakeAudit;
  readonly letterGroups: CountedGroup[];
  /** Latest first. */
  readonly letters: DeadLetterDocument[];
  /** Latest first. */
  readonly replays: ReplayDocument[];
  readonly webhooks: MemoryWebhooks;
  readonly positions: MemoryCounts;
  readonly quotes: MemoryQuotes;
  /** Thrown by every store, when set. */
  outage: Error | undefined;
}

export interface TestApi {
  readonly app: FastifyInstance;
  readonly memory: Memory;
  readonly parts: ApiComponents;
  /** What was logged as an error. */
  readonly logged: unknown[];
}

/** A running API; close its `app`. */
export async function testApi(
  over: Partial<ApiOptions> = {},
  parts: Partial<ApiComponents> = {},
  producers: ProducerTerms = NO_PRODUCERS,
): Promise<TestApi> {
  const memory: Memory = {
    producers,
    ...{ transfers: [], events: [], published: [], audit: fakeAudit(), outage: undefined },
    ...{
      letterGroups: [],
      letters: [],
      replays: [],
      replayItems: [],
      checks: new Map(),
      letterRecords: () => new Map(),
      approvals: memoryApprovals(),
      notes: new Map(),
    },
    controls: memoryControls(),
    rates: memoryRates(),
    policies: memoryPolicies(() => AT),
    limits: memoryEyes(),
    cases: inboxWorld(testRings.operators),
    caseNotes: [],
    desks: await deskMemory(),
    submissions: new Map(),
    intentClaims: new Map(),
    webhooks: memoryWebhooks(),
    positions: memoryCounts(),
    quotes: memoryQuotes(),
  };
  const logged: unknown[] = [];
  const all = { ...memoryComponents(memory), ...parts };
  const app = createApi({
    routes: ROUTES,
    parts: all,
    authenticator: tokenAuthenticator(TERMS, localKeys({ keys: [PUBLIC_JWK] })),
    document: '{"openapi":"3.1.0"}',
    docsUrl: 'https://docs.test',
    requestsPerMinute: 100_000,
    // A busy machine is no reason to give an answer up.
    answerMs: 240_000,
    logger: { error: (...line: unknown[]) => void logged.push(line) } as never,
    metrics: createMetrics(),
    ...over,
  });
  await app.ready();
  return { app, memory, parts: all, logged };
}

/** Names, as they resolve. */
const HOSTS = { 'hooks.acme.test': ['93.184.216.34'], 'inside.acme.test': ['10.0.0.1'] };

function memoryComponents(memory: Memory): ApiComponents {
  const asked = async <T>(answer: () => T): Promise<T> => {
    if (memory.outage) throw memory.outage;
    return answer();
  };
  const order = (a: TransferDocument, b: TransferDocument) =>
    b.updatedAt.getTime() - a.updatedAt.getTime() || Number(a._id < b._id) - Number(a._id > b._id);
  const corridors = corridorBook(CORRIDORS);
  const operators = memoryOperators(memory, asked);
  const evidence = { log: new MemoryLog({ partitions: 4 }), codec: memoryCodec(), rings: {}, chainPartitions: 4 };
  const owners = {
    submissions: memorySubmissions(memory.submissions, asked),
    intentClaims: {
      find: (ids: readonly string[]) => asked(() => ids.flatMap((id) => memory.intentClaims.get(id) ?? [])),
    },
  };
  return {
    corridors,
    // Shown alone: the intents of these tests are shorter.
    transferRules: exampleRules(),
    disclosureRules: disclosureRules(loadConfig({ CORRIDOR_ENV: 'test', CORRIDOR_DISCLOSURE_RULES_FILE: 'example' })),
    terms: () => asked(() => BUILT_IN_PRICES.at(0).content),
    submit: submitter({
      ...owners,
      intents: {
        publish: (intents) =>
          asked(() => {
            memory.published.push(...intents.map(({ intent }) => intent));
            return intents.map(() => undefined);
          }),
      },
      corridors,
      producers: producerBook(memory.producers),
      clock: () => AT,
    }),
    owners,
    deadLetters: {
      groups: () => asked(() => ({ counted: memory.letterGroups, uncounted: 0, isCut: false })),
      find: (id) => asked(() => memory.letters.find(({ _id }) => _id === id)),
      list: ({ group }, limit, after) =>
        asked(() => {
          const found = memory.letters.filter((letter) => group === undefined || letter.group === group);
          const from = after ? found.findIndex(({ _id }) => _id === after.id) + 1 : 0;
          return found.slice(from, from + limit);
        }),
    },
    replays: operators.replays.replays,
    positions: { find: () => asked(() => memory.positions.kept) },
    offersQuotes: true,
    maxUnusedQuotes: 1_000,
    quotes: {
      ask: async (given) => await asked(() => memory.quotes.ask(given)),
      open: async (producerId, limit) => await asked(() => memory.quotes.open(producerId, limit)),
      withdraw: async (requestId) => await asked(() => memory.quotes.withdraw(requestId)),
      unused: async (...of) => await asked(() => memory.quotes.unused(...of)),
      show: async (quoteId) => await asked(() => memory.quotes.show(quoteId)),
    },
    webhooks: { ...memory.webhooks, ring: webhookRing, reach: memoryReach(HOSTS) },
    operators,
    transferEvents: {
      of: (id) => asked(() => memory.events.filter(({ transferId }) => transferId === id)),
    },
    transferViews: {
      find: (id) => asked(() => memory.transfers.find(({ _id }) => _id === id)),
      list: ({ state, currencies, olderThan, producer }, after, limit) =>
        asked(() =>
          memory.transfers
            .filter((each) => state === undefined || each.state === state)
            .filter((each) => producer === undefined || each.producerId === producer)
            .filter((each) => currencies === undefined || each.sourceCurrency === currencies.source)
            .filter((each) => olderThan === undefined || each.updatedAt <= olderThan)
            .toSorted(order)
            .filter((each) => !after || order({ ...each, _id: after.transferId, updatedAt: after.updatedAt }, each) < 0)
            .slice(0, limit),
        ),
      totals: ({ producer }) =>
        asked(() => {
          const found = memory.transfers.filter((each) => producer === undefined || each.producerId === producer);
          const [first] = found;
          if (!first) return { byCurrency: [], isCut: false };
          const priced = found.flatMap(({ debitMinor }) => (debitMinor === null ? [] : [BigInt(debitMinor)]));
          const minor = priced.reduce((sum, each) => sum + each, 0n);
          const counts = { transfers: found.length, withoutAmount: found.length - priced.length };
          return { byCurrency: [{ currency: first.sourceCurrency, minor, ...counts }], isCut: false };
        }),
    },
    explain: async (id, sight) => explanationOf(evidence, await asked(() => id), sight),
    audit: memory.audit,
    clock: () => AT,
  };
}

/** A transfer as the view has it. */
export const transferDocument = (over: Partial<TransferDocument> = {}): TransferDocument => ({
  ...NOT_IN_LIFECYCLE,
  _id: 'transfer-0001',
  version: 6,
  updatedAt: new Date(AT),
  lastEventId: 'e-1',
  sequence: 3,
  attempt: 1,
  state: 'PRICED',
  stage: 'FX_PRICING',
  occurredAt: AT,
  requestedAt: AT - 1_000,
  sourceCountry: 'GB',
  targetCountry: 'IN',
  sourceCurrency: 'GBP',
  targetCurrency: 'INR',
  debtorToken: 'd',
  creditorToken: 'c',
  purposeCode: 'DEPD',
  chargeBearer: 'SLEV',
  debitMinor: 2n ** 60n,
  creditMinor: 12_480_000n,
  feesMinor: 199n,
  midRate: '125.2579',
  customerRate: '124.69',
  marginBps: 45,
  rateSnapshotId: 'r',
  screeningOutcome: 'CLEAR',
  provider: null,
  reasonCodes: [],
  producerId: null,
  ...over,
});
