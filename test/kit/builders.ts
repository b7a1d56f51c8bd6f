// Valid events of every kind, made by the deciders themselves, so that each follows from the one before: GBP to INR.
// A test names what it is about; the rest is made up.

import { CORRIDORS } from '../../domain/corridors/corridor-table.ts';
import { corridorBook } from '../../domain/corridors/corridors.ts';
import { BUILT_IN_LIMITS } from '../../domain/limits/limit-rules.ts';
import { BUILT_IN_TERMS, corridorTerms } from '../../domain/terms/corridor-terms.ts';
import { type TermBook, termBook } from '../../domain/terms/term-book.ts';
import type { Received } from '../../processors/contract.ts';
import { DEFAULT_PRICING_RULES, decide as decidePrice } from '../../processors/fx-pricing/decide.ts';
import { decide as decideIntake } from '../../processors/intake/decide.ts';
import { payloadHash } from '../../processors/intake/payload-hash.ts';
import { tokeniser } from '../../processors/intake/token.ts';
import { decide as decideLimits } from '../../processors/limits/decide.ts';
import { bookOf } from '../../processors/limits/processor.ts';
import { requestedUse, requestsOf } from '../../processors/limits/requests.ts';
import { DEFAULT_DISPATCH_RULES, decide as decideDispatch } from '../../processors/payout-dispatch/decide.ts';
import { fixedPolicy, type Policy } from '../../processors/policies.ts';
import { decide as decideScreening } from '../../processors/screening/decide.ts';
import { decide as decideSettlement } from '../../processors/settlement/decide.ts';
import type {
  FxRate,
  Intermediary,
  LimitUse,
  ListReference,
  Parties,
  Party,
  PayoutRequested,
  PayoutState,
  PayoutStatus,
  PayoutUpdated,
  RateLeg,
  RequoteRequested,
  ReviewDecided,
  ScreeningOutcome,
  TransferAccepted,
  TransferCompleted,
  TransferHeld,
  TransferPriced,
  TransferRejected,
  TransferRequested,
  TransferReserved,
  TransferReturned,
  TransferScreened,
} from '../../schemas/types.generated.ts';
import type { Findings } from '../../screening/ports.ts';
import type { TopicName, TopicValues } from '../../topics/catalogue.ts';
import { askedFor, HOLDING, sealOfReview } from './keys.ts';
import { NO_DECLARATIONS, NO_PLACES } from './undeclared.ts';

/** Monday 23 November 2026, 09:00 UTC. */
export const AT = Date.UTC(2026, 10, 23, 9);
export const TOKEN_KEY = Buffer.from('a key for tests, nothing secret');
export const BOOK = corridorBook(CORRIDORS);
const BUILT_IN = termBook(corridorTerms(CORRIDORS, BUILT_IN_TERMS), CORRIDORS, () => new Set());
/** What the corridors say by themselves. */
export const BUILT_IN_PRICES: Policy<TermBook> = fixedPolicy(BUILT_IN);

/** What tests vary. */
export interface Wishes {
  readonly transferId?: string;
  /** ms since 1970; every event of the chain happens at this instant. */
  readonly at?: number;
  readonly homePartition?: number;
  readonly originPosition?: string;
  readonly intent?: Partial<TransferRequested>;
  readonly debtor?: Partial<Party>;
  readonly creditor?: Partial<Party>;
  readonly intermediaries?: readonly Intermediary[];
}

/** A received record, as the host hands it in. */
export function received<T extends TopicName>(
  topic: T,
  value: TopicValues[T],
  over: Partial<Omit<Received<TopicValues[T], T>, 'topic' | 'value'>> = {},
): Received<TopicValues[T], T> {
  return {
    topic,
    value,
    appendedAt: AT,
    waitedMs: 0,
    originPosition: 'T1:0:42',
    position: `${topic}:3:7`,
    partition: 3,
    causationId: `cause-of-${topic}`,
    ...over,
  };
}

const DEFAULT_ID = '5f0c8f0e-3c1a-4a1e-9f63-2d9a0c1b7e11';

export const debtor = (over: Partial<Party> = {}): Party => ({
  customerId: 'customer-0001',
  kind: 'PERSON',
  name: 'Gwen Hartley',
  birthDate: '1985-04-12',
  country: 'GB',
  nationalities: ['GB'],
  identifiers: [],
  address: '1 Sample Street, Leeds',
  ...NO_PLACES,
  account: { scheme: 'IBAN', value: 'GB33BUKB20201555555555', agent: null },
  ...over,
});

export const creditor = (over: Partial<Party> = {}): Party => ({
  customerId: 'customer-0002',
  kind: 'PERSON',
  name: 'Ravi Kulkarni',
  birthDate: null,
  country: 'IN',
  nationalities: [],
  identifiers: [],
  address: null,
  ...NO_PLACES,
  account: { scheme: 'BBAN', value: '026291800001191', agent: 'HDFC0000077' },
  ...over,
});

export const intermediary = (over: Partial<Intermediary> = {}): Intermediary => ({
  role: 'ULTIMATE_CREDITOR',
  customerId: null,
  kind: 'PERSON',
  name: 'Leela Narayan',
  birthDate: null,
  country: 'IN',
  nationalities: [],
  identifiers: [],
  address: null,
  ...NO_PLACES,
  ...over,
});

export function transferRequested(of: Wishes = {}): TransferRequested {
  const parties: Parties = {
    debtor: debtor(of.debtor),
    creditor: creditor(of.creditor),
    remittanceInformation: null,
    intermediaries: of.intermediaries ?? [],
    verifiedPayeeName: null,
  };
  return {
    transferId: of.transferId ?? DEFAULT_ID,
    endToEndId: 'E2E-0001',
    requestedAt: of.at ?? AT,
    instructedAmount: { minor: 100_000n, currency: 'GBP' },
    amountSide: 'SOURCE',
    sourceCurrency: 'GBP',
    targetCurrency: 'INR',
    chargeBearer: 'SLEV',
    purposeCode: 'DEPD',
    requestedExecutionDate: null,
    parties: { 'corridor.Parties': parties },
    ...NO_DECLARATIONS,
    ...of.intent,
  };
}

export function transferAccepted(of: Wishes = {}): TransferAccepted {
  const intent = transferRequested(of);
  const originPosition = of.originPosition ?? 'T1:0:42';
  const claim = {
    transferId: intent.transferId,
    hash: payloadHash(intent)!,
    originPosition,
    homePartition: of.homePartition ?? 3,
    acceptedAt: of.at ?? AT,
    producerId: null,
  };
  const context = {
    now: claim.acceptedAt,
    reasons: [],
    claimOutcome: { kind: 'own', claim },
    tokenOf: tokeniser(TOKEN_KEY),
    producerId: null,
    corridorId: BOOK.between(intent.sourceCurrency, intent.targetCurrency)?.id ?? null,
  } as const;
  return only(decideIntake(received('transfer.requested', intent, { originPosition }), context), 'transfer.accepted');
}

/** The list version that the events below were screened against. */
export const LIST: ListReference = {
  source: 'CORRIDOR',
  versionId: 'CORRIDOR-1',
  publishedOn: '2026-11-20',
  contentHash: 'ab'.repeat(32),
  activation: 1,
};

/** What a screener finds: clear, or the sender on a list. */
export function findings(outcome: ScreeningOutcome = 'CLEAR'): Findings {
  const hit = {
    source: 'CORRIDOR',
    entityId: '9001',
    matchedName: 'HARTLEY, Gwen',
    aliasQuality: 'PRIMARY',
    score: 1,
    isHit: true,
    exceptionId: null,
    features: [{ name: 'name_words', value: 1, detail: '2', kind: 'score' }],
    nameKind: 'primary',
    family: 'HARTLEY',
    given: 'Gwen',
    comparedAs: 'person',
    threshold: 0.75,
    entity: {
      type: 'person',
      entityHash: '9f'.repeat(32),
      birthDates: [],
      countries: [],
      gender: null,
      identifiers: [],
      birthPlaces: [],
    },
  };
  return {
    outcome,
    lists: [LIST],
    engineVersion: '1.0.0',
    configurationHash: 'cd'.repeat(32),
    configuration: '{}',
    rechecks: [],
    threshold: 0.75,
    parties: [
      {
        role: 'DEBTOR',
        outcome,
        queryHash: '01'.repeat(32),
        candidates: outcome === 'CLEAR' ? [] : [hit],
        unscreenableCode: null,
      },
      { role: 'CREDITOR', outcome: 'CLEAR', queryHash: '02'.repeat(32), candidates: [], unscreenableCode: null },
    ],
  };
}

function screened(of: Wishes, outcome: ScreeningOutcome) {
  const input = received('transfer.accepted', transferAccepted(of));
  return decideScreening(input, {
    kind: 'screened',
    now: of.at ?? AT,
    findings: findings(outcome),
    holding: HOLDING,
  });
}

export const transferScreened = (of: Wishes = {}): TransferScreened => only(screened(of, 'CLEAR'), 'transfer.screened');

/** Held by screening. */
export const transferHeld = (of: Wishes = {}): TransferHeld => only(screened(of, 'POTENTIAL_MATCH'), 'transfer.held');

export const leg = (over: Partial<RateLeg> = {}): RateLeg => ({
  base: 'GBP',
  quote: 'INR',
  rate: '125.2579',
  source: 'sample',
  observedAt: AT - 60_000,
  agreement: { sources: ['sample'], distanceBps: 0 },
  ...over,
});

export function fxRate(over: Partial<FxRate> = {}): FxRate {
  const { agreement: _, ...quoted } = leg();
  return { ...quoted, publishedAt: AT - 60_000, rawHash: null, ...over };
}

function priced(input: Parameters<typeof decidePrice>[0], at: number): TransferPriced {
  const { sourceCurrency, targetCurrency } = input.value.instruction;
  const context = {
    now: at,
    corridor: BOOK.between(sourceCurrency, targetCurrency),
    terms: BUILT_IN,
    route: { kind: 'fresh', legs: [leg({ observedAt: at - 60_000 })], taken: [] },
    rules: DEFAULT_PRICING_RULES,
  } as const;
  return only(decidePrice(input, context), 'transfer.priced');
}

export const transferPriced = (of: Wishes = {}): TransferPriced =>
  priced(received('transfer.screened', transferScreened(of)), of.at ?? AT);

/** Priced again after a requote: the next attempt. */
export const transferRepriced = (requote: RequoteRequested, at: number = AT): TransferPriced =>
  priced(received('transfer.requote-requested', requote), at);

/** The built-in rules, as the stage asks them. */
export const LIMIT_BOOK = bookOf(BUILT_IN_LIMITS, BOOK);

/** Uses of a sender who used `usedBefore` (minor units) of every rule that counts the transfer. */
export const limitUses = (value: TransferPriced, at: number = AT, usedBefore = 0n): readonly LimitUse[] =>
  requestsOf(value, at, LIMIT_BOOK).map((request) => requestedUse(request, usedBefore + request.minor));

function limited(value: TransferPriced, at: number, usedBefore: bigint) {
  const outcome = { kind: 'reserved', uses: limitUses(value, at, usedBefore) } as const;
  const input = received('transfer.priced', value, { appendedAt: at });
  return decideLimits(input, { kind: 'claimed', now: at, outcome, holding: HOLDING, book: LIMIT_BOOK });
}

export const transferReserved = (of: Wishes = {}): TransferReserved => reservedFrom(transferPriced(of), of.at);

export const reservedFrom = (value: TransferPriced, at: number = AT): TransferReserved =>
  only(limited(value, at, 0n), 'transfer.reserved');

/** Held by limits: above what passes without review. */
export const transferHeldByLimits = (of: Wishes = {}): TransferHeld =>
  only(limited(transferPriced(of), of.at ?? AT, 750_000n), 'transfer.held');

function dispatched(value: TransferReserved, now: number) {
  return decideDispatch(received('transfer.reserved', value), { now, rules: DEFAULT_DISPATCH_RULES, holding: HOLDING });
}

export const payoutRequested = (of: Wishes = {}): PayoutRequested => requestedFrom(transferReserved(of), of.at);

export const requestedFrom = (value: TransferReserved, at: number = AT): PayoutRequested =>
  only(dispatched(value, at), 'payout.requested');

/** Held before the payout: a party resembles what a list says since it was screened. */
export function heldByDispatch(of: Wishes = {}): TransferHeld {
  const { rechecks: _, threshold: __, ...difference } = findings('POTENTIAL_MATCH');
  const input = received('transfer.reserved', transferReserved(of));
  const context = { now: of.at ?? AT, rules: DEFAULT_DISPATCH_RULES, holding: HOLDING, difference };
  return only(decideDispatch(input, context), 'transfer.held');
}

/** The price expired before dispatch. */
export function requoteRequested(of: Wishes = {}): RequoteRequested {
  const value = transferReserved(of);
  return only(dispatched(value, value.price.expiresAt), 'transfer.requote-requested');
}

export interface PayoutWishes {
  readonly status?: PayoutStatus;
  readonly version?: number;
  readonly commandId?: string;
  readonly reason?: PayoutState['reason'];
}

export function payoutUpdated(requested: PayoutRequested = payoutRequested(), wish: PayoutWishes = {}): PayoutUpdated {
  const { transferId, attempt, homePartition } = requested.envelope;
  const version = wish.version ?? 2;
  return {
    command: {
      commandId: wish.commandId ?? `${transferId}:${version}`,
      transferId,
      attempt,
      issuedAt: AT,
      issuedBy: 'payout-executor',
      homePartition,
    },
    requested,
    payout: {
      payoutId: transferId,
      version,
      status: wish.status ?? 'PAID',
      provider: 'simulator',
      attemptKey: `${transferId}:${attempt}`,
      providerReference: 'SIM-1',
      reason: wish.reason ?? null,
      changedAt: AT,
    },
    asked: wish.status === 'EXPIRED' ? askedFor(requested) : null,
  };
}

function settled(update: PayoutUpdated, end: 'completed' | 'returned' | 'rejected', sequence: number) {
  const { commandId, attempt } = update.command;
  const position = 'payout.updated:3:7';
  const step = { commandId, position, version: update.payout.version, attempt, sequence, end, at: AT };
  return decideSettlement(received('payout.updated', update), { outcome: { kind: 'step', step } });
}

export function transferCompleted(requested: PayoutRequested = payoutRequested()): TransferCompleted {
  return only(settled(payoutUpdated(requested), 'completed', requested.envelope.sequence + 1), 'transfer.completed');
}

/** Returned after it had been completed. */
export function transferReturned(requested: PayoutRequested = payoutRequested()): TransferReturned {
  const update = payoutUpdated(requested, { status: 'RETURNED', version: 3 });
  return only(settled(update, 'returned', requested.envelope.sequence + 2), 'transfer.returned');
}

/** Rejected because the payout failed. */
export function transferRejected(requested: PayoutRequested = payoutRequested()): TransferRejected {
  const update = payoutUpdated(requested, { status: 'FAILED', reason: { code: 'AC04', detail: 'closed' } });
  return only(settled(update, 'rejected', requested.envelope.sequence + 1), 'transfer.rejected');
}

/** A person's decision, sealed as it stands unless `over` says what its seal is. */
export function reviewDecided(held: TransferHeld, over: Partial<ReviewDecided> = {}): ReviewDecided {
  const { transferId, attempt, homePartition } = held.envelope;
  const decided: ReviewDecided = {
    command: {
      commandId: `review-${held.hold.holdId}`,
      transferId,
      attempt,
      issuedAt: AT + 1_000,
      issuedBy: 'amara',
      homePartition,
    },
    holdId: held.hold.holdId,
    decision: 'APPROVE',
    justification: 'checked against the passport',
    evidenceHash: held.hold.evidenceHash,
    held,
    seal: null,
    agreedBy: null,
    glass: null,
    approvalId: null,
    approvalHash: null,
    ...over,
  };
  return over.seal === undefined ? { ...decided, seal: sealOfReview(decided) } : decided;
}

/** Topics of a decision's events, or the kind and code of its disposition. */
export function summary(decision: unknown): string {
  if (Array.isArray(decision)) return decision.map((event: { to: string }) => event.to).join(' ');
  const { kind, cause } = decision as { kind: string; cause: { code: string } };
  return `${kind} ${cause.code}`;
}

/** What a processor makes of a batch, as the host would ask it. */
export async function run<I, C, D>(
  processor: { prepare(batch: readonly I[]): Promise<readonly C[]>; decide(input: I, context: C): D },
  batch: readonly I[],
): Promise<readonly D[]> {
  const contexts = await processor.prepare(batch);
  return batch.map((record, index) => processor.decide(record, contexts[index]!));
}

/** The one event of a decision, which must go to `topic`. */
export function only<T extends TopicName>(decision: unknown, topic: T): TopicValues[T] {
  const [event, ...rest] = decision as readonly { readonly to: string; readonly value: unknown }[];
  if (event?.to !== topic || rest.length > 0) {
    throw new Error(
      `wanted one ${topic}, got ${JSON.stringify(decision, (_, v) => (typeof v === 'bigint' ? `${v}n` : v))}`,
    );
  }
  return event.value as TopicValues[T];
}
