// What a provider's answers mean. The shapes are its contract, version 1 (docs/simulator.md), as far as they are used.
//
// Nothing of an answer goes on as it came: codes are of a fixed set or one word, texts are bounded and plain.

import { z } from 'zod';
import { safeText } from '../../domain/text/text.ts';
import type { CancelResult, EchoedInstruction, Observation, QueryResult, SubmitResult } from '../../payouts/payout.ts';
import type { ShownCode } from '../../ports/error-codes.ts';
import type { Exchange } from './exchange.ts';

/** `complete`: what says that money moves must repeat what was asked for, or it is no answer. */
export type AnswerRule = 'complete' | 'minimal';

const MAX_REFERENCE_CHARACTERS = 64;
const DEEPEST = 16;
const CODES = [
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
] as const;
const OTHER_CODE = 'OTHER';
/** ISO 20022, narrative: the provider gave a reason that is not a code. */
const NO_REASON_CODE = 'NARR';

const id = z.string().min(1).max(128);
const instant = z
  .string()
  .max(40)
  .pipe(z.iso.datetime({ offset: true }))
  .transform((text) => Date.parse(text));
const reasonCode = z.string().transform((text) => (/^[A-Z0-9]{1,4}$/.test(text) ? text : NO_REASON_CODE));

const view = z.object({
  idempotencyKey: id,
  state: z.enum(['ACCEPTED', 'PAID', 'RETURNED', 'FAILED', 'REFUSED', 'EXPIRED', 'CANCELLED']),
  reasonCode: reasonCode.optional(),
  reference: z
    .string()
    .transform((text) => safeText(text, MAX_REFERENCE_CHARACTERS))
    .optional(),
  asOf: instant,
  transferId: id.optional(),
  endToEndId: id.optional(),
  amount: z
    .object({ minor: z.string().regex(/^\d{1,18}$/), currency: z.string().regex(/^[A-Z]{3}$/) })
    .transform(({ minor, currency }) => ({ minor: BigInt(minor), currency }))
    .optional(),
  beneficiaryDigest: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
  payerDigest: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
});

const refusal = z.object({
  code: z.string().transform((given) => CODES.find((code) => code === given) ?? OTHER_CODE),
  /** A promise: the key has never executed and never will. */
  definitive: z.boolean(),
  reasonCode: reasonCode.optional(),
  /** The state of the payout, where there is one. */
  state: z.string().optional(),
  asOf: instant,
});

type Refusal = z.output<typeof refusal>;
type Read = Observation | { readonly kind: 'refusal'; readonly status: number; readonly refusal: Refusal } | Unread;
interface Unread {
  readonly kind: 'unread';
  readonly code: ShownCode;
  readonly detail: string;
}

export function submitResult(key: string, answer: Exchange, rule: AnswerRule = 'complete'): SubmitResult {
  if (answer.kind === 'not-sent') return answer;
  const read = readAnswer(key, answer, rule);
  if (read.kind === 'observed') return read;
  if (read.kind === 'unread') return { ...read, kind: 'unknown' };
  const { code, reasonCode: why, asOf } = read.refusal;
  if (!isPromise(read))
    return { kind: 'unknown', code: `PROVIDER_${code}`, detail: 'the provider gave no definitive answer' };
  const state = code === 'EXPIRED' || code === 'CANCELLED' ? code : 'REFUSED';
  return { kind: 'observed', state, reference: null, reasonCode: why ?? null, asOf };
}

export function queryResult(key: string, answer: Exchange, rule: AnswerRule = 'complete'): QueryResult {
  const read = readAnswer(key, answer, rule);
  if (read.kind === 'observed') return read;
  if (read.kind === 'unread') return { ...read, kind: 'no-answer' };
  const { code, asOf } = read.refusal;
  if (code === 'NOT_FOUND' && read.status === 404) return { kind: 'not-found', asOf };
  return { kind: 'no-answer', code: `PROVIDER_${code}`, detail: 'the provider refused the query' };
}

export function cancelResult(key: string, answer: Exchange, rule: AnswerRule = 'complete'): CancelResult {
  const read = readAnswer(key, answer, rule);
  if (read.kind === 'observed') return read;
  if (read.kind === 'unread') return { ...read, kind: 'no-answer' };
  if (read.refusal.code === 'ALREADY_EXECUTED') return { kind: 'too-late' };
  return { kind: 'no-answer', code: `PROVIDER_${read.refusal.code}`, detail: 'the provider refused the cancel' };
}

/** Statuses with which a request can be refused for what is in it. */
const REFUSING: ReadonlySet<number> = new Set([400, 409, 410, 422]);
/** Codes that say themselves that nobody knows, or that there is a payout: they promise nothing, whatever else they say. */
const NO_PROMISE: ReadonlySet<string> = new Set([
  'IDEMPOTENCY_MISMATCH',
  'ALREADY_EXECUTED',
  'NOT_FOUND',
  'RATE_LIMITED',
  'UNAUTHORIZED',
  'INTERNAL',
  'UNAVAILABLE',
]);

/** Whether it promises that the key has never executed and never will, and says nothing that contradicts it. */
function isPromise({ status, refusal }: { readonly status: number; readonly refusal: Refusal }): boolean {
  const { definitive, code, state } = refusal;
  if (!definitive || !REFUSING.has(status) || NO_PROMISE.has(code)) return false;
  return state === undefined || DEAD.has(state);
}

function readAnswer(key: string, answer: Exchange, rule: AnswerRule): Read {
  if (answer.kind !== 'answered') return { kind: 'unread', code: answer.code, detail: answer.detail };
  const body = answer.isJson ? parseJson(answer.body) : undefined;
  if (answer.status >= 200 && answer.status < 300) {
    const parsed = view.safeParse(body);
    if (!parsed.success) return { kind: 'unread', code: 'ANSWER_MALFORMED', detail: `HTTP ${answer.status}` };
    return observation(key, parsed.data, rule);
  }
  const parsed = refusal.safeParse(body);
  if (!parsed.success) return { kind: 'unread', code: `HTTP_${answer.status}`, detail: 'no readable answer' };
  return { kind: 'refusal', status: answer.status, refusal: parsed.data };
}

/** States in which a key has not executed and never will. */
const DEAD: ReadonlySet<string> = new Set(['REFUSED', 'EXPIRED', 'CANCELLED', 'FAILED']);
const MONEY_MOVES: readonly Observation['state'][] = ['ACCEPTED', 'PAID', 'RETURNED'];

function observation(key: string, data: z.output<typeof view>, rule: AnswerRule): Observation | Unread {
  const { idempotencyKey, state, reference, asOf, transferId, endToEndId, amount, beneficiaryDigest, payerDigest } =
    data;
  if (idempotencyKey !== key)
    return { kind: 'unread', code: 'ANSWER_FOR_ANOTHER_KEY', detail: 'it names another key than was asked about' };
  const isComplete = transferId && endToEndId && amount && beneficiaryDigest;
  if (rule === 'complete' && MONEY_MOVES.includes(state) && !isComplete) {
    const detail = `it says ${state}, and does not repeat what was asked for (CORRIDOR_PROVIDER_ANSWERS)`;
    return { kind: 'unread', code: 'ANSWER_INCOMPLETE', detail };
  }
  const echoed: EchoedInstruction = {
    ...(transferId !== undefined && { transferId }),
    ...(endToEndId !== undefined && { endToEndId }),
    ...(amount !== undefined && { amount }),
    ...(beneficiaryDigest !== undefined && { beneficiaryDigest }),
    ...(payerDigest !== undefined && { payerDigest }),
  };
  return { kind: 'observed', state, reference: reference ?? null, reasonCode: data.reasonCode ?? null, asOf, echoed };
}

function parseJson(text: string): unknown {
  if (isDeeperThan(text, DEEPEST)) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Whether brackets are nested deeper than that; those within strings do not count. */
function isDeeperThan(json: string, most: number): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < json.length; i++) {
    const unit = json.charCodeAt(i);
    if (inString) {
      if (unit === 0x5c) i++;
      else if (unit === 0x22) inString = false;
      continue;
    }
    if (unit === 0x22) inString = true;
    else if (unit === 0x5b || unit === 0x7b) {
      if (++depth > most) return true;
    } else if (unit === 0x5d || unit === 0x7d) depth--;
  }
  return false;
}
