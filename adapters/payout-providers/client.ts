// Client of a payout provider over HTTP: bulkhead, then circuit breaker, then time-out. It never sends anything twice.
import {
  BrokenCircuitError,
  BulkheadRejectedError,
  bulkhead,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  handleWhenResult,
  wrap,
} from 'cockatiel';
import { Pool } from 'undici';
import type { PayoutInstruction } from '../../payouts/payout.ts';
import type { ProviderClient } from '../../payouts/ports.ts';
import { type AnswerRule, cancelResult, queryResult, submitResult } from './answers.ts';
import { authHeaders, type ProviderAuth } from './auth.ts';
import { type Exchange, type ExchangeRequest, exchange, TOO_LATE_TO_SEND } from './exchange.ts';

export interface ProviderClientOptions {
  /** Name of the provider, as payouts record it. */
  readonly name: string;
  /** Base URL, such as http://127.0.0.1:4711. */
  readonly url: string;
  /** Connections, and so calls on the wire at once. */
  readonly connections?: number;
  /** Calls that may wait for a connection; beyond them calls are refused. */
  readonly queue?: number;
  /** ms; submits must be over well within the lease of an attempt. */
  readonly submitTimeoutMs?: number;
  readonly queryTimeoutMs?: number;
  readonly connectTimeoutMs?: number;
  /** Failures in a row that open the circuit, and how long it stays open before one call may try, ms. */
  readonly breakAfter?: number;
  readonly halfOpenAfterMs?: number;
  /** How complete an answer must be; default `complete`. */
  readonly answers?: AnswerRule;
  readonly auth?: ProviderAuth;
  /** Called with each change of the circuit. Never throws. */
  readonly onCircuit?: (state: ProviderCircuit) => void;
}

export type ProviderCircuit = 'closed' | 'open' | 'half-open';

export interface HttpProviderClient extends ProviderClient {
  circuit(): ProviderCircuit;
  /** Ends connections; calls on their way end as failures. */
  close(): Promise<void>;
}

const CIRCUITS: Readonly<Record<CircuitState, ProviderCircuit>> = {
  [CircuitState.Closed]: 'closed',
  [CircuitState.Open]: 'open',
  [CircuitState.Isolated]: 'open',
  [CircuitState.HalfOpen]: 'half-open',
};

const LOCKED_OUT: ReadonlySet<number> = new Set([401, 403, 407]);
const MAX_RETRY_AFTER_MS = 60_000;
const MAX_HEADERS_BYTES = 16_384;

/** A client of the provider's REST contract, version 1. Connects when first used. */
export function httpProviderClient(options: ProviderClientOptions): HttpProviderClient {
  const connections = options.connections ?? 128;
  const halfOpenAfterMs = options.halfOpenAfterMs ?? 2_000;
  const submitTimeoutMs = options.submitTimeoutMs ?? 10_000;
  const queryTimeoutMs = options.queryTimeoutMs ?? 5_000;
  const { answers = 'complete', auth = {} } = options;
  const base = new URL(options.url);
  const prefix = `${base.pathname.replace(/\/$/, '')}/v1/payouts`;
  const pool = new Pool(base.origin, {
    connections,
    pipelining: 1,
    connect: { timeout: options.connectTimeoutMs ?? 2_000, ...auth.tls },
    keepAliveTimeout: 30_000,
    maxHeaderSize: MAX_HEADERS_BYTES,
  });
  const breaker = circuitBreaker(handleWhenResult(isFailure), {
    halfOpenAfter: halfOpenAfterMs,
    breaker: new ConsecutiveBreaker(options.breakAfter ?? 10),
  });
  const guard = wrap(bulkhead(connections, options.queue ?? 10 * connections), breaker);
  let openedAt = 0;
  let pausedUntil = 0;
  breaker.onStateChange((state) => {
    if (state === CircuitState.Open) openedAt = Date.now();
    options.onCircuit?.(CIRCUITS[state]);
  });

  async function call(key: string, request: ExchangeRequest): Promise<Exchange> {
    const { method, path, body = '' } = request;
    // Signed when it has its turn, so that the date is fresh.
    const signed = () => ({ ...request.headers, ...authHeaders(auth, { method, path, idempotencyKey: key, body }) });
    const answer = await guard
      .execute(() => exchange(pool, { ...request, headers: { 'idempotency-key': key, ...signed() } }))
      .catch(refusedHere);
    if (answer.kind === 'answered' && answer.status === 429) {
      const seconds = Number(answer.retryAfter ?? 1);
      const waitMs = Number.isFinite(seconds) ? seconds * 1_000 : 1_000;
      pausedUntil = Date.now() + Math.min(MAX_RETRY_AFTER_MS, waitMs);
    }
    return answer;
  }

  return {
    name: options.name,
    ready: () => {
      if (Date.now() < pausedUntil) return false;
      if (breaker.state === CircuitState.Closed) return true;
      return breaker.state === CircuitState.Open && Date.now() - openedAt >= halfOpenAfterMs;
    },
    circuit: () => CIRCUITS[breaker.state],
    submit: async (instruction, mayStart) => {
      const headers = { 'content-type': 'application/json' };
      const body = bodyOf(instruction);
      const request = { method: 'POST', path: prefix, headers, body, timeoutMs: submitTimeoutMs, mayStart } as const;
      return submitResult(instruction.key, await call(instruction.key, request), answers);
    },
    query: async (key) => {
      const path = `${prefix}/${encodeURIComponent(key)}`;
      const request = { method: 'GET', path, headers: {}, timeoutMs: queryTimeoutMs } as const;
      return queryResult(key, await call(key, request), answers);
    },
    cancel: async (key) => {
      const path = `${prefix}/${encodeURIComponent(key)}/cancel`;
      const request = { method: 'POST', path, headers: {}, timeoutMs: queryTimeoutMs } as const;
      return cancelResult(key, await call(key, request), answers);
    },
    close: () => pool.destroy(),
  };
}

/** Failures of the provider or of the way to it. A refusal is not one, nor is what we did not send on purpose. */
function isFailure(result: unknown): boolean {
  const answer = result as Exchange;
  if (answer.kind !== 'answered') return answer.code !== TOO_LATE_TO_SEND;
  if (answer.status === 429) return false;
  // Who is not let in, or is answered by somebody else than the provider, is in no case better off with the next payout.
  return answer.status >= 500 || LOCKED_OUT.has(answer.status) || !answer.isJson;
}

function refusedHere(error: unknown): Exchange {
  if (error instanceof BrokenCircuitError) {
    return { kind: 'not-sent', code: 'CIRCUIT_OPEN', detail: 'the provider failed too often just now' };
  }
  if (error instanceof BulkheadRejectedError) {
    return { kind: 'not-sent', code: 'PROVIDER_BUSY', detail: 'too many calls are waiting' };
  }
  // Nothing else throws; if something does, it may have been sent.
  return { kind: 'unanswered', code: 'HTTP_ERROR', detail: 'the client failed' };
}

function bodyOf(instruction: PayoutInstruction): string {
  const { transferId, endToEndId, amount, rail, corridor, beneficiary, remittanceInformation, expiresAt } = instruction;
  const { name, account, bankCode, country, address } = beneficiary;
  const { payer, purpose, chargeBearer, uetr } = instruction;
  return JSON.stringify({
    transferId,
    endToEndId,
    amount: { minor: amount.minor.toString(), currency: amount.currency },
    rail,
    corridor,
    beneficiary: { name, account, ...(bankCode !== null && { bankCode }), country, ...(address && { address }) },
    ...{ payer, purpose, chargeBearer, uetr },
    expiresAt: new Date(expiresAt).toISOString(),
    ...(remittanceInformation !== null && { remittanceInformation }),
  });
}
