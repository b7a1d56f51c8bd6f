/** A payout as the provider has it, and how ledger records make it. Pure: the same records always give the same payout. */
import type { PayoutState } from './api.ts';
import type { RecordBody, RecordedMoney, RefusalRecord } from './records.ts';
import type { Scenario } from './scenarios.ts';

/** One accepted submit. With duplicate protection on, a key has at most one. */
export interface Run {
  readonly number: number;
  readonly state: 'ACCEPTED' | 'PAID' | 'RETURNED' | 'FAILED' | 'EXPIRED' | 'CANCELLED';
  readonly transferId: string | null;
  readonly endToEndId: string;
  readonly rail: string;
  readonly amount: RecordedMoney;
  readonly hash: string;
  readonly beneficiaryDigest?: string;
  readonly payerDigest?: string;
  readonly scenario: Scenario;
  readonly acceptedAt: number;
  readonly expiresAt: number;
  readonly visibleAt: number;
  readonly dueAt: number | null;
  readonly polls: number;
  readonly paidAt: number | null;
  readonly returnAt: number | null;
  readonly reasonCode: string | null;
  readonly updatedAt: number;
}

/** A closed key accepts no submit any more. */
export interface Closed {
  readonly state: 'CANCELLED' | 'EXPIRED' | 'REFUSED' | 'FAILED';
  readonly code: RefusalRecord['code'];
  readonly reasonCode: string | null;
  readonly at: number;
}

/** Everything the provider knows under one idempotency key. */
export interface Payout {
  readonly key: string;
  readonly runs: readonly Run[];
  readonly closed: Closed | null;
}

/** The payout after one more record. Folding a ledger with this gives the state that the provider had. */
export function evolve(payout: Payout | undefined, record: RecordBody): Payout | undefined {
  const before = payout ?? { key: record.key, runs: [], closed: null };
  switch (record.kind) {
    case 'submit': {
      if (record.run === undefined || record.amount === null) return payout;
      const { number, ...rest } = record.run;
      const run: Run = {
        ...rest,
        number,
        state: 'ACCEPTED',
        transferId: record.transferId,
        amount: record.amount,
        acceptedAt: record.at,
        polls: 0,
        paidAt: null,
        returnAt: null,
        reasonCode: null,
        updatedAt: record.at,
      };
      return { ...before, runs: [...before.runs, run] };
    }
    case 'execution':
      return withRun(before, record.run, {
        state: 'PAID',
        paidAt: record.at,
        returnAt: record.returnAt,
        updatedAt: record.at,
      });
    case 'return':
      return withRun(before, record.run, {
        state: 'RETURNED',
        returnAt: null,
        reasonCode: record.reasonCode,
        updatedAt: record.at,
      });
    case 'failure':
    case 'expiry': {
      const state = record.kind === 'failure' ? 'FAILED' : 'EXPIRED';
      const code = record.kind === 'failure' ? 'DECLINED' : 'EXPIRED';
      const closed = before.closed ?? { state, code, reasonCode: record.reasonCode, at: record.at };
      return {
        ...withRun(before, record.run, { state, reasonCode: record.reasonCode, updatedAt: record.at }),
        closed,
      };
    }
    case 'poll':
      return withRun(before, record.run, { polls: (before.runs[record.run - 1]?.polls ?? 0) + 1 });
    case 'refusal': {
      if (!record.closes || before.closed) return payout;
      const state = record.code === 'EXPIRED' ? 'EXPIRED' : 'REFUSED';
      return {
        ...before,
        closed: { state, code: record.code, reasonCode: record.reasonCode ?? null, at: record.at },
      };
    }
    case 'cancel': {
      if (record.outcome === 'refused') return payout;
      const cancelled = { state: 'CANCELLED', updatedAt: record.at } as const;
      return {
        ...before,
        runs: before.runs.map((run) => (run.state === 'ACCEPTED' ? { ...run, ...cancelled } : run)),
        closed: before.closed ?? { state: 'CANCELLED', code: 'CANCELLED', reasonCode: null, at: record.at },
      };
    }
    case 'fault':
      return payout;
  }
}

/** When time alone next changes this payout, in milliseconds since the epoch; null when it never does. */
export function nextDueAt(payout: Payout | undefined): number | null {
  let next = Number.POSITIVE_INFINITY;
  for (const run of payout?.runs ?? []) {
    if (run.state === 'ACCEPTED') next = Math.min(next, run.expiresAt, run.dueAt ?? run.expiresAt);
    if (run.state === 'PAID' && run.returnAt !== null) next = Math.min(next, run.returnAt);
  }
  return Number.isFinite(next) ? next : null;
}

/** The state to show for a payout: its latest run's, or how its key was closed before any run. */
export function stateOf(payout: Payout): PayoutState {
  const run = payout.runs.at(-1);
  if (run) return run.state;
  return payout.closed?.state ?? 'REFUSED';
}

/** Has money moved, whether or not it came back? */
export function hasExecuted(run: Run): boolean {
  return run.state === 'PAID' || run.state === 'RETURNED';
}

function withRun(payout: Payout, number: number, change: Partial<Run>): Payout {
  return { ...payout, runs: payout.runs.map((run) => (run.number === number ? { ...run, ...change } : run)) };
}
