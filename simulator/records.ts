/** The ledger's records: what the provider received and did, in order. Types only. No names, no account numbers. */
import type { Scenario } from './scenarios.ts';

/** Minor units as a decimal string: JSON has no bigint. */
export interface RecordedMoney {
  readonly minor: string;
  readonly currency: string;
}

export type RequestClass = 'submit' | 'query' | 'cancel';

/** A fault that was injected. `id` is unique within a ledger, so a report can name it. */
export interface AppliedFault {
  readonly id: string;
  /** The rule of the fault plan it comes from. */
  readonly rule: string;
  readonly kind: string;
}

interface Common {
  /** Milliseconds since the epoch, never falling within a ledger. */
  readonly at: number;
  readonly key: string;
  /** Null when nothing that was received under this key said which transfer it is for. */
  readonly transferId: string | null;
}

/** One submit attempt that reached the provider, whatever became of it. */
export interface SubmitRecord extends Common {
  readonly kind: 'submit';
  /** `dropped`: a fault ended it before it was processed. */
  readonly outcome: 'accepted' | 'repeated' | 'mismatch' | 'refused' | 'dropped';
  readonly amount: RecordedMoney | null;
  readonly fault?: AppliedFault;
  /** Only when accepted. */
  readonly run?: AcceptedRun;
}

/** What an accepted submit will come to. */
export interface AcceptedRun {
  /** 1 for the first; higher only with duplicate protection off. */
  readonly number: number;
  readonly endToEndId: string;
  readonly rail: string;
  /** Hash of the request, which tells a repetition from another body under the same key. */
  readonly hash: string;
  /** A digest, so that the ledger holds no account number; absent in ledgers of before. */
  readonly beneficiaryDigest?: string;
  /** A digest too: the ledger holds nothing of the payer. */
  readonly payerDigest?: string;
  readonly expiresAt: number;
  /** A query does not find it before this. */
  readonly visibleAt: number;
  /** When it settles; null when queries settle it, or nothing does. */
  readonly dueAt: number | null;
  readonly scenario: Scenario;
}

/** Money moved to the beneficiary. */
export interface ExecutionRecord extends Common {
  readonly kind: 'execution';
  readonly run: number;
  readonly amount: RecordedMoney;
  /** When the money will come back; null when it will not. */
  readonly returnAt: number | null;
}

/** Accepted, and ended without money moving: by data (`failure`), or because `expiresAt` came first (`expiry`). */
export interface FailureRecord extends Common {
  readonly kind: 'failure' | 'expiry';
  readonly run: number;
  readonly reasonCode: string;
}

/** Money that had moved came back in full. */
export interface ReturnRecord extends Common {
  readonly kind: 'return';
  readonly run: number;
  readonly amount: RecordedMoney;
  readonly reasonCode: string;
}

/** A submit was refused. When `closes`, the key can never execute from here on. */
export interface RefusalRecord extends Common {
  readonly kind: 'refusal';
  readonly code: 'INVALID_REQUEST' | 'EXPIRED' | 'DECLINED' | 'CANCELLED';
  readonly reasonCode?: string;
  readonly closes: boolean;
}

/** A confirmed cancel: the key can never execute from here on. `refused`: it had executed before. */
export interface CancelRecord extends Common {
  readonly kind: 'cancel';
  readonly outcome: 'cancelled' | 'refused';
  readonly fault?: AppliedFault;
}

/** A query that counted towards a payout that is settled by queries. */
export interface PollRecord extends Common {
  readonly kind: 'poll';
  readonly run: number;
}

/** A fault injected into something other than a submit. */
export interface FaultRecord extends Common {
  readonly kind: 'fault';
  readonly on: RequestClass;
  readonly fault: AppliedFault;
}

export type RecordBody =
  | SubmitRecord
  | ExecutionRecord
  | FailureRecord
  | ReturnRecord
  | RefusalRecord
  | CancelRecord
  | PollRecord
  | FaultRecord;

/** A record as it stands in the file: `seq` counts from 1 without gaps. */
export type LedgerRecord = RecordBody & { readonly seq: number };

export type RecordKind = LedgerRecord['kind'];
