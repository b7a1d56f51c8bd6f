// What the service sees of a hosted processor, sink or executor, and what a host reports while it works.

import type { ErrorCode, ShownCode } from '../../ports/error-codes.ts';
import type { ConsumerFault, PartitionProgress } from '../../ports/log.ts';
import type { Cause } from '../../processors/contract.ts';
import type { Fault } from '../fault.ts';
import type { DeadLetterClass } from '../retries-and-dead-letters/recovery-records.ts';
import type { InboundRecord } from './inbound-records.ts';

/** A dependency that some partition of a host waits for. */
export interface DependencyTrouble {
  readonly dependency: string;
  readonly code: ShownCode;
  readonly detail: string;
  /** Wall clock, ms. */
  readonly since: number;
  readonly topic: string;
  readonly partition: number;
  /** When it was met last; monotonic ms. */
  readonly lastMetAt: number;
}

/** What went through and yet must not be: somebody has to look. Kept until the process ends. */
export interface Alarm {
  readonly code: 'INNER_BATCH_UNREADABLE' | 'ROW_PASSED_OVER' | 'WATERMARK_OVERTAKEN';
  readonly topic: string;
  readonly partition: number;
  /** Of the last one. */
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly detail: string;
  /** What an operator does about it. */
  readonly toDo: string;
  readonly count: number;
  /** Wall clock, ms. */
  readonly since: number;
}

export type HostState = 'new' | 'starting' | 'running' | 'draining' | 'stopped' | 'failed';

export interface HostHealth {
  readonly name: string;
  readonly state: HostState;
  readonly partitions: readonly PartitionProgress[];
  readonly troubles: readonly DependencyTrouble[];
  readonly tables: readonly TableHealth[];
  readonly alarms?: readonly Alarm[];
  /** What it has begun beyond its batches, by what it waits for. */
  readonly underWay?: Readonly<Record<string, number>>;
}

export interface TableHealth {
  readonly name: string;
  readonly entries: number;
  readonly caughtUp: boolean;
  /** Append time of the newest record, ms; undefined while there is none. */
  readonly newestAt: number | undefined;
  readonly undecodable: number;
  /** The last record that was skipped, and why: the last good value of its key stays. */
  readonly lastSkipped?: { readonly partition: number; readonly offset: number; readonly code: ErrorCode };
  /** What last kept the topic from being read on, and when (wall clock, ms); it is tried again. */
  readonly lastFault?: { readonly code: ErrorCode; readonly detail: string; readonly at: number };
  /** Records skipped because their issuer has not sealed them: somebody else wrote them. */
  readonly unproven: number;
  /** Copies of earlier records, passed over; absent while there was none. */
  readonly outdated?: number;
}

/** A part of a process that stopped by itself. */
export interface StoppedPart {
  readonly name: string;
  readonly code: ShownCode;
  readonly detail: string;
  /** What an operator does about it. */
  readonly toDo: string;
  /** When it first stopped and has not run since; wall clock, ms. */
  readonly since: number;
  /** How often it was started again in vain. */
  readonly restarts: number;
  /** Wall clock, ms. */
  readonly nextStartAt: number;
}

/** Something that runs until it is stopped or fails. The service starts, watches and drains them. */
export interface Host {
  readonly name: string;
  /** Resolves when the host works. Rejects with a coded error when it cannot. */
  start(): Promise<void>;
  /** Rejects with the fault when the host ends by itself; never resolves. */
  readonly failed: Promise<never>;
  health(): HostHealth;
  /** Finishes the work that was begun within the deadline (ms), then stops. */
  stop(deadlineMs: number): Promise<void>;
}

/** Called with everything that a batch handler does; metrics, logs and health are made of it. Never throws. */
export interface HostObserver {
  batch(topic: string, records: number): void;
  records(topic: string, disposition: 'done' | 'retry' | 'wait' | 'dropped' | 'dead-letter', count: number): void;
  deadLetter(inbound: InboundRecord, cause: Cause, deadLetterClass: DeadLetterClass): void;
  /** A record of which nothing comes, because its like was handled before. */
  dropped(inbound: InboundRecord, cause: Cause): void;
  dependencyDown(topic: string, partition: number, fault: Fault): void;
  dependencyBack(topic: string, partition: number): void;
  stopped(topic: string, partition: number, cause: Cause, inbound: InboundRecord | undefined): void;
  logFault(fault: ConsumerFault): void;
}
