/** Given/when/then over the pure core, and HTTP requests as a client would make them; for this folder's tests. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Answer, type Command, decide, type Instruction, type Terms } from '../decide.ts';
import { evolve, type Payout } from '../payout.ts';
import type { RecordBody } from '../records.ts';

export const KEY = 'T1:1';

export const terms: Terms = { now: 1_000, duplicateProtection: true, delayMs: 200, returnDelayMs: 300 };

export function instruction(change: Partial<Instruction> = {}): Instruction {
  return {
    transferId: 'T1',
    endToEndId: 'E1',
    rail: 'IMPS',
    amount: { minor: '12345', currency: 'INR' },
    expiresAt: 60_000,
    hash: 'h1',
    scenario: { outcome: 'PAY' },
    ...change,
  };
}

export interface Step {
  readonly at: number;
  readonly command: Command;
}

/** Runs commands against one key, each at its time. `payout` is what the decisions made of it. */
export function run(steps: readonly Step[], base: Terms = terms) {
  let payout: Payout | undefined;
  const records: RecordBody[] = [];
  const answers: Answer[] = [];
  for (const { at, command } of steps) {
    const decision = decide(payout, KEY, command, { ...base, now: at });
    payout = decision.payout;
    records.push(...decision.records);
    answers.push(decision.answer);
  }
  return { payout, records, answers, kinds: records.map(({ kind }) => kind), last: answers.at(-1) };
}

/** The payout that a ledger of these records gives, after a trip through JSON. */
export function replay(records: readonly RecordBody[]): Payout | undefined {
  let payout: Payout | undefined;
  for (const record of JSON.parse(JSON.stringify(records)) as RecordBody[]) payout = evolve(payout, record);
  return payout;
}

export interface TemporaryLedger extends AsyncDisposable {
  readonly ledgerFile: string;
}

export async function temporaryLedger(): Promise<TemporaryLedger> {
  const folder = await mkdtemp(path.join(tmpdir(), 'corridor-simulator-'));
  return {
    ledgerFile: path.join(folder, 'ledger.ndjson'),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/** A submit body that is valid for ten minutes. */
export function submitBody(transferId: string, change: Record<string, unknown> = {}, account = '50100012345678') {
  return {
    transferId,
    endToEndId: `E-${transferId}`.slice(0, 35),
    amount: { minor: '12345', currency: 'INR' },
    rail: 'IMPS',
    corridor: 'GBP-INR',
    beneficiary: { name: 'Asha Rao', account, bankCode: 'HDFC0000001', country: 'IN' },
    expiresAt: new Date(Date.now() + 600_000).toISOString(),
    ...change,
  };
}

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of any shape.
  readonly body: any;
}

export async function request(url: string, path: string, init: RequestInit = {}): Promise<Reply> {
  const response = await fetch(url + path, init);
  return { status: response.status, headers: response.headers, body: await response.json() };
}

export function submit(url: string, key: string, body: unknown, signal?: AbortSignal): Promise<Reply> {
  const headers = { 'content-type': 'application/json', 'idempotency-key': key };
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return request(url, '/v1/payouts', { method: 'POST', headers, body: text, ...(signal && { signal }) });
}

export function query(url: string, key: string): Promise<Reply> {
  return request(url, `/v1/payouts/${encodeURIComponent(key)}`);
}

export function cancel(url: string, key: string): Promise<Reply> {
  return request(url, `/v1/payouts/${encodeURIComponent(key)}/cancel`, { method: 'POST' });
}

/** Queries until `state`, as often as it takes; the test's own time limit ends a wait in vain. */
export async function queryUntil(url: string, key: string, state: string): Promise<Reply> {
  for (;;) {
    const reply = await query(url, key);
    if (reply.body.state === state) return reply;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
