// What the status of an installation is made of.
import type { ErrorCode } from '../../ports/error-codes.ts';

/** A part of a process that stopped by itself, as its process says. */
export interface ReportedStop {
  readonly name: string;
  readonly code: string;
  readonly detail: string;
  readonly toDo: string;
  /** ms since 1970 */
  readonly since: number;
  readonly restarts: number;
}

/** A dependency that something waits for. */
export interface ReportedTrouble {
  readonly dependency: string;
  readonly code: string;
  readonly detail: string;
  /** ms since 1970 */
  readonly since: number;
}

/** A part of a process as its process says. */
export interface ReportedPart {
  readonly name: string;
  readonly state: string;
  readonly lag: number;
  readonly troubles: readonly ReportedTrouble[];
  readonly paused: readonly {
    readonly topic: string;
    readonly partition: number;
    readonly code: string;
    readonly detail: string;
  }[];
}

/** What a process says of its health. Texts are capped, and lists too. */
export interface HealthReport {
  readonly live: boolean;
  readonly ready: boolean;
  readonly standing: readonly ReportedStop[];
  readonly parts: readonly ReportedPart[];
}

export interface HealthReports {
  /** Asks one process. @throws CodedError PROCESS_UNREACHABLE, HEALTH_UNREADABLE */
  of(url: string): Promise<HealthReport>;
}

/** A process that was asked. */
export type AskedProcess =
  | { readonly url: string; readonly report: HealthReport; readonly fault: null }
  | {
      readonly url: string;
      readonly report: null;
      readonly fault: { readonly code: ErrorCode; readonly detail: string };
    };

/** The checkpoint that a run of verify has written last. */
export interface VerifyCheckpoint {
  readonly file: string;
  /** ms since 1970 */
  readonly takenAt: number;
}
