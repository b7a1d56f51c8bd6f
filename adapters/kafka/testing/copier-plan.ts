// What a copier process is told and what it tells.
import type { LogFailpoint } from '../../../ports/log-failpoints.ts';
import type { UnsafeForTests } from '../options.ts';

export interface CopierPlan {
  readonly brokers: readonly string[];
  readonly appName: string;
  readonly consumer: string;
  readonly inputs: readonly string[];
  readonly output: string;
  /** Default: exactly once, every record copied. */
  readonly delivery?: 'exactly-once' | 'at-least-once';
  /** Copies records whose number is a multiple of it, and puts nothing out for the others. */
  readonly every?: number;
  /** Batches of so many partitions are waited for, for a moment, and handed on at once: so that they share transactions. */
  readonly together?: number;
  readonly maxBatchRecords: number;
  readonly sessionTimeoutMs: number;
  readonly transactionTimeoutMs?: number;
  readonly unsafe?: UnsafeForTests;
  /** What happens when a failpoint is passed for the n-th time. */
  readonly die?: { readonly at: LogFailpoint; readonly pass: number; readonly how: 'kill' | 'stop' | 'throw' };
}

export type CopierEvent =
  | { readonly event: 'ready' }
  /** A commit in a transaction of so many partitions. */
  | { readonly event: 'shared'; readonly joined: number }
  | { readonly event: 'failpoint'; readonly name: string }
  | { readonly event: 'fault'; readonly code: string; readonly detail: string; readonly severity: string }
  /** What stands beside the offset is not of the same commit. */
  | { readonly event: 'torn'; readonly note: string; readonly offset: number }
  | { readonly event: 'ended'; readonly code: string };
