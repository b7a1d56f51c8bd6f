/**
 * The provider's HTTP contract, version 1: every body that crosses the wire, as zod schemas.
 *
 * This file is the documented contract (docs/simulator.md shows an example of each body). A client of the provider
 * writes its own types against it, as it would for a bank: nothing outside simulator/ and the tests imports this file.
 */
import { z } from 'zod';

/** The path prefix of this version of the contract. */
export const API_PREFIX = '/v1';

/** Names one attempt at one payout, chosen by the client. Two submits with one key are the same payout. */
export const IDEMPOTENCY_KEY_HEADER = 'idempotency-key';

/** Set to `true` on an answer that repeats what an earlier submit with this key had already brought about. */
export const REPLAYED_HEADER = 'idempotent-replayed';

/**
 * What was accepted is visible to `GET /v1/payouts/{key}` at most this many milliseconds later. So `NOT_FOUND` proves
 * that a key is dead only when its `asOf` is at or after the `expiresAt` that was sent with the key plus this.
 */
export const VISIBLE_WITHIN_MS = 5_000;

export const idempotencyKey = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9:._-]{0,127}$/, 'expected 1 to 128 characters out of A-Z a-z 0-9 : . _ -');

/** Lengths are counted in characters, as ISO 20022 does, not in UTF-16 units. Controls are no text. */
const text = (most: number, least = 1) =>
  z
    .string()
    .refine((value) => value.length >= least, `expected ${least} character at least`)
    .refine((value) => value.length <= 2 * most && [...value].length <= most, `expected ${most} characters at most`)
    .refine((value) => !/[\p{Cc}\p{Cs}]/u.test(value), 'expected no control characters');

/** Minor units as a decimal string (preferred), or as a JSON integer that a double holds exactly. Always more than 0. */
const minorUnits = z
  .union([z.string().regex(/^[1-9]\d{0,17}$/, 'expected 1 to 18 digits, no sign, no leading zero'), z.int().positive()])
  .transform(String);

export const money = z.object({
  minor: minorUnits,
  currency: z.string().regex(/^[A-Z]{3}$/, 'expected an ISO 4217 code'),
});

/** An address in the fields of ISO 20022; what is not known is null. */
export const address = z.object({
  street: text(70).nullable(),
  building: text(70).nullable(),
  postCode: text(70).nullable(),
  town: text(70).nullable(),
  subdivision: text(70).nullable(),
  country: z
    .string()
    .regex(/^[A-Z]{2}$/)
    .nullable(),
  lines: z.array(text(70)).max(2),
});

/** Who pays, as the rules of payments want it to travel with the money. */
export const payer = z.object({
  name: text(140),
  kind: z.enum(['PERSON', 'ORGANISATION', 'UNKNOWN']),
  account: text(70),
  bankCode: text(70).nullable(),
  country: z.string().regex(/^[A-Z]{2}$/),
  customerNumber: text(70),
  address: address.nullable(),
  addressLine: text(350, 0).nullable(),
  birthDate: text(10).nullable(),
  birthPlace: z.object({ town: text(70), country: z.string().regex(/^[A-Z]{2}$/) }).nullable(),
  identifiers: z
    .array(
      z.object({
        scheme: text(70),
        value: text(70),
        country: z
          .string()
          .regex(/^[A-Z]{2}$/)
          .nullable(),
      }),
    )
    .max(10),
});

/** Why the money is sent. */
export const purpose = z.object({
  code: text(4, 0),
  national: z.object({ scheme: text(16), code: text(16), relation: text(16).nullable() }).nullable(),
});

export const beneficiary = z.object({
  name: text(140),
  /** IBAN or domestic account number. Its last six digits choose the outcome: see `scenarios.ts`. */
  account: text(64),
  /** IFSC, BIC or sort code. */
  bankCode: text(35).optional(),
  country: z
    .string()
    .regex(/^[A-Z]{2}$/, 'expected an ISO 3166 code')
    .optional(),
  address: address.optional(),
});

/** Body of `POST /v1/payouts`. */
export const submitPayoutRequest = z.object({
  transferId: text(64),
  endToEndId: text(35),
  amount: money,
  rail: text(35),
  corridor: text(35),
  beneficiary,
  /** The payer, and what goes with it: all four, or none of them (clients of before). */
  payer: payer.optional(),
  purpose: purpose.optional(),
  chargeBearer: text(4).optional(),
  /** UUID of version 4: one for the transfer, whatever the key. */
  uetr: z.uuidv4().optional(),
  /** RFC 3339 with an offset. The provider never executes this key at or after this moment of its own clock. */
  expiresAt: z.iso.datetime({ offset: true }),
  remittanceInformation: text(140, 0).optional(),
});

/**
 * | state     | has money moved?  | can it still? |
 * |-----------|-------------------|---------------|
 * | ACCEPTED  | no                | yes, until `expiresAt` |
 * | PAID      | yes, once         | it may come back: RETURNED |
 * | RETURNED  | yes, and back     | no |
 * | FAILED    | no                | never |
 * | EXPIRED   | no                | never |
 * | CANCELLED | no                | never |
 * | REFUSED   | no                | never |
 */
export const payoutState = z.enum(['ACCEPTED', 'PAID', 'RETURNED', 'FAILED', 'EXPIRED', 'CANCELLED', 'REFUSED']);

/**
 * A payout as the provider sees it: the 2xx body of submit, query and cancel. A key that was closed before any submit
 * was accepted (CANCELLED, EXPIRED, REFUSED) has none of the fields that come from an accepted submit.
 */
export const payoutView = z.object({
  idempotencyKey,
  state: payoutState,
  /** ISO 20022 external status or return reason code; set for FAILED, EXPIRED, RETURNED and declined REFUSED. */
  reasonCode: z.string().optional(),
  transferId: z.string().optional(),
  endToEndId: z.string().optional(),
  amount: z.object({ minor: z.string(), currency: z.string() }).optional(),
  rail: z.string().optional(),
  /** Whom it is for: hex SHA-256 of transferId, account and bankCode (empty where there is none), joined with line feeds. */
  beneficiaryDigest: z.string().optional(),
  /** Who pays and why: hex SHA-256 of the JSON array of what was said of it; docs/simulator.md says in which order. */
  payerDigest: z.string().optional(),
  acceptedAt: z.iso.datetime().optional(),
  paidAt: z.iso.datetime().optional(),
  expiresAt: z.iso.datetime().optional(),
  updatedAt: z.iso.datetime(),
  /** The provider's clock when it answered. */
  asOf: z.iso.datetime(),
});

/**
 * | code                 | HTTP | definitive | meaning |
 * |----------------------|------|------------|---------|
 * | INVALID_REQUEST      | 400  | yes (no, when the key has a live payout) | the body or the key breaks this contract |
 * | EXPIRED              | 422  | yes        | the submit arrived at or after `expiresAt`; reason TM01 |
 * | DECLINED             | 422  | yes        | refused by data; `reasonCode` says why |
 * | CANCELLED            | 422  | yes        | a confirmed cancel came first |
 * | IDEMPOTENCY_MISMATCH | 409  | no         | the key has another body; the first stands |
 * | ALREADY_EXECUTED     | 409  | no         | cancel came too late |
 * | NOT_FOUND            | 404  | no         | nothing visible under this key at `asOf` |
 * | RATE_LIMITED         | 429  | no         | not processed; wait for `Retry-After` seconds |
 * | UNAUTHORIZED         | 401  | no         | not processed; token, signature or certificate is missing or wrong |
 * | INTERNAL             | 500  | no         | unknown whether it was processed: query |
 * | UNAVAILABLE          | 503  | no         | the ledger cannot be written: unknown whether it was processed |
 */
export const errorCode = z.enum([
  'INVALID_REQUEST',
  'EXPIRED',
  'DECLINED',
  'CANCELLED',
  'IDEMPOTENCY_MISMATCH',
  'ALREADY_EXECUTED',
  'NOT_FOUND',
  'RATE_LIMITED',
  'UNAUTHORIZED',
  'INTERNAL',
  'UNAVAILABLE',
]);

/** Body of every 4xx and 5xx answer. */
export const errorBody = z.object({
  code: errorCode,
  message: z.string(),
  /** True is a promise: this key has never executed and never will. */
  definitive: z.boolean(),
  reasonCode: z.string().optional(),
  /** The state of the payout, where there is one. */
  state: payoutState.optional(),
  asOf: z.iso.datetime(),
});

/** Query string of `GET /v1/executions`. */
export const executionsQuery = z.object({
  /** Only ledger records with a greater `seq`; 0 is from the start. */
  after: z.coerce.number().int().nonnegative().default(0),
  /** At most this many lines; without it, all up to the end of the ledger at the time of the call. */
  limit: z.coerce.number().int().positive().optional(),
  /** `execution` (default), several kinds separated by commas, or `all`. */
  kinds: z.string().default('execution'),
});

/** Body of a webhook, if webhooks are on. */
export const webhookEvent = z.object({ eventId: z.string(), payout: payoutView });

export type PayoutState = z.infer<typeof payoutState>;
export type PayoutView = z.infer<typeof payoutView>;
export type ErrorCode = z.infer<typeof errorCode>;
export type ErrorBody = z.infer<typeof errorBody>;
export type WebhookEvent = z.infer<typeof webhookEvent>;
