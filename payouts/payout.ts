// What is known of a payout. One document per transfer, with ordered attempts; types only.
import type { ShownCode } from '../ports/error-codes.ts';

/**
 * Where a payout stands.
 * NEW: nothing is alive at the provider; an attempt may begin. SUBMITTING: one worker may send, once. ACCEPTED: the
 * provider has it. OUTCOME_UNKNOWN: it may or may not have it. PAID: money has moved. FAILED: it never will.
 * EXPIRED: nothing was paid and the price is over, so the transfer is priced again. RETURNED: the money came back.
 */
export type PayoutPhase =
  | 'NEW'
  | 'SUBMITTING'
  | 'ACCEPTED'
  | 'OUTCOME_UNKNOWN'
  | 'PAID'
  | 'FAILED'
  | 'EXPIRED'
  | 'RETURNED';

/**
 * How an attempt ended; each is proof. All but `paid` prove that its key has never moved money and never will.
 * `not-sent`: the worker that held it saw it fail before the first byte. `refused`, `failed`, `expired`, `cancelled`: the
 * provider says so of this key. `unseen-at-expiry`: the provider did not know the key when its expiry and the longest
 * delay of its queries were over, by the provider's clock and by ours. `stated-unpaid`: the provider told two persons so, in
 * writing; nothing begins after it, so it need not be proof.
 */
export type AttemptEnd =
  | 'paid'
  | 'not-sent'
  | 'refused'
  | 'failed'
  | 'expired'
  | 'cancelled'
  | 'unseen-at-expiry'
  | 'stated-unpaid';

/** One try under one idempotency key. A key is sent at most once. All times are ms since the epoch. */
export interface Attempt {
  /** From 1, rising over all pricing attempts of the payout. */
  readonly number: number;
  /** Idempotency key: transferId:number. */
  readonly key: string;
  readonly pricingAttempt: number;
  readonly startedAt: number;
  /** Made anew for each attempt that is claimed: tells it from another of the same number and millisecond. Absent in documents of before. */
  readonly token?: string;
  /** Only before this may the worker that began the attempt send it. */
  readonly leaseUntil: number;
  /** The provider never executes this key at or after this moment of its own clock. */
  readonly expiresAt: number;
  /** When the worker stopped knowing what became of it. */
  readonly unknownSince: number | null;
  /** When the provider was first seen to have it. */
  readonly acceptedAt: number | null;
  /** A query found nothing for long enough: a cancel follows. */
  readonly notFound: boolean;
  readonly end: { readonly how: AttemptEnd; readonly at: number; readonly code: string | null } | null;
}

/** A change that settlement hears of. Everything that its message holds is here, so that it reads the same each time. */
export interface PayoutUpdate {
  readonly version: number;
  readonly status: 'OUTCOME_UNKNOWN' | 'PAID' | 'FAILED' | 'RETURNED' | 'EXPIRED';
  readonly pricingAttempt: number;
  readonly attemptKey: string;
  readonly providerReference: string | null;
  readonly reason: { readonly code: string; readonly detail: string } | null;
  readonly changedAt: number;
}

export const PAYOUT_CASE_CODES = [
  ...(['NO_PROOF', 'CONTRADICTION', 'SUPERSEDE_REFUSED', 'ATTEMPTS_DIED'] as const),
  ...(['PROVIDER_CLOCK', 'ANSWER_DIFFERS', 'ROLLED_BACK'] as const),
] as const;
export type PayoutCaseCode = (typeof PAYOUT_CASE_CODES)[number];

/** Something that a person has to look at. The payout is still polled; NO_PROOF closes when the truth comes out. */
export interface PayoutCase {
  readonly code: PayoutCaseCode;
  readonly detail: string;
  readonly attemptKey: string;
  readonly openedAt: number;
  readonly closedAt: number | null;
  /** Who closed it by hand, and why, under the seal of operators; absent when it closed by itself. */
  readonly closing?: CaseClosed;
}

export interface CaseClosed {
  readonly by: string;
  readonly reason: string;
  /** Who let it through, where it took two persons. */
  readonly agreedBy?: string;
  /** By which the payout was settled. */
  readonly statement?: ProviderStatement;
  readonly seal?: string;
}

/** What the provider has told two persons in writing of a transfer whose outcome it does not tell by itself. */
export interface ProviderStatement {
  /** Whether it has paid the transfer under any of its keys. */
  readonly outcome: 'PAID' | 'UNPAID';
  /** Of the line of a statement of account, or of a letter: plain text of 1 to 64 characters. */
  readonly reference: string;
  /** Day of the document, YYYY-MM-DD. */
  readonly date: string;
  /** Of the document, in hexadecimal. */
  readonly documentSha256: string;
}

/** The seal of payout dispatch over a payout.requested, with the cause that it is over too (domain/seals/record-seal.ts). */
export interface RequestProof {
  readonly cause: string;
  readonly seal: string;
}

export interface Payout {
  /** Equal to the transferId. */
  readonly payoutId: string;
  /** Rises by one with each write; every write names the revision that it follows. */
  readonly revision: number;
  readonly phase: PayoutPhase;
  readonly provider: string;
  readonly homePartition: number;
  readonly pricingAttempt: number;
  readonly priceExpiresAt: number;
  /** The payout.requested event of the pricing attempt, encoded: it is asked for only to send or to publish. */
  readonly requested: Uint8Array;
  /** Who asked for it, provably: over `requested`, byte for byte. A payout without one counts for nothing where seals are checked. */
  readonly proof?: RequestProof | null;
  /** All that were ever begun, oldest first. */
  readonly attempts: readonly Attempt[];
  /** Number of the last attempt; 0 before the first. */
  readonly lastAttempt: number;
  /** Attempts that the provider took and that ended without money moving. */
  readonly deadAtProvider: number;
  /** Attempts that were, or may have been, sent and are provably dead, over all pricing attempts. */
  readonly deadAttempts: number;
  /** Answers about this payout that bore a clock implausibly far from ours. */
  readonly clockDoubts: number;
  /** Polls or retries since the phase began; spaces them out. */
  readonly polls: number;
  /** When there is something to do again; null: never. */
  readonly nextPollAt: number | null;
  /** Every change that settlement hears of, oldest first: the outbox. */
  readonly updates: readonly PayoutUpdate[];
  /** Up to this version the log has them. */
  readonly publishedVersion: number;
  readonly cases: readonly PayoutCase[];
  readonly createdAt: number;
  readonly changedAt: number;
}

/** An address as a provider is told it: fields of ISO 20022; null: not known. */
export interface StatedAddress {
  readonly street: string | null;
  readonly building: string | null;
  readonly postCode: string | null;
  readonly town: string | null;
  readonly subdivision: string | null;
  readonly country: string | null;
  /** At most two. */
  readonly lines: readonly string[];
}

/** Who pays, as far as it is known: what the rules of payments want to travel with the money. Personal data. */
export interface StatedPayer {
  readonly name: string;
  readonly kind: 'PERSON' | 'ORGANISATION' | 'UNKNOWN';
  readonly account: string;
  readonly bankCode: string | null;
  readonly country: string;
  readonly customerNumber: string;
  readonly address: StatedAddress | null;
  /** Deprecated form of the address, for people. */
  readonly addressLine: string | null;
  /** ISO 8601, as far as it is known. */
  readonly birthDate: string | null;
  readonly birthPlace: { readonly town: string; readonly country: string } | null;
  readonly identifiers: readonly {
    readonly scheme: string;
    readonly value: string;
    readonly country: string | null;
  }[];
}

/** Why the money is sent: ISO 20022 and, where it is asked for, a country's own codes. */
export interface StatedPurpose {
  readonly code: string;
  readonly national: { readonly scheme: string; readonly code: string; readonly relation: string | null } | null;
}

/** What the executor asks of a provider. */
export interface PayoutInstruction {
  readonly key: string;
  readonly transferId: string;
  readonly endToEndId: string;
  readonly amount: { readonly minor: bigint; readonly currency: string };
  readonly rail: string;
  readonly corridor: string;
  readonly beneficiary: {
    readonly name: string;
    readonly account: string;
    readonly bankCode: string | null;
    readonly country: string;
    readonly address: StatedAddress | null;
  };
  readonly payer: StatedPayer;
  readonly purpose: StatedPurpose;
  readonly chargeBearer: string;
  /** One per transfer, over all attempts. */
  readonly uetr: string;
  readonly remittanceInformation: string | null;
  /** ms since the epoch; enforced by the provider. */
  readonly expiresAt: number;
}

/** What a provider states about one key. It is believed, and each state but ACCEPTED is for good (PAID may yet return). */
export interface Observation {
  readonly kind: 'observed';
  readonly state: 'ACCEPTED' | 'PAID' | 'RETURNED' | 'FAILED' | 'REFUSED' | 'EXPIRED' | 'CANCELLED';
  readonly reference: string | null;
  readonly reasonCode: string | null;
  /** The provider's clock when it answered, ms since the epoch; absent: it did not say. */
  readonly asOf?: number;
  /** What it says that it was asked to do, as far as it says so. */
  readonly echoed?: EchoedInstruction;
  /** Names of what it said that differs from what was asked; absent or empty: nothing. */
  readonly differs?: readonly string[];
}

/** What an answer repeats of the instruction. */
export interface EchoedInstruction {
  readonly transferId?: string;
  readonly endToEndId?: string;
  readonly amount?: { readonly minor: bigint; readonly currency: string };
  /** See `beneficiaryDigest`. */
  readonly beneficiaryDigest?: string;
  /** See `payerDigest`. */
  readonly payerDigest?: string;
}

/** Why there is no statement. The code is stable. */
export interface Silence<Kind extends string> {
  readonly kind: Kind;
  readonly code: ShownCode;
  readonly detail: string;
}

/** `not-sent`: it failed before the first byte left, for certain. `unknown`: anything else without a statement. */
export type SubmitResult = Observation | Silence<'not-sent'> | Silence<'unknown'>;

export type QueryResult =
  | Observation
  /** Nothing is visible under the key at `asOf` (the provider's clock). That alone proves nothing. */
  | { readonly kind: 'not-found'; readonly asOf: number }
  | Silence<'no-answer'>;

export type CancelResult = Observation | { readonly kind: 'too-late' } | Silence<'no-answer'>;
