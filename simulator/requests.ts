/** From what arrives over HTTP to commands, and from answers to what leaves. No I/O. */
import { hash } from 'node:crypto';
import type { z } from 'zod';
import { type ErrorBody, type ErrorCode, type PayoutView, submitPayoutRequest } from './api.ts';
import type { Answer, Instruction } from './decide.ts';
import { type Payout, stateOf } from './payout.ts';
import type { RecordedMoney } from './records.ts';
import { scenarioOf } from './scenarios.ts';

/** A submit body as it was understood. */
export type ParsedSubmit =
  | { readonly ok: true; readonly instruction: Instruction }
  | { readonly ok: false; readonly transferId: string | null; readonly problems: string };

export function parseSubmit(body: string): ParsedSubmit {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return { ok: false, transferId: null, problems: 'the body is no JSON' };
  }
  const parsed = submitPayoutRequest.safeParse(json);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`);
    return { ok: false, transferId: transferIdIn(json), problems: problems.join('; ') };
  }
  const { transferId, endToEndId, amount, rail, corridor, beneficiary, remittanceInformation } = parsed.data;
  const { name, account, bankCode, country } = beneficiary;
  const expiresAt = Date.parse(parsed.data.expiresAt);
  const whole = [transferId, endToEndId, amount.minor, amount.currency, rail, corridor, name, account];
  const rest = [bankCode ?? null, country ?? null, remittanceInformation ?? null, expiresAt];
  const stated = statedIn(parsed.data);
  const ofPayer = stated && { payerDigest: hash('sha256', stated) };
  const address = parsed.data.beneficiary.address;
  const instruction: Instruction = {
    transferId,
    endToEndId,
    rail,
    amount,
    expiresAt,
    beneficiaryDigest: hash('sha256', [transferId, account, bankCode ?? ''].join('\n')),
    ...ofPayer,
    // Bodies without a payer keep the hash that they had.
    hash: hash(
      'sha256',
      JSON.stringify([whole, rest, ...(stated ? [stated] : []), ...(address ? [address] : [])]),
      'base64url',
    ).slice(0, 22),
    scenario: scenarioOf(account),
  };
  return { ok: true, instruction };
}

/** What is said of the payer and of why, as one text; undefined: nothing. */
function statedIn({ payer, purpose, chargeBearer, uetr }: z.output<typeof submitPayoutRequest>): string | undefined {
  if (!payer || !purpose || chargeBearer === undefined || uetr === undefined) return undefined;
  const { address: at, birthPlace: born } = payer;
  return JSON.stringify([
    ...[payer.name, payer.kind, payer.account, payer.bankCode, payer.country, payer.customerNumber],
    at && [at.street, at.building, at.postCode, at.town, at.subdivision, at.country, at.lines],
    ...[payer.addressLine, payer.birthDate, born && [born.town, born.country]],
    payer.identifiers.map(({ scheme, value, country }) => [scheme, value, country]),
    purpose.code,
    purpose.national && [purpose.national.scheme, purpose.national.code, purpose.national.relation],
    ...[chargeBearer, uetr],
  ]);
}

/** What can be said of a submit for the ledger, however malformed it is. */
export function identify(parsed: ParsedSubmit): { transferId: string | null; amount: RecordedMoney | null } {
  if (!parsed.ok) return { transferId: parsed.transferId, amount: null };
  const { transferId, amount } = parsed.instruction;
  return { transferId, amount };
}

function transferIdIn(json: unknown): string | null {
  if (typeof json !== 'object' || json === null || !('transferId' in json)) return null;
  const { transferId } = json;
  return typeof transferId === 'string' && transferId.length > 0 && transferId.length <= 64 ? transferId : null;
}

/** @param now milliseconds since the epoch, as `asOf`. */
export function viewOf(payout: Payout, now: number): PayoutView {
  const asOf = iso(now);
  const run = payout.runs.at(-1);
  if (!run) {
    const { reasonCode = null, at = now } = payout.closed ?? {};
    const state = stateOf(payout);
    return { idempotencyKey: payout.key, state, ...(reasonCode && { reasonCode }), updatedAt: iso(at), asOf };
  }
  return {
    idempotencyKey: payout.key,
    state: run.state,
    ...(run.reasonCode !== null && { reasonCode: run.reasonCode }),
    ...(run.transferId !== null && { transferId: run.transferId }),
    endToEndId: run.endToEndId,
    amount: run.amount,
    rail: run.rail,
    ...(run.beneficiaryDigest !== undefined && { beneficiaryDigest: run.beneficiaryDigest }),
    ...(run.payerDigest !== undefined && { payerDigest: run.payerDigest }),
    acceptedAt: iso(run.acceptedAt),
    ...(run.paidAt !== null && { paidAt: iso(run.paidAt) }),
    expiresAt: iso(run.expiresAt),
    updatedAt: iso(run.updatedAt),
    asOf,
  };
}

const STATUS_OF: Readonly<Record<ErrorCode, number>> = {
  INVALID_REQUEST: 400,
  NOT_FOUND: 404,
  IDEMPOTENCY_MISMATCH: 409,
  ALREADY_EXECUTED: 409,
  EXPIRED: 422,
  DECLINED: 422,
  CANCELLED: 422,
  RATE_LIMITED: 429,
  UNAUTHORIZED: 401,
  INTERNAL: 500,
  UNAVAILABLE: 503,
};

export interface HttpAnswer {
  readonly status: number;
  readonly body: PayoutView | ErrorBody;
  readonly replayed: boolean;
}

/** 202 while the payout is ACCEPTED, 200 for any other state, the error's status otherwise. */
export function toHttp(answer: Answer, now: number, problems?: string): HttpAnswer {
  if (answer.type === 'payout') {
    const body = viewOf(answer.payout, now);
    return { status: body.state === 'ACCEPTED' ? 202 : 200, body, replayed: answer.replayed };
  }
  if (answer.type === 'none') return failure('INTERNAL', 'the request was not processed; query the payout', now);
  const { type: _, ...error } = answer;
  const message = problems ? `${problems}; ${error.message}` : error.message;
  return { status: STATUS_OF[error.code], body: { ...error, message, asOf: iso(now) }, replayed: false };
}

/** An error that says nothing about what becomes of the key. */
export function failure(code: ErrorCode, message: string, now: number, definitive = false): HttpAnswer {
  return { status: STATUS_OF[code], body: { code, message, definitive, asOf: iso(now) }, replayed: false };
}

function iso(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
