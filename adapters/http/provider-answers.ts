// What a provider's answers mean. The shapes are its contract, version 1 (docs/simulator.md), as far as they are used.
import { z } from 'zod';
import type { CancelResult, Observation, QueryResult, SubmitResult } from '../../payouts/payout.ts';
import type { Exchange } from './provider-exchange.ts';

const view = z.object({
  idempotencyKey: z.string(),
  state: z.enum(['ACCEPTED', 'PAID', 'RETURNED', 'FAILED', 'REFUSED', 'EXPIRED', 'CANCELLED']),
  reasonCode: z.string().optional(),
  reference: z.string().optional(),
  asOf: z.iso.datetime({ offset: true }),
});

const refusal = z.object({
  code: z.string(),
  /** A promise: the key has never executed and never will. */
  definitive: z.boolean(),
  reasonCode: z.string().optional(),
  asOf: z.iso.datetime({ offset: true }),
});

type Read = Observation | { readonly kind: 'refusal'; readonly refusal: z.output<typeof refusal> } | Unread;
interface Unread {
  readonly kind: 'unread';
  readonly code: string;
  readonly detail: string;
}

export function submitResult(key: string, answer: Exchange): SubmitResult {
  if (answer.kind === 'not-sent') return answer;
  const read = readAnswer(key, answer);
  if (read.kind === 'observed') return read;
  if (read.kind === 'unread') return { ...read, kind: 'unknown' };
  const { code, definitive, reasonCode, asOf } = read.refusal;
  if (!definitive)
    return { kind: 'unknown', code: `PROVIDER_${code}`, detail: 'the provider gave no definitive answer' };
  const state = code === 'EXPIRED' || code === 'CANCELLED' ? code : 'REFUSED';
  return { kind: 'observed', state, reference: null, reasonCode: reasonCode ?? null, asOf: Date.parse(asOf) };
}

export function queryResult(key: string, answer: Exchange): QueryResult {
  const read = readAnswer(key, answer);
  if (read.kind === 'observed') return read;
  if (read.kind === 'unread') return { ...read, kind: 'no-answer' };
  const { code, asOf } = read.refusal;
  if (code === 'NOT_FOUND') return { kind: 'not-found', asOf: Date.parse(asOf) };
  return { kind: 'no-answer', code: `PROVIDER_${code}`, detail: 'the provider refused the query' };
}

export function cancelResult(key: string, answer: Exchange): CancelResult {
  const read = readAnswer(key, answer);
  if (read.kind === 'observed') return read;
  if (read.kind === 'unread') return { ...read, kind: 'no-answer' };
  if (read.refusal.code === 'ALREADY_EXECUTED') return { kind: 'too-late' };
  return { kind: 'no-answer', code: `PROVIDER_${read.refusal.code}`, detail: 'the provider refused the cancel' };
}

function readAnswer(key: string, answer: Exchange): Read {
  if (answer.kind !== 'answered') return { kind: 'unread', code: answer.code, detail: answer.detail };
  const body = parseJson(answer.body);
  if (answer.status >= 200 && answer.status < 300) {
    const parsed = view.safeParse(body);
    if (!parsed.success) return { kind: 'unread', code: 'ANSWER_MALFORMED', detail: `HTTP ${answer.status}` };
    const { idempotencyKey, state, reasonCode, reference, asOf } = parsed.data;
    if (idempotencyKey !== key) return { kind: 'unread', code: 'ANSWER_FOR_ANOTHER_KEY', detail: idempotencyKey };
    return {
      kind: 'observed',
      state,
      reference: reference ?? null,
      reasonCode: reasonCode ?? null,
      asOf: Date.parse(asOf),
    };
  }
  const parsed = refusal.safeParse(body);
  if (!parsed.success) return { kind: 'unread', code: `HTTP_${answer.status}`, detail: 'no readable answer' };
  return { kind: 'refusal', refusal: parsed.data };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
