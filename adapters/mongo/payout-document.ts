// A payout as MongoDB holds it: times as dates, absent rather than null where an index must not see it.
import { Binary } from 'mongodb';
import type { KeyRing } from '../../domain/seals/seal.ts';
import { endsPayout } from '../../payouts/contradictions.ts';
import type { Attempt, Payout, PayoutCase, PayoutUpdate, RequestProof } from '../../payouts/payout.ts';
import { isAskedFor, isSealedPayout, isTrulyClosed, sealPayout } from '../../payouts/seal.ts';
import { STAMP } from './schema-version.ts';

type Dated<T, K extends keyof T> = Omit<T, K> & { readonly [P in K]: T[P] extends number ? Date : Date | null };
type StoredAttempt = Omit<
  Dated<Attempt, 'startedAt' | 'leaseUntil' | 'expiresAt' | 'unknownSince' | 'acceptedAt'>,
  'end'
> & {
  readonly end: { readonly how: string; readonly at: Date; readonly code: string | null } | null;
};
type StoredUpdate = Dated<PayoutUpdate, 'changedAt'>;
type StoredCase = Dated<PayoutCase, 'openedAt' | 'closedAt'>;

type Kept = Pick<
  Payout,
  | 'revision'
  | 'phase'
  | 'provider'
  | 'homePartition'
  | 'pricingAttempt'
  | 'lastAttempt'
  | 'deadAtProvider'
  | 'deadAttempts'
  | 'clockDoubts'
  | 'polls'
>;

/** What a change writes anew. */
export interface PayoutFields extends Kept {
  readonly priceExpiresAt: Date;
  readonly attempts: readonly StoredAttempt[];
  readonly outbox: readonly StoredUpdate[];
  /** Last version in the outbox; 0 before the first. */
  readonly version: number;
  readonly cases: readonly StoredCase[];
  readonly changedAt: Date;
  /** Names the bulk write that wrote last, so that a writer can tell whether it was its own. */
  readonly stamp: string;
  readonly schemaVersion?: number;
  /** Of all of the payout but `publishedVersion` (payouts/seal.ts). */
  readonly seal?: string;
}

export interface PayoutDocument extends PayoutFields {
  readonly _id: string;
  readonly requested: Binary;
  /** The seal of payout dispatch over `requested`. */
  readonly proof?: RequestProof | null;
  readonly createdAt: Date;
  readonly publishedVersion: number;
  /** When to ask the provider, or to look after a lease. */
  readonly nextPollAt?: Date;
  /** When to begin an attempt: apart, so that what waits for a provider that is down is not searched through. */
  readonly nextSubmitAt?: Date;
  /** Since when the outbox holds something that may not be published. */
  readonly unpublishedSince?: Date;
  /** Since when a person is needed. */
  readonly caseSince?: Date;
}

const date = (ms: number) => new Date(ms);
const dateOrNull = (ms: number | null) => (ms === null ? null : new Date(ms));
const msOrNull = (at: Date | null) => (at === null ? null : at.getTime());

function storedAttempt(attempt: Attempt): StoredAttempt {
  const { startedAt, leaseUntil, expiresAt, unknownSince, acceptedAt, end } = attempt;
  return {
    ...attempt,
    startedAt: date(startedAt),
    leaseUntil: date(leaseUntil),
    expiresAt: date(expiresAt),
    unknownSince: dateOrNull(unknownSince),
    acceptedAt: dateOrNull(acceptedAt),
    end: end && { ...end, at: date(end.at) },
  };
}

function attemptOf(stored: StoredAttempt): Attempt {
  const { startedAt, leaseUntil, expiresAt, unknownSince, acceptedAt, end } = stored;
  return {
    ...stored,
    startedAt: startedAt.getTime(),
    leaseUntil: leaseUntil.getTime(),
    expiresAt: expiresAt.getTime(),
    unknownSince: msOrNull(unknownSince),
    acceptedAt: msOrNull(acceptedAt),
    end: end && ({ ...end, at: end.at.getTime() } as NonNullable<Attempt['end']>),
  };
}

/** The fields that every change writes, and those that it must set or remove. */
export function payoutFields(payout: Payout, stamp: string, ring?: KeyRing): PayoutFields {
  const { revision, phase, provider, homePartition, pricingAttempt, lastAttempt, deadAtProvider, polls } = payout;
  const { deadAttempts, clockDoubts } = payout;
  return {
    revision,
    phase,
    provider,
    homePartition,
    pricingAttempt,
    lastAttempt,
    deadAtProvider,
    deadAttempts,
    clockDoubts,
    polls,
    priceExpiresAt: date(payout.priceExpiresAt),
    attempts: payout.attempts.map(storedAttempt),
    outbox: payout.updates.map((update) => ({ ...update, changedAt: date(update.changedAt) })),
    version: payout.updates.at(-1)?.version ?? 0,
    cases: payout.cases.map((one) => ({
      ...one,
      openedAt: date(one.openedAt),
      closedAt: dateOrNull(one.closedAt),
    })),
    changedAt: date(payout.changedAt),
    stamp,
    ...STAMP,
    ...(ring && { seal: sealPayout(ring, payout) }),
  };
}

/** Under which keys a stored payout is sealed; without them nobody can tell. */
export interface PayoutKeys {
  /** Of the executor: what it writes is sealed as a whole. */
  readonly ring?: KeyRing | undefined;
  /** Of the stages: what it pays on was sealed by payout dispatch. */
  readonly stages?: KeyRing | undefined;
  /** Of operators: a case that nobody of them closed is no closed one. */
  readonly operators?: KeyRing | undefined;
}

/** Whether this is what an executor has written, all of it, on what payout dispatch has asked for. */
export function isGenuine(document: PayoutDocument, { ring, stages, operators }: PayoutKeys): boolean {
  try {
    const payout = payoutOf(document);
    if (ring && !isSealedPayout(ring, payout, document.seal)) return false;
    if (operators && !isTrulyClosed(operators, payout)) return false;
    return stages === undefined || isAskedFor(stages, payout);
  } catch {
    // Of another shape than any that was ever written.
    return false;
  }
}

export const INDEXED_FIELDS = ['nextPollAt', 'nextSubmitAt', 'unpublishedSince', 'caseSince'] as const;

/** What a person has ended waits for no provider: it is found also while that one is down or paused. */
const isSubmitDue = ({ phase, cases }: Payout): boolean =>
  phase === 'NEW' && !cases.some((one) => one.closedAt !== null && (one.code === 'ATTEMPTS_DIED' || endsPayout(one)));

/** Fields that indexes stand on: there only while there is something to do. */
export function indexedFields(payout: Payout): Pick<PayoutDocument, (typeof INDEXED_FIELDS)[number]> {
  const { nextPollAt, updates, publishedVersion, cases } = payout;
  const oldest = updates.find(({ version }) => version > publishedVersion);
  const open = cases.find(({ closedAt }) => closedAt === null);
  return {
    ...(nextPollAt !== null && { [isSubmitDue(payout) ? 'nextSubmitAt' : 'nextPollAt']: date(nextPollAt) }),
    ...(oldest && { unpublishedSince: date(oldest.changedAt) }),
    ...(open && { caseSince: date(open.openedAt) }),
  };
}

export function payoutDocument(payout: Payout, stamp: string, ring?: KeyRing): PayoutDocument {
  return {
    _id: payout.payoutId,
    ...payoutFields(payout, stamp, ring),
    ...indexedFields(payout),
    requested: new Binary(payout.requested),
    proof: payout.proof ?? null,
    createdAt: date(payout.createdAt),
    publishedVersion: payout.publishedVersion,
  };
}

export function payoutOf(document: PayoutDocument): Payout {
  const { revision, phase, provider, homePartition, pricingAttempt, lastAttempt, deadAtProvider, polls } = document;
  return {
    payoutId: document._id,
    revision,
    phase,
    provider,
    homePartition,
    pricingAttempt,
    lastAttempt,
    deadAtProvider,
    deadAttempts: document.deadAttempts ?? 0,
    clockDoubts: document.clockDoubts ?? 0,
    polls,
    priceExpiresAt: document.priceExpiresAt.getTime(),
    requested: document.requested.value(),
    ...(document.proof && { proof: document.proof }),
    attempts: document.attempts.map(attemptOf),
    nextPollAt: (document.nextPollAt ?? document.nextSubmitAt)?.getTime() ?? null,
    updates: document.outbox.map((update) => ({ ...update, changedAt: update.changedAt.getTime() }) as PayoutUpdate),
    publishedVersion: document.publishedVersion,
    cases: document.cases.map(
      (one) => ({ ...one, openedAt: one.openedAt.getTime(), closedAt: msOrNull(one.closedAt) }) as PayoutCase,
    ),
    createdAt: document.createdAt.getTime(),
    changedAt: document.changedAt.getTime(),
  };
}
